-- Records what a PostgreSQL server answers, for the tests of values/. In this folder:
--   psql -X -q -A -t -F "$(printf '\t')" -f generate.sql
-- against a throw-away server with encoding UTF8, built with ICU. Results are the same on each run.
SET client_min_messages = error;
SET timezone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SELECT setseed(0.25);

CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE query INTO answer;
  RETURN coalesce(answer, 'NULL');
EXCEPTION WHEN OTHERS THEN
  RETURN '!' || SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE FUNCTION pg_temp.digits(count int) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(string_agg(
    CASE WHEN random() < 0.2 THEN '0' WHEN random() < 0.2 THEN '9' ELSE floor(random() * 10)::int::text END, ''), '')
  FROM generate_series(1, count) $$;

CREATE FUNCTION pg_temp.number() RETURNS numeric LANGUAGE plpgsql VOLATILE AS $$
DECLARE kind int := floor(random() * 14);
BEGIN
  RETURN CASE kind
    WHEN 0 THEN (ARRAY['0', '0.00', '1', '-1', '1.0', '10000', '9999', '0.0001', '99999999.9999',
      '-0.00005', '100000000', '4999.5', '5000', '0.5', '-2.5', '1.5', 'NaN', 'Infinity', '-Infinity',
      '9223372036854775807.4', '9223372036854775807.5', '-9223372036854775808.5', '1e20', '2147483647.5',
      '32767.5', '-32768.4', '1e-30', '1e310'])[1 + floor(random() * 28)::int]::numeric
    WHEN 1 THEN round((random() * 100 - 50)::numeric, floor(random() * 6)::int)
    WHEN 2 THEN floor(random() * 1000000)::numeric
    WHEN 3 THEN (pg_temp.digits(30) || '.' || pg_temp.digits(30))::numeric
    WHEN 4 THEN -(pg_temp.digits(1 + floor(random() * 25)::int))::numeric
    WHEN 5 THEN ('0.' || repeat('0', floor(random() * 12)::int) || pg_temp.digits(1 + floor(random() * 12)::int))::numeric
    WHEN 6 THEN ('1' || repeat('0', floor(random() * 30)::int))::numeric
    ELSE ((CASE WHEN random() < 0.5 THEN '-' ELSE '' END) || pg_temp.digits(1 + floor(random() * 14)::int)
      || '.' || pg_temp.digits(1 + floor(random() * 10)::int))::numeric
  END;
END $$;

-- numeric: operation, operands, answer ("!" and SQLSTATE and message for an error)
\o numeric.tsv
WITH cases AS MATERIALIZED (
  SELECT (ARRAY['+', '-', '*', '/', '%'])[1 + i % 5] AS op, pg_temp.number() AS a, pg_temp.number() AS b
  FROM generate_series(1, 2500) i)
SELECT op, a, b, pg_temp.try(format('SELECT %L::numeric %s %L::numeric', a, op, b)) FROM cases;
WITH cases AS MATERIALIZED (
  SELECT (ARRAY['sqrt', 'ceil', 'floor', 'abs', 'sign', 'numeric_uminus', 'int8', 'int4', 'int2', 'float8', 'numeric_send'])[1 + i % 11] AS op,
    pg_temp.number() AS a
  FROM generate_series(1, 1320) i)
SELECT op, a, 0, pg_temp.try(format('SELECT %s(%L::numeric)', op, a)) FROM cases;
WITH cases AS MATERIALIZED (
  SELECT (ARRAY['round', 'trunc'])[1 + i % 2] AS op, pg_temp.number() AS a, floor(random() * 24 - 12)::int AS b
  FROM generate_series(1, 600) i)
