# Ruby's pg: type maps, prepared statements, transactions, copies, notifications, large objects.
require 'pg'

URL = ENV.fetch('DATABASE_URL')
STEPS = []

def step(name, &work) = STEPS << [name, work]
def say(what, *values) = puts("#{what}: #{values.map { |value| value.is_a?(String) ? value : value.inspect }.join(' ')}")

def connect(**more)
  connection = PG.connect(URL, **more)
  connection.type_map_for_results = PG::BasicTypeMapForResults.new(connection)
  connection
end

def fails(what)
  yield
  say(what, 'no error')
rescue PG::Error => error
  result = error.respond_to?(:result) ? error.result : nil
  say(what, error.class, result&.error_field(PG::PG_DIAG_SQLSTATE).to_s, (result&.error_field(PG::PG_DIAG_MESSAGE_PRIMARY) || error.message).strip)
end

def add_customers(connection, count = 15)
  (1..count).each do |n|
    connection.exec_params('INSERT INTO customers (id, name, country, balance) VALUES ($1, $2, $3, $4)', [n, "customer #{n}", %w[DE FR JP][n % 3], n * 10])
  end
end

LONG = 'SELECT count(*) FROM customers, generate_series(1, 100000000)'

step 'connecting' do |db|
  say('server', db.server_version / 10_000, db.internal_encoding, db.parameter_status('client_encoding'), db.transaction_status)
  other = PG.connect(URL, application_name: 'suite', options: '-c TimeZone=Asia/Tokyo')
  say('settings', other.exec("SELECT current_setting('application_name'), current_setting('TimeZone')").values)
  other.reset
  say('reset', other.exec("SELECT current_setting('TimeZone')").values)
  other.close
  say('ping', PG::Connection.ping(URL))
  fails('wrong password') { PG.connect(URL.sub('app-secret', 'wrong')) rescue raise PG::Error, $!.message.gsub(/port \d+/, '…') }
end

step 'values of every type' do |db|
  row = [1, -32768, 2147483647, -9223372036854775808, '123456789.000000001', 1.5, 0.1, true, "Grüße, 世界 'x' \\ \u{1f600}", 'short', 'fix', { value: "\x00\xff".b, format: 1 },
         '2024-02-29', '1999-12-31 23:59:59.999999', '2024-02-29 23:59:59.123456+00', '12:34:56', '3 days 00:00:07', '6b1c3f0e-0000-4000-8000-00000000002a',
         '{"a": [1, null]}', '{"k": 1.5}', '{1,2,NULL}', '{a,"b\"c","d,e",NULL}', 'happy', '{sad,ok}', '192.0.2.7']
  marks = (1..25).map { |n| "$#{n}" }.join(', ')
  say('inserted', db.exec_params("INSERT INTO samples VALUES (#{marks})", row).cmd_tuples)
  say('nulls', db.exec_params("INSERT INTO samples VALUES (#{marks})", [2] + [nil] * 24).cmd_status)
  [0, 1].each do |format|
    [1, 2].each do |id|
      result = db.exec_params('SELECT * FROM samples WHERE id = $1', [id], format)
      result.fields.each_with_index do |name, n|
        next if format == 1 && name == 'feelings' # the bytes name the type by its OID
        say("format #{format} sample #{id} #{name}", result.getvalue(0, n), result.fformat(n))
      end
    end
  end
  say('all', db.exec('SELECT id, feeling, numbers, instant FROM samples ORDER BY id').values)
  result = db.exec('SELECT * FROM samples')
  types = db.exec_params('SELECT oid, typname FROM pg_type WHERE oid = ANY($1::oid[])', ["{#{result.nfields.times.map { |n| result.ftype(n) }.join(',')}}"]).values.to_h
  say('types', result.nfields.times.map { |n| [result.fname(n), types[result.ftype(n)], result.fmod(n)] })
end

step 'prepared statements' do |db|
  add_customers(db, 8)
  db.prepare('one', 'SELECT name FROM customers WHERE id = $1')
  db.prepare('all', 'SELECT count(*), sum(balance) FROM customers WHERE balance > $1')
  (1..8).each { |n| say('prepared', db.exec_prepared('one', [n]).values, db.exec_prepared('all', [n * 10]).values) }
  described = db.describe_prepared('all')
  say('described', described.nparams, described.fields, described.paramtype(0))
  fails('twice') { db.prepare('one', 'SELECT 1') }
  fails('none') { db.exec_prepared('two', []) }
  db.exec('DEALLOCATE one')
  fails('gone') { db.exec_prepared('one', [1]) }
end

step 'transactions' do |db|
  add_customers(db, 3)
  db.transaction { |same| same.exec('UPDATE customers SET balance = 1 WHERE id = 1') }
  begin
    db.transaction do |same|
      same.exec('UPDATE customers SET balance = 2 WHERE id = 1')
      raise 'the application'
    end
  rescue RuntimeError => error
    say('raised', error.message)
  end
  db.exec('BEGIN; SAVEPOINT a')
  fails('duplicate') { db.exec("INSERT INTO customers (id, name) VALUES (1, 'x')") }
  say('status', db.transaction_status)
  fails('failed') { db.exec('SELECT 1') }
  db.exec('ROLLBACK TO a')
  db.exec("INSERT INTO orders VALUES (1, 1, '2024-01-01', 10)")
  db.exec('COMMIT')
  say('after', db.exec('SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1').to_a)
end

