#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 3> actions{"reject", "replica", "shard"};

void read_match(Reader& reader, const Node& node, Rule& rule) {
  const auto pattern = reader.string(node);
  if (!pattern) return;
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const RE2>(*pattern, options);
  if (!compiled->ok()) {
    reader.error(node.where, fmt::format("expected an RE2 pattern: {}", compiled->error()));
    return;
  }
  rule.match = *pattern;
  rule.pattern = std::move(compiled);
}

const std::vector<Field<Rule>>& rule_fields() {
  static const std::vector<Field<Rule>> fields{
      {"match", "RE2 pattern", "", true, true, "Matched against the statement's shape.",
       read_match},
      {"user", "user", "", false, true, "Only for this user. Default: any.", text(&Rule::user)},
      {"action", "reject | replica | shard", "", true, true, "What to do.",
       choice(&Rule::action, actions)},
      {"message", "text", "", false, true, "With reject: what the client is told.",
       text(&Rule::message)},
      {"shard", "shard", "", false, true, "With shard: where the statement goes.",
       text(&Rule::shard)},
  };
  return fields;
}

}  // namespace

void read_rules(Reader& reader, const Node& node, Config& config) {
  if (!reader.is_list(node)) return;
  for (const Node& item : node.items) {
    const Reader::Scope scope(reader, std::to_string(config.rules.size() + 1), item.where);
    Rule rule;
    rule.where = item.where;
    if (!read_section<Rule>(reader, item, rule_fields(), rule)) continue;
    const bool has_action = item.find("action") != nullptr;
    const bool has_shard = item.find("shard") != nullptr;
    if (has_action && rule.action == RuleAction::shard && !has_shard) {
      reader.error(item.where, "`shard` is missing: action shard needs one");
    }
    if (has_shard && rule.action != RuleAction::shard) {
      reader.error(item.where, "`shard` is for action shard only");
    }
    if (item.find("message") != nullptr && rule.action != RuleAction::reject) {
      reader.error(item.where, "`message` is for action reject only");
    }
    config.rules.push_back(std::move(rule));
  }
}

void check_rules(Reader& reader, const Config& config) {
  for (const Rule& rule : config.rules) {
    std::vector<std::string_view> shards;
    for (const Database& database : config.databases) {
      for (const Shard& shard : database.shards) shards.push_back(shard.name);
    }
    if (!rule.shard.empty() && std::ranges::find(shards, rule.shard) == shards.end()) {
      reader.unknown(rule.where, "shard of a rule", rule.shard, shards);
    }
    if (!rule.user.empty() && config.find_user(rule.user) == nullptr) {
      reader.warning(rule.where, fmt::format("rules: no user `{}` can log in", rule.user));
    }
  }
}

void rule_docs(std::vector<SettingDoc>& docs) {
  document_section<Rule>("rules[]", rule_fields(), docs);
}

}  // namespace anabranch::conf
