#include "proxy/shard_request.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "backends/exchange.h"
#include "net/pg/messages.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using SettingsPtr = std::shared_ptr<const backends::Settings>;

/// The settings to parse under, where they are not those of now. Throws, with nothing done yet, where
/// the way there (or back) could fail: it would leave the connection with other settings than we know.
SettingsPtr settings_to_parse_under(backends::Lease& lease, const ShardRequest& request) {
  if (request.read_under == nullptr) return nullptr;
  const SettingsPtr now = lease->applied.current();
  auto then = std::make_shared<const backends::Settings>(backends::read_as_under(*request.read_under, *now));
  if (lease->applied.in_transaction() || backends::context_change(now, then).pipeline) return then;
  throw values::make_error<>(values::ErrorId::reading_changed);
}

/// Parse alone, between a change of settings and the change back. Its answer is swallowed; an error
/// is the statement's. In a transaction both changes are its own: what it had set for itself only must not
/// outlast it by the change back.
void parse_as_before(backends::Lease& lease, const ShardRequest& request, const SettingsPtr& then) {
  const SettingsPtr now = lease->applied.current();
  const auto reach = lease->applied.in_transaction() ? backends::Reach::local : backends::Reach::session;
  (void)backends::pipeline_context(lease, then, reach);
  net::Buffer& out = lease->socket().out();
  net::pg::Parse{request.global_name, request.sql, request.parameter_types}.encode(out);
  net::pg::Sync{}.encode(out);
  lease->skip_reply();
  (void)backends::pipeline_context(lease, now, reach);
}

/// True: Parse was sent.
bool prepare_on_demand(backends::Lease& lease, const ShardRequest& request, net::Buffer& out) {
  if (!request.global_name.empty() && lease->statements.touch(request.global_name)) return false;
  const SettingsPtr parse_under = settings_to_parse_under(lease, request);
  if (!request.global_name.empty()) {
    if (const auto victim = lease->statements.add(request.global_name)) {
      net::pg::Close{'S', victim->name}.encode(out);
    }
  }
  if (parse_under != nullptr) {
    parse_as_before(lease, request, parse_under);
    return false;
  }
  net::pg::Parse{request.global_name, request.sql, request.parameter_types}.encode(out);
  return true;
}

}  // namespace

bool send_request(backends::Lease& lease, const ShardRequest& request) {
  net::Buffer& out = lease->socket().out();
  const bool parsing = prepare_on_demand(lease, request, out);
  net::pg::Bind{request.portal, request.global_name, request.parameter_formats, request.parameters,
                request.result_formats}
      .encode(out);
  if (request.describe) net::pg::Describe{'P', request.portal}.encode(out);
  if (request.open_only) {
    backends::send_sync(lease);
  } else {
    send_execute(lease, request.portal, request.row_limit);
  }
  return parsing;
}

void send_execute(backends::Lease& lease, std::string_view portal, std::int32_t row_limit) {
  net::pg::Execute{portal, row_limit}.encode(lease->socket().out());
  backends::send_sync(lease);
}

void send_close_portal(backends::Lease& lease, std::string_view portal) {
  net::pg::Close{'P', portal}.encode(lease->socket().out());
  net::pg::Sync{}.encode(lease->socket().out());
  lease->skip_reply();
}

bool must_prepare_again(const net::pg::ErrorFields& error, std::string_view global_name) {
  if (global_name.empty()) return false;
  if (error.get('R') == "RevalidateCachedQuery") return true;
  return error.get('C') == "26000" && error.message().find(global_name) != std::string_view::npos;
}

net::Task<void> settle_statement(backends::Lease& lease, std::string global_name, bool unparsed, bool again) {
  if (lease->broken() || global_name.empty() || !(unparsed || again)) co_return;
  net::Buffer& out = lease->socket().out();
  // Closing what is not there is no error.
  if (again) {
    // Others may be gone or outdated with it.
    for (const auto& statement : lease->statements.all()) net::pg::Close{'S', statement.name}.encode(out);
    lease->statements.clear();
  } else {
    lease->statements.remove(global_name);
  }
  net::pg::Close{'S', global_name}.encode(out);
  backends::send_sync(lease);
  co_await backends::drain(lease);
}

std::string global_name_of(std::string_view sql, std::span<const values::Oid> types,
                           std::string_view planning_key, std::string_view reading_key, std::uint64_t version) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_128bits_reset(state);
  const std::string_view type_bytes(reinterpret_cast<const char*>(types.data()), types.size_bytes());
  for (const std::string_view part : {sql, type_bytes, planning_key, reading_key}) {
    const std::size_t length = part.size();
    XXH3_128bits_update(state, &length, sizeof length);
    XXH3_128bits_update(state, part.data(), part.size());
  }
  XXH3_128bits_update(state, &version, sizeof version);
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return fmt::format("anabranch_{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace anabranch::proxy
