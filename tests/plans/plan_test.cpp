#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "conf/load.h"
#include "fixture.h"
#include "rewriter/mysql/parse.h"
#include "rewriter/print.h"
#include "values/mysql_type.h"

/// A case is a query (several lines, up to `;`), perhaps `-- $1 = VALUE :TYPE` lines before it, and
/// the lines of its explanation, indented by four, up to an empty line.
namespace anabranch::plans {
namespace {

struct Case {
  std::string comment;  ///< lines that begin with --, kept as they are
  std::string query;
  std::vector<std::string> expected;
};

struct Run {
  std::string record;  ///< conninfo; empty: descriptions must be known
  std::optional<MysqlServer> mysql;
  bool update = false;
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  Case at;
  bool in_query = true;
  const auto flush = [&] {
    if (!at.query.empty()) cases.push_back(at);
    at = {};
    in_query = true;
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("    ") && !in_query) {
      at.expected.push_back(line.substr(4));
      continue;
    }
    if (!in_query) flush();
    if (line.empty()) continue;
    if (line.starts_with("--")) {
      at.comment += line + "\n";
      continue;
    }
    at.query += (at.query.empty() ? "" : "\n") + line;
    if (line.ends_with(";")) in_query = false;
  }
  flush();
  return cases;
}

void write_cases(const std::filesystem::path& path, const std::vector<Case>& cases) {
  std::ofstream file(path);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (i > 0) file << "\n";
    file << cases[i].comment << cases[i].query << "\n";
    for (const std::string& line : cases[i].expected) file << "    " << line << "\n";
  }
}

/// `-- $1 = 42` gives the first parameter's value, `-- evaluated = 42` what a backend computed.
std::vector<std::string> values_of(const std::string& comment, std::string_view start) {
  std::vector<std::string> values;
  std::istringstream lines(comment);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(" = ");
    if (line.starts_with(start) && at != std::string::npos) values.push_back(line.substr(at + 3));
  }
  return values;
}

/// As a driver would send it: numbers as integers, all else as a string.
values::Oid mysql_type_of(const std::string& value) {
  const bool digits = value.find_first_not_of("-0123456789") == std::string::npos;
  return values::mysql_type(digits ? values::MysqlCode::longlong : values::MysqlCode::var_string);
}

/// Of the map's tables of keys: two tenants have a row.
class Tenancies final : public router::Lookups {
 public:
  std::optional<router::Placement> place(const router::MappedScheme&, const router::KeyValue& key) override {
    if (key.bytes == "ada") return router::Placement{-1, 0};
    if (key.bytes == "bea") return router::Placement{-1, 1};
    return std::nullopt;
  }
};

class Planner {
 public:
  Planner(World& world, const Run& run) : world_(world), run_(run) {}

  std::vector<std::string> explain(const Case& test) {
    const std::string text = test.query.substr(0, test.query.size() - 1);
    rewriter::Shape shape;
    const bool is_mysql = world_.context.dialect == rewriter::Dialect::mysql;
    is_mysql ? rewriter::mysql::shape(text, world_.context.mysql, rewriter::LexLimits{}, shape)
             : rewriter::shape(text, true, rewriter::LexLimits{}, shape);
    std::vector<std::string> given = values_of(test.comment, "-- $");
    std::vector<rewriter::BoundValue> values;
    for (const std::string& value : given) {
      values.push_back({is_mysql ? mysql_type_of(value) : 0, values::Format::text, value});
      if (is_mysql && value == "NULL") values.back().bytes.reset();
    }
    auto plan = make(text, shape, false);
    if (plan->explained) plan = plan->explained->plan;
    rewriter::BoundPlan bound;
    if (!plan->refusal && plan->kind != rewriter::PlanKind::session) {
      if (rewriter::is_for_one_shard(*plan) && asks_several(*plan, shape, values, test)) plan = make(text, shape, true);
      if (!plan->refusal) bound = bind(*plan, shape, values, test);
    }
    auto lines = rewriter::explain(*plan, bound, *world_.map);
    if (plan->prepare_only) lines.push_back("  the server's own error comes first");
    return lines;
  }

 private:
  template <class Ask>
  auto ask(const Ask& question, const rewriter::Plan& plan, const rewriter::Shape& shape,
           const std::vector<rewriter::BoundValue>& values, const Case& test) {
    std::vector<rewriter::BoundValue> evaluations;
    std::vector<std::string> texts = values_of(test.comment, "-- evaluated");
    for (std::size_t i = texts.size(); i < plan.evaluations.size(); ++i) {
      texts.push_back("<" + plan.evaluations[i].sql + ">");
    }
    for (const std::string& made : texts) evaluations.push_back({25, values::Format::text, made});
    rewriter::BindRequest request;
    request.plan = &plan;
    request.shape = &shape;
    request.parameters = values;
    request.evaluations = evaluations;
    request.map = world_.map.get();
    request.lookups = &tenancies_;
    if (world_.context.dialect == rewriter::Dialect::mysql) request.mysql = &world_.context.mysql;
    return question(request);
  }

