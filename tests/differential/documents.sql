-- Tables that have one for each bucket on shards, and are one on a plain server. `names` says how they are called
-- there, `bucket` whose rows they have; below zero: all.
\set documents documents:names
\set revisions revisions:names
CREATE TABLE :documents (                  -- by_document: id
  id bigint PRIMARY KEY,
  title text NOT NULL,
  kind varchar(12),
  size integer,
  price numeric(8,2),
  made date
);
CREATE TABLE :revisions (                  -- by_document: document_id
  document_id bigint NOT NULL,
  revision integer NOT NULL,
  author text,
  note text,
  PRIMARY KEY (document_id, revision)
);
INSERT INTO :documents
  SELECT id, 'Document ' || id, CASE WHEN id % 5 <> 0 THEN (ARRAY['letter', 'Invoice', 'note', 'Ängste'])[1 + abs(id) % 4] END,
         CASE WHEN id % 7 <> 0 THEN abs(id) * 37 % 1000 END, round(id * 1.25, 2), DATE '2024-01-01' + (id * 11 % 400)::integer
  FROM generate_series(-5, 120) AS id WHERE :bucket < 0 OR (id & 15) = :bucket;
INSERT INTO :revisions
  SELECT id, n, (ARRAY['ann', 'bob', 'Čeněk'])[1 + (abs(id) + n) % 3], CASE WHEN n = 2 THEN 'second' END
  FROM generate_series(-3, 130) AS id, generate_series(1, 3) AS n
  WHERE n <= 1 + abs(id) % 3 AND id % 4 <> 1 AND (:bucket < 0 OR (id & 15) = :bucket);
