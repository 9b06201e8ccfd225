<?php
// PHP: mysqli (with mysqlnd) and PDO.
error_reporting(E_ALL & ~E_WARNING & ~E_NOTICE & ~E_DEPRECATED);
ini_set('memory_limit', '512M');
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$steps = [];
const COLUMNS = 'id, tiny, small, middle, whole, large, larger, exact, single, twice, flag, bits, years, day, clock, moment, stamp, fixed, body, exactly, raw, bytes, letter, photo, feeling, colours, doc';

function step(string $name, callable $work): void { global $steps; $steps[$name] = $work; }
function show($value): string {
  if (is_string($value)) return strlen($value) > 400 ? strlen($value) . ' bytes' : (preg_match('//u', $value) && !preg_match('/[\x00-\x1f]/', $value) ? $value : 'x' . bin2hex($value));
  if (is_array($value)) return '[' . implode(', ', array_map(fn($key, $one) => (is_int($key) ? '' : "$key: ") . show($one), array_keys($value), $value)) . ']';
  return is_object($value) ? show((array) $value) : json_encode($value);
}
function say(string $what, ...$values): void { echo $what, ': ', implode(' ', array_map('show', $values)), "\n"; }
function pdo(array $more = [], string $dsn = '', string $password = 'app-secret', string $database = 'shop'): PDO {
  return new PDO('mysql:host=' . getenv('MYSQL_HOST') . ';port=' . getenv('MYSQL_TCP_PORT') . ";dbname=$database;charset=utf8mb4$dsn", 'app', $password, $more + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
}
function connect(int $flags = 0, array $options = [], string $user = 'app', string $password = 'app-secret', ?string $database = 'shop'): mysqli {
  $db = mysqli_init();
  foreach ($options as $option => $value) $db->options($option, $value);
  $db->real_connect(getenv('MYSQL_HOST'), $user, $password, $database, (int) getenv('MYSQL_TCP_PORT'), null, $flags);
  return $db;
}
function fails(string $what, callable $work): void {
  $own = ['/\s+/' => ' ', '/connection \d+|thread id: \d+|127\.0\.0\.1:\d+/' => '…'];
  $cut = fn($text) => preg_replace(array_keys($own), array_values($own), (string) $text);
  try {
    $work();
    say($what, 'no error');
  } catch (PDOException $error) {
    say($what, $error->errorInfo[0] ?? '', $error->errorInfo[1] ?? $error->getCode(), $cut($error->errorInfo[2] ?? $error->getMessage()));
  } catch (mysqli_sql_exception $error) {
    say($what, method_exists($error, 'getSqlState') ? $error->getSqlState() : '', $error->getCode(), $cut($error->getMessage()));
  }
}
function rows(mysqli $db, string $sql): array { return $db->query($sql)->fetch_all(); }
function add_customers(PDO $db, int $count = 15): void {
  $insert = $db->prepare('INSERT INTO customers (id, name, country, balance) VALUES (:id, :name, :country, :balance)');
  for ($n = 1; $n <= $count; $n++) $insert->execute(['id' => $n, 'name' => "customer $n", 'country' => ['DE', 'FR', 'JP'][$n % 3], 'balance' => $n * 10]);
}

step('connecting', function (PDO $pdo) {
  $db = connect();
  say('mysqli', $db->server_info, $db->server_version, $db->protocol_version, $db->character_set_name(), $db->thread_id > 0, rows($db, 'SELECT database(), user(), @@sql_mode, @@character_set_client, @@autocommit'));
  say('pdo', $pdo->getAttribute(PDO::ATTR_SERVER_VERSION), $pdo->getAttribute(PDO::ATTR_CLIENT_VERSION), $pdo->query('SELECT current_user(), @@collation_connection')->fetch(PDO::FETCH_NUM));
  $db->set_charset('latin1');
  say('charset', $db->character_set_name(), rows($db, "SELECT @@character_set_client, hex('\xfc')"));
  fails('wrong password', fn() => connect(password: 'wrong'));
  fails('nobody', fn() => connect(user: 'nobody'));
  fails('nowhere', fn() => connect(database: 'nowhere'));
  fails('pdo wrong', fn() => pdo(password: 'wrong'));
  fails('pdo nowhere', fn() => pdo(database: 'nowhere'));
  say('init', rows(connect(options: [MYSQLI_INIT_COMMAND => 'SET @begun = 5']), 'SELECT @begun'), pdo([PDO::MYSQL_ATTR_INIT_COMMAND => 'SET @begun = 6'])->query('SELECT @begun')->fetchColumn());
  for ($turn = 0; $turn < 2; $turn++) say('persistent', rows(new mysqli('p:' . getenv('MYSQL_HOST'), 'app', 'app-secret', 'shop', (int) getenv('MYSQL_TCP_PORT')), 'SELECT @kept'), pdo([PDO::ATTR_PERSISTENT => true])->query('SELECT 1')->fetchColumn());
});

step('databases of others and none', function () {
  $db = connect();
  fails('no database', fn() => connect(database: null)->query('SELECT * FROM countries'));
  $db->select_db('mysql');
  say('selected', rows($db, 'SELECT database()'));
});

step('connecting with tls', function () {
  $db = mysqli_init();
  $db->ssl_set(null, null, getenv('MYSQL_CA'), null, null);
  $db->real_connect(getenv('MYSQL_HOST'), 'app', 'app-secret', 'shop', (int) getenv('MYSQL_TCP_PORT'), null, MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT);
  say('mysqli', rows($db, 'SELECT code FROM countries ORDER BY code'), strlen(rows($db, "SELECT repeat('x', 200000)")[0][0]));
  say('pdo', pdo([PDO::MYSQL_ATTR_SSL_CA => getenv('MYSQL_CA'), PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false])->query('SELECT 1')->fetchColumn());
});

step('values of every type', function (PDO $pdo) {
  $photo = implode('', array_map('chr', range(0, 255)));
  $row = [1, -128, 65535, -8388608, 42, PHP_INT_MIN, '18446744073709551615', '12345678901234567890.0123456789', 1.5, 0.1, true, "\x02\xaa", 2024, '2024-02-29', '-838:59:58.999', '1999-12-31 23:59:59.999999', '2024-02-29 12:30:00',
    'fix', "Grüße, 世界 'x' \\ \u{1f600}", 'Exactly', "\0\xff'\\", "\0\1\2", str_repeat('letter', 20), $photo, 'happy', 'red,blue', '{"a": [1, null, "ü"]}'];
  $marks = implode(', ', array_fill(0, 27, '?'));
  foreach ([true, false] as $emulated) {
    $pdo->exec('DELETE FROM samples');
    $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulated);
    $insert = $pdo->prepare('INSERT INTO samples (' . COLUMNS . ") VALUES ($marks)");
    foreach ($row as $n => $value) $insert->bindValue($n + 1, $value, is_int($value) ? PDO::PARAM_INT : (is_bool($value) ? PDO::PARAM_BOOL : ($n == 23 ? PDO::PARAM_LOB : PDO::PARAM_STR)));
    $insert->execute();
    $insert->execute([2, ...array_fill(0, 26, null)]);
    $pdo->exec("UPDATE samples SET place = ST_GeomFromText('POINT(1 2)'), token = '6b1c3f0e-0000-4000-8000-00000000002a', address = '::1' WHERE id = 1");
    foreach ([1, 2] as $id) {
      $select = $pdo->prepare('SELECT * FROM samples WHERE id = ?');
      $select->execute([$id]);
      $found = $select->fetch(PDO::FETCH_ASSOC);
      for ($n = 0; $n < $select->columnCount(); $n++) {
        $meta = $select->getColumnMeta($n);
        say(($emulated ? 'emulated ' : 'prepared ') . $meta['name'], $meta['native_type'] ?? '', $meta['len'], $meta['precision'], $meta['flags'], $meta['table'], gettype($found[$meta['name']]), $found[$meta['name']]);
      }
    }
  }
  $db = connect();
  $db->query('DELETE FROM samples');
  $insert = $db->prepare('INSERT INTO samples (' . COLUMNS . ") VALUES ($marks)");
  $insert->bind_param('iiiiiissddisissssssssssssss', ...$row);
  $insert->execute();
  say('mysqli', $insert->affected_rows, $insert->param_count);
  $select = $db->prepare('SELECT * FROM samples');
  $select->execute();
  $result = $select->get_result();
  $found = $result->fetch_row();
  foreach ($result->fetch_fields() as $n => $field) say("mysqli $field->name", $field->orgname, $field->table, $field->orgtable, $field->db, $field->length, $field->charsetnr, $field->flags, $field->type, $field->decimals, gettype($found[$n]), $found[$n]);
  foreach ([MYSQLI_OPT_INT_AND_FLOAT_NATIVE => 1] as $option => $value) say('native', connect(options: [$option => $value])->query('SELECT id, exact, twice, large, larger FROM samples')->fetch_assoc());
});

