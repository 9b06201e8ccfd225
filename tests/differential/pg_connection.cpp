#include "pg_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace anabranch::differential {
namespace {

constexpr int answer_timeout_ms = 20'000;
constexpr uint32_t first_user_oid = 16384;

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, Clear>;

uint32_t built_in_oid(const std::string& name) {
  static const std::map<std::string, uint32_t> oids = {
      {"?", 0},          {"boolean", 16},     {"bytea", 17},         {"bigint", 20},
      {"smallint", 21},  {"integer", 23},     {"text", 25},          {"float4", 700},
      {"float8", 701},   {"bpchar", 1042},    {"varchar", 1043},     {"date", 1082},
      {"time", 1083},    {"timestamp", 1114}, {"timestamptz", 1184}, {"interval", 1186},
      {"numeric", 1700}, {"uuid", 2950},      {"jsonb", 3802},       {"integer[]", 1007},
      {"text[]", 1009},  {"bigint[]", 1016}};
  const auto found = oids.find(name);
  return found == oids.end() ? first_user_oid : found->second;
}

std::string big_endian(uint64_t value, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xff);
  }
  return out;
}

std::string uuid_bytes(const std::string& text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != '-'; });
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return out;
}

/// The binary form of the built-in types that have an obvious one; the others are sent as text.
std::optional<std::string> built_in_binary(const Parameter& parameter) {
  const std::string& text = *parameter.value;
  switch (built_in_oid(parameter.type)) {
    case 16:
      return std::string(1, text.starts_with('t') ? '\1' : '\0');
    case 20:
      return big_endian(static_cast<uint64_t>(std::stoll(text)), 8);
    case 21:
      return big_endian(static_cast<uint64_t>(std::stoll(text)), 2);
    case 23:
      return big_endian(static_cast<uint64_t>(std::stoll(text)), 4);
    case 25:
    case 1043:
      return text;
    case 701:
      return big_endian(std::bit_cast<uint64_t>(std::stod(text)), 8);
    case 2950:
      return uuid_bytes(text);
    default:
      return std::nullopt;
  }
}

/// `COPY table, line n, column c: "value"` of an error's context, as far as it says so.
std::string copy_line(std::string_view context) {
  constexpr std::string_view mark = ", line ";
  const std::size_t begin = context.starts_with("COPY ") ? 0 : context.find("\nCOPY ");
  if (begin == std::string_view::npos) return {};
  context.remove_prefix(begin == 0 ? 0 : begin + 1);
  if (!context.contains(mark)) return {};
  return std::string(context.substr(0, context.find('\n')));
}

Play play_of(uint32_t oid) {
  return oid == 700 ? Play::float4 : oid == 701 ? Play::float8 : oid == 1700 ? Play::decimal : Play::none;
}

Result broken(std::string code, std::string message) {
  return {.kind = Result::Kind::error,
          .tag = {},
          .sqlstate = std::move(code),
          .message = std::move(message),
          .context = {},
          .columns = {},
          .rows = {}};
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

char status_letter(PGTransactionStatusType status) {
  switch (status) {
    case PQTRANS_IDLE:
      return 'I';
    case PQTRANS_INTRANS:
      return 'T';
    case PQTRANS_INERROR:
      return 'E';
    case PQTRANS_ACTIVE:
      return 'A';
    case PQTRANS_UNKNOWN:
      return '?';
  }
  return '?';
}

}  // namespace

void PgConnection::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PgConnection::PgConnection(std::string conninfo)
    : conninfo_(std::move(conninfo)), own_types_(conninfo_) {
  open();
}

void PgConnection::open() {
  connection_.reset(PQconnectdb((conninfo_ + " connect_timeout=10").c_str()));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
  // Notices are not compared.
  PQsetNoticeReceiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
}

void PgConnection::reset() {
  open();
}

Answer PgConnection::explain(const Step& step) {
  return simple("EXPLAIN " + with_pg_literals(step.sql, step.parameters));
}

Answer PgConnection::run(const Step& step, Form form, bool as_single) {
  const std::string& sql = as_single ? step.sql_for_single() : step.sql;
  const bool binary = form == Form::extended_binary;
  if (step.kind == Step::Kind::prepare) return collect(send_prepare(step, sql), {});
  if (step.kind == Step::Kind::query && form == Form::simple) {
    return simple(with_pg_literals(sql, step.parameters), step.copy_data);
  }
  return collect(send_extended(step, sql, binary), step.copy_data);
}

Answer PgConnection::simple(const std::string& sql, const std::optional<std::string>& copy_data) {
  return collect(PQsendQuery(connection_.get(), sql.c_str()) == 1, copy_data);
}

