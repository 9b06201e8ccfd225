// mysql2: queries, statements of the protocol, pools, streams, named placeholders, files, changes of user.
'use strict';
const mysql = require('mysql2/promise');
const callbacks = require('mysql2');
const fs = require('node:fs');
const {Readable} = require('node:stream');
const {inspect} = require('node:util');

const steps = [];
const step = (name, work) => steps.push([name, work]);
// Whether a server has used an index (48) depends on how many rows it has.
const isPlan = (flags) => flags & 48;
const show = (value) => typeof value === 'string' ? value : inspect(value, {depth: 6, breakLength: Infinity, maxArrayLength: 400, maxStringLength: 300, sorted: true})
  .replace(/serverStatus: (\d+)/g, (_, flags) => `serverStatus: ${flags - isPlan(flags)}`);
const say = (what, ...values) => console.log(`${what}: ${values.map(show).join(' ')}`);
const settings = {host: process.env.MYSQL_HOST, port: Number(process.env.MYSQL_TCP_PORT), user: 'app', password: 'app-secret', database: 'shop'};
const ca = fs.readFileSync(process.env.MYSQL_CA);

async function withConnection(work, more = {}) {
  const connection = await mysql.createConnection({...settings, ...more});
  connection.on('error', () => {});
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

async function fails(what, promise) {
  try {
    await promise;
    say(what, 'no error');
  } catch (error) {
    say(what, String(error.code), String(error.errno), String(error.sqlState), error.message.replace(/connection \d+|thread id: \d+|127\.0\.0\.1:\d+/g, '…'));
  }
}

const rows = async (connection, sql, values) => (await connection.query({sql, values, rowsAsArray: true}))[0];
const executed = async (connection, sql, values) => (await connection.execute({sql, values, rowsAsArray: true}))[0];

async function addCustomers(connection, count = 15) {
  for (let n = 1; n <= count; n++) {
    await connection.execute('INSERT INTO customers (id, name, country, balance) VALUES (?, ?, ?, ?)', [n, `customer ${n}`, ['DE', 'FR', 'JP'][n % 3], n * 10]);
  }
}

const columns = 'id, tiny, small, middle, whole, large, larger, exact, single, twice, flag, bits, years, day, clock, moment, stamp, fixed, body, exactly, raw, bytes, letter, photo, feeling, colours, doc';
const sample = [1, -128, 65535, -8388608, 42, '-9223372036854775808', '18446744073709551615', '12345678901234567890.0123456789', 1.5, 0.1, true, Buffer.from([2, 170]), 2024,
  '2024-02-29', '-838:59:58.999', '1999-12-31 23:59:59.999999', new Date(Date.UTC(2024, 1, 29, 12, 30)), 'fix', "Grüße, 世界 'x' \\ \u{1f600}", 'Exactly', Buffer.from([0, 255, 39, 92]),
  Buffer.from([0, 1, 2]), 'letter'.repeat(100), Buffer.from(Array.from({length: 256}, (_, n) => n)), 'happy', 'red,blue', '{"a": [1, null, "ü"]}'];

step('connecting', () => withConnection(async (connection) => {
  say('where', await rows(connection, 'SELECT database(), user(), @@character_set_client, @@collation_connection, @@sql_mode, @@autocommit, @@version_comment'));
  say('thread', typeof connection.threadId, connection.connection._handshakePacket.serverVersion);
  await fails('wrong password', mysql.createConnection({...settings, password: 'wrong'}));
  await fails('nobody', mysql.createConnection({...settings, user: 'nobody'}));
  await fails('nowhere', mysql.createConnection({...settings, database: 'nowhere'}));
  await withConnection(async (other) => {
    await other.query('USE shop');
    say('used', await rows(other, 'SELECT count(*) FROM countries'));
  }, {database: undefined});
  await withConnection(async (other) => say('attributes', await rows(other, 'SELECT 1')), {connectAttributes: {program_name: 'suite', other: 'x'.repeat(100)}});
  await connection.end();
  await fails('after the end', connection.query('SELECT 1'));
}));

step('no database', () => withConnection(async (connection) => {
  await fails('no database', connection.query('SELECT * FROM countries'));
}, {database: undefined}));

step('connecting with tls', () => withConnection(async (connection) => {
  say('rows', connection.connection.stream.encrypted, await rows(connection, 'SELECT code FROM countries ORDER BY code'), await executed(connection, 'SELECT ?', ['x']));
  await fails('not trusted', mysql.createConnection({...settings, ssl: {rejectUnauthorized: true}}));
}, {ssl: {ca, servername: 'localhost', rejectUnauthorized: true}}));

step('values of every type', () => withConnection(async (connection) => {
  const marks = sample.map(() => '?').join(', ');
  for (const [form, id] of [['query', 1], ['execute', 2]]) {
    const [inserted] = await connection[form](`INSERT INTO samples (${columns}) VALUES (${marks})`, [id, ...sample.slice(1)]);
    say('inserted', inserted);
  }
  say('nulls', (await connection.execute(`INSERT INTO samples (${columns}) VALUES (${marks})`, [3, ...Array(26).fill(null)]))[0].affectedRows);
  await connection.query("UPDATE samples SET place = ST_GeomFromText('POINT(1 2)'), token = '6b1c3f0e-0000-4000-8000-00000000002a', address = '::1' WHERE id < 3");
  for (const form of ['query', 'execute']) {
    for (const id of [1, 2, 3]) {
      const [[row]] = await connection[form]('SELECT * FROM samples WHERE id = ?', [id]);
      for (const [name, value] of Object.entries(row)) say(`${form} ${id} ${name}`, value);
    }
    const [all, fields] = await connection[form]('SELECT * FROM samples ORDER BY id');
    say(form, all.length, fields.map((field) => [field.name, field.columnType, field.columnLength, field.flags, field.decimals, field.characterSet, field.table, field.orgTable, field.schema]));
    say(form, (await connection[form]('SELECT count(*), sum(large), sum(larger), avg(exact), min(moment), max(day), bit_or(bits) FROM samples'))[0]);
  }
}, {supportBigNumbers: true, bigNumberStrings: false, timezone: 'Z'}));

step('values as strings and numbers', async () => {
  await withConnection(async (connection) => {
    await connection.query(`INSERT INTO samples (${columns}) VALUES (?)`, [sample]);
    say('strings', (await connection.query('SELECT large, larger, day, moment, stamp, exact FROM samples'))[0], (await connection.execute('SELECT large, larger, day, moment, stamp, exact FROM samples'))[0]);
  }, {supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, timezone: 'Z'});
  await withConnection(async (connection) => {
    say('numbers', (await connection.query('SELECT exact, sum(exact) AS s FROM samples GROUP BY exact'))[0], (await connection.execute('SELECT exact FROM samples'))[0]);
  }, {decimalNumbers: true});
});

step('statements of the protocol', () => withConnection(async (connection) => {
  await addCustomers(connection, 12);
  const one = await connection.prepare('SELECT name FROM customers WHERE id = ?');
  for (let n = 1; n <= 12; n++) say('one', (await one.execute([n]))[0]);
  await one.close();
  for (let n = 1; n <= 5; n++) say('all', await executed(connection, 'SELECT count(*), sum(balance) FROM customers WHERE balance > ?', [n * 20]));
  for (const value of [1, -1.5, 'text', null, true, 12345678901234567890n, Buffer.from([0, 1]), new Date(0), {a: 1}, [1, 2]]) {
    await fails(`parameter ${typeof value}`, executed(connection, 'SELECT ?, hex(?)', [value, value]).then((found) => say('echo', found)));
  }
  await fails('undefined', connection.execute('SELECT ?', [undefined]));
  await fails('too few', connection.execute('SELECT ?, ?', [1]));
  await fails('syntax', connection.execute('SELEC ?', [1]));
  await fails('column', connection.prepare('SELECT nme FROM customers'));
  say('limit', await executed(connection, 'SELECT id FROM customers ORDER BY id LIMIT ?, ?', ['2', '3']));
  say('update', (await connection.execute('UPDATE customers SET balance = balance + ? WHERE id = ?', [1, 3]))[0]);
  connection.unprepare('UPDATE customers SET balance = balance + ? WHERE id = ?');
  for (let n = 0; n < 40; n++) await connection.execute(`SELECT ${n} + ?`, [n]);
  say('goes on', await executed(connection, 'SELECT 1'));
}, {maxPreparedStatements: 10}));

step('named placeholders', () => withConnection(async (connection) => {
  await addCustomers(connection, 3);
  say('named', (await connection.execute('SELECT id, name FROM customers WHERE id = :id OR balance = :balance ORDER BY id', {id: 1, balance: 30}))[0]);
  say('queried', (await connection.query('SELECT id FROM customers WHERE id IN (:ids) ORDER BY id', {ids: [1, 2]}))[0]);
}, {namedPlaceholders: true}));

step('transactions', () => withConnection(async (connection) => {
  await addCustomers(connection, 3);
  await connection.beginTransaction();
  await connection.query('UPDATE customers SET balance = 1 WHERE id = ?', [1]);
  await connection.query('SAVEPOINT a');
  await fails('duplicate', connection.execute('INSERT INTO customers (id, name) VALUES (?, ?)', [1, 'x']));
  await connection.query("INSERT INTO orders VALUES (1, 2, NULL, 10, 'new')");
  await connection.query('ROLLBACK TO a');
  await connection.execute("INSERT INTO orders VALUES (?, 1, ?, 10, 'new')", [1, '2024-01-01']);
  await connection.commit();
  await connection.beginTransaction();
  await connection.query('DELETE FROM customers WHERE id = 1');
  await connection.rollback();
  say('after', (await connection.query('SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1'))[0]);
  await connection.query('START TRANSACTION READ ONLY');
  await fails('read only', connection.query('DELETE FROM customers WHERE id = 1'));
  await connection.rollback();
}));

step('reads and writes over all shards', () => withConnection(async (connection) => {
  await addCustomers(connection);
  for (const [sql, values] of [
    ['SELECT count(*), sum(balance), avg(balance) FROM customers', []],
    ['SELECT country, max(name) FROM customers GROUP BY country ORDER BY country', []],
    ['SELECT k.name, count(*) AS n FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY k.name', []],
    ['SELECT id FROM customers WHERE balance > ? ORDER BY id DESC', [100]],
    ['UPDATE customers SET balance = balance * ? WHERE country = ?', [2, 'DE']],
    ['SELECT sum(balance) FROM customers', []],
    ['DELETE FROM customers WHERE id > ?', [12]],
    ['INSERT INTO customers (id, name) VALUES (?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name)', [3, 'again']],
    ['REPLACE INTO customers (id, name) VALUES (?, ?)', [4, 'again']],
    ['REPLACE INTO customers (id, name) VALUES (?, ?) RETURNING id, name, balance', [40, 'new']]]) {
    say(`query ${sql}`, (await connection.query(sql, values))[0]);
    say(`execute ${sql}`, (await connection.execute(sql, values))[0]);
  }
  say('bulk', (await connection.query('INSERT INTO customers (id, name) VALUES ?', [Array.from({length: 50}, (_, n) => [100 + n, `bulk ${n}`])]))[0]);
}));

step('insert ids', () => withConnection(async (connection) => {
  for (const body of ['a', 'b', 'c']) say('id', (await connection.execute('INSERT INTO notes (body) VALUES (?)', [body]))[0].insertId);
  say('several', (await connection.query("INSERT INTO notes (body) VALUES ('d'), ('e')"))[0], await rows(connection, 'SELECT LAST_INSERT_ID()'));
  say('duplicate', (await connection.query("INSERT INTO notes (body) VALUES ('d') ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)"))[0]);
}));

step('several statements and results', () => withConnection(async (connection) => {
  const [results, fields] = await connection.query("SELECT 1 AS a; INSERT INTO notes (body) VALUES ('x'); SELECT 2 AS b, 3 AS c");
  say('several', results, fields.map((some) => some && some.map((field) => field.name)));
  await fails('in the middle', connection.query('SELECT 1; SELECT nonsense; SELECT 3'));
  await connection.query('DROP PROCEDURE IF EXISTS suite_node');
  await connection.query('CREATE PROCEDURE suite_node(IN a INT, OUT b INT) BEGIN SELECT a; SELECT a * 2 AS twice; SET b = a + 1; END');
  say('called', (await connection.query('CALL suite_node(5, @out); SELECT @out'))[0]);
  say('called prepared', (await connection.execute('CALL suite_node(?, @out)', [6]))[0]);
  await connection.query('DROP PROCEDURE suite_node');
}, {multipleStatements: true}));

step('streams', () => withConnection(async (connection) => {
  await addCustomers(connection, 20);
  const ids = [];
  for await (const row of connection.connection.query('SELECT id FROM customers ORDER BY id').stream({highWaterMark: 3})) ids.push(row.id);
  say('streamed', ids);
  let sum = 0;
  for await (const row of connection.connection.query('SELECT seq, repeat("x", 100) AS filler FROM seq_1_to_20000').stream()) sum += row.seq + row.filler.length;
  say('sum', sum);
  for await (const row of connection.connection.execute('SELECT id FROM customers WHERE id > ? ORDER BY id', [17]).stream()) say('executed', row);
}));

step('large values', () => withConnection(async (connection) => {
  for (const [id, size] of [[1, 17 << 20], [2, 0xffffff], [3, 0xffffff - 100]]) {
    await connection.execute('INSERT INTO documents VALUES (?, ?, ?)', [id, 'large', Buffer.alloc(size, 'b')]);
    const [[row]] = await connection.execute('SELECT body, length(body) AS length FROM documents WHERE id = ?', [id]);
    say('read', row.length, row.body.length, row.body.every((byte) => byte === 98));
  }
  say('lengths', await rows(connection, 'SELECT id, length(body) FROM documents ORDER BY id'));
}));

step('files', () => withConnection(async (connection) => {
  const text = Array.from({length: 3000}, (_, n) => `${n + 1}\tloaded ${n + 1}\n`).join('');
  say('loaded', (await connection.query({sql: 'LOAD DATA LOCAL INFILE "any" INTO TABLE customers (id, name)', infileStreamFactory: () => Readable.from([Buffer.from(text.slice(0, 1000)), Buffer.from(text.slice(1000))])}))[0]);
  say('sum', await rows(connection, 'SELECT count(*), sum(id), max(name) FROM customers'));
  await fails('no factory', connection.query('LOAD DATA LOCAL INFILE "any" INTO TABLE customers (id, name)'));
}));

step('errors', () => withConnection(async (connection) => {
  await addCustomers(connection, 2);
  for (const sql of ["INSERT INTO customers (id, name) VALUES (1, 'x')", 'SELEC 1', 'SELECT nme FROM customers', 'SELECT * FROM nothing', 'INSERT INTO orders VALUES (777, 1, NULL, 1, "")',
    'INSERT INTO orders VALUES (1, 1, NULL, -1, "")', 'SELECT 9223372036854775807 + 1', "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ours'", 'SET STATEMENT max_statement_time = 0.1 FOR SELECT SLEEP(20)']) {
    await fails(`query ${sql}`, connection.query(sql));
    await fails(`execute ${sql}`, connection.execute(sql));
  }
  await fails('timeout', connection.query({sql: 'SELECT SLEEP(20)', timeout: 300}));
}));

step('change of user, reset and ping', () => withConnection(async (connection) => {
  await connection.ping();
  await connection.query('SET @kept = 1');
  await connection.changeUser({user: 'other', password: 'other-secret', database: 'shop'});
  say('who', await rows(connection, 'SELECT current_user(), database(), @kept'));
  await fails('denied', connection.query('DELETE FROM countries'));
  await connection.changeUser({user: 'app', password: 'app-secret', database: 'shop', charset: 'LATIN1_SWEDISH_CI'});
  say('back', await rows(connection, 'SELECT current_user(), @@collation_connection'));
  say('prepared', await executed(connection, 'SELECT ?', ['after']));
  await fails('wrong', connection.changeUser({user: 'app', password: 'wrong'}));
}));

step('kills', () => withConnection(async (connection) => {
  const victim = await mysql.createConnection(settings);
  victim.on('error', () => {});
  const began = Date.now();
  const slept = victim.query({sql: 'SELECT SLEEP(30)', rowsAsArray: true}).then(([found]) => found, (error) => error.code);
  await new Promise((done) => setTimeout(done, 300));
  await connection.query(`KILL QUERY ${victim.threadId}`);
  say('query', await slept, Date.now() - began < 15000);
  say('goes on', await rows(victim, 'SELECT 1'));
  const other = victim.query('SELECT SLEEP(30)').then(() => 'slept', (error) => error.code);
  await new Promise((done) => setTimeout(done, 300));
  await connection.query(`KILL ${victim.threadId}`);
  say('connection', await other, Date.now() - began < 25000);
}));

step('a pool', async () => {
  const pool = mysql.createPool({...settings, connectionLimit: 10, resetOnRelease: true});
  await addCustomers(pool, 20);
  await Promise.all(Array.from({length: 20}, async (_, n) => {
    for (let turn = 0; turn < 5; turn++) {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        await connection.execute('UPDATE customers SET balance = balance + 1 WHERE id = ?', [n + 1]);
        await (turn % 2 ? connection.commit() : connection.rollback());
        await connection.query('SET @mine = ?', [n]);
        if ((await rows(connection, 'SELECT @mine'))[0][0] !== n) say('wrong', n);
      } finally {
        connection.release();
      }
    }
  }));
  say('sum', await rows(pool, 'SELECT sum(balance) FROM customers'));
  await pool.end();
});

step('callbacks and queued commands', () => new Promise((done) => {
  const connection = callbacks.createConnection(settings);
  const seen = [];
  for (const sql of ['SELECT 1 AS a', 'SELECT nonsense', 'SELECT 3 AS c']) {
    connection.query(sql, (error, found) => {
      seen.push(error ? error.code : found);
      if (seen.length === 3) {
        say('queued', seen);
        connection.end(done);
      }
    });
  }
}));

(async () => {
  console.log(`driver: node mysql2 ${require('mysql2/package.json').version}`);
  for (const [name, work] of steps) {
    console.log(`== ${name}`);
    try {
      await withConnection(async (connection) => {
        for (const table of ['orders', 'customers', 'samples', 'documents', 'notes']) await connection.query(`DELETE FROM ${table}`);
        await connection.query('ALTER TABLE notes AUTO_INCREMENT = 1');
      });
      await work();
    } catch (error) {
      console.log(`!! ${error.code} ${String(error.message).replace(/\s+/g, ' ')}`);
    }
  }
  process.exit(0);
})();
