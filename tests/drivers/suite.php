<?php
// PHP: the pg_ functions and PDO.
error_reporting(E_ALL & ~E_WARNING & ~E_NOTICE);
$steps = [];

function step(string $name, callable $work): void { global $steps; $steps[$name] = $work; }
function say(string $what, ...$values): void {
  echo $what, ': ', implode(' ', array_map(fn($value) => is_string($value) ? $value : json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR), $values)), "\n";
}
function pdo(array $more = []): PDO {
  return new PDO('pgsql:host=' . getenv('PGHOST') . ';port=' . getenv('PGPORT') . ';dbname=' . getenv('PGDATABASE'), 'app', 'app-secret', $more + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
}
function connect(string $more = '') {
  return pg_connect('host=' . getenv('PGHOST') . ' port=' . getenv('PGPORT') . ' user=app password=app-secret dbname=' . getenv('PGDATABASE') . ' ' . $more, PGSQL_CONNECT_FORCE_NEW);
}
function fails(string $what, callable $work): void {
  try {
    $work();
    say($what, 'no error');
  } catch (PDOException $error) {
    say($what, $error->errorInfo[0] ?? '', preg_replace(['/\s+/', '/port \d+/'], [' ', '…'], $error->errorInfo[2] ?? $error->getMessage()));
  }
}
// A statement by pg_send_query, so that its whole error is at hand.
function attempt($db, string $text): void {
  pg_send_query($db, $text);
  while ($result = pg_get_result($db)) {
    if ($state = pg_result_error_field($result, PGSQL_DIAG_SQLSTATE)) say($text, $state, pg_result_error_field($result, PGSQL_DIAG_MESSAGE_PRIMARY));
    else say($text, pg_result_status($result, PGSQL_STATUS_STRING), pg_fetch_all($result, PGSQL_NUM));
  }
}
function add_customers(PDO $db, int $count = 15): void {
  $insert = $db->prepare('INSERT INTO customers (id, name, country, balance) VALUES (:id, :name, :country, :balance)');
  for ($n = 1; $n <= $count; $n++) $insert->execute(['id' => $n, 'name' => "customer $n", 'country' => ['DE', 'FR', 'JP'][$n % 3], 'balance' => $n * 10]);
}
const LONG = 'SELECT count(*) FROM customers, generate_series(1, 100000000)';

step('connecting', function (PDO $db) {
  $other = connect("options='-c TimeZone=Asia/Tokyo' application_name=suite");
  say('pg', pg_dbname($other), pg_parameter_status($other, 'TimeZone'), pg_fetch_row(pg_query($other, 'SHOW application_name')), pg_transaction_status($other), pg_ping($other));
  pg_close($other);
  say('pdo', (int) $db->getAttribute(PDO::ATTR_SERVER_VERSION), $db->query('SELECT current_user, current_database()')->fetch(PDO::FETCH_NUM));
  say('persistent', pdo([PDO::ATTR_PERSISTENT => true])->query('SELECT 1')->fetchColumn());
  fails('wrong password', fn() => new PDO('pgsql:host=' . getenv('PGHOST') . ';port=' . getenv('PGPORT') . ';dbname=' . getenv('PGDATABASE'), 'app', 'wrong', []) ?: 0);
});

step('values of every type', function (PDO $db) {
  $row = [1, -32768, 2147483647, PHP_INT_MIN, '123456789.000000001', 1.5, 0.1, 'true', "Grüße, 世界 'x' \\ \u{1f600}", 'short', 'fix', null, '2024-02-29', '1999-12-31 23:59:59.999999',
    '2024-02-29 23:59:59.123456+00', '12:34:56', '3 days 00:00:07', '6b1c3f0e-0000-4000-8000-00000000002a', '{"a": [1, null]}', '{"k": 1.5}', '{1,2,NULL}', '{a,"b\"c",NULL}', 'happy', '{sad,ok}', '192.0.2.7'];
  foreach ([false, true] as $emulated) {
    $db->exec('DELETE FROM samples');
    $db->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulated);
    $insert = $db->prepare('INSERT INTO samples VALUES (' . implode(', ', array_fill(0, 25, '?')) . ')');
    foreach ($row as $n => $value) $insert->bindValue($n + 1, $value, $value === null ? PDO::PARAM_NULL : (is_int($value) ? PDO::PARAM_INT : PDO::PARAM_STR));
    $insert->bindValue(12, "\x00\xff\n", PDO::PARAM_LOB);
    $insert->execute();
    $select = $db->prepare('SELECT * FROM samples WHERE id = ?');
    $select->execute([1]);
    $found = $select->fetch(PDO::FETCH_ASSOC);
    for ($n = 0; $n < $select->columnCount(); $n++) {
      $meta = $select->getColumnMeta($n);
      $value = $found[$meta['name']];
      say(($emulated ? 'emulated ' : 'prepared ') . $meta['name'], in_array($meta['name'], ['feeling', 'feelings']) ? 'own' : $meta['native_type'], $meta['len'], $meta['precision'], is_resource($value) ? bin2hex(stream_get_contents($value)) : $value);
    }
  }
});

