// libpq: the asynchronous interface, pipelines, single rows, portals, binary copies, cancels, large objects.
#include <libpq-fe.h>
#include <libpq/libpq-fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#define LONG_QUERY "SELECT count(*) FROM customers, generate_series(1, 100000000)"

static PGconn *connect_to(const char *more) {
  const char *keywords[] = {"dbname", "options", NULL};
  const char *values[] = {getenv("DATABASE_URL"), more, NULL};
  PGconn *db = PQconnectdbParams(keywords, values, 1);
  if (PQstatus(db) != CONNECTION_OK) printf("!! %s", PQerrorMessage(db));
  return db;
}

static void show(const char *what, PGresult *result) {
  printf("%s: %s", what, result == NULL ? "(end)" : PQresStatus(PQresultStatus(result)));
  if (result != NULL) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != NULL) printf(" %s %s", state, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (*PQcmdStatus(result) != 0) printf(" [%s]", PQcmdStatus(result));
    for (int row = 0; row < PQntuples(result); row++) {
      printf(" (");
      for (int column = 0; column < PQnfields(result); column++) {
        printf("%s", column > 0 ? ", " : "");
        if (PQgetisnull(result, row, column)) printf("NULL");
        else if (PQfformat(result, column) == 0) printf("%s", PQgetvalue(result, row, column));
        else for (int byte = 0; byte < PQgetlength(result, row, column); byte++) printf("%02x", (unsigned char)PQgetvalue(result, row, column)[byte]);
      }
      printf(")");
    }
  }
  printf("\n");
  PQclear(result);
}

static void run(PGconn *db, const char *text) { show(text, PQexec(db, text)); }

static void add_customers(PGconn *db, int count) {
  for (int number = 1; number <= count; number++) {
    char text[120];
    snprintf(text, sizeof text, "INSERT INTO customers (id, name, balance) VALUES (%d, 'customer %d', %d)", number, number, number * 10);
    PQclear(PQexec(db, text));
  }
}

static void queries(PGconn *db) {
  add_customers(db, 4);
  run(db, "SELECT 1; SELECT id FROM customers WHERE id = 2");
  run(db, "");
  run(db, "SELECT id, name FROM customers ORDER BY id DESC");
  run(db, "UPDATE customers SET balance = 0");
  run(db, "SELECT 1; SELECT 1 / 0; SELECT 3");
  PQsendQuery(db, "SELECT 1; UPDATE customers SET balance = 5 WHERE id = 1; SELECT sum(balance) FROM customers; SELECT nothing; SELECT 2");
  for (PGresult *result; (result = PQgetResult(db)) != NULL;) show("several", result);
  run(db, "SELECT balance FROM customers WHERE id = 1");
}

static void parameters(PGconn *db) {
  add_customers(db, 4);
  const char *values[] = {"2", "5"};
  for (int format = 0; format <= 1; format++) {
    show("one", PQexecParams(db, "SELECT id, name, seen FROM customers WHERE id = $1", 1, NULL, values, NULL, NULL, format));
    show("sum", PQexecParams(db, "SELECT count(*), sum(balance)::float8 FROM customers WHERE id > $1 AND balance > $2", 2, NULL, values, NULL, NULL, format));
  }
  const char big[8] = {0, 0, 0, 0, 0, 0, 0, 3};
  const char *binary[] = {big};
  const int lengths[] = {8}, formats[] = {1};
  show("binary", PQexecParams(db, "SELECT name FROM customers WHERE id = $1", 1, NULL, binary, lengths, formats, 1));
  show("prepare", PQprepare(db, "named", "INSERT INTO customers (id, name) VALUES ($1, $2) RETURNING id", 0, NULL));
  PGresult *described = PQdescribePrepared(db, "named");
  printf("described: %d parameters, of types %u and %u, column %s\n", PQnparams(described), PQparamtype(described, 0), PQparamtype(described, 1), PQfname(described, 0));
  PQclear(described);
  const char *row[] = {"77", NULL};
  show("execute", PQexecPrepared(db, "named", 2, row, NULL, NULL, 0));
  row[1] = "seventy-seven";
  show("execute", PQexecPrepared(db, "named", 2, row, NULL, NULL, 0));
  show("unknown", PQexecPrepared(db, "other", 0, NULL, NULL, NULL, 0));
  show("wrong count", PQexecPrepared(db, "named", 1, row, NULL, NULL, 0));
  show("portal", PQdescribePortal(db, "none"));
}

