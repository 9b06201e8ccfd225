#include "proxy/startup_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "backends/context.h"
#include "values/ascii.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using values::ErrorId;
using values::make_error;
using values::SqlError;

constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

/// As the server reads a boolean setting: any unambiguous beginning, in any case.
std::optional<bool> parse_boolean(std::string_view text) {
  const std::string lower = values::lower_case(text);
  const auto begins = [&](std::string_view word, std::size_t least) {
    return lower.size() >= least && word.starts_with(lower);
  };
  if (begins("true", 1) || begins("yes", 1) || begins("on", 2) || lower == "1") return true;
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || lower == "0") return false;
  return std::nullopt;
}

std::optional<SqlError> refuse_replication(const net::pg::StartupMessage& startup) {
  const bool named = std::ranges::any_of(startup.parameters, [](const auto& p) { return p.first == "replication"; });
  if (!named) return std::nullopt;
  const std::string_view value = startup.parameter("replication");
  const auto wanted = value == "database" ? std::optional(true) : parse_boolean(value);
  if (!wanted) {
    return make_error(ErrorId::invalid_parameter_value,
                      fmt::format("invalid value for parameter \"replication\": \"{}\"", value));
  }
  if (!*wanted) return std::nullopt;
  return make_error(ErrorId::unsupported_protocol_feature, "a replication connection",
                    "Connect to the shard itself to replicate from it.");
}

bool is_setting(std::string_view name) {
  return name != "user" && name != "database" && name != "options" && name != "replication" &&
         !name.starts_with("_pq_.");
}

}  // namespace

std::expected<StartupSettings, SqlError> parse_options(std::string_view options) {
  const std::vector<std::string> words = backends::split_options(options);
  StartupSettings settings;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-c" && i + 1 < words.size()) {
      word = words[++i];
    } else if (word.starts_with("--") || (word.starts_with("-c") && word.size() > 2)) {
      word.remove_prefix(2);
    } else {
      return std::unexpected(make_error(ErrorId::invalid_parameter_value,
                                        fmt::format("the startup option \"{}\" is not supported", word)));
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return std::unexpected(make_error(ErrorId::invalid_parameter_value,
                                        fmt::format("the startup option \"{}\" has no value", word)));
    }
    std::string name(word.substr(0, equals));
    std::ranges::replace(name, '-', '_');
    settings.emplace_back(std::move(name), std::string(word.substr(equals + 1)));
  }
  return settings;
}

std::expected<Claims, SqlError> read_claims(const net::pg::StartupMessage& startup) {
  Claims claims;
  claims.user = startup.parameter("user");
  if (claims.user.empty()) {
    return std::unexpected(
        make_error(ErrorId::invalid_authorization, "no PostgreSQL user name specified in startup packet"));
  }
  claims.database = startup.parameter("database");
  if (claims.database.empty()) claims.database = claims.user;
  for (std::string* name : {&claims.user, &claims.database}) {
    if (name->size() > longest_name) name->resize(longest_name);
  }
  if (auto refused = refuse_replication(startup)) return std::unexpected(std::move(*refused));
  auto options = parse_options(startup.parameter("options"));
  if (!options) return std::unexpected(options.error());
  claims.settings = std::move(*options);
  for (const auto& [name, value] : startup.parameters) {
    if (is_setting(name)) claims.settings.emplace_back(name, value);
  }
  return claims;
}

}  // namespace anabranch::proxy