SELECT op, a, b, pg_temp.try(format('SELECT %s(%L::numeric, %s)', op, a, b)) FROM cases;
SELECT 'in', t, 0, pg_temp.try(format('SELECT %L::numeric', t)) FROM unnest(ARRAY[
  '1', '+1', '-1', ' 12.50 ', '.5', '5.', '.', '', 'e5', '1e', '1e5', '1.5e-3', '1E+3', '1e131071', '1e131072', '0e999999', '0.1e-16382',
  '0.1e-16383', '1e-16383', '1e-16384', 'nan', 'NaN', '-nan', 'inf', '+inf', '-Infinity', 'infinit', '1 2', '1..2', '1.2.3', '--1', '0x10',
  '-0', '-0.000', '000123.4500', '1e-5', '12345678901234567890.00001234', '1e5.5']) t;
WITH cases AS MATERIALIZED (
  SELECT CASE WHEN i % 3 = 0 THEN pg_temp.number()::text ELSE ((random() - 0.5) * 10 ^ floor(random() * 60 - 30))::text END AS a
  FROM generate_series(1, 300) i)
SELECT 'from_float8', a, 0, pg_temp.try(format('SELECT %L::float8::numeric', a)) FROM cases WHERE length(a) < 300;
WITH cases AS MATERIALIZED (
  SELECT abs((random() - 0.5) * 10 ^ floor(random() * 40 - 20))::real::text AS a FROM generate_series(1, 200) i)
SELECT 'from_float4', a, 0, pg_temp.try(format('SELECT %L::float4::numeric', a)) FROM cases;
\o

