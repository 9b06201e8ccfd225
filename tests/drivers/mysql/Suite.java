import java.io.*;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import org.mariadb.jdbc.MariaDbStatement;

/** MariaDB Connector/J: texts and statements of the protocol, fetch sizes, batches, keys, metadata, XA. */
public class Suite {
  interface Work { void run() throws Exception; }

  static final String host = System.getenv("MYSQL_HOST") + ":" + System.getenv("MYSQL_TCP_PORT");
  static final LinkedHashMap<String, Work> steps = new LinkedHashMap<>();

  static String show(Object value) {
    if (value instanceof byte[] bytes) return bytes.length > 300 ? bytes.length + " bytes" : Arrays.toString(bytes);
    String text = String.valueOf(value);
    return text.length() > 400 ? text.length() + " characters" : text;
  }
  static void say(String what, Object... values) {
    StringBuilder line = new StringBuilder(what).append(':');
    for (Object value : values) line.append(' ').append(show(value));
    System.out.println(line);
  }

  static Connection connect(String options) throws SQLException {
    return DriverManager.getConnection("jdbc:mariadb://" + host + "/shop?user=app&password=app-secret&" + options);
  }
  static Connection connect() throws SQLException { return connect(""); }

  static void fails(String what, Work work) {
    try {
      work.run();
      say(what, "no error");
    } catch (SQLException error) {
      // Numbers of connections are each endpoint's own.
      say(what, error.getClass().getSimpleName(), error.getSQLState(), error.getErrorCode(),
          error.getMessage().replaceAll("\\s+", " ").replaceAll("conn=\\d+|127\\.0\\.0\\.1:\\d+|port=\\d+|Java thread: \\S+", "…"));
    } catch (Exception error) {
      say(what, error.getClass().getSimpleName());
    }
  }