static void single_rows(PGconn *db) {
  add_customers(db, 6);
  PQsendQueryParams(db, "SELECT id FROM customers ORDER BY id", 0, NULL, NULL, NULL, NULL, 0);
  printf("single row mode: %d\n", PQsetSingleRowMode(db));
  for (PGresult *result; (result = PQgetResult(db)) != NULL;) show("row", result);
  PQsendQuery(db, "SELECT 10 / (4 - id) FROM customers ORDER BY id");
  PQsetSingleRowMode(db);
  PGresult *last = NULL;
  for (PGresult *result; (result = PQgetResult(db)) != NULL;) {
    PQclear(last);
    last = result;
  }
  show("last", last);
}

static void pipelines(PGconn *db) {
  add_customers(db, 6);
  printf("entered: %d\n", PQenterPipelineMode(db));
  const char *id[] = {"1"};
  for (int number = 1; number <= 3; number++) {
    char text[2] = {(char)('0' + number), 0};
    id[0] = text;
    PQsendQueryParams(db, "SELECT name FROM customers WHERE id = $1", 1, NULL, id, NULL, NULL, 0);
  }
  PQsendQueryParams(db, "SELECT count(*) FROM customers", 0, NULL, NULL, NULL, NULL, 0);
  PQsendFlushRequest(db);
  PQflush(db);
  for (int query = 0; query < 4; query++) {
    show("before the sync", PQgetResult(db));
    PQclear(PQgetResult(db));
  }
  PQsendQueryParams(db, "SELECT nothing", 0, NULL, NULL, NULL, NULL, 0);
  PQsendQueryParams(db, "SELECT 2", 0, NULL, NULL, NULL, NULL, 0);
  PQpipelineSync(db);
  PQsendPrepare(db, "in pipeline", "SELECT id FROM customers WHERE balance = $1", 0, NULL);
  const char *balance[] = {"30"};
  PQsendQueryPrepared(db, "in pipeline", 1, balance, NULL, NULL, 0);
  PQpipelineSync(db);
  for (int syncs = 0; syncs < 2;) {
    PGresult *result = PQgetResult(db);
    if (result == NULL) continue;
    syncs += PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    show("pipeline", result);
  }
  printf("left: %d\n", PQexitPipelineMode(db));
}

static void copying(PGconn *db) {
  show("begin", PQexec(db, "COPY customers (id, name) FROM STDIN"));
  for (int number = 1; number <= 50; number++) {
    char line[60];
    const int length = snprintf(line, sizeof line, "%d\tcopied %d\n", number, number);
    PQputCopyData(db, line, length / 2);  // rows need not end where messages do
    PQputCopyData(db, line + length / 2, length - length / 2);
  }
  PQputCopyEnd(db, NULL);
  show("end", PQgetResult(db));
  PQclear(PQgetResult(db));
  run(db, "SELECT count(*), max(name) FROM customers");
  show("begin", PQexec(db, "COPY customers (id, name) FROM STDIN"));
  PQputCopyData(db, "99\tgiven up\n", 12);
  PQputCopyEnd(db, "the application gives up");
  show("given up", PQgetResult(db));
  PQclear(PQgetResult(db));
  show("out", PQexec(db, "COPY (SELECT id, name FROM customers WHERE id <= 3 ORDER BY id) TO STDOUT"));
  char *line;
  while (PQgetCopyData(db, &line, 0) > 0) {
    printf("line: %s", line);
    PQfreemem(line);
  }
  show("done", PQgetResult(db));
  PQclear(PQgetResult(db));
  run(db, "SELECT count(*) FROM customers WHERE id = 99");
}

static void cancelling(PGconn *db) {
  add_customers(db, 5);
  const char *queries[] = {"SELECT pg_sleep(20)", LONG_QUERY};
  for (int turn = 0; turn < 2; turn++) {
    PQsendQuery(db, queries[turn]);
    usleep(300000);
    char error[256];
    PGcancel *cancel = PQgetCancel(db);
    printf("cancel: %d\n", PQcancel(cancel, error, sizeof error));
    PQfreeCancel(cancel);
    show("cancelled", PQgetResult(db));
    PQclear(PQgetResult(db));
  }
  run(db, "SELECT 1");
}