  rewriter::BoundPlan bind(const rewriter::Plan& plan, const rewriter::Shape& shape,
                           const std::vector<rewriter::BoundValue>& values, const Case& test) {
    return ask([](const auto& request) { return rewriter::bind(request); }, plan, shape, values, test);
  }

  bool asks_several(const rewriter::Plan& plan, const rewriter::Shape& shape,
                    const std::vector<rewriter::BoundValue>& values, const Case& test) {
    return ask([](const auto& request) { return rewriter::route(request, nullptr).size() > 1; }, plan, shape, values, test);
  }

  std::shared_ptr<const rewriter::Plan> make(const std::string& text, const rewriter::Shape& shape,
                                             bool several) {
    std::vector<rewriter::Description> descriptions;
    for (int round = 0; round < 16; ++round) {
      rewriter::PlanRequest request;
      request.text = text;
      request.shape = &shape;
      request.catalog = world_.catalog.get();
      request.map = world_.map.get();
      request.context = &world_.context;
      request.descriptions = descriptions;
      request.several = several;
      request.database = world_.config->find_database("shop");
      auto result = rewriter::plan(request);
      if (auto* plan = std::get_if<std::shared_ptr<const rewriter::Plan>>(&result)) return *plan;
      descriptions.clear();
      for (const auto& ask : std::get<rewriter::NeedDescribe>(result).asks) {
        descriptions.push_back(describe_once(ask));
      }
    }
    throw std::runtime_error("planning does not end");
  }

  rewriter::Description describe_once(const rewriter::NeedDescribe::Ask& ask) {
    const auto known = world_.descriptions.find(ask.sql);
    if (known != world_.descriptions.end()) return known->second;
    const bool is_mysql = world_.context.dialect == rewriter::Dialect::mysql;
    if (is_mysql ? !run_.mysql : run_.record.empty()) throw std::runtime_error("not recorded: " + ask.sql);
    auto answer = is_mysql ? describe(*run_.mysql, ask.sql) : describe(run_.record, ask.sql, ask.parameters);
    world_.descriptions[ask.sql] = answer;
    return answer;
  }

  World& world_;
  Tenancies tenancies_;
  const Run& run_;
};

int run_file(const std::filesystem::path& path, World& world, const Run& run) {
  int failures = 0;
  auto cases = read_cases(path);
  Planner planner(world, run);
  for (Case& test : cases) {
    std::vector<std::string> lines;
    try {
      lines = planner.explain(test);
    } catch (const std::exception& error) {
      lines = {std::string("error: ") + error.what()};
    }
    if (lines == test.expected) continue;
    if (!run.update) {
      ++failures;
      std::cout << path.filename().string() << ": " << test.query << "\n";
      for (const auto& line : test.expected) std::cout << "  - " << line << "\n";
      for (const auto& line : lines) std::cout << "  + " << line << "\n";
    }
    test.expected = std::move(lines);
  }
  if (run.update) write_cases(path, cases);
  std::cout << path.filename().string() << ": " << cases.size() << " cases, " << failures
            << " differ\n";
  return failures;
}

int run_folder(const std::filesystem::path& folder, World& world, const Run& run) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".plan") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  int failures = 0;
  for (const auto& file : files) failures += run_file(file, world, run);
  return failures;
}

}  // namespace
}  // namespace anabranch::plans

int main(int argc, char** argv) {
  using namespace anabranch::plans;
  Run run;
  std::string port;
  const std::filesystem::path folder = PLANS_DIR;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--update") run.update = true;
    if (word == "--record" && i + 1 < argc) run.record = argv[++i];
    if (word == "--record-mysql" && i + 1 < argc) port = argv[++i];
  }
  try {
    if (!port.empty()) {
      run.mysql = connect_mysql(static_cast<unsigned>(std::stoul(port)));
      make_mysql_tables(*run.mysql, folder / "mysql" / "catalog.txt");
    }
    if (!run.record.empty()) record_catalog(run.record, folder / "catalog.tsv");
    World world = load_world(folder, run.record.empty());
    int failures = run_folder(folder, world, run);
    World mysql_world = load_mysql_world(folder / "mysql", port.empty());
    failures += run_folder(folder / "mysql", mysql_world, run);
    if (!run.record.empty()) save_descriptions(folder / "descriptions.tsv", world.descriptions);
    if (run.mysql) save_descriptions(folder / "mysql" / "descriptions.tsv", mysql_world.descriptions);
    return failures == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