  static List<List<String>> rows(ResultSet set) throws SQLException {
    List<List<String>> all = new ArrayList<>();
    while (set.next()) {
      List<String> row = new ArrayList<>();
      for (int column = 1; column <= set.getMetaData().getColumnCount(); column++) row.add(set.getString(column));
      all.add(row);
    }
    return all;
  }
  static List<List<String>> query(Connection connection, String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int n = 0; n < parameters.length; n++) statement.setObject(n + 1, parameters[n]);
      return rows(statement.executeQuery());
    }
  }
  static int update(Connection connection, String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int n = 0; n < parameters.length; n++) statement.setObject(n + 1, parameters[n]);
      return statement.executeUpdate();
    }
  }
  static void addCustomers(Connection connection, int count) throws SQLException {
    for (int n = 1; n <= count; n++)
      update(connection, "INSERT INTO customers (id, name, country, balance) VALUES (?, ?, ?, ?)", n, "customer " + n, List.of("DE", "FR", "JP").get(n % 3), n * 10);
  }

  static void connecting() throws Exception {
    try (Connection connection = connect()) {
      DatabaseMetaData data = connection.getMetaData();
      say("server", data.getDatabaseProductName(), data.getDatabaseProductVersion(), data.getUserName().replaceAll("@.*", ""));
      say("where", query(connection, "SELECT database(), user(), @@sql_mode, @@autocommit, @@character_set_client, @@tx_isolation, @@max_allowed_packet"));
      say("state", connection.getAutoCommit(), connection.getTransactionIsolation(), connection.getCatalog(), connection.isReadOnly(), connection.isValid(5));
    }
    for (String wrong : List.of("user=app&password=wrong", "user=nobody&password=x", "user=app")) {
      fails(wrong, () -> DriverManager.getConnection("jdbc:mariadb://" + host + "/shop?" + wrong).close());
    }
    fails("nowhere", () -> DriverManager.getConnection("jdbc:mariadb://" + host + "/nowhere?user=app&password=app-secret").close());
    for (String options : List.of("useServerPrepStmts=true&cachePrepStmts=true", "sessionVariables=sql_mode='ANSI',time_zone='-05:00'", "useBulkStmts=false&rewriteBatchedStatements=true",
        "allowMultiQueries=true", "useAffectedRows=true", "usePipelineAuth=true", "autocommit=false", "useCompression=true", "tcpKeepAlive=true&socketTimeout=5000", "initSql=SET @begun = 1")) {
      try (Connection connection = connect(options)) {
        say(options, query(connection, "SELECT @@sql_mode, @@time_zone, @@autocommit, @begun"));
      }
    }
  }

  static void otherDatabases() throws Exception {
    try (Connection connection = connect()) {
      connection.setCatalog("mysql");
      say("catalog", connection.getCatalog(), query(connection, "SELECT database()"));
    }
  }

  static void connectingWithTls() throws Exception {
    try (Connection connection = connect("useSsl=true&serverSslCert=" + System.getenv("MYSQL_CA"))) {
      say("rows", query(connection, "SELECT code FROM countries ORDER BY code"), query(connection, "SELECT length(?)", "x".repeat(100000)));
    }
    fails("not trusted", () -> connect("useSsl=true").close());
  }

  static void valuesOfEveryType() throws Exception {
    String columns = "id, tiny, small, middle, whole, large, larger, exact, single, twice, flag, bits, years, day, clock, moment, stamp, fixed, body, exactly, raw, bytes, letter, photo, feeling, colours, doc";
    byte[] photo = new byte[256];
    for (int n = 0; n < 256; n++) photo[n] = (byte) n;
    Object[] sample = {1L, -128, 65535, -8388608, 42L, Long.MIN_VALUE, new BigDecimal("18446744073709551615"), new BigDecimal("12345678901234567890.0123456789"), 1.5f, 0.1, true, new byte[] {2, (byte) 170},
        2024, LocalDate.of(2024, 2, 29), "-838:59:58.999", LocalDateTime.of(1999, 12, 31, 23, 59, 59, 999999000), Timestamp.valueOf("2024-02-29 12:30:00"), "fix", "Grüße, 世界 'x' \\ \ud83d\ude00", "Exactly",
        new byte[] {0, -1, 39, 92}, new byte[] {0, 1, 2}, "letter".repeat(100), photo, "happy", "red,blue", "{\"a\": [1, null, \"ü\"]}"};
    for (String options : List.of("useServerPrepStmts=false", "useServerPrepStmts=true")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM samples");
        sample[0] = 1L;
        say("inserted", update(connection, "INSERT INTO samples (" + columns + ") VALUES (" + "?, ".repeat(26) + "?)", sample));
        Object[] nulls = new Object[27];
        nulls[0] = 2L;
        say("nulls", update(connection, "INSERT INTO samples (" + columns + ") VALUES (" + "?, ".repeat(26) + "?)", nulls));
        update(connection, "UPDATE samples SET place = ST_GeomFromText('POINT(1 2)'), token = '6b1c3f0e-0000-4000-8000-00000000002a', address = '::1' WHERE id = 1");
        for (long id = 1; id <= 2; id++) {
          try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM samples WHERE id = ?")) {
            statement.setLong(1, id);
            ResultSet set = statement.executeQuery();
            set.next();
            ResultSetMetaData data = set.getMetaData();
            for (int n = 1; n <= data.getColumnCount(); n++) {
              Object value = set.getObject(n);
              say(options + " " + data.getColumnName(n), value == null ? null : value.getClass().getSimpleName(), value, set.getString(n), set.wasNull());
            }
            if (id == 1) {
              say("read as", set.getLong("large"), set.getBigDecimal("larger"), set.getInt("small"), set.getDouble("exact"), set.getBoolean("flag"), set.getDate("day"), set.getTimestamp("moment"),
                  set.getObject("day", LocalDate.class), set.getObject("moment", LocalDateTime.class), set.getBytes("photo"), set.getClob("letter").length(), set.getBlob("photo").length());
            }
          }
        }
        say("found", query(connection, "SELECT id FROM samples WHERE body = ? AND exact = ? AND moment = ? AND bytes = ?", sample[18], sample[7], sample[15], sample[21]));
        say("all", query(connection, "SELECT count(*), sum(large), avg(exact), max(moment), min(feeling) FROM samples WHERE id > ?", 0));
      }
    }
  }

  static void resultMetadata() throws Exception {
    for (String options : List.of("useServerPrepStmts=false", "useServerPrepStmts=true")) {
      try (Connection connection = connect(options)) {
        for (String sql : List.of("SELECT * FROM samples", "SELECT c.id AS who, count(*), sum(amount) total FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id", "SELECT 1, 'x', NULL, 1.50", "SHOW TABLES")) {
          try (PreparedStatement statement = connection.prepareStatement(sql); ResultSet set = statement.executeQuery()) {
            ResultSetMetaData data = set.getMetaData();
            for (int n = 1; n <= data.getColumnCount(); n++)
              say(data.getColumnLabel(n), data.getColumnName(n), data.getTableName(n), data.getCatalogName(n), data.getColumnTypeName(n), data.getColumnType(n), data.getPrecision(n), data.getScale(n),
                  data.getColumnDisplaySize(n), data.isNullable(n), data.isSigned(n), data.isAutoIncrement(n), data.getColumnClassName(n));
          }
        }
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO customers (id, name) VALUES (?, ?)")) {
          say("parameters", statement.getParameterMetaData().getParameterCount());
        }
      }
    }
  }

  static void preparedStatements() throws Exception {
    try (Connection connection = connect("useServerPrepStmts=true&prepStmtCacheSize=5")) {
      addCustomers(connection, 10);
      try (PreparedStatement one = connection.prepareStatement("SELECT name FROM customers WHERE id = ?");
           PreparedStatement all = connection.prepareStatement("SELECT count(*), sum(balance) FROM customers WHERE balance > ?")) {
        for (int n = 1; n <= 10; n++) {
          one.setLong(1, n);
          all.setInt(1, n * 10);
          say("executed", rows(one.executeQuery()), rows(all.executeQuery()));
        }
        one.setString(1, "3");
        say("as text", rows(one.executeQuery()));
        one.setNull(1, Types.BIGINT);
        say("null", rows(one.executeQuery()));
      }
      for (int n = 0; n < 12; n++) say("cached", query(connection, "SELECT ? + " + n, n));
      try (PreparedStatement stream = connection.prepareStatement("INSERT INTO documents VALUES (?, ?, ?)")) {
        stream.setLong(1, 1);
        stream.setCharacterStream(2, new StringReader("read from a stream"));
        stream.setBinaryStream(3, new ByteArrayInputStream(new byte[100000]));
        say("streams", stream.executeUpdate());
      }
      say("read", query(connection, "SELECT title, length(body) FROM documents WHERE id = ?", 1));
      fails("too few", () -> { try (PreparedStatement s = connection.prepareStatement("SELECT ?, ?")) { s.setInt(1, 1); s.executeQuery(); } });
      fails("syntax", () -> query(connection, "SELEC ?", 1));
      fails("no column", () -> query(connection, "SELECT nme FROM customers WHERE id = ?", 1));
    }
  }

  static void transactions() throws Exception {
    try (Connection connection = connect(); Connection other = connect()) {
      addCustomers(connection, 3);
      connection.setAutoCommit(false);
      update(connection, "UPDATE customers SET balance = 1 WHERE id = ?", 1);
      Savepoint one = connection.setSavepoint("one");
      fails("duplicate", () -> update(connection, "INSERT INTO customers (id, name) VALUES (1, 'x')"));
      update(connection, "INSERT INTO orders VALUES (1, 2, NULL, 10, 'new')");
      connection.rollback(one);
      Savepoint unnamed = connection.setSavepoint();
      update(connection, "INSERT INTO orders VALUES (1, 1, '2024-01-01', 10, 'new')");
      connection.releaseSavepoint(unnamed);
      say("another sees", query(other, "SELECT balance FROM customers WHERE id = 1"));
      connection.commit();
      say("another sees", query(other, "SELECT balance FROM customers WHERE id = 1"), query(other, "SELECT * FROM orders"));
      update(connection, "DELETE FROM customers WHERE id = 1");
      connection.rollback();
      for (int level : new int[] {Connection.TRANSACTION_READ_UNCOMMITTED, Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_SERIALIZABLE, Connection.TRANSACTION_REPEATABLE_READ}) {
        connection.setTransactionIsolation(level);
        say("isolation", query(connection, "SELECT @@tx_isolation, count(*) FROM customers WHERE id = 1"));
        connection.commit();
      }
      connection.setReadOnly(true);
      fails("read only", () -> update(connection, "DELETE FROM customers WHERE id = 1"));
      connection.rollback();
      connection.setReadOnly(false);
      connection.setAutoCommit(true);
      say("customers", query(connection, "SELECT id, balance FROM customers ORDER BY id"));
    }
  }

  static void fetchSizes() throws Exception {
    for (String options : List.of("useServerPrepStmts=false", "useServerPrepStmts=true")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM customers");
        addCustomers(connection, 25);
        try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM customers ORDER BY id", ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
          statement.setFetchSize(4);
          ResultSet set = statement.executeQuery();
          int sum = 0;
          while (set.next()) sum += set.getInt(1);
          say("by four", sum);
          set = statement.executeQuery();
          set.next();
          say("left alone", set.getInt(1));
        }
        try (Statement statement = connection.createStatement()) {
          statement.setFetchSize(100);
          ResultSet set = statement.executeQuery("SELECT seq, repeat('x', 100) FROM seq_1_to_50000");
          long sum = 0;
          while (set.next()) sum += set.getLong(1) + set.getString(2).length();
          say("streamed", sum);
          statement.setMaxRows(3);
          say("at most three", rows(statement.executeQuery("SELECT id FROM customers ORDER BY id")));
        }
        try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
          ResultSet set = statement.executeQuery("SELECT id, name FROM customers ORDER BY id");
          set.absolute(3);
          set.updateString("name", "updated in place");
          set.updateRow();
          set.last();
          say("scrolled", set.getInt(1), set.previous(), set.getInt(1));
        }
        say("updated", query(connection, "SELECT name FROM customers WHERE id = 3"));
      }
    }
  }

  static void batches() throws Exception {
    for (String options : List.of("useBatchMultiSend=true", "rewriteBatchedStatements=true", "useServerPrepStmts=true&useBulkStmts=true", "useServerPrepStmts=true&useBulkStmts=false", "useBatchMultiSend=false")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM customers");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customers (id, name, balance) VALUES (?, ?, ?)")) {
          for (int n = 1; n <= 50; n++) {
            insert.setLong(1, n);
            insert.setString(2, n % 5 == 0 ? "fünf '" : "batch " + n);
            insert.setBigDecimal(3, new BigDecimal(n + ".50"));
            insert.addBatch();
          }
          say(options, Arrays.stream(insert.executeBatch()).sum() != 0, query(connection, "SELECT count(*), sum(balance), max(name) FROM customers"));
          insert.setLong(1, 60);
          insert.setString(2, "x");
          insert.setBigDecimal(3, null);
          insert.addBatch();
          insert.setLong(1, 1);
          insert.setBigDecimal(3, BigDecimal.ONE);
          insert.addBatch();
          insert.setLong(1, 61);
          insert.addBatch();
          try {
            insert.executeBatch();
          } catch (BatchUpdateException error) {
            say("failed", error.getErrorCode(), error.getSQLState(), Arrays.toString(error.getUpdateCounts()));
          }
        }
        try (Statement statement = connection.createStatement()) {
          statement.addBatch("UPDATE customers SET balance = 1 WHERE id = 2");
          statement.addBatch("UPDATE customers SET balance = 2");
          statement.addBatch("DELETE FROM customers WHERE id > 10");
          say("statements", Arrays.toString(statement.executeBatch()));
        }
      }
    }
  }

  static void generatedKeys() throws Exception {
    try (Connection connection = connect()) {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO notes (body) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
        for (String body : List.of("a", "b")) {
          insert.setString(1, body);
          insert.executeUpdate();
          say("key", rows(insert.getGeneratedKeys()));
        }
      }
      try (Statement statement = connection.createStatement()) {
        statement.executeUpdate("INSERT INTO notes (body) VALUES ('c'), ('d'), ('e')", Statement.RETURN_GENERATED_KEYS);
        say("keys", rows(statement.getGeneratedKeys()));
        say("returning", rows(statement.executeQuery("INSERT INTO notes (body) VALUES ('f'), ('g') RETURNING id, body")));
      }
      say("last", query(connection, "SELECT LAST_INSERT_ID()"));
    }
  }

  static void affectedRows() throws Exception {
    for (String options : List.of("useAffectedRows=false", "useAffectedRows=true")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM customers");
        addCustomers(connection, 6);
        say(options, update(connection, "UPDATE customers SET balance = balance WHERE id = ?", 1), update(connection, "UPDATE customers SET name = 'x' WHERE id < ?", 4),
            update(connection, "UPDATE customers SET name = 'x' WHERE id < ?", 5), update(connection, "INSERT INTO customers (id, name) VALUES (1, 'y') ON DUPLICATE KEY UPDATE name = VALUES(name)"),
            update(connection, "REPLACE INTO customers (id, name) VALUES (?, 'z')", 2), update(connection, "DELETE FROM customers WHERE id > ?", 3));
      }
    }
  }

  static void readsOverAllShards() throws Exception {
    for (String options : List.of("useServerPrepStmts=false", "useServerPrepStmts=true")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM customers");
        addCustomers(connection, 20);
        for (int n = 1; n <= 20; n++) update(connection, "INSERT INTO orders VALUES (?, 1, ?, ?, 'new')", n, LocalDate.of(2024, 1 + n % 3, n), n);
        say("counts", query(connection, "SELECT count(*), sum(balance), avg(balance), min(name) FROM customers"));
        say("groups", query(connection, "SELECT country, count(*), max(balance) FROM customers WHERE balance > ? GROUP BY country ORDER BY country", 50));
        say("joined", query(connection, "SELECT k.name, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY 2 DESC"));
        say("page", query(connection, "SELECT id FROM customers ORDER BY balance DESC LIMIT ? OFFSET ?", 3, 2));
        say("months", query(connection, "SELECT month(placed), count(*) FROM orders GROUP BY month(placed) ORDER BY 1"));
        say("distinct", query(connection, "SELECT DISTINCT country FROM customers ORDER BY country"));
      }
    }
  }

  static void severalResults() throws Exception {
    try (Connection connection = connect("allowMultiQueries=true"); Statement statement = connection.createStatement()) {
      boolean set = statement.execute("SELECT 1; UPDATE countries SET name = name; SELECT 2, 3");
      while (true) {
        if (set) say("set", rows(statement.getResultSet())); else if (statement.getUpdateCount() >= 0) say("count", statement.getUpdateCount()); else break;
        set = statement.getMoreResults();
      }
      fails("in the middle", () -> { statement.execute("SELECT 1; SELECT nonsense; SELECT 3"); while (statement.getMoreResults()) say("more"); });
      statement.execute("DROP PROCEDURE IF EXISTS suite_java");
      statement.execute("CREATE PROCEDURE suite_java(IN a INT, INOUT b INT, OUT c VARCHAR(20)) BEGIN SELECT a; SELECT code FROM countries ORDER BY code; SET b = b + a, c = 'out'; END");
      try (CallableStatement call = connection.prepareCall("{call suite_java(?, ?, ?)}")) {
        call.setInt(1, 5);
        call.setInt(2, 6);
        call.registerOutParameter(2, Types.INTEGER);
        call.registerOutParameter(3, Types.VARCHAR);
        boolean more = call.execute();
        while (more) { say("result", rows(call.getResultSet())); more = call.getMoreResults(); }
        say("out", call.getInt(2), call.getString(3));
      }
      statement.execute("CREATE OR REPLACE FUNCTION suite_twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2");
      try (CallableStatement call = connection.prepareCall("{? = call suite_twice(?)}")) {
        call.registerOutParameter(1, Types.INTEGER);
        call.setInt(2, 21);
        call.execute();
        say("function", call.getInt(1));
      }
      statement.execute("DROP FUNCTION suite_twice");
      statement.execute("DROP PROCEDURE suite_java");
    }
    fails("not two", () -> { try (Connection connection = connect()) { connection.createStatement().execute("SELECT 1; SELECT 2"); } });
  }

  static void databaseMetadata() throws Exception {
    try (Connection connection = connect()) {
      DatabaseMetaData data = connection.getMetaData();
      say("catalogs", rows(data.getCatalogs()));
      say("tables", rows(data.getTables("shop", null, "%", new String[] {"TABLE"})));
      for (String table : List.of("customers", "orders", "samples")) {
        say(table + " columns", rows(data.getColumns("shop", null, table, "%")));
        say(table + " primary", rows(data.getPrimaryKeys("shop", null, table)));
        say(table + " indexes", rows(data.getIndexInfo("shop", null, table, false, false)).stream().map(row -> row.subList(2, 9)).toList());
        say(table + " imported", rows(data.getImportedKeys("shop", null, table)));
        say(table + " exported", rows(data.getExportedKeys("shop", null, table)));
      }
      say("types", rows(data.getTypeInfo()).size());
      say("limits", data.getMaxConnections(), data.getMaxColumnNameLength(), data.supportsSavepoints(), data.getDefaultTransactionIsolation());
    }
  }

  static void largeValues() throws Exception {
    for (String options : List.of("useServerPrepStmts=false", "useServerPrepStmts=true")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM documents");
        int[] sizes = {17 << 20, 0xffffff, 0xfffffe};
        for (int n = 0; n < sizes.length; n++) {
          byte[] body = new byte[sizes[n]];
          Arrays.fill(body, (byte) 'b');
          update(connection, "INSERT INTO documents VALUES (?, 'large', ?)", n + 1, body);
          try (PreparedStatement statement = connection.prepareStatement("SELECT body FROM documents WHERE id = ?")) {
            statement.setInt(1, n + 1);
            ResultSet set = statement.executeQuery();
            set.next();
            say("read", Arrays.equals(set.getBytes(1), body));
          }
        }
        say("lengths", query(connection, "SELECT id, length(body) FROM documents ORDER BY id"));
      }
    }
  }

  static void localFiles() throws Exception {
    try (Connection connection = connect("allowLocalInfile=true"); Statement statement = connection.createStatement()) {
      StringBuilder text = new StringBuilder();
      for (int n = 1; n <= 5000; n++) text.append(n).append("\tloaded ").append(n).append('\n');
      statement.unwrap(MariaDbStatement.class).setLocalInfileInputStream(new ByteArrayInputStream(text.toString().getBytes(StandardCharsets.UTF_8)));
      say("loaded", statement.executeUpdate("LOAD DATA LOCAL INFILE 'any' INTO TABLE customers (id, name)"));
      say("sum", query(connection, "SELECT count(*), sum(id), max(name) FROM customers"));
      fails("no such file", () -> statement.execute("LOAD DATA LOCAL INFILE '/nowhere/at/all' INTO TABLE customers (id, name)"));
      say("goes on", query(connection, "SELECT 1"));
    }
  }

  static void errors() throws Exception {
    for (String options : List.of("useServerPrepStmts=false", "useServerPrepStmts=true")) {
      try (Connection connection = connect(options)) {
        update(connection, "DELETE FROM customers");
        addCustomers(connection, 2);
        for (String sql : List.of("INSERT INTO customers (id, name) VALUES (1, 'x')", "SELEC 1", "SELECT nme FROM customers", "SELECT * FROM nothing", "INSERT INTO orders VALUES (777, 1, NULL, 1, '')",
            "INSERT INTO orders VALUES (1, 1, NULL, -1, '')", "INSERT INTO customers (id) VALUES (5)", "SELECT 9223372036854775807 + 1", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ours'", "DROP TABLE nothing"))
          fails(sql, () -> { try (PreparedStatement statement = connection.prepareStatement(sql)) { statement.execute(); } });
        try (Statement statement = connection.createStatement()) {
          statement.setQueryTimeout(1);
          fails("timeout", () -> statement.executeQuery("SELECT SLEEP(20)"));
          statement.setQueryTimeout(0);
          statement.execute("SET sql_mode = ''");
          statement.executeUpdate("INSERT INTO customers (id, name) VALUES (9, '" + "long".repeat(40) + "')");
          for (SQLWarning warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) say("warning", warning.getErrorCode(), warning.getSQLState(), warning.getMessage());
          Timer timer = new Timer();
          timer.schedule(new TimerTask() { public void run() { try { statement.cancel(); } catch (SQLException error) { say("not cancelled", error.getMessage()); } } }, 300);
          long began = System.nanoTime();
          fails("cancelled", () -> statement.executeQuery("SELECT SLEEP(20), id FROM customers"));
          say("early", System.nanoTime() - began < 15_000_000_000L);
          timer.cancel();
          say("goes on", rows(statement.executeQuery("SELECT 1")));
        }
      }
    }
  }

  static void abortsAndResets() throws Exception {
    try (Connection connection = connect()) {
      connection.abort(Runnable::run);
      say("closed", connection.isClosed());
      fails("aborted", () -> query(connection, "SELECT 1"));
    }
    var pool = new org.mariadb.jdbc.MariaDbPoolDataSource("jdbc:mariadb://" + host + "/shop?user=app&password=app-secret&maxPoolSize=3&minPoolSize=1&useResetConnection=true");
    for (int turn = 0; turn < 4; turn++) {
      try (Connection connection = pool.getConnection()) {
        say("pooled", query(connection, "SELECT @mine, @@sql_mode = ''"));
        connection.createStatement().execute("SET @mine = " + turn + ", sql_mode = ''");
        connection.setAutoCommit(false);
        update(connection, "INSERT INTO customers (id, name) VALUES (?, 'pooled')", turn + 1);
        if (turn % 2 == 0) connection.commit();
      }
    }
    pool.close();
    try (Connection connection = connect()) {
      say("customers", query(connection, "SELECT id FROM customers ORDER BY id"));
    }
  }

  static void xa() throws Exception {
    var source = new org.mariadb.jdbc.MariaDbDataSource("jdbc:mariadb://" + host + "/shop?user=app&password=app-secret");
    var two = source.getXAConnection();
    var resource = two.getXAResource();
    record Id(int number) implements javax.transaction.xa.Xid {
      public int getFormatId() { return 1; }
      public byte[] getGlobalTransactionId() { return ("suite" + number).getBytes(); }
      public byte[] getBranchQualifier() { return new byte[] {1}; }
    }
    for (int number = 1; number <= 2; number++) {
      var id = new Id(number);
      resource.start(id, javax.transaction.xa.XAResource.TMNOFLAGS);
      update(two.getConnection(), "INSERT INTO customers (id, name) VALUES (?, 'xa')", number);
      resource.end(id, javax.transaction.xa.XAResource.TMSUCCESS);
      resource.prepare(id);
      if (number == 1) resource.commit(id, false); else resource.rollback(id);
    }
    two.close();
    try (Connection connection = connect()) {
      say("customers", query(connection, "SELECT id FROM customers"));
    }
  }

  static void manyConnections() throws Exception {
    try (Connection setup = connect()) {
      addCustomers(setup, 10);
      ExecutorService workers = Executors.newFixedThreadPool(10);
      List<Future<Integer>> results = new ArrayList<>();
      for (int worker = 0; worker < 10; worker++) {
        final int mine = worker;
        results.add(workers.submit(() -> {
          int wrong = 0;
          try (Connection connection = connect("useServerPrepStmts=true")) {
            connection.createStatement().execute("SET @mine = " + mine + ", time_zone = '+0" + mine + ":00'");
            connection.setAutoCommit(false);
            try (PreparedStatement show = connection.prepareStatement("SELECT @mine, @@time_zone"); PreparedStatement update = connection.prepareStatement("UPDATE customers SET balance = balance + 1 WHERE id = ?")) {
              for (int turn = 0; turn < 12; turn++) {
                ResultSet seen = show.executeQuery();
                seen.next();
                if (seen.getInt(1) != mine || !seen.getString(2).equals("+0" + mine + ":00")) wrong++;
                update.setLong(1, mine + 1);
                if (update.executeUpdate() != 1) wrong++;
                if (turn % 3 == 0) connection.rollback(); else connection.commit();
              }
            }
          }
          return wrong;
        }));
      }
      List<Integer> wrong = new ArrayList<>();
      for (Future<Integer> result : results) wrong.add(result.get());
      workers.shutdown();
      say("wrong", wrong);
      say("balances", query(setup, "SELECT balance - id * 10 FROM customers ORDER BY id"));
    }
  }

  public static void main(String[] arguments) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    System.out.println("driver: MariaDB Connector/J " + org.mariadb.jdbc.internal.util.constant.Version.version);
    steps.put("connecting", Suite::connecting);
    steps.put("other databases", Suite::otherDatabases);
    steps.put("connecting with tls", Suite::connectingWithTls);
    steps.put("values of every type", Suite::valuesOfEveryType);
    steps.put("result metadata", Suite::resultMetadata);
    steps.put("prepared statements", Suite::preparedStatements);
    steps.put("transactions", Suite::transactions);
    steps.put("fetch sizes", Suite::fetchSizes);
    steps.put("batches", Suite::batches);
    steps.put("generated keys", Suite::generatedKeys);
    steps.put("affected rows", Suite::affectedRows);
    steps.put("reads over all shards", Suite::readsOverAllShards);
    steps.put("several results", Suite::severalResults);
    steps.put("database metadata", Suite::databaseMetadata);
    steps.put("large values", Suite::largeValues);
    steps.put("local files", Suite::localFiles);
    steps.put("errors", Suite::errors);
    steps.put("aborts, pools and resets", Suite::abortsAndResets);
    steps.put("xa", Suite::xa);
    steps.put("many connections", Suite::manyConnections);
    for (var entry : steps.entrySet()) {
      System.out.println("== " + entry.getKey());
      try (Connection connection = connect()) {
        for (String table : new String[] {"orders", "customers", "samples", "documents", "notes"}) connection.createStatement().execute("DELETE FROM " + table);
        connection.createStatement().execute("ALTER TABLE notes AUTO_INCREMENT = 1");
        entry.getValue().run();
      } catch (Exception error) {
        System.out.println("!! " + String.valueOf(error).replaceAll("\\s+", " "));
        if (System.getenv("DRIVERS_TRACE") != null) error.printStackTrace();
      }
    }
    System.exit(0);
  }
}