step('prepared statements', function (PDO $db) {
  add_customers($db, 8);
  $one = $db->prepare('SELECT name FROM customers WHERE id = ?');
  $all = $db->prepare('SELECT count(*), sum(balance) FROM customers WHERE balance > :low');
  for ($n = 1; $n <= 8; $n++) {
    $one->execute([$n]);
    $all->execute(['low' => $n * 10]);
    say('prepared', $one->fetchColumn(), $all->fetch(PDO::FETCH_NUM));
  }
  $pg = connect();
  pg_prepare($pg, 'richest', 'SELECT id FROM customers ORDER BY balance DESC LIMIT $1');
  for ($n = 1; $n <= 7; $n++) say('pg_execute', pg_fetch_all_columns(pg_execute($pg, 'richest', [$n])));
  say('pg_query_params', pg_fetch_all(pg_query_params($pg, 'SELECT id, name FROM customers WHERE id = ANY($1) ORDER BY id', ['{1,3}'])));
});

step('transactions', function (PDO $db) {
  add_customers($db, 3);
  $db->beginTransaction();
  $db->exec('UPDATE customers SET balance = 1 WHERE id = 1');
  $db->exec('SAVEPOINT a');
  fails('duplicate', fn() => $db->exec("INSERT INTO customers (id, name) VALUES (1, 'x')"));
  fails('failed', fn() => $db->query('SELECT 1'));
  $db->exec('ROLLBACK TO a');
  $db->exec("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10)");
  say('in transaction', $db->inTransaction(), $db->commit());
  $db->beginTransaction();
  $db->exec('DELETE FROM customers WHERE id = 1');
  $db->rollBack();
  say('after', $db->query('SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1')->fetchAll(PDO::FETCH_NUM));
});

step('reads and writes', function (PDO $db) {
  add_customers($db);
  foreach (['SELECT count(*), sum(balance), avg(balance) FROM customers', 'SELECT country, count(*) FROM customers GROUP BY country ORDER BY country',
    'SELECT k.name, max(balance) FROM customers c JOIN countries k ON k.code = c.country GROUP BY 1 ORDER BY 1'] as $text) say('rows', $db->query($text)->fetchAll(PDO::FETCH_ASSOC));
  say('updated', $db->exec("UPDATE customers SET balance = 0 WHERE country = 'DE'"));
  say('deleted', $db->exec('DELETE FROM customers WHERE id > 10'));
  say('pairs', $db->query('SELECT id, name FROM customers ORDER BY id LIMIT 3')->fetchAll(PDO::FETCH_KEY_PAIR));
  say('upsert', $db->query("INSERT INTO customers (id, name) VALUES (3, 'again') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name")->fetchAll(PDO::FETCH_NUM));
  say('returning', $db->query("INSERT INTO notes (body) VALUES ('x') RETURNING body")->fetchColumn());
});

step('last inserted', function (PDO $db) {
  $db->exec("INSERT INTO notes (body) VALUES ('x')");
  say('last', $db->lastInsertId() == $db->query('SELECT max(id) FROM notes')->fetchColumn());
  say('named', $db->lastInsertId('notes_id_seq') == $db->query('SELECT max(id) FROM notes')->fetchColumn());
});

step('cursors', function (PDO $db) {
  add_customers($db, 9);
  $db->beginTransaction();
  $cursor = $db->prepare('SELECT id FROM customers ORDER BY id', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
  $cursor->execute();
  say('first', $cursor->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_FIRST));
  say('next', $cursor->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_NEXT));
  say('last', $cursor->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST));
  $cursor = null;
  $db->commit();
});

step('copying', function (PDO $db) {
  say('pdo in', $db->pgsqlCopyFromArray('customers', array_map(fn($n) => "$n\tcopied $n", range(1, 30)), "\t", '\\\\N', 'id, name'));
  $out = $db->pgsqlCopyToArray('customers', ',', '', 'id, name');
  sort($out);
  say('pdo out', count($out), trim($out[0]));
  $pg = connect();
  say('pg in', pg_copy_from($pg, 'notes (body)', ["one\n", "two\n"]), pg_fetch_all_columns(pg_query($pg, 'SELECT body FROM notes ORDER BY body')));
  $rows = pg_copy_to($pg, 'countries');
  sort($rows);
  say('pg out', $rows);
});

