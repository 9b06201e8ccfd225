// node-postgres: clients, pools, parameters, named statements, cursors, copies, notifications.
'use strict';
const pg = require('pg');
const Cursor = require('pg-cursor');
const {from: copyFrom, to: copyTo} = require('pg-copy-streams');
const {pipeline} = require('node:stream/promises');
const {Readable, Writable} = require('node:stream');
const {inspect} = require('node:util');

const steps = [];
const step = (name, work) => steps.push([name, work]);
const show = (value) => typeof value === 'string' ? value : inspect(value, {depth: 6, breakLength: Infinity, maxArrayLength: 400, sorted: true});
const say = (what, ...values) => console.log(`${what}: ${values.map(show).join(' ')}`);
const settings = {connectionString: process.env.DATABASE_URL};

async function withClient(work, more = {}) {
  const client = new pg.Client({...settings, ...more});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function fails(what, promise) {
  try {
    await promise;
    say(what, 'no error');
  } catch (error) {
    say(what, String(error.code), error.message, error.constraint ?? '', error.position ?? '');
  }
}

async function addCustomers(client, count = 15) {
  for (let n = 1; n <= count; n++) {
    await client.query('INSERT INTO customers (id, name, country, balance) VALUES ($1, $2, $3, $4)', [n, `customer ${n}`, ['DE', 'FR', 'JP'][n % 3], n * 10]);
  }
}

step('connecting', () => withClient(async (client) => {
  say('where', (await client.query('SELECT current_database(), current_user, current_setting($1) AS name', ['application_name'])).rows);
  await fails('wrong password', new pg.Client(settings.connectionString.replace('app-secret', 'wrong')).connect());
}, {application_name: 'suite', statement_timeout: 5000}));

step('values of every type', () => withClient(async (client) => {
  const row = [1, -32768, 2147483647, '-9223372036854775808', '123456789.000000001', 1.5, 0.1, true, "Grüße, 世界 'x' \\ \u{1f600}", 'short', 'fix',
    Buffer.from([0, 255, 10]), '2024-02-29', '1999-12-31 23:59:59.999', new Date(Date.UTC(2024, 1, 29, 23, 59, 59, 123)), '12:34:56', '3 days 00:00:07',
    '6b1c3f0e-0000-4000-8000-00000000002a', {a: [1, null, 'ü']}, {k: {n: 1.5}}, [1, 2, null], ['a', 'b"c', 'd,e', null], 'happy', null, '192.0.2.7'];
  const marks = row.map((_, n) => `$${n + 1}`).join(', ');
  say('inserted', (await client.query(`INSERT INTO samples VALUES (${marks})`, row)).rowCount);
  say('nulls', (await client.query(`INSERT INTO samples VALUES (${marks})`, [2, ...Array(24).fill(null)])).rowCount);
  for (const id of [1, 2]) {
    for (const [name, value] of Object.entries((await client.query('SELECT * FROM samples WHERE id = $1', [id])).rows[0])) say(`sample ${id} ${name}`, value);
  }
  say('all', (await client.query({text: 'SELECT id, feeling, numbers, docb FROM samples ORDER BY id', rowMode: 'array'})).rows);
  const result = await client.query('SELECT * FROM samples WHERE id = 1');
  const own = await client.query("SELECT oid FROM pg_type WHERE typname IN ('mood', '_mood')");
  const ours = own.rows.map((type) => type.oid);
  say('fields', result.command, result.rowCount, result.fields.map((field) => [field.name, ours.includes(field.dataTypeID) ? 'own' : field.dataTypeID, field.dataTypeModifier]));
}));

step('named statements', () => withClient(async (client) => {
  await addCustomers(client, 12);
  for (let n = 1; n <= 12; n++) {
    say('one', (await client.query({name: 'by id', text: 'SELECT name FROM customers WHERE id = $1', values: [n]})).rows[0].name);
  }
  for (let n = 1; n <= 7; n++) {
    say('all', (await client.query({name: 'richer', text: 'SELECT count(*)::int AS n FROM customers WHERE balance > $1', values: [n * 10]})).rows[0].n);
  }
  await fails('another text', client.query({name: 'by id', text: 'SELECT 1', values: []}));
}));

step('queued queries', () => withClient(async (client) => {
  await addCustomers(client, 5);
  const results = await Promise.allSettled([1, 2, 3, 4].map((n) => client.query(n === 3 ? 'SELECT 1 / 0' : 'SELECT name FROM customers WHERE id = $1', n === 3 ? [] : [n])));
  say('queued', results.map((result) => result.status === 'fulfilled' ? result.value.rows : result.reason.code));
  const several = await client.query('SELECT 1 AS one; SELECT id FROM customers WHERE id = 2; UPDATE customers SET name = name WHERE id = 1');
  say('several', several.map((result) => [result.command, result.rowCount, result.rows]));
}));

step('transactions', () => withClient(async (client) => {
  await addCustomers(client, 3);
  await client.query('BEGIN');
  await client.query('UPDATE customers SET balance = 1 WHERE id = $1', [1]);
  await client.query('SAVEPOINT a');
  await fails('duplicate', client.query('INSERT INTO customers (id, name) VALUES ($1, $2)', [1, 'x']));
  await fails('failed', client.query('SELECT 1'));
  await client.query('ROLLBACK TO a');
  await client.query('INSERT INTO orders VALUES ($1, 1, $2, 10)', [1, '2024-01-01']);
  await client.query('COMMIT');
  await client.query('BEGIN');
  await client.query('DELETE FROM customers WHERE id = 1');
  await client.query('ROLLBACK');
  say('after', (await client.query('SELECT c.id, balance, amount FROM customers c LEFT JOIN orders o ON o.customer_id = c.id ORDER BY 1')).rows);
  await client.query('BEGIN READ ONLY');
  await fails('read only', client.query('DELETE FROM customers WHERE id = 1'));
  say('commit of a failed one', (await client.query('COMMIT')).command);
}));

step('reads and writes over all shards', () => withClient(async (client) => {
  await addCustomers(client);
  for (const [text, values] of [
    ['SELECT count(*), sum(balance), avg(balance) FROM customers', []],
    ['SELECT country, max(name) FROM customers GROUP BY country ORDER BY country', []],
    ['SELECT id FROM customers WHERE id = ANY($1) ORDER BY id DESC', [[1, 3, 5]]],
    ['SELECT k.name, count(*)::int FROM customers c JOIN countries k ON k.code = c.country GROUP BY k.name ORDER BY k.name LIMIT $1', [2]],
    ['UPDATE customers SET balance = balance * $1 WHERE country = $2', [2, 'DE']],
    ['SELECT sum(balance) FROM customers', []],
    ['DELETE FROM customers WHERE id > $1', [12]],
    ['INSERT INTO customers (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name, balance', [3, 'again']],
    ['INSERT INTO notes (body) VALUES ($1) RETURNING body', ['x']]]) {
    const result = await client.query(text, values);
    say(result.command, result.rowCount, result.rows);
  }
}));

step('cursors', () => withClient(async (client) => {
  await addCustomers(client, 20);
  const cursor = client.query(new Cursor('SELECT id FROM customers WHERE id > $1 ORDER BY id', [3]));
  say('five', (await cursor.read(5)).map((row) => row.id));
  say('ten', (await cursor.read(10)).map((row) => row.id));
  await cursor.close();
  say('after', (await client.query('SELECT 1 AS one')).rows);
}));

step('copying', () => withClient(async (client) => {
  const rows = Array.from({length: 100}, (_, n) => `${n + 1}\tcopied ${n + 1}\n`);
  await pipeline(Readable.from(rows), client.query(copyFrom('COPY customers (id, name) FROM STDIN')));
  say('count', (await client.query('SELECT count(*) FROM customers')).rows);
  let out = '';
  await pipeline(client.query(copyTo('COPY (SELECT id, name FROM customers WHERE id < 4 ORDER BY id) TO STDOUT (FORMAT csv)')),
    new Writable({write(block, _, done) { out += block; done(); }}));
  say('out', out);
}));

step('errors', () => withClient(async (client) => {
  await addCustomers(client, 2);
  await fails('unique', client.query('INSERT INTO customers (id, name) VALUES (1, $1)', ['x']));
  await fails('syntax', client.query('SELEC 1'));
  await fails('type', client.query('SELECT * FROM customers WHERE id = $1', ['one']));
  await fails('column', client.query('SELECT nme FROM customers'));
  await fails('parameters', client.query('SELECT $1::int, $2::int', [1]));
  await fails('foreign key', client.query('INSERT INTO orders VALUES (777, 1, NULL, 1)'));
  await client.query("SET statement_timeout = '150ms'");
  await fails('timeout', client.query('SELECT pg_sleep(20)'));
  await fails('timeout on all', client.query('SELECT count(*) FROM customers, generate_series(1, $1::int)', [100000000]));
  await client.query('RESET statement_timeout');
  const pid = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
  say('pid', typeof pid);
  say('goes on', (await client.query('SELECT 1 AS one')).rows);
}));

step('a pool of clients', async () => {
  const pool = new pg.Pool({...settings, max: 10});
  await addCustomers(pool, 20);
  await Promise.all(Array.from({length: 20}, async (_, n) => {
    for (let turn = 0; turn < 5; turn++) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query('UPDATE customers SET balance = balance + 1 WHERE id = $1', [n + 1]);
        await client.query(turn % 2 ? 'COMMIT' : 'ROLLBACK');
      } finally {
        client.release();
      }
    }
  }));
  say('sum', (await pool.query('SELECT sum(balance) FROM customers')).rows);
  await pool.end();
});