-- mixed arithmetic: operation, left type and value, right type and value, result's type and value
CREATE FUNCTION pg_temp.scalar(type text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN CASE type
    WHEN 'int2' THEN (ARRAY['0', '1', '-1', '2', '7', '32767', '-32768', '300', '-300'])[1 + floor(random() * 9)::int]
    WHEN 'int4' THEN (ARRAY['0', '1', '-1', '3', '2147483647', '-2147483648', '65536', '-99999'])[1 + floor(random() * 8)::int]
    WHEN 'int8' THEN (ARRAY['0', '1', '-1', '10', '9223372036854775807', '-9223372036854775808', '4294967296', '-123456789012'])[1 + floor(random() * 8)::int]
    WHEN 'float4' THEN (ARRAY['0', '-0', '1.5', '-2.25', '3e38', '1e-38', 'NaN', 'Infinity', '0.1', '32767.5', '2.5'])[1 + floor(random() * 11)::int]
    WHEN 'float8' THEN (ARRAY['0', '-0', '1.5', '-2.25', '1e308', '1e-308', 'NaN', '-Infinity', '0.1', '2147483647.5', '3.5', '9.3e18'])[1 + floor(random() * 12)::int]
    ELSE (ARRAY['0', '1.50', '-2.25', '1e30', 'NaN', '0.001', '12345.678', '1e400', '2.5', '1e39'])[1 + floor(random() * 10)::int]
  END;
END $$;
\o arith.tsv
WITH types AS (SELECT unnest(ARRAY['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']) AS type),
cases AS MATERIALIZED (
  SELECT op, l.type AS lt, pg_temp.scalar(l.type) AS a, r.type AS rt, pg_temp.scalar(r.type) AS b
  FROM types l, types r, unnest(ARRAY['+', '-', '*', '/', '%', '<', '=']) op, generate_series(1, 8) i
  WHERE op <> '%' OR (l.type NOT LIKE 'float%' AND r.type NOT LIKE 'float%'))
SELECT op, lt, a, rt, b,
  pg_temp.try(format('SELECT pg_typeof(%L::%s %s %L::%s)', '1', lt, op, '1', rt)),
  pg_temp.try(format('SELECT (%L::%s %s %L::%s)::text', a, lt, op, b, rt)) FROM cases;
WITH types AS (SELECT unnest(ARRAY['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']) AS type),
cases AS MATERIALIZED (
  SELECT l.type AS lt, pg_temp.scalar(l.type) AS a, r.type AS rt
  FROM types l, types r, generate_series(1, 12) i)
SELECT 'cast', lt, a, rt, '', rt, pg_temp.try(format('SELECT (%L::%s::%s)::text', a, lt, rt)) FROM cases;
\o

-- floating point: type, binary, text with extra_float_digits 1, 0 and -3
\o float.tsv
CREATE TEMP TABLE floats8 AS
SELECT v FROM (
  SELECT unnest(ARRAY[0, '-0', 1, -1, 0.1, 1e23, 9e15, 1e15, 1e14, 123456789012345678, 0.0001, 0.00001, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, 'NaN', 'Infinity', '-Infinity', 9007199254740993, 100, 1234567, 1e22, 1e21, 8.41e21, 2e-44, 9.5367431640625e-07,
    4.35, 0.3, 2.0 / 3, 1e16, 123456, 4503599627370496.5, 3e-324, 1e-323]::float8[]) AS v
  UNION ALL SELECT ((random() - 0.5) * 10 ^ floor(random() * 600 - 300)) FROM generate_series(1, 300)
  UNION ALL SELECT 2::float8 ^ i FROM generate_series(-1070, 1020, 7) i
  UNION ALL SELECT (floor(random() * 1000))::float8 / 100 FROM generate_series(1, 60)
  UNION ALL SELECT (floor(random() * 1000) || 'e' || i)::float8 FROM generate_series(-30, 40) i
) x;
SELECT 'float8', substr(float8send(v)::text, 3), v::text FROM floats8;
CREATE TEMP TABLE floats4 AS
SELECT v FROM (
  SELECT unnest(ARRAY[0, '-0', 1, 0.1, 1e15, 16777216, 16777217, 1e6, 999999, 1234567, 1e-5, 0.0001, 1e-45, 1.1754944e-38, 3.4028235e38, 'NaN',
    'Infinity', '-Infinity', 8388608.5, 9.8e-45, 33554432, 8e9, 3.3554432e7, 1e5]::float4[]) AS v
  UNION ALL SELECT ((random() - 0.5) * 10 ^ floor(random() * 74 - 37))::float4 FROM generate_series(1, 300)
  UNION ALL SELECT (2::float8 ^ i)::float4 FROM generate_series(-148, 127) i
) x;
SELECT 'float4', substr(float4send(v)::text, 3), v::text FROM floats4;
SET extra_float_digits = 0;
SELECT 'float8/0', substr(float8send(v)::text, 3), v::text FROM floats8 TABLESAMPLE SYSTEM (100) LIMIT 200;
SELECT 'float4/0', substr(float4send(v)::text, 3), v::text FROM floats4 LIMIT 100;
SET extra_float_digits = -3;
SELECT 'float8/-3', substr(float8send(v)::text, 3), v::text FROM floats8 LIMIT 100;
SELECT 'float4/-3', substr(float4send(v)::text, 3), v::text FROM floats4 LIMIT 60;
SET extra_float_digits = 1;
\o

-- intervals: operation, left (binary), right (binary, or a number), answer (binary), answer's text
CREATE FUNCTION pg_temp.span() RETURNS interval LANGUAGE sql VOLATILE AS $$
  SELECT make_interval(
    months => CASE WHEN random() < 0.4 THEN 0 ELSE floor(random() * 60 - 30)::int END,
    days => CASE WHEN random() < 0.4 THEN 0 ELSE floor(random() * 100 - 50)::int END,
    secs => CASE WHEN random() < 0.3 THEN 0 WHEN random() < 0.5 THEN floor(random() * 200000 - 100000)
      ELSE round((random() * 200000 - 100000)::numeric, 6)::float8 END) $$;
\o interval.tsv
WITH cases AS MATERIALIZED (SELECT (ARRAY['+', '-'])[1 + i % 2] AS op, pg_temp.span() AS a, pg_temp.span() AS b FROM generate_series(1, 200) i)
SELECT op, substr(interval_send(a)::text, 3), substr(interval_send(b)::text, 3),
  pg_temp.try(format('SELECT substr(interval_send(%L::interval %s %L::interval)::text, 3)', a, op, b)),
  pg_temp.try(format('SELECT %L::interval %s %L::interval', a, op, b)) FROM cases;
WITH cases AS MATERIALIZED (
  SELECT (ARRAY['*', '/'])[1 + i % 2] AS op, pg_temp.span() AS a,
    CASE WHEN i % 3 = 0 THEN round((random() * 20 - 10)::numeric, 3)::float8 ELSE floor(random() * 40) END AS b FROM generate_series(1, 500) i)
SELECT op, substr(interval_send(a)::text, 3), b,
  pg_temp.try(format('SELECT substr(interval_send(%L::interval %s %L::float8)::text, 3)', a, op, b)),
  pg_temp.try(format('SELECT %L::interval %s %L::float8', a, op, b)) FROM cases;
\o

-- order: type, OID, collation, dense rank in the server's order, text, binary
CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok', 'happy', 'Ecstatic', 'a');
CREATE FUNCTION pg_temp.rank(type text, coll text, send text, list text[]) RETURNS TABLE (t text, o oid, c text, r bigint, v text, b text)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT %L::text, %L::regtype::oid, %L::text, dense_rank() OVER (ORDER BY x %s), replace(replace(replace(format(''%%s'', x), E''\\'', E''\\\\''), E''\n'', E''\\n''), E''\t'', E''\\t''), substr(%s(x)::text, 3)
     FROM (SELECT e::%s AS x FROM unnest(%L::text[]) e) s ORDER BY 4, 5',
    type, type, coll, CASE WHEN coll IN ('', 'default') THEN '' ELSE format('COLLATE %I', coll) END, send, type, list);
