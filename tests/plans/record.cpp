#include <libpq-fe.h>

#include <fstream>
#include <stdexcept>

#include "fixture.h"

/// What only a live server knows: asked once, kept in the repository.
namespace anabranch::plans {
namespace {

struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Closer>;
using Result = std::unique_ptr<PGresult, Closer>;

Connection connect(const std::string& conninfo) {
  Connection connection(PQconnectdb(conninfo.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()));
  }
  return connection;
}

void write(PGconn* connection, std::ofstream& file, const std::string& kind, const char* sql) {
  const Result rows(PQexec(connection, sql));
  if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQerrorMessage(connection));
  }
  for (int row = 0; row < PQntuples(rows.get()); ++row) {
    file << kind;
    for (int column = 0; column < PQnfields(rows.get()); ++column) {
      file << '\t' << escape(PQgetvalue(rows.get(), row, column));
    }
    file << '\n';
  }
}

}  // namespace

void record_catalog(const std::string& conninfo, const std::string& path) {
  const Connection connection = connect(conninfo);
  PGconn* server = connection.get();
  std::ofstream file(path);
  Result(PQexec(server, "set search_path to ''"));
  write(server, file, "D",
        "select datlocprovider, coalesce(daticulocale, datcollate),"
        " pg_database_collation_actual_version(oid) from pg_database"
        " where datname = current_database()");
  write(server, file, "R",
        "select c.oid, n.nspname, c.relname, c.relkind,"
        " case when c.relkind = 'v' then pg_get_viewdef(c.oid) else '' end,"
        " exists(select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'v', 'p') order by c.relname");
  write(server, file, "C",
        "select c.oid, a.attname, a.attnum, a.atttypid, a.atttypmod,"
        " format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> '' or"
        " coalesce(pg_get_expr(d.adbin, d.adrelid), '') like 'nextval(%', a.attgenerated <> '',"
        " coalesce(pg_get_expr(d.adbin, d.adrelid), ''),"
        " case when pg_get_expr(d.adbin, d.adrelid) like '%now()%' then 's'"
        " when pg_get_expr(d.adbin, d.adrelid) like '%(%' then 'v' else 'i' end,"
        " case when l.oid is null then '' else quote_ident(m.nspname) || '.' || "
        "quote_ident(l.collname) end,"
        " case l.collprovider when 'd' then b.datlocprovider else l.collprovider end,"
        " case when l.collprovider = 'd' then coalesce(b.daticulocale, b.datcollate)"
        " else coalesce(l.colliculocale, l.collcollate, '') end,"
        " coalesce(case when l.collprovider = 'd' then pg_database_collation_actual_version(b.oid)"
        " else pg_collation_actual_version(l.oid) end, ''), l.collisdeterministic"
        " from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " join pg_namespace n on n.oid = c.relnamespace"
        " join pg_database b on b.datname = current_database()"
        " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
        " left join pg_collation l on l.oid = a.attcollation"
        " left join pg_namespace m on m.oid = l.collnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'v', 'p') and a.attnum > 0"
        " and not a.attisdropped order by c.relname, a.attnum");
  write(server, file, "U",
        "select i.indrelid, c.relname, i.indisprimary, i.indkey::text from pg_index i"
        " join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace"
        " where i.indisunique and n.nspname = 'public' order by c.relname");
  write(server, file, "E",
        "select e.enumtypid, t.typname, e.enumlabel from pg_enum e join pg_type t on t.oid ="
        " e.enumtypid order by e.enumtypid, e.enumsortorder");
  write(server, file, "L",
        "select n.nspname, c.collname, c.collprovider, coalesce(c.colliculocale, c.collcollate),"
        " coalesce(pg_collation_actual_version(c.oid), ''), c.collisdeterministic from"
        " pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.collname in"
        " ('de-x-icu', 'da-x-icu', 'en-x-icu', 'C.utf8', 'case_blind') order by c.collname");
  write(server, file, "F",
        "select n.nspname, p.proname, p.proargtypes::text, p.prorettype, p.prokind, p.provolatile,"
        " p.proretset from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'public' or (n.nspname = 'pg_catalog' and (p.prokind in ('a', 'w') or"
        " p.proname in ('now', 'random', 'gen_random_uuid', 'nextval', 'upper', 'lower', 'length',"
        " 'round', 'trunc', 'abs', 'floor', 'ceil', 'sign', 'mod', 'date_trunc', 'extract',"
        " 'date_part', 'to_char', 'current_database', 'current_user', 'version', 'generate_series',"
        " 'unnest', 'substring', 'concat', 'age', 'pg_advisory_lock', 'set_config',"
        " 'pg_relation_size', 'lastval', 'currval', 'clock_timestamp', 'left', 'strpos', 'md5', "
        "'position')))"
        " order by n.nspname, p.proname, p.proargtypes::text");
}

rewriter::Description describe(const std::string& conninfo, const std::string& sql,
                               const std::vector<values::Oid>& parameters) {
  static const Connection connection = connect(conninfo);
  const Result prepared(PQprepare(connection.get(), "", sql.c_str(),
                                  static_cast<int>(parameters.size()), parameters.data()));
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) {
    throw std::runtime_error(sql + "\n" + PQerrorMessage(connection.get()));
  }
  const Result described(PQdescribePrepared(connection.get(), ""));
  rewriter::Description answer;
  for (int i = 0; i < PQnparams(described.get()); ++i) {
    answer.parameters.push_back(PQparamtype(described.get(), i));
  }
  if (PQnfields(described.get()) == 0) return answer;
  answer.columns.emplace();
  for (int i = 0; i < PQnfields(described.get()); ++i) {
    rewriter::ResultColumn column;
    column.name = PQfname(described.get(), i);
    column.type = PQftype(described.get(), i);
    column.typmod = PQfmod(described.get(), i);
    answer.columns->push_back(std::move(column));
  }
  return answer;
}

}  // namespace anabranch::plans