step('prepared statements', function (PDO $pdo) {
  add_customers($pdo, 8);
  foreach ([true, false] as $emulated) {
    $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulated);
    $one = $pdo->prepare('SELECT name FROM customers WHERE id = ?');
    $all = $pdo->prepare('SELECT count(*), sum(balance) FROM customers WHERE balance > :low');
    for ($n = 1; $n <= 8; $n++) {
      $one->execute([$n]);
      $name = $one->fetchAll(PDO::FETCH_COLUMN);
      $all->execute(['low' => $n * 10]);
      say('prepared', $name, $all->fetchAll(PDO::FETCH_NUM));
    }
    fails('syntax', fn() => $pdo->prepare('SELEC ?')->execute([1]));
    fails('column', fn() => $pdo->prepare('SELECT nme FROM customers WHERE id = ?')->execute([1]));
    fails('too few', fn() => $pdo->prepare('SELECT ?, ?')->execute([1]));
  }
  $db = connect();
  $statement = $db->prepare('SELECT id, name FROM customers WHERE id > ? ORDER BY id');
  $low = 5;
  $statement->bind_param('i', $low);
  $statement->execute();
  $statement->bind_result($id, $name);
  while ($statement->fetch()) say('bound', $id, $name);
  $low = 6;
  $statement->execute();
  $statement->store_result();
  say('stored', $statement->num_rows, $statement->field_count);
  $statement->free_result();
  $statement->reset();
  say('executed', $db->execute_query('SELECT id FROM customers WHERE id < ? ORDER BY id', [3])->fetch_all());
  $long = $db->prepare('INSERT INTO documents VALUES (1, ?, ?)');
  [$title, $body] = ['long data', null];
  $long->bind_param('sb', $title, $body);
  for ($n = 0; $n < 20; $n++) $long->send_long_data(1, str_repeat(chr(65 + $n), 100000));
  $long->execute();
  say('long data', rows($db, 'SELECT title, length(body), md5(body) FROM documents'));
  $cursor = $db->prepare('SELECT seq FROM seq_1_to_100');
  $cursor->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
  $cursor->execute();
  $cursor->bind_result($seq);
  for ($sum = 0; $cursor->fetch();) $sum += $seq;
  say('cursor', $sum);
});