step('settings of many clients', async () => {
  const wrong = await Promise.all(Array.from({length: 10}, (_, n) => withClient(async (client) => {
    let bad = 0;
    await client.query(`SET TIME ZONE 'Etc/GMT+${n}'`);
    for (let turn = 0; turn < 10; turn++) {
      const {rows} = await client.query("SELECT current_setting('TimeZone') AS zone, current_setting('application_name') AS name");
      if (rows[0].zone !== `Etc/GMT+${n}` || rows[0].name !== `client ${n}`) bad++;
    }
    return bad;
  }, {application_name: `client ${n}`})));
  say('wrong', wrong);
});

step('listen and notify', () => withClient((listener) => withClient(async (sender) => {
  const heard = [];
  const both = new Promise((done) => listener.on('notification', (message) => { if (heard.push([message.channel, message.payload]) === 2) done(); }));
  await listener.query('LISTEN news');
  await sender.query("NOTIFY news, 'one'");
  await sender.query('SELECT pg_notify($1, $2)', ['news', 'two']);
  await Promise.race([both, new Promise((done) => setTimeout(done, 5000))]);
  say('heard', heard);
})));

step('notices', () => withClient(async (client) => {
  const heard = [];
  client.on('notice', (notice) => heard.push([notice.severity, notice.code, notice.message]));
  await client.query('DROP TABLE IF EXISTS there_is_none');
  say('heard', heard);
}));

(async () => {
  console.log(`driver: node-postgres ${require('pg/package.json').version}`);
  for (const [name, work] of steps) {
    console.log(`== ${name}`);
    try {
      await withClient(async (client) => {
        for (const table of ['customers', 'samples', 'documents', 'notes']) await client.query(`DELETE FROM ${table}`);
      });
      await work();
    } catch (error) {
      console.log(`!! ${error.code} ${String(error.message).replace(/\s+/g, ' ')}`);
    }
  }
})();