step('errors', function (PDO $db) {
  add_customers($db, 2);
  foreach (["INSERT INTO customers (id, name) VALUES (1, 'x')", 'SELEC 1', 'SELECT nme FROM customers', "SELECT 'x'::int", 'INSERT INTO orders VALUES (999, 1, NULL, 1)'] as $text) fails($text, fn() => $db->exec($text));
  $pg = connect();
  attempt($pg, "INSERT INTO customers (id, name) VALUES (1, 'x')");
  attempt($pg, 'SELECT 1; SELECT id FROM customers WHERE id = 2; SELECT 1 / 0; SELECT 4');
  pg_query($pg, "SET statement_timeout = '150ms'");
  attempt($pg, 'SELECT pg_sleep(20)');
  attempt($pg, LONG);
  pg_query($pg, 'RESET statement_timeout');
  pg_send_query($pg, LONG);
  usleep(300000);
  say('cancelled', pg_cancel_query($pg));
  attempt($pg, 'SELECT 1');
  pg_query($pg, 'DROP TABLE IF EXISTS there_is_none');
  say('notice', pg_last_notice($pg));
});

step('pg helpers', function (PDO $db) {
  $pg = connect();
  say('insert', pg_insert($pg, 'customers', ['id' => 5, 'name' => "o'five"]));
  say('update', pg_update($pg, 'customers', ['name' => 'six'], ['id' => 5]));
  say('select', pg_select($pg, 'customers', ['id' => 5]));
  say('delete', pg_delete($pg, 'customers', ['id' => 5]));
  $meta = pg_meta_data($pg, 'orders');
  say('meta', array_map(fn($column) => [$column['type'], $column['not null'], $column['has default']], $meta));
  $result = pg_query($pg, 'SELECT * FROM customers');
  say('fields', array_map(fn($n) => [pg_field_name($result, $n), pg_field_type($result, $n), pg_field_size($result, $n)], range(0, pg_num_fields($result) - 1)));
  say('table', pg_field_table($result, 0));
  say('escaped', pg_escape_literal($pg, "a'b\\c"), pg_escape_identifier($pg, 'a"b'));
});

step('many sessions', function (PDO $db) {
  add_customers($db, 8);
  $sessions = array_map(fn($n) => connect("application_name=session$n options='-c TimeZone=Etc/GMT+$n'"), range(1, 8));
  $wrong = 0;
  for ($turn = 0; $turn < 8; $turn++) {
    foreach ($sessions as $n => $one) pg_send_query($one, "SELECT current_setting('application_name'), current_setting('TimeZone'); INSERT INTO orders VALUES ($n + 1, $turn, NULL, 1)");
    foreach ($sessions as $n => $one) {
      if (pg_fetch_row(pg_get_result($one)) !== ['session' . ($n + 1), 'Etc/GMT+' . ($n + 1)]) $wrong++;
      while ($result = pg_get_result($one)) if (pg_result_error($result)) say('error', pg_result_error($result));
    }
  }
  say('wrong', $wrong, $db->query('SELECT count(*) FROM orders')->fetchColumn());
});

step('notifications', function (PDO $db) {
  $pg = connect();
  pg_query($pg, 'LISTEN news');
  $db->exec("NOTIFY news, 'one'");
  for ($turn = 0; $turn < 50 && !($heard = pg_get_notify($pg)); $turn++) usleep(100000);
  say('heard', $heard ? [$heard['message'], $heard['payload']] : 'nothing');
  $db->exec('LISTEN others');
  pg_query($pg, "NOTIFY others, 'two'");
  $heard = $db->pgsqlGetNotify(PDO::FETCH_ASSOC, 5000);
  say('pdo', $heard ? [$heard['message'], $heard['payload']] : 'nothing');
});

step('large objects', function (PDO $db) {
  $db->beginTransaction();
  $number = $db->pgsqlLOBCreate();
  $stream = $db->pgsqlLOBOpen($number, 'w');
  fwrite($stream, str_repeat('0123456789', 100));
  fseek($stream, 0);
  say('read', strlen(stream_get_contents($stream)));
  $stream = null;
  say('unlinked', $db->pgsqlLOBUnlink($number));
  $db->commit();
});

echo 'driver: PHP pgsql and PDO ', PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION, "\n";
foreach ($steps as $name => $work) {
  echo "== $name\n";
  try {
    $db = pdo();
    foreach (['customers', 'samples', 'documents', 'notes'] as $table) $db->exec("DELETE FROM $table");
    $work($db);
  } catch (Throwable $error) {
    echo '!! ', get_class($error), ' ', preg_replace('/\s+/', ' ', $error->getMessage()), "\n";
  }
}
