import java.math.BigDecimal;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.URI;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** pgjdbc: prepare thresholds, fetch sizes, batches, generated keys, metadata, large objects. */
public class Suite {
  interface Work { void run() throws Exception; }

  static final URI url = URI.create(System.getenv("DATABASE_URL"));
  static final LinkedHashMap<String, Work> steps = new LinkedHashMap<>();

  static void say(String what, Object... values) {
    StringBuilder line = new StringBuilder(what).append(':');
    for (Object value : values) line.append(' ').append(value instanceof byte[] b ? Arrays.toString(b) : value);
    System.out.println(line);
  }

  static Connection connect(String options) throws SQLException {
    return DriverManager.getConnection("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath() + "?user=app&password=app-secret" + options);
  }

  static Connection connect() throws SQLException { return connect(""); }

  static void fails(String what, Work work) {
    try {
      work.run();
      say(what, "no error");
    } catch (SQLException error) {
      // An error of one part of a statement says in its context which shard it comes from.
      say(what, error.getClass().getSimpleName(), error.getSQLState(), error.getMessage().replaceAll("\\s+", " ").replaceAll("( Where:)? shard s\\d$", ""));
    } catch (Exception error) {
      say(what, error);
    }
  }

  static String rows(ResultSet results) throws SQLException {
    StringBuilder all = new StringBuilder();
    while (results.next()) {
      all.append('(');
      for (int n = 1; n <= results.getMetaData().getColumnCount(); n++) all.append(n > 1 ? ", " : "").append(results.getString(n));
      all.append(") ");
    }
    return all.toString();
  }

  static String query(Connection connection, String text, Object... values) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(text)) {
      for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
      return statement.execute() ? rows(statement.getResultSet()) : "count " + statement.getUpdateCount();
    }
  }

  static void addCustomers(Connection connection, int count) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customers (id, name, country, balance) VALUES (?, ?, ?, ?)")) {
      for (int n = 1; n <= count; n++) {
        insert.setLong(1, n);
        insert.setString(2, "customer " + n);
        insert.setString(3, new String[] {"DE", "FR", "JP"}[n % 3]);
        insert.setBigDecimal(4, BigDecimal.valueOf(n * 10));
        insert.executeUpdate();
      }
    }
  }

  static void connecting() throws Exception {
    try (Connection connection = connect("&ApplicationName=suite&options=-c%20TimeZone=Asia/Tokyo")) {
      DatabaseMetaData data = connection.getMetaData();
      say("product", data.getDatabaseProductName(), data.getDatabaseMajorVersion(), data.getDriverVersion());
      say("where", query(connection, "SELECT current_database(), current_user, current_setting('application_name')"));
      say("valid", connection.isValid(2), connection.getCatalog(), connection.getSchema(), connection.getTransactionIsolation());
      connection.setSchema("pg_catalog");
      say("schema", connection.getSchema());
      connection.setClientInfo("ApplicationName", "renamed");
      say("renamed", query(connection, "SHOW application_name"));
    }
    fails("wrong password", () -> DriverManager.getConnection("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath(), "app", "wrong"));
  }

  static void valuesOfEveryType() throws Exception {
    for (int threshold : new int[] {0, 1, -1}) {
      try (Connection connection = connect("&stringtype=unspecified&prepareThreshold=" + threshold)) {
        connection.createStatement().execute("DELETE FROM samples");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO samples VALUES (" + "?, ".repeat(24) + "?)")) {
          Object[] row = {1L, (short) -32768, 2147483647, Long.MIN_VALUE, new BigDecimal("123456789.000000001"), 1.5f, 0.1, true, "Grüße, 世界 'x' \\ \uD83D\uDE00", "short", "fix",
            new byte[] {0, -1, 10}, LocalDate.of(2024, 2, 29), LocalDateTime.of(1999, 12, 31, 23, 59, 59, 999999000), OffsetDateTime.of(2024, 2, 29, 23, 59, 59, 123456000, ZoneOffset.UTC),
            LocalTime.of(12, 34, 56), "3 days 00:00:07", UUID.fromString("6b1c3f0e-0000-4000-8000-00000000002a"), "{\"a\": [1, null]}", "{\"k\": 1.5}",
            connection.createArrayOf("int4", new Integer[] {1, 2, null}), connection.createArrayOf("text", new String[] {"a", "b\"c", "d,e", null}), "happy", "{sad,happy}", "192.0.2.7"};
          for (int n = 0; n < row.length; n++) insert.setObject(n + 1, row[n]);
          say("inserted", insert.executeUpdate());
          insert.setLong(1, 2);
          for (int n = 2; n <= 25; n++) insert.setNull(n, Types.NULL);
          say("inserted", insert.executeUpdate());
        }
        try (PreparedStatement select = connection.prepareStatement("SELECT * FROM samples WHERE id = ?")) {
          for (long id = 1; id <= 2; id++) {
            select.setLong(1, id);
            ResultSet results = select.executeQuery();
            results.next();
            for (int n = 1; n <= 25; n++) {
              Object value = results.getObject(n);
              String shown = value instanceof java.sql.Array a ? Arrays.toString((Object[]) a.getArray()) : value instanceof byte[] b ? Arrays.toString(b) : String.valueOf(value);
              say("threshold " + threshold + " sample " + id + " " + results.getMetaData().getColumnName(n), results.getMetaData().getColumnTypeName(n), shown);
            }
          }
        }
        say("all", query(connection, "SELECT id, feeling, feelings, numbers, exact, instant FROM samples ORDER BY id"));
      }
    }
  }

  static void resultMetadata() throws Exception {
    try (Connection connection = connect()) {
      for (String text : new String[] {"SELECT * FROM samples", "SELECT c.id AS who, count(*), sum(o.amount) AS total FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id"}) {
        try (PreparedStatement statement = connection.prepareStatement(text)) {
          ResultSetMetaData data = statement.getMetaData();
          for (int n = 1; n <= data.getColumnCount(); n++)
            say(data.getColumnLabel(n), data.getColumnTypeName(n), data.getColumnType(n), data.getColumnClassName(n), data.getPrecision(n), data.getScale(n), data.isNullable(n), data.isAutoIncrement(n), data.getTableName(n));
        }
      }
      ParameterMetaData data = connection.prepareStatement("INSERT INTO customers (id, name, balance, feeling) VALUES (?, ?, ?, ?)").getParameterMetaData();
      for (int n = 1; n <= data.getParameterCount(); n++) say("parameter", n, data.getParameterTypeName(n), data.getParameterClassName(n));
    }
  }

  static void preparedStatements() throws Exception {
    try (Connection connection = connect("&prepareThreshold=3")) {
      addCustomers(connection, 12);
      try (PreparedStatement one = connection.prepareStatement("SELECT name, balance FROM customers WHERE id = ?");
           PreparedStatement all = connection.prepareStatement("SELECT count(*) FROM customers WHERE balance > ?")) {
        for (int n = 1; n <= 12; n++) {
          one.setInt(1, n);
          all.setBigDecimal(1, BigDecimal.valueOf(n * 10));
          say("one", rows(one.executeQuery()), rows(all.executeQuery()));
        }
      }
      try (PreparedStatement star = connection.prepareStatement("SELECT * FROM notes")) {
        for (int n = 0; n < 5; n++) star.executeQuery().close();
        connection.createStatement().execute("ALTER TABLE notes ADD COLUMN extra int");
        say("after DDL", star.executeQuery().getMetaData().getColumnCount());
        connection.createStatement().execute("ALTER TABLE notes DROP COLUMN extra");
        say("after DDL", star.executeQuery().getMetaData().getColumnCount());
      }
    }
  }

  static void transactions() throws Exception {
    try (Connection connection = connect()) {
      addCustomers(connection, 3);
      connection.setAutoCommit(false);
      say("updated", query(connection, "UPDATE customers SET balance = 1 WHERE id = ?", 1L));
      Savepoint savepoint = connection.setSavepoint("here");
      fails("duplicate", () -> query(connection, "INSERT INTO customers (id, name) VALUES (?, 'x')", 1L));
      fails("failed", () -> query(connection, "SELECT 1"));
      connection.rollback(savepoint);
      query(connection, "INSERT INTO orders VALUES (?, 1, ?, 10)", 1L, LocalDate.of(2024, 1, 1));
      connection.releaseSavepoint(savepoint);
      connection.commit();
      query(connection, "DELETE FROM customers WHERE id = 1");
      connection.rollback();
      say("after", query(connection, "SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1"));
      connection.rollback();
      connection.setReadOnly(true);
      fails("read only", () -> query(connection, "DELETE FROM customers WHERE id = 1"));
      connection.rollback();
      connection.setReadOnly(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      say("isolation", connection.getTransactionIsolation(), query(connection, "SHOW transaction_isolation"));
      connection.rollback();
    }
    try (Connection connection = connect("&autosave=always")) {
      connection.setAutoCommit(false);
      fails("autosaved", () -> query(connection, "SELECT 1 / 0"));
      say("goes on", query(connection, "SELECT 1"));
      connection.commit();
    }
  }

  static void fetchSizes() throws Exception {
    try (Connection connection = connect()) {
      addCustomers(connection, 25);
      connection.setAutoCommit(false);
      for (String text : new String[] {"SELECT id FROM customers ORDER BY id", "SELECT id, name FROM customers WHERE id > 3 ORDER BY id", "SELECT code FROM countries ORDER BY code"}) {
        try (PreparedStatement statement = connection.prepareStatement(text)) {
          statement.setFetchSize(4);
          for (int turn = 0; turn < 2; turn++) {
            ResultSet results = statement.executeQuery();
            StringBuilder all = new StringBuilder();
            while (results.next()) all.append(results.getString(1)).append(' ');
            say("fetched", all);
          }
        }
      }
      try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM customers ORDER BY id")) {
        statement.setFetchSize(3);
        ResultSet results = statement.executeQuery();
        results.next();
        say("among others", query(connection, "SELECT count(*) FROM customers"));
        results.next();
        say("second", results.getInt(1));
        results.close();
      }
      try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM customers ORDER BY id")) {
        statement.setMaxRows(5);
        say("at most five", rows(statement.executeQuery()));
      }
      try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
        ResultSet results = statement.executeQuery("SELECT id, name, balance FROM customers WHERE id < 4 ORDER BY id");
        results.absolute(2);
        results.updateString("name", "through the result set");
        results.updateRow();
        results.last();
        say("last", results.getRow(), results.getString("name"));
      }
      connection.commit();
      say("updated", query(connection, "SELECT name FROM customers WHERE id = 2"));
      connection.commit();
    }
  }

  static void batches() throws Exception {
    for (String option : new String[] {"", "&reWriteBatchedInserts=true"}) {
      try (Connection connection = connect(option)) {
        connection.createStatement().execute("DELETE FROM customers");
        connection.createStatement().execute("DELETE FROM notes");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customers (id, name) VALUES (?, ?)")) {
          for (int n = 1; n <= 60; n++) {
            insert.setLong(1, n);
            insert.setString(2, "batch " + n);
            insert.addBatch();
          }
          say("batch", Arrays.stream(insert.executeBatch()).map(count -> Math.abs(count)).distinct().count());
        }
        say("count", query(connection, "SELECT count(*), min(name) FROM customers"));
        connection.setAutoCommit(false);
        try (PreparedStatement update = connection.prepareStatement("UPDATE customers SET balance = ? WHERE id = 7")) {
          for (int n = 1; n <= 10; n++) {
            update.setInt(1, n);
            update.addBatch();
          }
          say("updates", Arrays.toString(update.executeBatch()));
        }
        connection.commit();
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO notes (body) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
          for (String body : new String[] {"a", "b", "c"}) {
            insert.setString(1, body);
            insert.addBatch();
          }
          insert.executeBatch();
          ResultSet keys = insert.getGeneratedKeys();
          int first = 0, count = 0;
          while (keys.next()) {
            if (count++ == 0) first = keys.getInt("id");
            say("key", keys.getInt("id") - first, keys.getString("body"));
          }
        }
        connection.commit();
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
          statement.addBatch("UPDATE customers SET balance = 5 WHERE id = 1");
          statement.addBatch("INSERT INTO notes (body) VALUES ('d')");
          statement.addBatch("DELETE FROM notes WHERE body = 'd'");
          say("statements", Arrays.toString(statement.executeBatch()));
        }
        fails("broken", () -> {
          try (PreparedStatement insert = connection.prepareStatement("INSERT INTO notes (body) VALUES (?)")) {
            for (String body : new String[] {"e", "a", "f"}) {
              insert.setString(1, body);
              insert.addBatch();
            }
            insert.executeBatch();
          } catch (BatchUpdateException error) {
            throw error.getNextException();
          }
        });
        say("notes", query(connection, "SELECT body FROM notes ORDER BY body"));
      }
    }
  }

  static void generatedKeys() throws Exception {
    try (Connection connection = connect()) {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO notes (body) VALUES (?)", new String[] {"body", "id"})) {
        insert.setString(1, "x");
        say("inserted", insert.executeUpdate());
        ResultSet keys = insert.getGeneratedKeys();
        keys.next();
        say("keys", keys.getString(1), keys.getInt(2) > 0);
      }
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customers (id, name) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
        insert.setLong(1, 5);
        insert.setString(2, "five");
        insert.executeUpdate();
        say("row", rows(insert.getGeneratedKeys()));
      }
      say("upsert", query(connection, "INSERT INTO customers (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name", 5L, "six"));
    }
  }

  static void readsOverAllShards() throws Exception {
    try (Connection connection = connect()) {
      addCustomers(connection, 20);
      for (int customer = 1; customer <= 6; customer++)
        for (int order = 1; order <= 3; order++) query(connection, "INSERT INTO orders VALUES (?, ?, ?, ?)", (long) customer, order, LocalDate.of(2024, order, 1), new BigDecimal(customer * order));
      for (int turn = 0; turn < 6; turn++) {
        say("aggregates", query(connection, "SELECT count(*), sum(balance), avg(balance), max(name) FROM customers WHERE balance > ?", turn));
        say("groups", query(connection, "SELECT country, count(*) FROM customers GROUP BY country HAVING count(*) > ? ORDER BY country", turn));
        say("joined", query(connection, "SELECT c.name, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.placed >= ? GROUP BY c.name ORDER BY 2 DESC, 1 LIMIT 3", LocalDate.of(2024, 1 + turn % 3, 1)));
      }
      say("any", query(connection, "SELECT id FROM customers WHERE id = ANY (?) ORDER BY id", connection.createArrayOf("int8", new Long[] {2L, 4L})));
      say("updated", query(connection, "UPDATE customers SET balance = 0 WHERE country = ?", "FR"));
      say("deleted", query(connection, "DELETE FROM orders WHERE amount > ?", 9));
    }
  }

  static void databaseMetadata() throws Exception {
    try (Connection connection = connect()) {
      DatabaseMetaData data = connection.getMetaData();
      for (String name : new String[] {"c%s", "notes%", "no such table"}) say("tables", rows(data.getTables(null, "public", name, new String[] {"TABLE", "VIEW", "SEQUENCE"})));
      for (String table : new String[] {"customers", "orders", "countries", "notes", "samples"}) {
        ResultSet columns = data.getColumns(null, "public", table, "%");
        while (columns.next())
          say(table, columns.getString("COLUMN_NAME"), columns.getInt("DATA_TYPE"), columns.getString("TYPE_NAME"), columns.getInt("COLUMN_SIZE"), columns.getInt("DECIMAL_DIGITS"), columns.getString("IS_NULLABLE"), columns.getString("COLUMN_DEF"), columns.getString("IS_AUTOINCREMENT"));
        say(table + " primary key", rows(data.getPrimaryKeys(null, "public", table)));
        say(table + " imported", rows(data.getImportedKeys(null, "public", table)));
        say(table + " exported", rows(data.getExportedKeys(null, "public", table)));
        ResultSet indexes = data.getIndexInfo(null, "public", table, false, false);
        while (indexes.next()) say(table + " index", indexes.getString("INDEX_NAME"), indexes.getBoolean("NON_UNIQUE"), indexes.getString("COLUMN_NAME"));
      }
      say("schemas", rows(data.getSchemas()));
      ResultSet types = data.getTypeInfo();
      int count = 0;
      while (types.next()) if (types.getString("TYPE_NAME").equals("mood") || types.getString("TYPE_NAME").equals("int4")) count++;
      say("types", count);
      say("table types", rows(data.getTableTypes()));
      say("functions", rows(data.getFunctions(null, "pg_catalog", "pg_notify")));
      say("privileges", rows(data.getTablePrivileges(null, "public", "customers")));
    }
  }

  static void errors() throws Exception {
    try (Connection connection = connect()) {
      addCustomers(connection, 2);
      for (String text : new String[] {"INSERT INTO customers (id, name) VALUES (1, 'again')", "SELEC 1", "SELECT nme FROM customers", "SELECT * FROM no_such_table", "SELECT 'x'::int", "INSERT INTO orders VALUES (999, 1, NULL, 1)"})
        fails(text, () -> query(connection, text));
      fails("type", () -> query(connection, "SELECT * FROM customers WHERE id = ?", "one"));
      fails("parameter", () -> connection.prepareStatement("SELECT ?::int").executeQuery());
      try {
        query(connection, "INSERT INTO customers (id, name) VALUES (1, 'again')");
      } catch (org.postgresql.util.PSQLException error) {
        say("fields", error.getServerErrorMessage().getConstraint(), error.getServerErrorMessage().getTable(), error.getServerErrorMessage().getDetail());
      }
      try (Statement statement = connection.createStatement()) {
        statement.setQueryTimeout(1);
        fails("timeout", () -> statement.executeQuery("SELECT pg_sleep(20)"));
      }
      try (Statement statement = connection.createStatement()) {
        Timer timer = new Timer(true);
        timer.schedule(new TimerTask() {
          public void run() { try { statement.cancel(); } catch (SQLException error) { say("cancel", error); } }
        }, 300);
        fails("cancelled", () -> statement.executeQuery("SELECT count(*) FROM customers, generate_series(1, 100000000)"));
      }
      say("goes on", query(connection, "SELECT 1"));
      fails("warnings", () -> {
        Statement statement = connection.createStatement();
        statement.execute("DROP TABLE IF EXISTS there_is_none");
        say("warning", statement.getWarnings().getSQLState(), statement.getWarnings().getMessage());
      });
    }
  }

  static void copying() throws Exception {
    try (Connection connection = connect()) {
      CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
      StringBuilder rows = new StringBuilder();
      for (int n = 1; n <= 80; n++) rows.append(n).append(",\"copied, ").append(n).append("\"\n");
      say("in", copies.copyIn("COPY customers (id, name) FROM STDIN (FORMAT csv)", new StringReader(rows.toString())));
      StringWriter out = new StringWriter();
      say("out", copies.copyOut("COPY (SELECT id, name FROM customers WHERE id < 3 ORDER BY id) TO STDOUT", out), out.toString().replace("\n", "|"));
      fails("bad", () -> copies.copyIn("COPY customers (id, name) FROM STDIN (FORMAT csv)", new StringReader("901,a\nx,b\n")));
      say("count", query(connection, "SELECT count(*) FROM customers"));
    }
  }

  static void largeObjects() throws Exception {
    try (Connection connection = connect()) {
      connection.setAutoCommit(false);
      var manager = connection.unwrap(PGConnection.class).getLargeObjectAPI();
      long number = manager.createLO();
      var large = manager.open(number);
      large.write("0123456789".repeat(2000).getBytes());
      large.close();
      connection.commit();
      large = manager.open(number);
      say("size", large.size(), new String(large.read(12)));
      large.close();
      manager.delete(number);
      connection.commit();
    }
  }

  static void notifications() throws Exception {
    try (Connection listener = connect(); Connection sender = connect()) {
      listener.createStatement().execute("LISTEN news");
      sender.createStatement().execute("NOTIFY news, 'one'");
      query(sender, "SELECT pg_notify(?, ?)", "news", "two");
      PGConnection listening = listener.unwrap(PGConnection.class);
      List<String> heard = new ArrayList<>();
      for (int turn = 0; turn < 20 && heard.size() < 2; turn++) {
        var some = listening.getNotifications(250);
        if (some != null) for (var one : some) heard.add(one.getName() + " " + one.getParameter());
      }
      say("heard", heard);
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
          try (Connection connection = connect("&prepareThreshold=2&ApplicationName=worker" + mine)) {
            connection.createStatement().execute("SET TIME ZONE 'Etc/GMT+" + mine + "'");
            connection.setAutoCommit(false);
            try (PreparedStatement show = connection.prepareStatement("SELECT current_setting('TimeZone'), current_setting('application_name')");
                 PreparedStatement update = connection.prepareStatement("UPDATE customers SET balance = balance + 1 WHERE id = ?")) {
              for (int turn = 0; turn < 12; turn++) {
                ResultSet seen = show.executeQuery();
                seen.next();
                if (!seen.getString(1).equals("Etc/GMT+" + mine) || !seen.getString(2).equals("worker" + mine)) wrong++;
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
    System.out.println("driver: pgjdbc " + org.postgresql.util.DriverInfo.DRIVER_VERSION);
    steps.put("connecting", Suite::connecting);
    steps.put("values of every type", Suite::valuesOfEveryType);
    steps.put("result metadata", Suite::resultMetadata);
    steps.put("prepared statements", Suite::preparedStatements);
    steps.put("transactions", Suite::transactions);
    steps.put("fetch sizes", Suite::fetchSizes);
    steps.put("batches", Suite::batches);
    steps.put("generated keys", Suite::generatedKeys);
    steps.put("reads over all shards", Suite::readsOverAllShards);
    steps.put("database metadata", Suite::databaseMetadata);
    steps.put("errors", Suite::errors);
    steps.put("copying", Suite::copying);
    steps.put("large objects", Suite::largeObjects);
    steps.put("notifications", Suite::notifications);
    steps.put("many connections", Suite::manyConnections);
    for (var entry : steps.entrySet()) {
      System.out.println("== " + entry.getKey());
      try (Connection connection = connect()) {
        for (String table : new String[] {"customers", "samples", "documents", "notes"}) connection.createStatement().execute("DELETE FROM " + table);
        entry.getValue().run();
      } catch (Exception error) {
        System.out.println("!! " + String.valueOf(error).replaceAll("\\s+", " "));
        if (System.getenv("DRIVERS_TRACE") != null) error.printStackTrace();
      }
    }
  }
}