step('transactions', function (PDO $pdo) {
  add_customers($pdo, 3);
  $pdo->beginTransaction();
  $pdo->exec('UPDATE customers SET balance = 1 WHERE id = 1');
  $pdo->exec('SAVEPOINT a');
  fails('duplicate', fn() => $pdo->exec("INSERT INTO customers (id, name) VALUES (1, 'x')"));
  $pdo->exec("INSERT INTO orders VALUES (1, 2, NULL, 10, 'new')");
  $pdo->exec('ROLLBACK TO a');
  $pdo->exec("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10, 'new')");
  say('in transaction', $pdo->inTransaction(), $pdo->commit(), $pdo->inTransaction());
  $pdo->beginTransaction();
  $pdo->exec('DELETE FROM customers WHERE id = 1');
  $pdo->rollBack();
  $db = connect();
  $db->autocommit(false);
  $db->query('UPDATE customers SET balance = 7 WHERE id = 2');
  $db->savepoint('b');
  $db->query('DELETE FROM customers WHERE id = 2');
  $db->query('ROLLBACK TO SAVEPOINT b');
  $db->commit();
  $db->begin_transaction(MYSQLI_TRANS_START_READ_ONLY);
  fails('read only', fn() => $db->query('DELETE FROM customers WHERE id = 2'));
  $db->rollback();
  $db->begin_transaction(MYSQLI_TRANS_START_WITH_CONSISTENT_SNAPSHOT);
  say('snapshot', rows($db, 'SELECT balance FROM customers WHERE id = 2'), $db->commit(MYSQLI_TRANS_COR_AND_CHAIN));
  $db->rollback(MYSQLI_TRANS_COR_AND_NO_CHAIN);
  say('after', $pdo->query('SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1')->fetchAll(PDO::FETCH_NUM));
});

