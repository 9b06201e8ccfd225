#include <algorithm>
#include <array>
#include <thread>

#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 3> tls_modes{"disable", "prefer", "require"};
constexpr std::array<std::string_view, 5> log_levels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> log_formats{"text", "json"};

auto addresses(std::vector<Address> Listen::* member) {
  return [=](Reader& reader, const Node& node, Listen& into) {
    if (auto list = reader.addresses(node)) into.*member = std::move(*list);
  };
}

auto readable_file(std::string Tls::* member) {
  return [=](Reader& reader, const Node& node, Tls& into) {
    if (auto path = reader.readable_file(node)) into.*member = std::move(*path);
  };
}

const std::vector<Field<Listen>>& listen_fields() {
  static const std::vector<Field<Listen>> fields{
      {"postgres", "address, or a list", "", false, false,
       "Where PostgreSQL clients connect. Left out: closed.", addresses(&Listen::postgres)},
      {"mysql", "address, or a list", "", false, false,
       "Where MySQL clients connect. Left out: closed.", addresses(&Listen::mysql)},
      {"http", "address, or a list", "", false, false,
       "/metrics, /healthz, /readyz and the status page. Left out: closed.",
       addresses(&Listen::http)},
  };
  return fields;
}

const std::vector<Field<Tls>>& tls_fields() {
  static const std::vector<Field<Tls>> fields{
      {"mode", "disable | prefer | require", "", false, true,
       "Whether clients may or must use TLS. Default: prefer with a certificate, disable without.",
       choice(&Tls::mode, tls_modes)},
      {"certificate", "path", "", false, true, "The certificate shown to clients (PEM).",
       readable_file(&Tls::certificate)},
      {"key", "path", "", false, true, "The certificate's private key (PEM).",
       readable_file(&Tls::key)},
      {"client_ca", "path", "", false, true,
       "The CA that must have signed the certificates of users.", readable_file(&Tls::client_ca)},
  };
  return fields;
}

const std::vector<Field<Limits>>& limits_fields() {
  static const std::vector<Field<Limits>> fields{
      {"client_connections", "1 to 1000000", "10000", false, true,
       "Client connections at one time.", whole(&Limits::client_connections, 1, 1'000'000)},
      {"unauthenticated_connections", "1 to 1000000", "2000", false, true,
       "Client connections at one time that have not logged in yet; more are turned away.",
       whole(&Limits::unauthenticated_connections, 1, 1'000'000)},
      {"authentication_timeout", "duration", "60s", false, true,
       "From the connection to the end of the login, TLS included.",
       duration(&Limits::authentication_timeout, false)},
      {"query_memory", "size", "256MiB", false, true, "Memory that merging one statement may take.",
       [](Reader& reader, const Node& node, Limits& into) {
         if (const auto size = reader.size(node, false)) into.query_memory = *size;
       }},
      {"spill_directory", "path", "/var/tmp", false, true, "Where rows go that merging one statement cannot hold in its memory: files without names.",
       [](Reader& reader, const Node& node, Limits& into) {
         if (auto path = reader.resolved_path(node)) into.spill_directory = std::move(*path);
       }},
      {"spill", "size, or 0", "10GiB", false, true, "How many bytes of rows one statement may put on disk here, and how many it may gather in the workspace.",
       [](Reader& reader, const Node& node, Limits& into) {
         if (const auto size = reader.size(node, true)) into.spill = *size;
       }},
      {"statement_timeout", "duration, or 0", "0", false, true, "0: none.",
       duration(&Limits::statement_timeout, true)},
      {"idle_in_transaction_timeout", "duration, or 0", "0", false, true, "0: none.",
       duration(&Limits::idle_in_transaction_timeout, true)},
  };
  return fields;
}