bool PgConnection::send_prepare(const Step& step, const std::string& sql) {
  std::vector<Oid> types;
  for (const Parameter& parameter : step.parameters) types.push_back(type_oid(parameter.type));
  return PQsendPrepare(connection_.get(), step.statement.c_str(), sql.c_str(),
                       static_cast<int>(types.size()), types.data()) == 1;
}

bool PgConnection::send_extended(const Step& step, const std::string& sql, bool binary) {
  const std::size_t count = step.parameters.size();
  std::vector<Oid> types;
  std::vector<std::string> texts(count);
  std::vector<const char*> values(count, nullptr);
  std::vector<int> lengths(count, 0);
  std::vector<int> formats(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter& parameter = step.parameters[i];
    types.push_back(type_oid(parameter.type));
    if (!parameter.value) continue;
    const auto bytes = binary ? binary_parameter(parameter) : std::nullopt;
    texts[i] = bytes.value_or(*parameter.value);
    values[i] = texts[i].c_str();
    lengths[i] = static_cast<int>(texts[i].size());
    formats[i] = bytes ? 1 : 0;
  }
  const int n = static_cast<int>(count);
  PGconn* const connection = connection_.get();
  if (step.kind == Step::Kind::execute) {
    return PQsendQueryPrepared(connection, step.statement.c_str(), n, values.data(), lengths.data(),
                               formats.data(), binary ? 1 : 0) == 1;
  }
  return PQsendQueryParams(connection, sql.c_str(), n, types.data(), values.data(), lengths.data(),
                           formats.data(), binary ? 1 : 0) == 1;
}

/// False when the server did not answer in time.
bool PgConnection::wait_for_result() {
  PGconn* const connection = connection_.get();
  while (PQflush(connection) == 1 || PQisBusy(connection) == 1) {
    pollfd watched{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
    if (PQflush(connection) == 1) watched.events |= POLLOUT;
    if (poll(&watched, 1, answer_timeout_ms) <= 0) return false;
    if (PQconsumeInput(connection) == 0) return true;  // the error follows as a result
  }
  return true;
}

Answer PgConnection::collect(bool sent, const std::optional<std::string>& copy_data) {
  Answer answer;
  while (sent) {
    if (!wait_for_result()) {
      answer.results.push_back(broken("TIMEOUT", "no answer within 20 s"));
      break;
    }
    const ResultPtr result(PQgetResult(connection_.get()));
    if (!result) break;
    answer.results.push_back(converted(result.get()));
    if (answer.results.back().kind == Result::Kind::copy_in) feed_copy(copy_data);
    if (answer.results.back().kind == Result::Kind::copy_out) {
      answer.results.back() = drain_copy();
    }
  }
  const bool lost = !sent || PQstatus(connection_.get()) != CONNECTION_OK;
  if (lost) answer.results.push_back(broken("LOST", PQerrorMessage(connection_.get())));
  answer.transaction = status_letter(PQtransactionStatus(connection_.get()));
  const bool stuck = !answer.results.empty() && answer.results.back().sqlstate == "TIMEOUT";
  if (lost || stuck) open();
  name_types(answer);
  return answer;
}

void PgConnection::name_types(Answer& answer) {
  for (Result& each : answer.results) {
    for (Column& column : each.columns) {
      column.type = column.oid < first_user_oid ? fmt::format("{}", column.oid)
                                                : own_types_.type_name(column.oid);
      column.table = own_types_.table_name(column.table_oid);
    }
    own_types_.name_types_inside(each);
  }
}

std::vector<Answer> PgConnection::pipeline(const std::vector<Step>& steps, bool binary,
                                         bool as_single) {
  PGconn* const connection = connection_.get();
  std::vector<Answer> answers;
  bool sent = PQenterPipelineMode(connection) == 1;
  for (const Step& step : steps) {
    const std::string& sql = as_single ? step.sql_for_single() : step.sql;
    sent = sent && (step.kind == Step::Kind::prepare ? send_prepare(step, sql)
                                                     : send_extended(step, sql, binary));
  }
  sent = sent && PQpipelineSync(connection) == 1;
  if (!sent) return {steps.size(), Answer{{broken("LOST", PQerrorMessage(connection))}, '?'}};
  // One list of results for each step, and one for the Sync.
  for (std::size_t i = 0; i <= steps.size(); ++i) answers.push_back(collect_piped());
  answers.pop_back();
  PQexitPipelineMode(connection);
  const char status = status_letter(PQtransactionStatus(connection));
  for (Answer& answer : answers) answer.transaction = status;
  if (PQstatus(connection) != CONNECTION_OK) open();
  for (Answer& answer : answers) name_types(answer);
  return answers;
}

Answer PgConnection::collect_piped() {
  Answer answer;
  while (true) {
    if (!wait_for_result()) {
      answer.results.push_back(broken("TIMEOUT", "no answer within 20 s"));
      return answer;
    }
    const ResultPtr result(PQgetResult(connection_.get()));
    if (!result || PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) return answer;
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_ABORTED) continue;
    answer.results.push_back(converted(result.get()));
    if (PQstatus(connection_.get()) != CONNECTION_OK) return answer;
  }
}