step('reads and writes', function (PDO $pdo) {
  add_customers($pdo);
  foreach (['SELECT count(*), sum(balance), avg(balance) FROM customers', 'SELECT country, count(*) FROM customers GROUP BY country ORDER BY country',
    'SELECT k.name, max(balance) FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY 1', 'SELECT id, name FROM customers ORDER BY balance DESC LIMIT 2'] as $sql) say('rows', $pdo->query($sql)->fetchAll(PDO::FETCH_ASSOC));
  $found = pdo([PDO::MYSQL_ATTR_FOUND_ROWS => true]);
  $db = connect();
  foreach (["UPDATE customers SET balance = 0 WHERE country = 'DE'", "UPDATE customers SET balance = 0 WHERE country = 'DE'", "INSERT INTO customers (id, name) VALUES (3, 'x') ON DUPLICATE KEY UPDATE name = VALUES(name)",
    "REPLACE INTO customers (id, name) VALUES (4, 'y')", 'DELETE FROM customers WHERE id > 10', "INSERT IGNORE INTO customers (id, name) VALUES (4, 'z'), (40, 'z')", 'UPDATE customers SET balance = balance'] as $sql) {
    $db->query($sql);
    say($sql, $db->affected_rows, $db->info, $db->warning_count, $found->exec($sql), $pdo->exec($sql));
  }
  say('pairs', $pdo->query('SELECT id, name FROM customers ORDER BY id LIMIT 3')->fetchAll(PDO::FETCH_KEY_PAIR), $pdo->query('SELECT id, name FROM customers ORDER BY id LIMIT 2')->fetchAll(PDO::FETCH_UNIQUE));
});

step('last inserted', function (PDO $pdo) {
  $db = connect();
  foreach (['a', 'b'] as $body) {
    $db->query("INSERT INTO notes (body) VALUES ('$body')");
    $pdo->exec("INSERT INTO notes (body) VALUES ('$body of pdo')");
    say('last', $db->insert_id, $pdo->lastInsertId(), rows($db, 'SELECT LAST_INSERT_ID()'));
  }
  $statement = $db->prepare("INSERT INTO notes (body) VALUES (?), (?)");
  [$one, $two] = ['c', 'd'];
  $statement->bind_param('ss', $one, $two);
  $statement->execute();
  say('several', $statement->insert_id, $statement->affected_rows);
});

step('several statements and results', function (PDO $pdo) {
  $db = connect();
  $db->multi_query('SELECT 1; UPDATE countries SET name = name; SELECT 2, 3; SELECT 4');
  do {
    if ($result = $db->store_result()) say('result', $result->fetch_all());
    else say('count', $db->affected_rows, $db->info);
  } while ($db->more_results() && $db->next_result());
  fails('in the middle', function () use ($db) {
    $db->multi_query('SELECT 1; SELECT nonsense; SELECT 3');
    do { if ($result = $db->store_result()) say('result', $result->fetch_all()); } while ($db->next_result());
  });
  fails('not two', fn() => $db->query('SELECT 1; SELECT 2'));
  $db->query('DROP PROCEDURE IF EXISTS suite_php');
  $db->query('CREATE PROCEDURE suite_php(a INT, OUT b INT) BEGIN SELECT a; SELECT a * 2 AS twice; SET b = a + 1; END');
  $called = $pdo->query('CALL suite_php(5, @out)');
  do { say('called', $called->columnCount() ? $called->fetchAll(PDO::FETCH_NUM) : 'none'); } while ($called->nextRowset());
  $called = null;
  say('out', $pdo->query('SELECT @out')->fetchColumn());
  $statement = $db->prepare('CALL suite_php(?, @out)');
  $statement->execute([6]);
  do { if ($result = $statement->get_result()) say('prepared', $result->fetch_all()); } while ($statement->more_results() && $statement->next_result());
  $statement->close();
  $db->query('DROP PROCEDURE suite_php');
});

step('unbuffered', function (PDO $pdo) {
  add_customers($pdo, 20);
  $db = connect();
  $result = $db->query('SELECT id FROM customers ORDER BY id', MYSQLI_USE_RESULT);
  say('some', $result->fetch_row(), $result->fetch_row());
  fails('out of sync', fn() => $db->query('SELECT 1'));
  $result->free();
  say('after', rows($db, 'SELECT 1'));
  $pdo->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
  $sum = 0;
  foreach ($pdo->query("SELECT seq, repeat('x', 100) FROM seq_1_to_20000", PDO::FETCH_NUM) as [$seq, $filler]) $sum += $seq + strlen($filler);
  say('sum', $sum);
});

step('large values', function (PDO $pdo) {
  $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, false);
  foreach ([17 << 20, 0xffffff, 0xfffffe] as $n => $size) {
    $pdo->prepare("INSERT INTO documents VALUES (?, 'large', ?)")->execute([$n, str_repeat('b', $size)]);
    $select = $pdo->prepare('SELECT body FROM documents WHERE id = ?');
    $select->execute([$n]);
    $body = $select->fetchColumn();
    say('read', strlen($body), substr_count($body, 'b'));
    $select = null;
  }
  say('lengths', rows(connect(), 'SELECT id, length(body) FROM documents ORDER BY id'));
});