step 'reads and writes' do |db|
  add_customers(db)
  ['SELECT count(*), sum(balance), avg(balance) FROM customers', 'SELECT country, count(*) FROM customers GROUP BY country ORDER BY country',
   'SELECT k.name, max(balance) FROM customers c JOIN countries k ON k.code = c.country GROUP BY 1 ORDER BY 1',
   'UPDATE customers SET balance = 0 WHERE country = \'DE\'', 'DELETE FROM customers WHERE id > 10',
   "INSERT INTO customers (id, name) VALUES (3, 'again') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *",
   "INSERT INTO notes (body) VALUES ('x'), ('y') RETURNING body",
   'SELECT 1; SELECT id FROM customers WHERE id = 2'].each do |text|
    result = db.exec(text)
    say('result', result.cmd_status, result.values)
  end
end

step 'single rows' do |db|
  add_customers(db, 12)
  db.send_query('SELECT id FROM customers ORDER BY id')
  db.set_single_row_mode
  say('streamed', db.get_result.stream_each_row.map(&:first))
  db.get_result
  db.transaction do |same|
    same.exec('DECLARE reader CURSOR FOR SELECT id FROM customers ORDER BY id')
    say('fetched', same.exec('FETCH 5 FROM reader').values.flatten, same.exec('FETCH ALL FROM reader').values.flatten)
  end
end

step 'pipelines' do |db|
  add_customers(db, 5)
  db.enter_pipeline_mode
  [1, 2, 3].each { |n| db.send_query_params('SELECT name FROM customers WHERE id = $1', [n]) }
  db.send_query_params('SELECT 1 / $1::int', [0])
  db.send_query_params('SELECT 5', [])
  db.pipeline_sync
  seen = []
  loop do
    result = db.get_result
    next if result.nil?
    seen << (result.result_status == PG::PGRES_TUPLES_OK ? result.values : result.res_status(result.result_status))
    break if result.result_status == PG::PGRES_PIPELINE_SYNC
  end
  say('pipeline', seen)
  db.exit_pipeline_mode
end

step 'copying' do |db|
  db.copy_data('COPY customers (id, name) FROM STDIN') { (1..60).each { |n| db.put_copy_data("#{n}\tcopied #{n}\n") } }
  say('count', db.exec('SELECT count(*) FROM customers').values)
  encoder = PG::TextEncoder::CopyRow.new
  db.copy_data('COPY notes (body) FROM STDIN', encoder) { db.put_copy_data(["tab\there"]) }
  out = []
  db.copy_data('COPY (SELECT id, name FROM customers WHERE id < 4 ORDER BY id) TO STDOUT', PG::TextDecoder::CopyRow.new) { while (row = db.get_copy_data) do out << row end }
  say('out', out)
  fails('bad') { db.copy_data('COPY customers (id, name) FROM STDIN') { db.put_copy_data("x\ty\n") } }
end

step 'errors' do |db|
  add_customers(db, 2)
  ["INSERT INTO customers (id, name) VALUES (1, 'x')", 'SELEC 1', 'SELECT nme FROM customers', "SELECT 'x'::int", 'INSERT INTO orders VALUES (999, 1, NULL, 1)'].each { |text| fails(text) { db.exec(text) } }
  db.exec("SET statement_timeout = '150ms'")
  ['SELECT pg_sleep(20)', LONG].each { |text| fails('timeout') { db.exec(text) } }
  db.exec('RESET statement_timeout')
  db.send_query(LONG)
  sleep 0.3
  say('cancel', db.cancel)
  fails('cancelled') { db.get_last_result }
  say('goes on', db.exec('SELECT 1').values)
  heard = []
  db.set_notice_processor { |message| heard << message }
  db.exec('DROP TABLE IF EXISTS there_is_none')
  say('notices', heard)
end

step 'many sessions' do |db|
  add_customers(db, 8)
  wrong = 8.times.map do |n|
    Thread.new do
      mine, bad = connect(application_name: "thread #{n}"), 0
      mine.exec("SET TIME ZONE 'Etc/GMT+#{n}'")
      10.times do |turn|
        bad += 1 if mine.exec("SELECT current_setting('application_name'), current_setting('TimeZone')").values != [["thread #{n}", "Etc/GMT+#{n}"]]
        mine.transaction { |same| same.exec_params('INSERT INTO orders VALUES ($1, $2, NULL, 1)', [n + 1, turn]) }
      end
      mine.close
      bad
    end
  end.map(&:value)
  say('wrong', wrong)
  say('orders', db.exec('SELECT count(*) FROM orders').values)
end

step 'notifications' do |db|
  db.exec('LISTEN news')
  other = connect
  other.exec("NOTIFY news, 'one'")
  say('heard', db.wait_for_notify(5) { |channel, _, payload| say('event', channel, payload) })
  other.close
end

step 'large objects' do |db|
  db.transaction do
    number = db.lo_creat
    large = db.lo_open(number, PG::INV_READ | PG::INV_WRITE)
    say('written', db.lo_write(large, '0123456789' * 100))
    db.lo_lseek(large, 995, PG::SEEK_SET)
    say('tail', db.lo_read(large, 10), db.lo_tell(large))
    db.lo_close(large)
    db.lo_unlink(number)
  end
end

puts "driver: Ruby pg #{PG::VERSION}"
STEPS.each do |name, work|
  puts "== #{name}"
  db = connect
  begin
    %w[customers samples documents notes].each { |table| db.exec("DELETE FROM #{table}") }
    work.call(db)
  rescue StandardError => error
    puts "!! #{error.class} #{error.message.gsub(/\s+/, ' ')}"
  ensure
    db.close unless db.finished?
  end
end
