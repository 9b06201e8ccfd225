#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "own_types.h"

struct pg_conn;
struct pg_result;

namespace anabranch::differential {

/// A session by libpq.
class PgConnection : public Connection {
 public:
  explicit PgConnection(std::string conninfo);

  void reset() override;
  Answer run(const Step& step, Form form, bool as_single) override;
  Answer simple(const std::string& sql) override { return simple(sql, {}); }
  std::vector<Answer> pipeline(const std::vector<Step>& steps, bool binary, bool as_single) override;
  Answer explain(const Step& step) override;

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };

  void open();
  Answer simple(const std::string& sql, const std::optional<std::string>& copy_data);
  bool send_prepare(const Step& step, const std::string& sql);
  bool send_extended(const Step& step, const std::string& sql, bool binary);
  Answer collect(bool sent, const std::optional<std::string>& copy_data);
  Answer collect_piped();
  void name_types(Answer& answer);
  bool wait_for_result();
  void feed_copy(const std::optional<std::string>& data);
  Result drain_copy();
  Result converted(pg_result* result);
  uint32_t type_oid(const std::string& name);
  std::optional<std::string> binary_parameter(const Parameter& parameter);

  std::string conninfo_;
  std::unique_ptr<pg_conn, Close> connection_;
  OwnTypes own_types_;
};

/// The statement with `$n` replaced by literals of the parameters' types: its simple form.
std::string with_pg_literals(std::string_view sql, const std::vector<Parameter>& parameters);

}  // namespace anabranch::differential
