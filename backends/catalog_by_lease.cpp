#include "backends/catalog_by_lease.h"

#include <charconv>
#include <optional>
#include <utility>

#include "backends/exchange.h"

namespace anabranch::backends {

namespace {

/// Rows off the wire as libpq would keep them: whoever reads the catalog knows only that form.
class Result {
 public:
  void describe(const net::pg::RowDescription& rows) {
    std::vector<std::string> names;
    for (const net::pg::Column& column : rows.columns) names.emplace_back(column.name);
    std::vector<PGresAttDesc> columns;
    for (std::string& name : names) {
      PGresAttDesc column{};
      column.name = name.data();
      columns.push_back(column);
    }
    PQsetResultAttrs(result_, static_cast<int>(columns.size()), columns.data());
  }

  void add(const merge::Batch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows.row(i).split(fields_);
      for (std::size_t field = 0; field < fields_.size(); ++field) {
        // libpq does not write to it.
        char* bytes = fields_[field] ? const_cast<char*>(fields_[field]->data()) : nullptr;
        const int length = fields_[field] ? static_cast<int>(fields_[field]->size()) : -1;
        PQsetvalue(result_, row_, static_cast<int>(field), bytes, length);
      }
      ++row_;
    }
  }

  ControlResult take() {
    row_ = 0;
    return ControlResult(std::exchange(result_, empty()));
  }

  Result() = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() { PQclear(result_); }

 private:
  static PGresult* empty() { return PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK); }

  PGresult* result_ = empty();
  int row_ = 0;
  std::vector<std::optional<std::string_view>> fields_;
};

net::Task<std::vector<ControlResult>> run_statements(Lease& lease, std::string sql) {
  send_query(lease, sql);
  ReplyStream stream(lease);
  std::vector<ControlResult> results;
  Result result;
  const auto take = [&](const Reply& reply) {
    if (reply.kind == Reply::Kind::rows) result.add(stream.rows);
    if (reply.kind != Reply::Kind::message) return;
    if (reply.message.type == net::pg::RowDescription::type) {
      const auto rows = net::pg::RowDescription::decode(reply.message.payload);
      if (rows) result.describe(*rows);
    } else if (reply.message.type == net::pg::CommandComplete::type) {
      results.push_back(result.take());
    }
  };
  auto failure = co_await read_to_end(lease, stream, take);
  if (failure) throw ServerError(std::move(*failure), lease.shard(), lease.shard_name());
  co_return results;
}

// "15.4 (Debian 15.4-1)" as libpq counts: 150000 and more.
int version_of(const Lease& lease) {
  const std::string* said = lease->parameter("server_version");
  int major = 0;
  if (said != nullptr) std::from_chars(said->data(), said->data() + said->size(), major);
  return major * 10'000;
}

struct Answer {
  int version = 0;
  std::vector<ControlResult> results;
};

net::Task<void> ask(const CatalogSource& source, CatalogScope scope, Answer& answer) {
  answer.version = version_of(*source.lease);
  const CatalogFrame frame =
      source.in_transaction ? CatalogFrame::within : CatalogFrame::own_transaction;
  answer.results =
      co_await run_statements(*source.lease, catalog_sql(answer.version, scope, frame));
}

}  // namespace

net::Task<LoadedCatalog> load_catalog_by_lease(CatalogRequest request,
                                               std::vector<CatalogSource> sources) {
  const std::uint32_t main = request.map->default_shard();
  std::vector<Answer> answers(sources.size());
  std::vector<net::Task<void>> asking;
  for (std::size_t shard = 0; shard < sources.size(); ++shard) {
    if (sources[shard].lease == nullptr) continue;
    asking.push_back(ask(sources[shard], scope_on(request, shard, shard == main), answers[shard]));
  }
  co_await net::when_all(std::move(asking));
  auto work = [asked = std::move(request), said = std::move(answers), from = std::move(sources),
               main] {
    ShardCatalogs shards;
    for (std::size_t shard = 0; shard < said.size(); ++shard) {
      if (from[shard].lease == nullptr) {
        shards.emplace_back(std::unexpected(from[shard].problem));
      } else {
        shards.push_back(catalog_of(said[shard].results, said[shard].version, scope_on(asked, shard, shard == main)));
      }
    }
    return assemble_catalog(asked, std::move(shards));
  };
  co_return co_await net::run_on_worker(std::move(work));
}

}  // namespace anabranch::backends
