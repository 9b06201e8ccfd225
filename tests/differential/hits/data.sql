-- Two million page views times :scale, the same for every run. Few counters, phrases and pages have most of them.
SET client_min_messages = error;
SELECT (:scale * 2000000)::int AS rows \gset

-- From 0 to n - 1, evenly; and so that small numbers are frequent.
CREATE FUNCTION pg_temp.pick(key bigint, seed int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
  'SELECT (hashint8extended(key, seed) & 9223372036854775807) % n';
CREATE FUNCTION pg_temp.skew(key bigint, seed int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
  'SELECT pg_temp.pick(key, seed, n) * pg_temp.pick(key, seed + 1000, n) / n * pg_temp.pick(key, seed + 2000, n) / n';

INSERT INTO hits
SELECT i::bigint * 1000003, 1 + pg_temp.skew(i, 1, 4000), counter, at, at::date, pg_temp.skew(i, 4, 3000)::int - 1500, pg_temp.skew(i, 5, 200),
       pg_temp.pick(i, 6, 40), (pg_temp.pick(i, 7, 10) = 0)::int, mobile, (pg_temp.pick(i, 9, 8) = 0)::int, (pg_temp.pick(i, 10, 60) = 0)::int,
       (ARRAY[1024, 1280, 1366, 1440, 1600, 1920, 0])[1 + pg_temp.pick(i, 11, 7)], 300 + pg_temp.pick(i, 12, 1600), 200 + pg_temp.pick(i, 13, 900),
       pg_temp.pick(i, 14, 10) - 1, CASE WHEN searched THEN pg_temp.skew(i, 15, 90) + 1 ELSE 0 END,
       CASE WHEN pg_temp.pick(i, 16, 30) = 0 THEN 1 + pg_temp.skew(i, 17, 40) ELSE 0 END,
       CASE WHEN mobile = 1 THEN (ARRAY['', 'iPad', 'iPhone 5', 'Nexus', 'Lumia', 'Xperia', 'GT-I9500'])[1 + pg_temp.pick(i, 18, 7)] ELSE '' END,
       CASE WHEN searched THEN (ARRAY['weather', 'train times', 'погода', 'recipes', 'cinema', 'Straße', 'news'])[1 + pg_temp.pick(i, 19, 7)]
         || CASE WHEN pg_temp.pick(i, 20, 3) = 0 THEN ' ' || pg_temp.skew(i, 21, 500) ELSE '' END ELSE '' END,
       CASE pg_temp.pick(i, 22, 6) WHEN 0 THEN '' WHEN 1 THEN 'Google: page ' || pg_temp.skew(i, 23, 100) ELSE 'Page ' || pg_temp.skew(i, 24, 800) END,
       page, CASE pg_temp.pick(i, 25, 4) WHEN 0 THEN '' WHEN 1 THEN 'https://www.search' || pg_temp.pick(i, 26, 5) || '.example/?q=' || pg_temp.skew(i, 27, 300)
         ELSE 'http://site' || pg_temp.skew(i, 28, 90) || '.example/from/' || pg_temp.skew(i, 29, 50) END
FROM (SELECT i, 1 + pg_temp.skew(i, 30, 100)::int AS counter, timestamp '2013-07-01' + pg_temp.pick(i, 31, 2678400) * interval '1 second' AS at,
             (pg_temp.pick(i, 32, 5) = 0)::int AS mobile, pg_temp.pick(i, 33, 4) = 0 AS searched,
             CASE pg_temp.pick(i, 34, 12) WHEN 0 THEN '' WHEN 1 THEN 'http://www.google.example/' || pg_temp.skew(i, 35, 200)
               ELSE 'http://site' || pg_temp.skew(i, 36, 60) || '.example/p' || pg_temp.skew(i, 37, 900) END AS page
      FROM generate_series(1, :rows) i) h;