const std::vector<Field<Log>>& log_fields() {
  static const std::vector<Field<Log>> fields{
      {"level", "trace | debug | info | warn | error", "info", false, true,
       "The least that is logged.", choice(&Log::level, log_levels)},
      {"format", "text | json", "text", false, true, "One line of text, or one JSON object, each.",
       choice(&Log::format, log_formats)},
      {"slow_query", "duration, or 0", "1s", false, true,
       "Statements that took longer are logged; 0: none.", duration(&Log::slow_query, true)},
  };
  return fields;
}

void read_tls(Reader& reader, const Node& node, Tls& tls) {
  if (!read_section<Tls>(reader, node, tls_fields(), tls)) return;
  const bool certificate = node.find("certificate") != nullptr;
  const bool key = node.find("key") != nullptr;
  if (certificate != key) {
    reader.error(reader.here(), certificate
                                    ? "`key` is missing: a certificate needs its private key"
                                    : "`certificate` is missing: a key needs its certificate");
  }
  if (node.find("mode") == nullptr) {
    tls.mode = certificate ? ListenTls::prefer : ListenTls::disable;
  } else if (tls.mode != ListenTls::disable && !certificate) {
    reader.error(reader.here(), "`certificate` and `key` are missing: TLS cannot be offered");
  }
}

void check_listen(Reader& reader, const Node& root, const Config& config) {
  std::vector<Address> all;
  for (const auto* list : {&config.listen.postgres, &config.listen.mysql, &config.listen.http}) {
    for (const Address& address : *list) {
      if (std::ranges::find(all, address) != all.end()) {
        reader.error_at(config.where("listen"),
                        "listen: `" + address.text() + "` is given to two protocols");
      }
      all.push_back(address);
    }
  }
  const Node::Entry* entry = root.find("listen");
  if (all.empty() && entry == nullptr) {
    reader.warning({1, 1}, "`listen` is missing: nothing can connect");
  } else if (config.listen.postgres.empty() && config.listen.mysql.empty()) {
    reader.warning(config.where("listen"),
                   "neither `listen.postgres` nor `listen.mysql`: no client can connect");
  }
}

const std::vector<Field<Config>>& top_fields() {
  static const std::vector<Field<Config>> fields{
      {"listen", "section", "", false, false, "The addresses clients connect to.",
       [](Reader& reader, const Node& node, Config& into) {
         read_section<Listen>(reader, node, listen_fields(), into.listen);
       }},
      {"threads", "1 to 256", "", false, false, "Event loops. Default: one per processor.",
       whole(&Config::threads, 1, 256)},
      {"tls", "section", "", false, true, "TLS towards clients.",
       [](Reader& reader, const Node& node, Config& into) { read_tls(reader, node, into.tls); }},
      {"users", "list", "", false, true, "Who may log in.", read_users},
      {"authentication", "section", "", false, true,
       "How clients prove who they are, and who else may log in.", read_authentication},
      {"databases", "map of names", "", true, true, "What clients may name when they connect.",
       read_databases},
      {"limits", "section", "", false, true, "What one client or statement may take.",
       [](Reader& reader, const Node& node, Config& into) {
         read_section<Limits>(reader, node, limits_fields(), into.limits);
       }},
      {"rules", "list", "", false, true, "What to do with statements of certain shapes.",
       read_rules},
      {"log", "section", "", false, true, "What is logged, and how.",
       [](Reader& reader, const Node& node, Config& into) {
         read_section<Log>(reader, node, log_fields(), into.log);
       }},
  };
  return fields;
}

}  // namespace

void read_process(Reader& reader, const Node& root, Config& config) {
  config.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 256U);
  read_section<Config>(reader, root, top_fields(), config);
  config.written = reader.written;
  check_listen(reader, root, config);
  check_users(reader, config);
  check_authentication(reader, config);
  check_rules(reader, config);
}

void process_docs(std::vector<SettingDoc>& docs) {
  document_section<Config>("", top_fields(), docs);
  document_section<Listen>("listen", listen_fields(), docs);
  document_section<Tls>("tls", tls_fields(), docs);
  document_section<Limits>("limits", limits_fields(), docs);
  document_section<Log>("log", log_fields(), docs);
}

}  // namespace anabranch::conf
