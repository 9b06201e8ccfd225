# Perl's DBD::mysql: emulated and server-side statements, bind types, transactions, files, metadata, reconnects.
use strict;
use warnings;
use utf8;
use DBI qw(:sql_types);
use DBD::mysql;
use File::Temp ();

binmode STDOUT, ':utf8';
$| = 1;
my @steps;

sub step { push @steps, [@_] }
sub show {
  my $value = shift;
  return 'undef' unless defined $value;
  return '[' . join(', ', map { show($_) } @$value) . ']' if ref $value eq 'ARRAY';
  return '{' . join(', ', map { "$_: " . show($value->{$_}) } sort keys %$value) . '}' if ref $value eq 'HASH';
  return length($value) . ' characters' if length($value) > 400;
  $value =~ s/([\x00-\x1f\x7f-\xa0])/sprintf('\\x%02x', ord($1))/ge;
  return $value;
}
sub say_it { my $what = shift; print "$what: ", join(' ', map { show($_) } @_), "\n" }
sub source { my ($database, $more) = @_; return "dbi:mysql:database=$database;host=$ENV{MYSQL_HOST};port=$ENV{MYSQL_TCP_PORT}" . ($more // '') }
sub open_it {
  my ($more, $attributes) = @_;
  return DBI->connect(source('shop', $more), 'app', 'app-secret', {RaiseError => 1, PrintError => 0, AutoCommit => 1, mysql_enable_utf8mb4 => 1, %{$attributes || {}}});
}
sub fails {
  my ($what, $db, $work) = @_;
  if (eval { $work->(); 1 }) { say_it($what, 'no error') }
  else { (my $text = $db->errstr // $@) =~ s/\s+/ /g;
    $text =~ s/connection \d+|thread id: \d+/…/g;
    say_it($what, $db->err, $db->state, $text); }
}
sub add_customers {
  my ($db, $count) = @_;
  my $insert = $db->prepare('INSERT INTO customers (id, name, country, balance) VALUES (?, ?, ?, ?)');
  $insert->execute($_, "customer $_", (qw(DE FR JP))[$_ % 3], $_ * 10) for 1 .. $count;
}
my @forms = (['emulated', ';mysql_server_prepare=0'], ['prepared', ';mysql_server_prepare=1']);

step 'connecting' => sub {
  my ($db) = @_;
  say_it('where', $db->selectall_arrayref('SELECT database(), user(), @@character_set_client, @@collation_connection, @@sql_mode, @@autocommit'));
  say_it('server', $db->{mysql_serverinfo}, $db->{mysql_serverversion}, $db->{mysql_protoinfo}, $db->ping, $db->{mysql_stat} =~ /Uptime/ ? 'stat' : 'none', $db->{mysql_thread_id} > 0);
  for my $case (['wrong password', 'shop', 'app', 'wrong'], ['nobody', 'shop', 'nobody', 'x'], ['nowhere', 'nowhere', 'app', 'app-secret']) {
    eval { DBI->connect(source($case->[1]), $case->[2], $case->[3], {RaiseError => 1, PrintError => 0}) };
    say_it($case->[0], $DBI::err, $DBI::state, $DBI::errstr);
  }
  for my $more (';mysql_init_command=SET @begun = 5', ';mysql_compression=1', ';mysql_client_found_rows=0', ';mysql_multi_statements=1') {
    my $other = open_it($more);
    say_it($more, $other->selectall_arrayref('SELECT @begun, 1'));
    $other->disconnect;
  }
  my $attributed = open_it('', {mysql_conn_attrs => {program_name => 'suite', of => 'x' x 300}});
  say_it('attributes', $attributed->selectrow_array('SELECT 1'));
  $attributed->disconnect;
};

step 'connecting with tls' => sub {
  my $db = open_it(";mysql_ssl=1;mysql_ssl_optional=1;mysql_ssl_ca_file=$ENV{MYSQL_CA}");
  say_it('rows', $db->selectcol_arrayref('SELECT code FROM countries ORDER BY code'), length(($db->selectrow_array("SELECT repeat('x', 200000)"))[0]));
  $db->disconnect;
};

step 'values of every type' => sub {
  my @columns = qw(id tiny small middle whole large larger exact single twice flag bits years day clock moment stamp fixed body exactly raw bytes letter photo feeling colours doc);
  my @row = (1, -128, 65535, -8388608, 42, '-9223372036854775808', '18446744073709551615', '12345678901234567890.0123456789', 1.5, 0.1, 1, undef, 2024, '2024-02-29', '-838:59:58.999', '1999-12-31 23:59:59.999999',
    '2024-02-29 12:30:00', 'fix', "Grüße, 世界 'x' \\ \x{1f600}", 'Exactly', 'abcd', 'bytes', 'letter' x 20, join('', map { chr } 1 .. 127), 'happy', 'red,blue', '{"a": [1, null, "ü"]}');
  for my $form (@forms) {
    my $db = open_it($form->[1]);
    $db->do('DELETE FROM samples');
    my $insert = $db->prepare('INSERT INTO samples (' . join(', ', @columns) . ') VALUES (' . join(', ', ('?') x 27) . ')');
    $insert->bind_param($_ + 1, $row[$_]) for 0 .. $#row;
    $insert->bind_param(1, 1, SQL_BIGINT);
    $insert->bind_param(2, -128, SQL_INTEGER);
    $insert->bind_param(10, 0.1, SQL_DOUBLE);
    $insert->bind_param(22, "\x00\xff\n", SQL_BINARY);
    say_it('inserted', $insert->execute);
    say_it('nulls', $insert->execute(2, (undef) x 26));
    $db->do("UPDATE samples SET bits = b'1010101010', place = ST_GeomFromText('POINT(1 2)'), token = '6b1c3f0e-0000-4000-8000-00000000002a', address = '::1' WHERE id = 1");
    for my $id (1, 2) {
      my $select = $db->prepare('SELECT * FROM samples WHERE id = ?');
      $select->execute($id);
      my $found = $select->fetchrow_arrayref;
      for my $n (0 .. $select->{NUM_OF_FIELDS} - 1) {
        say_it("$form->[0] $select->{NAME}[$n]", $select->{TYPE}[$n], $select->{PRECISION}[$n], $select->{SCALE}[$n], $select->{NULLABLE}[$n], $select->{mysql_type_name}[$n], $select->{mysql_is_blob}[$n], $select->{mysql_is_num}[$n],
          $select->{mysql_length}[$n], $select->{mysql_max_length}[$n], $select->{mysql_table}[$n], $found->[$n]);
      }
      $select->finish;
    }
    say_it('all', $db->selectall_arrayref('SELECT count(*), sum(large), avg(exact), max(moment), min(feeling) FROM samples WHERE id > ?', undef, 0));
    $db->disconnect;
  }
};

step 'ways to prepare' => sub {
  for my $form (@forms) {
    my $db = open_it($form->[1]);
    $db->do('DELETE FROM customers');
    add_customers($db, 8);
    my $one = $db->prepare('SELECT name FROM customers WHERE id = ?');
    my $all = $db->prepare_cached('SELECT count(*), sum(balance) FROM customers WHERE balance > ?');
    for my $n (1 .. 8) {
      $one->execute($n);
      $all->execute($n * 10);
      say_it($form->[0], $one->rows, $one->fetchall_arrayref, $all->fetchall_arrayref);
    }
    say_it('hash', $db->selectall_hashref('SELECT id, name FROM customers WHERE id < ?', 'id', undef, 3));
    say_it('limit', $db->selectcol_arrayref('SELECT id FROM customers ORDER BY id LIMIT ?, ?', undef, 2, 3));
    my ($id, $name);
    my $bound = $db->prepare('SELECT id, name FROM customers WHERE id > ? ORDER BY id');
    $bound->execute(6);
    $bound->bind_columns(\$id, \$name);
    say_it('bound', $id, $name) while $bound->fetch;
    my @status;
    my $insert = $db->prepare('INSERT INTO customers (id, name) VALUES (?, ?)');
    eval { $insert->execute_array({ArrayTupleStatus => \@status}, [20, 1, 21], ['a', 'b', 'c']) };
    say_it('array', \@status);
    fails('syntax', $db, sub { $db->prepare('SELEC ?')->execute(1) });
    fails('column', $db, sub { $db->prepare('SELECT nme FROM customers WHERE id = ?')->execute(1) });
    fails('too few', $db, sub { $db->prepare('SELECT ?, ?')->execute(1) });
    $db->disconnect;
  }
};

step 'transactions' => sub {
  my ($db) = @_;
  add_customers($db, 3);
  $db->begin_work;
  $db->do('UPDATE customers SET balance = 1 WHERE id = 1');
  $db->do('SAVEPOINT a');
  fails('duplicate', $db, sub { $db->do("INSERT INTO customers (id, name) VALUES (1, 'x')") });
  $db->do("INSERT INTO orders VALUES (1, 2, NULL, 10, 'new')");
  $db->do('ROLLBACK TO a');
  $db->do("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10, 'new')");
  $db->commit;
  $db->{AutoCommit} = 0;
  $db->do('DELETE FROM customers WHERE id = 1');
  $db->rollback;
  $db->{AutoCommit} = 1;
  say_it('after', $db->selectall_arrayref('SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1'));
};

step 'reads and writes' => sub {
  my ($db) = @_;
  add_customers($db, 15);
  for my $sql ('SELECT count(*), sum(balance), avg(balance) FROM customers', 'SELECT country, count(*) FROM customers GROUP BY country ORDER BY country',
    'SELECT k.name, max(balance) FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY 1', 'SELECT id FROM customers ORDER BY balance DESC LIMIT 2') {
    say_it($sql, $db->selectall_arrayref($sql));
  }
  for my $sql ("UPDATE customers SET balance = 0 WHERE country = 'DE'", "UPDATE customers SET balance = 0 WHERE country = 'DE'", 'DELETE FROM customers WHERE id > 10', 'DELETE FROM customers WHERE id = 999',
    "INSERT INTO customers (id, name) VALUES (3, 'x') ON DUPLICATE KEY UPDATE name = VALUES(name)", "REPLACE INTO customers (id, name) VALUES (4, 'y')", "INSERT IGNORE INTO customers (id, name) VALUES (4, 'z'), (40, 'z')") {
    say_it($sql, $db->do($sql), $db->{mysql_info}, $db->{mysql_warning_count});
  }
  my $changed = open_it(';mysql_client_found_rows=0');
  say_it('changed only', $changed->do('UPDATE customers SET balance = balance'));
  $changed->disconnect;
};

step 'insert ids' => sub {
  my ($db) = @_;
  for my $body (qw(a b)) {
    $db->do('INSERT INTO notes (body) VALUES (?)', undef, $body);
    say_it('id', $db->{mysql_insertid}, $db->last_insert_id(undef, undef, 'notes', 'id'), $db->selectrow_array('SELECT LAST_INSERT_ID()'));
  }
  my $insert = $db->prepare("INSERT INTO notes (body) VALUES ('c'), ('d')");
  $insert->execute;
  say_it('several', $insert->{mysql_insertid});
};

step 'several results' => sub {
  my $db = open_it(';mysql_multi_statements=1');
  my $several = $db->prepare('SELECT 1; SELECT 2, 3; UPDATE countries SET name = name; SELECT 4');
  $several->execute;
  do { say_it('result', $several->{NUM_OF_FIELDS} ? $several->fetchall_arrayref : $several->rows) } while ($several->more_results);
  $db->do('DROP PROCEDURE IF EXISTS suite_perl');
  $db->do('CREATE PROCEDURE suite_perl(a INT, OUT b INT) BEGIN SELECT a; SELECT a * 2; SET b = a + 1; END');
  my $call = $db->prepare('CALL suite_perl(5, @out)');
  $call->execute;
  do { say_it('called', $call->fetchall_arrayref) if $call->{NUM_OF_FIELDS} } while ($call->more_results);
  say_it('out', $db->selectrow_array('SELECT @out'));
  $db->do('DROP PROCEDURE suite_perl');
  $db->disconnect;
};

step 'streaming' => sub {
  my ($db) = @_;
  add_customers($db, 20);
  my $select = $db->prepare('SELECT id FROM customers ORDER BY id', {mysql_use_result => 1});
  $select->execute;
  my @some = map { $select->fetchrow_arrayref->[0] } 1 .. 3;
  $select->finish;
  say_it('some', \@some, $db->selectrow_array('SELECT 1'));
};

step 'large values' => sub {
  for my $form (@forms) {
    my $db = open_it($form->[1]);
    $db->do('DELETE FROM documents');
    my $n = 0;
    for my $size (17 << 20, 0xffffff, 0xfffffe) {
      $db->do('INSERT INTO documents VALUES (?, ?, ?)', undef, ++$n, 'large', 'b' x $size);
      my ($length, $body) = $db->selectrow_array('SELECT length(body), body FROM documents WHERE id = ?', undef, $n);
      say_it($form->[0], $length, length $body, ($body =~ tr/b//));
    }
    $db->disconnect;
  }
};

step 'files' => sub {
  my $file = File::Temp->new;
  print $file "$_\tloaded $_\n" for 1 .. 3000;
  $file->flush;
  my $db = open_it(';mysql_local_infile=1');
  say_it('loaded', $db->do("LOAD DATA LOCAL INFILE '" . $file->filename . "' INTO TABLE customers (id, name)"), $db->{mysql_info});
  say_it('sum', $db->selectall_arrayref('SELECT count(*), sum(id), max(name) FROM customers'));
  $db->disconnect;
};

step 'errors' => sub {
  my ($db) = @_;
  add_customers($db, 2);
  for my $sql ("INSERT INTO customers (id, name) VALUES (1, 'x')", 'SELEC 1', 'SELECT nme FROM customers', 'SELECT * FROM nothing', "INSERT INTO orders VALUES (777, 1, NULL, 1, '')", "INSERT INTO orders VALUES (1, 1, NULL, -1, '')",
    'SELECT 9223372036854775807 + 1', "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ours'", 'SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(20)') {
    fails($sql, $db, sub { $db->do($sql) });
  }
  $db->do("SET sql_mode = ''");
  $db->do("INSERT INTO customers (id, name) VALUES (9, REPEAT('long', 40))");
  say_it('warnings', $db->selectall_arrayref('SHOW WARNINGS'));
};

step 'metadata' => sub {
  my ($db) = @_;
  say_it('tables', [sort $db->tables(undef, 'shop', '%', 'TABLE')]);
  for my $table (qw(customers orders samples)) {
    say_it("$table columns", [map { [@$_[3 .. 8]] } @{$db->column_info(undef, 'shop', $table, '%')->fetchall_arrayref}]);
    say_it("$table primary", [$db->primary_key(undef, 'shop', $table)]);
    say_it("$table foreign", [sort { show($a) cmp show($b) } @{$db->foreign_key_info(undef, undef, undef, undef, 'shop', $table)->fetchall_arrayref}]);
    say_it("$table indexes", [sort { "@{$a}[5, 7]" cmp "@{$b}[5, 7]" } grep { defined $_->[5] } @{$db->statistics_info(undef, 'shop', $table, 0, 0)->fetchall_arrayref}]);
  }
  say_it('quoted', $db->quote("it's \\ \x{1f600}"), $db->quote_identifier('a`b'), $db->quote(undef));
};

step 'asynchronous' => sub {
  my ($db) = @_;
  my $select = $db->prepare('SELECT SLEEP(0.2), 42', {async => 1});
  $select->execute;
  say_it('pending', $select->mysql_async_ready ? 'ready' : 'not yet', $select->mysql_async_result, $select->fetchall_arrayref);
};

step 'kills and reconnects' => sub {
  my ($db) = @_;
  my $victim = open_it('', {mysql_auto_reconnect => 1});
  $victim->do('SET @kept = 1');
  $db->do("KILL $victim->{mysql_thread_id}");
  say_it('again', $victim->selectrow_arrayref('SELECT database(), @kept'));
  $victim->disconnect;
  my $other = open_it('', {mysql_auto_reconnect => 0});
  $db->do("KILL $other->{mysql_thread_id}");
  say_it('ping', $other->ping ? 'there' : 'gone');
};

step 'many sessions' => sub {
  my ($db) = @_;
  add_customers($db, 8);
  my @sessions = map { open_it() } 1 .. 8;
  $sessions[$_]->do("SET \@mine = $_") for 0 .. 7;
  my $wrong = 0;
  for my $turn (1 .. 8) {
    for my $n (0 .. 7) {
      $wrong++ if $sessions[$n]->selectrow_array('SELECT @mine') != $n;
      $sessions[$n]->do('INSERT INTO orders VALUES (?, ?, NULL, 1, ?)', undef, $n + 1, $turn, 'new');
    }
  }
  say_it('wrong', $wrong, $db->selectrow_array('SELECT count(*) FROM orders'));
  $_->disconnect for @sessions;
};

print "driver: Perl DBD::mysql $DBD::mysql::VERSION\n";
for my $one (@steps) {
  my ($name, $work) = @$one;
  print "== $name\n";
  eval {
    my $db = open_it();
    $db->do("DELETE FROM $_") for qw(orders customers samples documents notes);
    $db->do('ALTER TABLE notes AUTO_INCREMENT = 1');
    $work->($db);
    $db->disconnect;
    1;
  } or do { (my $text = $@) =~ s/\s+/ /g; print "!! $text\n" };
}