END $$;
CREATE FUNCTION pg_temp.words() RETURNS text[] LANGUAGE sql VOLATILE AS $$
  SELECT ARRAY['', 'a', 'A', 'b', 'B', 'ab', 'a b', 'a-b', 'aB', 'Ab', 'co-op', 'coop', 'CO-OP', 'co op', 'résumé', 'resume', 'Resume', 'Résumé', 'resumes',
    'ä', 'Ä', 'ae', 'az', 'z', 'zz', 'ß', 'ss', 'SS', 'ñ', 'n', 'nz', '1', '10', '2', '_', '-', ' ', '  a', 'a ', 'a  ', '日本', '日本語', 'Ж', 'ж', '😀', 'e' || U&'\0301', 'é',
    E'tab\there', 'ǆ', 'ﬁ', 'fi', 'Å', 'Å', 'I', 'ı', 'i', 'İ', U&'\0001', U&'\007F', U&'\FFFD', U&'\+0FFFFD']
  || (SELECT array_agg((SELECT string_agg(substr('abAB éÉ-_.1z', 1 + floor(random() * 12)::int, 1), '') FROM generate_series(1, 1 + i % 6) WHERE i > 0)) FROM generate_series(1, 120) i) $$;
\o order.tsv
SELECT r.* FROM (SELECT pg_temp.words() AS w) s,
  (VALUES ('text', 'C'), ('text', 'en-US-x-icu'), ('text', 'de-x-icu'), ('text', 'sv-x-icu')) k(type, coll),
  LATERAL pg_temp.rank(type, coll, 'textsend', w) r;