void PgConnection::feed_copy(const std::optional<std::string>& data) {
  PGconn* const connection = connection_.get();
  if (data) PQputCopyData(connection, data->data(), static_cast<int>(data->size()));
  PQputCopyEnd(connection, data ? nullptr : "the case has no data");
}

Result PgConnection::drain_copy() {
  Result result{.kind = Result::Kind::copy_out,
                .tag = {},
                .sqlstate = {},
                .message = {},
                .context = {},
                .columns = {},
                .rows = {}};
  char* line = nullptr;
  while (true) {
    const int length = PQgetCopyData(connection_.get(), &line, 0);
    if (length < 0) return result;
    std::string data(line, static_cast<std::size_t>(length));
    PQfreemem(line);
    // A binary header comes with the first row, whichever that is.
    if (data.starts_with("PGCOPY\n\xff\r\n")) {
      result.rows.push_back({data.substr(0, 19)});
      data.erase(0, 19);
    }
    result.rows.push_back({std::move(data)});
  }
}

Result PgConnection::converted(PGresult* result) {
  Result out;
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
      out.kind = Result::Kind::rows;
      break;
    case PGRES_COMMAND_OK:
      out.kind = Result::Kind::command;
      break;
    case PGRES_EMPTY_QUERY:
      out.kind = Result::Kind::empty;
      break;
    case PGRES_COPY_IN:
      out.kind = Result::Kind::copy_in;
      return out;
    case PGRES_COPY_OUT:
      out.kind = Result::Kind::copy_out;
      return out;
    default:
      out = broken(
          field(result, PG_DIAG_SQLSTATE),
          fmt::format("{}\n{}\n{}", field(result, PG_DIAG_MESSAGE_PRIMARY),
                      field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT)));
      if (out.sqlstate.empty()) out.message = PQresultErrorMessage(result);
      out.context = copy_line(field(result, PG_DIAG_CONTEXT));
      return out;
  }
  out.tag = PQcmdStatus(result);
  for (int c = 0; c < PQnfields(result); ++c) {
    out.columns.push_back(
        {PQfname(result, c), "", PQftype(result, c), PQfmod(result, c), PQfformat(result, c), "",
         PQftable(result, c), PQftablecol(result, c), play_of(PQftype(result, c))});
  }
  for (int r = 0; r < PQntuples(result); ++r) {
    Row& row = out.rows.emplace_back();
    for (int c = 0; c < PQnfields(result); ++c) {
      if (PQgetisnull(result, r, c) == 1) {
        row.emplace_back();
      } else {
        row.emplace_back(std::string(PQgetvalue(result, r, c),
                                     static_cast<std::size_t>(PQgetlength(result, r, c))));
      }
    }
  }
  return out;
}

uint32_t PgConnection::type_oid(const std::string& name) {
  const uint32_t oid = built_in_oid(name);
  if (oid != first_user_oid) return oid;
  const uint32_t own = own_types_.type_oid(name);
  if (own == 0) throw std::runtime_error("unknown parameter type " + name);
  return own;
}

/// That of a user's own type is the server's.
std::optional<std::string> PgConnection::binary_parameter(const Parameter& parameter) {
  if (built_in_oid(parameter.type) != first_user_oid) return built_in_binary(parameter);
  return own_types_.binary(parameter.type, *parameter.value);
}

namespace {
std::string literal(const Parameter& parameter) {
  std::string text = "NULL";
  if (parameter.value) {
    text = "'";
    for (const char c : *parameter.value) text += c == '\'' ? std::string("''") : std::string(1, c);
    text += "'";
  }
  // A space keeps a literal apart from the word before it.
  return parameter.type == "?" ? " " + text : fmt::format(" {}::{}", text, parameter.type);
}
}  // namespace

std::string with_pg_literals(std::string_view sql, const std::vector<Parameter>& parameters) {
  std::string out;
  char quote = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '$' && i + 1 < sql.size() &&
               std::isdigit(static_cast<unsigned char>(sql[i + 1]))) {
      std::size_t number = 0;
      while (i + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[i + 1]))) {
        number = number * 10 + static_cast<std::size_t>(sql[++i] - '0');
      }
      if (number >= 1 && number <= parameters.size()) {
        out += literal(parameters[number - 1]);
        continue;
      }
      out += fmt::format("${}", number);
      continue;
    }
    out += c;
  }
  return out;
}

}  // namespace anabranch::differential
