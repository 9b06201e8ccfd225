-- The queries of scripts/demo: a line `-- TITLE`, then one statement.

-- One airline by its key: one shard is asked, the others never hear of it.
SELECT id, name, country, callsign FROM airlines WHERE id = 24;

-- The routes of one airline, with the names of the airports: a co-located and a reference table.
SELECT r.source, s.city AS from_city, r.destination, d.city AS to_city
  FROM routes r JOIN airports s ON s.id = r.source_id JOIN airports d ON d.id = r.destination_id
 WHERE r.airline_id = 24 ORDER BY r.source, r.destination LIMIT 5;

-- How many airlines, routes without an airline, and hits? Each shard counts, the counts are added.
SELECT count(*) AS routes, count(airline_id) AS with_airline, count(*) FILTER (WHERE airline_id IS NULL) AS without
  FROM routes;

-- The countries with most airlines in service.
SELECT country, count(*) AS airlines FROM airlines WHERE active = 'Y'
 GROUP BY country ORDER BY airlines DESC, country LIMIT 8;

-- The busiest airlines: routes and airlines live together, so they are joined on their shards.
SELECT a.name, a.country, count(*) AS routes, count(DISTINCT r.destination_id) AS destinations
  FROM airlines a JOIN routes r ON r.airline_id = a.id
 GROUP BY a.id, a.name, a.country ORDER BY routes DESC, a.name LIMIT 8;

-- Airlines without a single route: the LEFT JOIN keeps them.
SELECT count(*) AS airlines, count(*) FILTER (WHERE r.n IS NULL) AS without_routes
  FROM airlines a LEFT JOIN (SELECT airline_id, count(*) AS n FROM routes GROUP BY airline_id) r ON r.airline_id = a.id;

-- Average distances by aircraft (great circle, km): the average is divided once, after the merge.
SELECT r.equipment, count(*) AS routes,
       avg(2 * 6371 * asin(sqrt(sin(radians(d.latitude - s.latitude) / 2) ^ 2
           + cos(radians(s.latitude)) * cos(radians(d.latitude)) * sin(radians(d.longitude - s.longitude) / 2) ^ 2))) AS km
  FROM routes r JOIN airports s ON s.id = r.source_id JOIN airports d ON d.id = r.destination_id
 GROUP BY r.equipment HAVING count(*) > 700 ORDER BY km DESC;

-- HAVING is asked of whole groups, never of a shard's part of one.
SELECT d.country, count(*) AS arrivals, count(DISTINCT r.airline_id) AS airlines
  FROM routes r JOIN airports d ON d.id = r.destination_id
 GROUP BY d.country HAVING count(*) > 2000 AND count(DISTINCT r.airline_id) > 60 ORDER BY arrivals DESC;

-- A million hits by region: sums, an exact numeric average and distinct users, all at once.
SELECT region, count(*) AS hits, count(DISTINCT user_id) AS users, round(avg(duration), 2) AS seconds, max(at) AS latest
  FROM hits GROUP BY region ORDER BY hits DESC, region LIMIT 6;

-- Spread of durations by system: standard deviations are combined, not averaged.
SELECT os, is_mobile, count(*) AS hits, round(stddev_samp(duration), 3) AS deviation
  FROM hits GROUP BY os, is_mobile ORDER BY os, is_mobile;

-- The slowest pages, from the 11th on: each shard sorts, the streams are merged.
SELECT url, duration FROM hits ORDER BY duration DESC, url, id LIMIT 5 OFFSET 10;

-- What cannot be proved right is refused, with the clause and a way out.
SELECT a.name, b.name FROM airlines a JOIN airlines b ON a.country = b.country AND a.id < b.id;