static void take_notice(void *heard, const PGresult *notice) {
  (void)heard;
  printf("notice: %s %s\n", PQresultErrorField(notice, PG_DIAG_SQLSTATE), PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

static void notices(PGconn *db) {
  PQsetNoticeReceiver(db, take_notice, NULL);
  run(db, "DROP TABLE IF EXISTS there_is_none");
  run(db, "BEGIN; BEGIN; COMMIT; COMMIT");
}

static void parameter_status(PGconn *db) {
  const char *names[] = {"server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings",
                         "application_name", "is_superuser", "session_authorization", "default_transaction_read_only", "in_hot_standby"};
  for (unsigned name = 0; name < sizeof names / sizeof *names; name++) {
    const char *value = PQparameterStatus(db, names[name]);
    printf("%s: %s\n", names[name], value == NULL ? "(none)" : value);
  }
  run(db, "SET TimeZone = 'Asia/Tokyo'");
  printf("set: %s\n", PQparameterStatus(db, "TimeZone"));
  run(db, "BEGIN; SET LOCAL TimeZone = 'Europe/Berlin'");
  printf("local: %s\n", PQparameterStatus(db, "TimeZone"));
  run(db, "ROLLBACK");
  printf("rolled back: %s\n", PQparameterStatus(db, "TimeZone"));
  printf("encoding: %d\n", PQsetClientEncoding(db, "LATIN1"));
  show("octets", PQexec(db, "SELECT octet_length(convert_to(name, 'UTF8')) FROM (SELECT '\xfc'::text AS name) AS one"));
  PQreset(db);
  printf("reset: %s %s\n", PQparameterStatus(db, "TimeZone"), PQparameterStatus(db, "client_encoding"));
}

static void large_objects(PGconn *db) {
  run(db, "BEGIN");
  const Oid number = lo_creat(db, INV_READ | INV_WRITE);
  const int large = lo_open(db, number, INV_READ | INV_WRITE);
  char block[10000];
  memset(block, 'x', sizeof block);
  printf("written: %d\n", lo_write(db, large, block, sizeof block));
  printf("sought: %lld\n", (long long)lo_lseek64(db, large, -5, SEEK_END));
  printf("read: %d, at %lld\n", lo_read(db, large, block, 100), (long long)lo_tell64(db, large));
  printf("truncated: %d, closed: %d\n", lo_truncate(db, large, 10), lo_close(db, large));
  run(db, "COMMIT");
  printf("unlinked: %d\n", lo_unlink(db, number));
  printf("none: %d %s", lo_open(db, 1, INV_READ), strstr(PQerrorMessage(db), "large object"));
}

static void notifications(PGconn *db) {
  run(db, "LISTEN news");
  PGconn *other = connect_to(NULL);
  run(other, "NOTIFY news, 'one'");
  run(other, "SELECT pg_notify('news', 'two') IS NULL");
  PQfinish(other);
  for (int heard = 0, turns = 0; heard < 2 && turns < 50; turns++) {
    fd_set sockets;
    FD_ZERO(&sockets);
    FD_SET(PQsocket(db), &sockets);
    struct timeval some = {0, 100000};
    select(PQsocket(db) + 1, &sockets, NULL, NULL, &some);
    PQconsumeInput(db);
    for (PGnotify *notify; (notify = PQnotifies(db)) != NULL; heard++) {
      printf("heard: %s %s %d\n", notify->relname, notify->extra, notify->be_pid != 0);
      PQfreemem(notify);
    }
  }
}

int main(void) {
  static const struct {
    const char *name;
    void (*work)(PGconn *);
  } steps[] = {{"queries", queries}, {"parameters", parameters}, {"single rows", single_rows}, {"pipelines", pipelines}, {"copying", copying}, {"cancelling", cancelling},
               {"notices", notices}, {"parameter status", parameter_status}, {"large objects", large_objects}, {"notifications", notifications}};
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("driver: libpq %d.%d\n", PQlibVersion() / 10000, PQlibVersion() % 10000);
  for (unsigned step = 0; step < sizeof steps / sizeof *steps; step++) {
    printf("== %s\n", steps[step].name);
    PGconn *db = connect_to(NULL);
    PQclear(PQexec(db, "DELETE FROM customers"));
    PQclear(PQexec(db, "DELETE FROM notes"));
    steps[step].work(db);
    PQfinish(db);
  }
  return 0;
}