step('files', function (PDO $pdo) {
  $file = tempnam(sys_get_temp_dir(), 'suite');
  file_put_contents($file, implode('', array_map(fn($n) => "$n\tloaded $n\n", range(1, 3000))));
  $db = connect(options: [MYSQLI_OPT_LOCAL_INFILE => 1]);
  $db->query("LOAD DATA LOCAL INFILE '$file' INTO TABLE customers (id, name)");
  say('mysqli', $db->affected_rows, $db->info);
  $other = pdo([PDO::MYSQL_ATTR_LOCAL_INFILE => true]);
  say('pdo', $other->exec("LOAD DATA LOCAL INFILE '$file' REPLACE INTO TABLE customers (id, name)"));
  unlink($file);
  fails('no such file', fn() => $db->query("LOAD DATA LOCAL INFILE '/nowhere/at/all' INTO TABLE customers (id, name)"));
  say('sum', rows(connect(), 'SELECT count(*), sum(id), max(name) FROM customers'));
});

step('errors', function (PDO $pdo) {
  add_customers($pdo, 2);
  $db = connect();
  foreach (["INSERT INTO customers (id, name) VALUES (1, 'x')", 'SELEC 1', 'SELECT nme FROM customers', 'SELECT * FROM nothing', "INSERT INTO orders VALUES (777, 1, NULL, 1, '')", "INSERT INTO orders VALUES (1, 1, NULL, -1, '')",
    'SELECT 9223372036854775807 + 1', "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ours'", 'SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(20)'] as $sql) {
    fails($sql, fn() => $pdo->query($sql));
    fails($sql, fn() => $db->query($sql));
  }
  $db->query("SET sql_mode = ''");
  $db->query("INSERT INTO customers (id, name) VALUES (9, REPEAT('long', 40))");
  say('warnings', $db->warning_count, (array) $db->get_warnings(), rows($db, 'SHOW WARNINGS'));
  fails('read timeout', fn() => rows(connect(options: [MYSQLI_OPT_READ_TIMEOUT => 1]), 'SELECT SLEEP(20)'));
});

step('change of user, kills and pings', function () {
  $db = connect();
  $db->query('SET @kept = 1');
  say('changed', $db->change_user('other', 'other-secret', 'shop'), rows($db, 'SELECT current_user(), database(), @kept'));
  fails('denied', fn() => $db->query('DELETE FROM countries'));
  fails('wrong', fn() => $db->change_user('app', 'wrong', 'shop'));
  $victim = connect();
  $victim->query('SELECT SLEEP(30), 1', MYSQLI_ASYNC);
  usleep(300000);
  $killer = connect();
  $killer->query("KILL QUERY $victim->thread_id");
  $began = microtime(true);
  fails('killed', fn() => say('slept', $victim->reap_async_query()->fetch_all()));
  say('early', microtime(true) - $began < 15, rows($victim, 'SELECT 1'));
  say('kill', $killer->kill($victim->thread_id), $killer->ping(), is_string($killer->stat()));
  usleep(100000);
  fails('gone', fn() => $victim->query('SELECT 1'));
  $killer->refresh(MYSQLI_REFRESH_STATUS);
  $killer->dump_debug_info();
  say('goes on', rows($killer, 'SELECT 1'));
});

step('many sessions', function (PDO $pdo) {
  add_customers($pdo, 8);
  $sessions = array_map(fn($n) => connect(options: [MYSQLI_INIT_COMMAND => "SET @mine = $n, time_zone = '+0$n:00'"]), range(1, 8));
  $wrong = 0;
  for ($turn = 0; $turn < 8; $turn++) {
    foreach ($sessions as $n => $one) $one->query('SELECT @mine, @@time_zone', MYSQLI_ASYNC);
    foreach ($sessions as $n => $one) {
      $mine = $n + 1;
      if ($one->reap_async_query()->fetch_row() != [$mine, "+0$mine:00"]) $wrong++;
      $one->query("INSERT INTO orders VALUES ($mine, $turn, NULL, 1, 'new')");
    }
  }
  say('wrong', $wrong, $pdo->query('SELECT count(*) FROM orders')->fetchColumn());
});

echo 'driver: PHP mysqli and PDO ', PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION, "\n";
foreach ($steps as $name => $work) {
  echo "== $name\n";
  try {
    $pdo = pdo();
    foreach (['orders', 'customers', 'samples', 'documents', 'notes'] as $table) $pdo->exec("DELETE FROM $table");
    $pdo->exec('ALTER TABLE notes AUTO_INCREMENT = 1');
    $work($pdo);
    $pdo = null;
  } catch (Throwable $error) {
    echo '!! ', get_class($error), ' ', preg_replace('/\s+/', ' ', $error->getMessage()), ' ', $error->getLine(), "\n";
  }
}
