# Perl's DBD::Pg: bind values, prepare modes, transactions, copies, metadata, notifications, large objects.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types :async);
use POSIX ();

binmode STDOUT, ':utf8';
$| = 1;
my @steps;

sub step { push @steps, [@_] }
sub show {
  my $value = shift;
  return 'undef' unless defined $value;
  return '[' . join(', ', map { show($_) } @$value) . ']' if ref $value eq 'ARRAY';
  return '{' . join(', ', map { "$_: " . show($value->{$_}) } sort keys %$value) . '}' if ref $value eq 'HASH';
  return $value;
}
sub say_it { my $what = shift; print "$what: ", join(' ', map { show($_) } @_), "\n" }
sub open_it {
  my ($more) = @_;
  return DBI->connect("dbi:Pg:dbname=$ENV{PGDATABASE};host=$ENV{PGHOST};port=$ENV{PGPORT}", $ENV{PGUSER}, $ENV{PGPASSWORD},
    {RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_enable_utf8 => 1, %{$more || {}}});
}
sub fails {
  my ($what, $db, $work) = @_;
  if (eval { $work->(); 1 }) { say_it($what, 'no error') }
  else { (my $text = $db->errstr // $@) =~ s/\s+/ /g;
    $text =~ s/( CONTEXT:)? shard s\d$//; # an error of one part of a statement says which shard it comes from
    say_it($what, $db->state, $text); }
}
sub add_customers {
  my ($db, $count) = @_;
  my $insert = $db->prepare('INSERT INTO customers (id, name, country, balance) VALUES (?, ?, ?, ?)');
  $insert->execute($_, "customer $_", (qw(DE FR JP))[$_ % 3], $_ * 10) for 1 .. $count;
}
my $long = 'SELECT count(*) FROM customers, generate_series(1, 100000000)';

step 'connecting' => sub {
  my ($db) = @_;
  say_it('where', $db->selectall_arrayref('SELECT current_database(), current_user'));
  say_it('server', int($db->{pg_server_version} / 10000), $db->ping, $db->{pg_default_port} =~ /^\d+$/ ? 'port' : 'none');
  my ($zone) = $db->selectrow_array('SHOW TimeZone');
  say_it('zone', $zone);
  eval { DBI->connect("dbi:Pg:dbname=$ENV{PGDATABASE};host=$ENV{PGHOST};port=$ENV{PGPORT}", 'app', 'wrong', {RaiseError => 1, PrintError => 0}) };
  say_it('wrong password', $DBI::state);
};

step 'values of every type' => sub {
  my ($db) = @_;
  my $insert = $db->prepare('INSERT INTO samples VALUES (' . join(', ', ('?') x 25) . ')');
  my @row = (1, -32768, 2147483647, '-9223372036854775808', '123456789.000000001', 1.5, 0.1, 't', "Grüße, 世界 'x' \\ \x{1f600}", 'short', 'fix', undef, '2024-02-29',
    '1999-12-31 23:59:59.999999', '2024-02-29 23:59:59.123456+00', '12:34:56', '3 days 00:00:07', '6b1c3f0e-0000-4000-8000-00000000002a', '{"a": [1, null]}', '{"k": 1.5}',
    [1, 2, undef], ['a', 'b"c', 'd,e', undef], 'happy', ['sad', 'ok'], '192.0.2.7');
  $insert->bind_param($_ + 1, $row[$_]) for 0 .. $#row;
  $insert->bind_param(12, "\x00\xff\n", {pg_type => PG_BYTEA});
  say_it('inserted', $insert->execute);
  say_it('nulls', $insert->execute(2, (undef) x 24));
  for my $id (1, 2) {
    my $select = $db->prepare('SELECT * FROM samples WHERE id = ?');
    $select->execute($id);
    my $names = $select->{NAME};
    my $row = $select->fetchrow_arrayref;
    for my $n (0 .. $#$names) { say_it("sample $id $names->[$n]", $names->[$n] eq 'raw' && defined $row->[$n] ? unpack('H*', $row->[$n]) : $row->[$n]) }
    say_it('types', [map { ($_ // '') } @{$select->{pg_type}}]) if $id == 1;
    say_it('precision', $select->{PRECISION}, $select->{NULLABLE}) if $id == 1;
  }
  say_it('all', $db->selectall_arrayref('SELECT id, feeling, numbers FROM samples ORDER BY id'));
};

step 'ways to prepare' => sub {
  my ($db) = @_;
  add_customers($db, 8);
  for my $server (0, 1) {
    my $select = $db->prepare('SELECT name FROM customers WHERE id = ? AND balance > $2' =~ s/\$2/?/r, {pg_server_prepare => $server, pg_prepare_now => $server});
    for my $n (1 .. 7) { $select->execute($n, 0); say_it("server $server", $select->fetchall_arrayref) }
    my $count = $db->prepare('SELECT count(*) FROM customers WHERE balance > :low', {pg_server_prepare => $server});
    $count->bind_param(':low', 30);
    $count->execute;
    say_it('named', $count->fetchall_arrayref);
  }
  say_it('cached', $db->selectrow_array($db->prepare_cached('SELECT sum(balance) FROM customers'))) for 1 .. 3;
};

step 'transactions' => sub {
  my ($db) = @_;
  add_customers($db, 3);
  $db->begin_work;
  $db->do('UPDATE customers SET balance = 1 WHERE id = 1');
  $db->pg_savepoint('a');
  fails('duplicate', $db, sub { $db->do("INSERT INTO customers (id, name) VALUES (1, 'x')") });
  fails('failed', $db, sub { $db->do('SELECT 1') });
  $db->pg_rollback_to('a');
  $db->pg_release('a');
  $db->commit;
  $db->{AutoCommit} = 0;
  $db->do('DELETE FROM customers WHERE id = 1');
  $db->rollback;
  say_it('after', $db->selectall_arrayref('SELECT id, balance FROM customers ORDER BY id'));
  $db->commit;
  $db->{AutoCommit} = 1;
};

step 'reads and writes' => sub {
  my ($db) = @_;
  add_customers($db, 15);
  say_it('rows', $db->selectall_arrayref($_)) for 'SELECT count(*), sum(balance), avg(balance) FROM customers', 'SELECT country, count(*) FROM customers GROUP BY country ORDER BY country',
    'SELECT k.name, max(balance) FROM customers c JOIN countries k ON k.code = c.country GROUP BY 1 ORDER BY 1';
  say_it('hashes', $db->selectall_hashref('SELECT id, name FROM customers WHERE id < 4', 'id'));
  say_it('column', $db->selectcol_arrayref('SELECT id FROM customers WHERE id = ANY(?) ORDER BY id', undef, [2, 4, 6]));
  say_it('updated', $db->do("UPDATE customers SET balance = 0 WHERE country = 'DE'"));
  say_it('deleted', $db->do('DELETE FROM customers WHERE id > ?', undef, 10));
  say_it('none', $db->do('DELETE FROM customers WHERE id > ?', undef, 10));
  say_it('returning', $db->selectrow_arrayref("INSERT INTO notes (body) VALUES ('x') RETURNING body"));
  my ($last) = $db->last_insert_id(undef, undef, 'notes', undef);
  say_it('last', $last > 0 ? 'positive' : 'none');
  my $many = $db->prepare('INSERT INTO customers (id, name) VALUES (?, ?)');
  say_it('array', $many->execute_array({}, [101 .. 120], [map { "array $_" } 101 .. 120]));
};

step 'copying' => sub {
  my ($db) = @_;
  $db->do('COPY customers (id, name) FROM STDIN');
  $db->pg_putcopydata("$_\tcopied $_\n") for 1 .. 40;
  say_it('end', $db->pg_putcopyend);
  say_it('count', $db->selectrow_array('SELECT count(*) FROM customers'));
  $db->do('COPY (SELECT id, name FROM customers WHERE id < 4 ORDER BY id) TO STDOUT');
  my $line;
  while ($db->pg_getcopydata(\$line) >= 0) { chomp $line; say_it('line', $line) }
};

step 'errors' => sub {
  my ($db) = @_;
  add_customers($db, 2);
  for my $text ("INSERT INTO customers (id, name) VALUES (1, 'x')", 'SELEC 1', 'SELECT nme FROM customers', "SELECT 'x'::int", 'INSERT INTO orders VALUES (999, 1, NULL, 1)') {
    fails($text, $db, sub { $db->do($text) });
  }
  say_it('field', $db->pg_error_field('constraint'), $db->pg_error_field('table'));
  $db->do('SET statement_timeout = 150');
  fails('timeout', $db, sub { $db->do($_) }) for 'SELECT pg_sleep(20)', $long;
  $db->do('RESET statement_timeout');
  my $slow = $db->prepare($long, {pg_async => PG_ASYNC});
  $slow->execute;
  select undef, undef, undef, 0.3;
  say_it('cancelled', $db->pg_cancel);
  say_it('goes on', $db->selectrow_array('SELECT 1'));
};

step 'asynchronous' => sub {
  my ($db) = @_;
  add_customers($db, 5);
  my $query = $db->prepare('SELECT sum(balance) FROM customers', {pg_async => PG_ASYNC});
  $query->execute;
  say_it('result', $db->pg_result, $query->fetchall_arrayref);
};

step 'metadata' => sub {
  my ($db) = @_;
  for my $table ('customers', 'orders', 'notes') {
    my $columns = $db->column_info(undef, 'public', $table, '%');
    while (my $column = $columns->fetchrow_hashref) { say_it("$table column", @$column{qw(COLUMN_NAME TYPE_NAME COLUMN_SIZE IS_NULLABLE COLUMN_DEF pg_type pg_constraint)}) }
    say_it("$table key", [$db->primary_key(undef, 'public', $table)]);
    my $foreign = $db->foreign_key_info(undef, undef, undef, undef, 'public', $table);
    while (my $key = $foreign && $foreign->fetchrow_hashref) { say_it("$table foreign", @$key{qw(UK_TABLE_NAME UK_COLUMN_NAME FK_COLUMN_NAME FK_NAME)}) }
    my $statistics = $db->statistics_info(undef, 'public', $table, 0, 1);
    while (my $index = $statistics && $statistics->fetchrow_hashref) { say_it("$table index", @$index{qw(INDEX_NAME NON_UNIQUE COLUMN_NAME)}) if $index->{INDEX_NAME} }
  }
  say_it('tables', [grep { /^public\.(?!auth|django|store|pgbench)/ } $db->tables(undef, 'public', undef, 'TABLE')]);
};

step 'many sessions' => sub {
  my ($db) = @_;
  add_customers($db, 8);
  my @workers;
  for my $n (1 .. 8) {
    pipe(my $read, my $write) or die;
    my $pid = fork // die;
    if ($pid == 0) {
      $db->{InactiveDestroy} = 1;
      my ($mine, $wrong) = (open_it(), 0);
      $mine->do("SET TIME ZONE 'Etc/GMT+$n'");
      for my $turn (1 .. 10) {
        my ($zone) = $mine->selectrow_array("SELECT current_setting('TimeZone')");
        $wrong++ if $zone ne "Etc/GMT+$n";
        $mine->begin_work;
        $mine->do('INSERT INTO orders VALUES (?, ?, NULL, 1)', undef, $n, $turn);
        $turn % 2 ? $mine->commit : $mine->rollback;
      }
      syswrite $write, "$wrong";
      $mine->disconnect;
      POSIX::_exit(0);
    }
    close $write;
    push @workers, [$pid, $read];
  }
  for my $worker (@workers) { my $line = readline $worker->[1]; waitpid $worker->[0], 0; say_it('wrong', $line) }
  say_it('orders', $db->selectrow_array('SELECT count(*) FROM orders'));
};

step 'notifications' => sub {
  my ($db) = @_;
  $db->do('LISTEN news');
  my $other = open_it();
  $other->do("NOTIFY news, 'one'");
  $other->disconnect;
  my $heard;
  for (1 .. 50) { last if $heard = $db->pg_notifies; select undef, undef, undef, 0.1 }
  say_it('heard', $heard ? @$heard[0, 2] : 'nothing');
};

step 'large objects' => sub {
  my ($db) = @_;
  $db->{AutoCommit} = 0;
  my $number = $db->pg_lo_creat($db->{pg_INV_WRITE} | $db->{pg_INV_READ});
  my $large = $db->pg_lo_open($number, $db->{pg_INV_WRITE} | $db->{pg_INV_READ});
  say_it('written', $db->pg_lo_write($large, '0123456789' x 100, 1000));
  $db->pg_lo_lseek($large, 995, 0);
  my $tail = '';
  say_it('read', $db->pg_lo_read($large, $tail, 10), $tail);
  $db->pg_lo_close($large);
  $db->pg_lo_unlink($number);
  $db->commit;
  $db->{AutoCommit} = 1;
};

print "driver: Perl DBD::Pg $DBD::Pg::VERSION\n";
for my $one (@steps) {
  print "== $one->[0]\n";
  my $db = open_it();
  eval {
    $db->do("DELETE FROM $_") for qw(customers samples documents notes);
    $one->[1]->($db);
    1;
  } or do { (my $text = $@) =~ s/\s+/ /g; $text =~ s/ at \S+ line \d+\.//; print "!! $text\n" };
  $db->disconnect;
}
