#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>

#include "proxy/cli_check.h"
#include "proxy/cli_check_data.h"
#include "proxy/cli_explain.h"
#include "proxy/cli_plan_growth.h"
#include "proxy/cli_route.h"
#include "proxy/serve.h"
#include "proxy/version.h"

namespace anabranch::proxy {
namespace {

/// Adds one subcommand to the application, and answers what runs it once the line is parsed. Its
/// options live as long as the answer.
using Declare = std::pair<CLI::App*, std::function<int()>> (*)(CLI::App& application);

/// The file's diagnostics, then what becomes of each statement of the query log.
int check_with_queries(const CheckOptions& check_options, const CheckQueriesOptions& options) {
  const int status = check(check_options, std::cout, std::cerr);
  if (options.file.empty() || status != exit_fine) return status;
  std::ifstream file(options.file);
  if (!file) {
    std::cerr << options.file << ": cannot be read\n";
    return exit_refused;
  }
  const std::string log{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return check_queries(options, log, std::cout, std::cerr);
}

/// The file's diagnostics, then what is wrong with the rows.
int check_with_data(const CheckOptions& check_options, const CheckDataOptions& options) {
  const int status = check(check_options, std::cout, std::cerr);
  return status == exit_fine ? check_data(options, std::cout, std::cerr) : status;
}

std::pair<CLI::App*, std::function<int()>> declare_check(CLI::App& application) {
  auto options = std::make_shared<CheckOptions>();
  auto queries = std::make_shared<CheckQueriesOptions>();
  CLI::App* command = application.add_subcommand("check", "Validate a configuration file");
  command->add_option("-c,--config", options->config, "The configuration file")->required();
  auto data = std::make_shared<CheckDataOptions>();
  auto with_data = std::make_shared<bool>(false);
  CLI::Option* log =
      command->add_option("--queries", queries->file, "A query log: say for each statement where it goes and why");
  command->add_option("-d,--database", queries->database,
                      "The log's database, where there are several; with --data the one to read, default: all");
  CLI::Option* all_rows = command->add_flag(
      "--data", *with_data, "Read every row: find those on a wrong shard, and copies of reference tables that differ");
  command->add_option("--rate", data->rows_per_second, "With --data: rows a second to read of each shard at most")
      ->needs(all_rows)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  all_rows->excludes(log);
  return {command, [options, queries, data, with_data] {
            queries->config = options->config;
            data->config = options->config;
            data->database = queries->database;
            data->progress = isatty(STDERR_FILENO) == 1;
            if (*with_data) return check_with_data(*options, *data);
            return check_with_queries(*options, *queries);
          }};
}

std::pair<CLI::App*, std::function<int()>> declare_route(CLI::App& application) {
  auto options = std::make_shared<RouteOptions>();
  CLI::App* command = application.add_subcommand("route", "Print the bucket and shard of keys");
  command->add_option("-c,--config", options->config, "The configuration file")->required();
  command->add_option("-d,--database", options->database, "The database")->required();
  command->add_option("-t,--table", options->table, "The table")->required();
  command->add_option("key", options->keys, "Keys of the scheme's type; \\N is NULL")->required();
  return {command, [options] { return route(*options, std::cout, std::cerr); }};
}

std::pair<CLI::App*, std::function<int()>> declare_plan_growth(CLI::App& application) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto database = std::make_shared<std::string>();
  CLI::App* command = application.add_subcommand("plan-growth", "Tell which keys a new configuration moves");
  command->add_option("-c,--config", *files, "The configuration of today, and again: the new one")
      ->required();
  command->add_option("-d,--database", *database, "The database; default: every one of both");
  return {command, [files, database] {
            if (files->size() != 2) {
              std::cerr << "plan-growth: expected -c OLD -c NEW\n";
              return exit_usage;
            }
            return plan_growth({files->at(0), files->at(1), *database}, std::cout, std::cerr);
          }};
}

std::pair<CLI::App*, std::function<int()>> declare_serve(CLI::App& application) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = application.add_subcommand("serve", "Run the proxy");
  command->add_option("-c,--config", options->config, "The configuration file")->required();
  return {command, [options] { return serve(*options); }};
}

std::pair<CLI::App*, std::function<int()>> declare_explain(CLI::App& application) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = application.add_subcommand("explain", "Print the plan of a statement");
  command->add_option("-c,--config", options->config, "The configuration file")->required();
  command->add_option("-d,--database", options->database, "The database")->required();
  command->add_option("sql", options->sql, "The statement")->required();
  command->add_flag("--stages", options->stages, "Show every stage of the way to the plan");
  return {command, [options] { return explain(*options, std::cout, std::cerr); }};
}

/// Every subcommand there is: one line each.
constexpr std::array<Declare, 5> subcommands{declare_serve, declare_check, declare_route, declare_explain,
                                             declare_plan_growth};

int run(int argc, char** argv) {
  CLI::App application{"Anabranch: many database servers that look like one"};
  application.name("anabranch");
  application.set_version_flag("--version", "anabranch " + std::string(version));
  application.require_subcommand(1);
  std::vector<std::pair<CLI::App*, std::function<int()>>> declared;
  for (const Declare declare : subcommands) declared.push_back(declare(application));
  try {
    application.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return application.exit(error) == 0 ? exit_fine : exit_usage;
  }
  for (const auto& [command, action] : declared) {
    if (command->parsed()) return action();
  }
  return exit_usage;
}

}  // namespace
}  // namespace anabranch::proxy

int main(int argc, char** argv) {
  return anabranch::proxy::run(argc, argv);
}