SELECT r.* FROM (SELECT pg_temp.words() AS w) s, LATERAL pg_temp.rank('varchar', 'und-x-icu', 'varcharsend', w[1:80]) r;
SELECT r.* FROM (SELECT pg_temp.words() AS w) s, unnest(ARRAY['C', 'en-US-x-icu']) coll, LATERAL pg_temp.rank('bpchar', coll, 'bpcharsend', w[1:90]) r;
SELECT r.* FROM (SELECT pg_temp.words() AS w) s, LATERAL pg_temp.rank('name', 'C', 'namesend', w[1:60]) r;
SELECT r.* FROM pg_temp.rank('bool', '', 'boolsend', '{t,f,t,f}') r;
SELECT r.* FROM pg_temp.rank('int2', '', 'int2send', '{0,1,-1,32767,-32768,255,256,-256,-257}') r;
SELECT r.* FROM pg_temp.rank('int4', '', 'int4send', '{0,1,-1,2147483647,-2147483648,255,256,65536,-65536,10,9}') r;
SELECT r.* FROM pg_temp.rank('int8', '', 'int8send', '{0,1,-1,9223372036854775807,-9223372036854775808,4294967296,-4294967297,10,9}') r;
SELECT r.* FROM pg_temp.rank('oid', '', 'oidsend', '{0,1,4294967295,2147483648,2147483647}') r;
SELECT r.* FROM pg_temp.rank('float4', '', 'float4send', '{0,-0,1,-1,NaN,Infinity,-Infinity,1e-45,-1e-45,3e38,-3e38,0.1}') r;
SELECT r.* FROM pg_temp.rank('float8', '', 'float8send', '{0,-0,1,-1,NaN,Infinity,-Infinity,5e-324,-5e-324,1e308,-1e308,0.1,0.1000000000000001}') r;
SELECT r.* FROM pg_temp.rank('numeric', '', 'numeric_send', (SELECT array_agg(pg_temp.number()::text) FROM generate_series(1, 250) i) || '{1.0,1.00,1,0,0.0,0.000,NaN,Infinity,-Infinity,10,10.0,100,1e2,-1.0,-1,-10000,-10000.0,-10001,0.0001,0.00010}'::text[]) r;
SELECT r.* FROM pg_temp.rank('"char"', '', 'charsend', ARRAY['a', 'b', '', 'A', '~', ' ']::text[]) r;
SELECT r.* FROM pg_temp.rank('bytea', '', 'byteasend', ARRAY['\x', '\x00', '\x0000', '\x0001', '\x00ff', '\x01', '\xff', '\xff00', '\xffff', '\x6100', '\x61', '\x610001', '\x6101', '\x61ff', '\xfe']) r;
SELECT r.* FROM pg_temp.rank('date', '', 'date_send', '{2000-01-01,1999-12-31,infinity,-infinity,0001-01-01,"4713-01-01 BC",9999-12-31,2024-02-29,5874897-12-31}') r;
SELECT r.* FROM pg_temp.rank('time', '', 'time_send', '{00:00,24:00,23:59:59.999999,12:34:56.7,12:34:56.70,00:00:00.000001}') r;
SELECT r.* FROM pg_temp.rank('timetz', '', 'timetz_send', '{00:00+00,01:00+01,23:00-01,12:00+00,12:00:00+05:30,06:30+00,24:00+00,12:00-08,12:00+15:59:59,12:00-15:59,00:00+13,13:00+01:00:01}') r;
SELECT r.* FROM pg_temp.rank('timestamp', '', 'timestamp_send', '{2000-01-01,"1999-12-31 23:59:59.999999",infinity,-infinity,"2024-02-29 12:00","0044-03-15 10:00 BC","294276-12-31 23:59:59.999999","0001-01-01 00:00:00"}') r;
SELECT r.* FROM pg_temp.rank('timestamptz', '', 'timestamptz_send', '{"2000-01-01 00:00+01","1999-12-31 23:00+00",infinity,"2024-02-29 12:00+05:30"}') r;
SELECT r.* FROM pg_temp.rank('interval', '', 'interval_send', (SELECT array_agg(pg_temp.span()::text) FROM generate_series(1, 60)) || '{1 mon,30 days,720:00,1 day,24:00,-1 mon,-30 days,0,1 mon -30 days,1 year,12 mons,360 days,365 days,178956970 years,-178956970 years,2562047788:00:54.775807}'::text[]) r;
SELECT r.* FROM pg_temp.rank('uuid', '', 'uuid_send', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,A0EEBC999C0B4EF8BB6D6BB9BD380A11,80000000-0000-0000-0000-000000000000,7fffffff-ffff-ffff-ffff-ffffffffffff}') r;
SELECT r.* FROM pg_temp.rank('money', '', 'cash_send', '{0,1,-1,0.01,92233720368547758.07,-92233720368547758.08}') r;
SELECT r.* FROM pg_temp.rank('pg_temp.mood', '', 'enum_send', '{sad,ok,happy,Ecstatic,a,ok}') r;
SELECT r.* FROM pg_temp.rank('int4[]', '', 'array_send', ARRAY['{}', '{1}', '{1,2}', '{1,NULL}', '{NULL}', '{NULL,NULL}', '{2}', '{{1,2}}', '{{1},{2}}', '{{1,2},{3,4}}', '{1,2,3,4}', '[0:1]={1,2}', '[2:3]={1,2}', '[-5:-4]={1,2}', '{{{1}}}', '{{{{{{1}}}}}}', '{-1}', '[0:0][3:4]={{1,2}}']) r;
SELECT r.* FROM unnest(ARRAY['C', 'en-US-x-icu']) coll, LATERAL pg_temp.rank('text[]', coll, 'array_send', ARRAY['{}', '{a}', '{A}', '{b}', '{"a b",c}', '{"NULL"}', '{NULL}', '{null}', '{""}', '{"a\"b"}', '{"a\\b"}', '{"{x}"}', '{"a,b"}', '{a,b}', '{ab}', '{"é"}', '{e}', '{"a "}', '{{a,b},{c,"d\"\\"}}']) r;
SELECT r.* FROM pg_temp.rank('numeric[]', '', 'array_send', ARRAY['{1.0}', '{1.00}', '{1,2}', '{1.0,2.0}', '{NaN}', '{NULL}', '{-1}', '{0}', '{}']) r;
SELECT r.* FROM pg_temp.rank('bpchar[]', 'C', 'array_send', ARRAY['{"a  "}', '{a}', '{"a b"}', '{""}', '{" "}']) r;
SELECT r.* FROM pg_temp.rank('timetz[]', '', 'array_send', ARRAY['{01:00+01,02:00+02}', '{00:00+00}', '{NULL}']) r;
SELECT r.* FROM pg_temp.rank('pg_temp.mood[]', '', 'array_send', ARRAY['{sad,ok}', '{sad}', '{a}', '{Ecstatic}', '{NULL}', '{}', '{happy,sad}']) r;
SELECT r.* FROM pg_temp.rank('jsonb', 'default', 'jsonb_send', ARRAY['null', 'true', 'false', '0', '-0', '1', '1.0', '1.00', '1e2', '100', '-1', '0.5', '""', '"a"', '"A"', '"b"', '"ab"', '"é"', '"a\nb"', '"q\"\\\/"', '"\u0001"', '"\ud83d\ude00"',
  '[]', '[[]]', '[null]', '[1]', '[1,2]', '[2]', '["a"]', '[{}]', '[[1],[2]]', '[[1,2]]', '[true,false]', '[false]', '[1,[2,[3,[4]]]]', '{}', '{"a":1}', '{"a":1.0}', '{"a":2}', '{"b":1}', '{"aa":1}', '{"a":1,"b":2}', '{"b":2,"a":1}', '{"a":null}', '{"a":{}}', '{"a":[]}', '{"a":{"b":{"c":[1,{"d":2}]}}}',
  '{"A":1}', '{"é":1}', '{"":1}', '[{"a":1},{"b":2}]', '["b","a"]', '["a","b"]', '[1,"1",true,null]']) r;
\o
\o server.tsv
SELECT 'version', current_setting('server_version');
SELECT collname, collprovider, coalesce(colliculocale, collcollate), coalesce(pg_collation_actual_version(oid), '') FROM pg_collation WHERE collname IN ('C', 'POSIX', 'en-US-x-icu', 'de-x-icu', 'sv-x-icu', 'und-x-icu');
SELECT 'default', datlocprovider, coalesce(daticulocale, datcollate), coalesce(pg_database_collation_actual_version(oid), '') FROM pg_database WHERE datname = current_database();
\o
