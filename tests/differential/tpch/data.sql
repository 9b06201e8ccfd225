-- Rows for the tables of TPC-H, the same for every run: numbers are hashes of the keys. `psql -v scale=0.01`; one server
-- makes them, the shards get copies. Distributions follow the specification's section 4.2 where queries look at them.
SET client_min_messages = error;
SELECT (:scale * 10000)::int AS suppliers, (:scale * 150000)::int AS customers, (:scale * 200000)::int AS parts,
       (:scale * 1500000)::int AS orders \gset

-- From 0 to n - 1.
CREATE FUNCTION pg_temp.pick(key bigint, seed int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
  'SELECT (hashint8extended(key, seed) & 9223372036854775807) % n';
CREATE FUNCTION pg_temp.word(words text[], key bigint, seed int) RETURNS text LANGUAGE sql IMMUTABLE AS
  'SELECT words[1 + (hashint8extended(key, seed) & 9223372036854775807) % cardinality(words)]';
CREATE FUNCTION pg_temp.address(key bigint, seed int) RETURNS text LANGUAGE sql IMMUTABLE AS
  'SELECT left(md5(key::text || seed), 10 + ((hashint8extended(key, seed) & 1048575) % 23)::int)';
CREATE FUNCTION pg_temp.phone(nation bigint, key bigint, seed int) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$SELECT (nation + 10) || '-' || to_char(100 + pg_temp.pick(key, seed, 900), 'FM000') || '-' ||
           to_char(100 + pg_temp.pick(key, seed + 1, 900), 'FM000') || '-' || to_char(1000 + pg_temp.pick(key, seed + 2, 9000), 'FM0000')$$;
CREATE FUNCTION pg_temp.prose(key bigint, seed int, words int) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$SELECT string_agg(pg_temp.word('{quick,silent,bold,pending,regular,express,special,final,ironic,even,careful,furious,
      deposits,requests,packages,accounts,instructions,foxes,ideas,theodolites,pinto,beans,platelets,asymptotes,
      sleep,wake,haggle,nag,use,boost,affix,detect,integrate,among,across,above,against,along,the,slyly}'::text[],
      key * 16 + i, seed), ' ') FROM generate_series(1, words) i$$;

INSERT INTO region SELECT i - 1, (ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[i], pg_temp.prose(i, 1, 6)
FROM generate_series(1, 5) i;

INSERT INTO nation SELECT row_number() OVER () - 1, name, region, pg_temp.prose(row_number() OVER (), 2, 6)
FROM (VALUES ('ALGERIA', 0), ('ARGENTINA', 1), ('BRAZIL', 1), ('CANADA', 1), ('EGYPT', 4), ('ETHIOPIA', 0), ('FRANCE', 3),
  ('GERMANY', 3), ('INDIA', 2), ('INDONESIA', 2), ('IRAN', 4), ('IRAQ', 4), ('JAPAN', 2), ('JORDAN', 4), ('KENYA', 0),
  ('MOROCCO', 0), ('MOZAMBIQUE', 0), ('PERU', 1), ('CHINA', 2), ('ROMANIA', 3), ('SAUDI ARABIA', 4), ('VIETNAM', 2),
  ('RUSSIA', 3), ('UNITED KINGDOM', 3), ('UNITED STATES', 1)) AS n (name, region);

INSERT INTO supplier
SELECT i, 'Supplier#' || to_char(i, 'FM000000000'), pg_temp.address(i, 10), nation, pg_temp.phone(nation, i, 11),
       (pg_temp.pick(i, 14, 1099999) - 99999) / 100.0,
       CASE pg_temp.pick(i, 15, 50) WHEN 0 THEN 'sly Customer sleeps, Complaints wake ' WHEN 1 THEN 'bold Customer Recommends ' ELSE '' END
         || pg_temp.prose(i, 16, 5)
FROM (SELECT i, pg_temp.pick(i, 17, 25) AS nation FROM generate_series(1, :suppliers) i) s;

INSERT INTO customer
SELECT i, 'Customer#' || to_char(i, 'FM000000000'), pg_temp.address(i, 20), nation, pg_temp.phone(nation, i, 21),
       (pg_temp.pick(i, 24, 1099999) - 99999) / 100.0,
       pg_temp.word('{AUTOMOBILE,BUILDING,FURNITURE,MACHINERY,HOUSEHOLD}', i, 25), pg_temp.prose(i, 26, 8)
FROM (SELECT i, pg_temp.pick(i, 27, 25) AS nation FROM generate_series(1, :customers) i) c;

INSERT INTO part
SELECT i, (SELECT string_agg(pg_temp.word('{almond,antique,aquamarine,azure,beige,bisque,black,blanched,blue,blush,brown,burlywood,
         burnished,chartreuse,chiffon,chocolate,coral,cornflower,cornsilk,cream,cyan,dark,deep,dim,dodger,drab,firebrick,floral,
         forest,frosted,gainsboro,ghost,goldenrod,green,grey,honeydew,hot,indian,ivory,khaki,lace,lavender,lawn,lemon,light,lime,
         linen,magenta,maroon,medium,metallic,midnight,mint,misty,moccasin,navajo,navy,olive,orange,orchid,pale,papaya,peach,peru,
         pink,plum,powder,puff,purple,red,rose,rosy,royal,saddle,salmon,sandy,seashell,sienna,sky,slate,smoke,snow,spring,steel,
         tan,thistle,tomato,turquoise,violet,wheat,white,yellow}'::text[], i * 8 + w, 30), ' ') FROM generate_series(1, 5) w),
       'Manufacturer#' || maker, 'Brand#' || maker || 1 + pg_temp.pick(i, 31, 5),
       pg_temp.word('{STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO}', i, 32) || ' ' ||
         pg_temp.word('{ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED}', i, 33) || ' ' ||
         pg_temp.word('{TIN,NICKEL,BRASS,STEEL,COPPER}', i, 34),
       1 + pg_temp.pick(i, 35, 50),
       pg_temp.word('{SM,LG,MED,JUMBO,WRAP}', i, 36) || ' ' || pg_temp.word('{CASE,BOX,BAG,JAR,PKG,PACK,CAN,DRUM}', i, 37),
       (90000 + (i / 10) % 20001 + 100 * (i % 1000)) / 100.0, left(pg_temp.prose(i, 38, 3), 23)
FROM (SELECT i, 1 + pg_temp.pick(i, 39, 5) AS maker FROM generate_series(1, :parts) i) p;

INSERT INTO partsupp
SELECT i, (i + n * (:suppliers / 4 + (i - 1) / :suppliers)) % :suppliers + 1, 1 + pg_temp.pick(i * 4 + n, 40, 9999),
       (100 + pg_temp.pick(i * 4 + n, 41, 99901)) / 100.0, pg_temp.prose(i * 4 + n, 42, 12)
FROM generate_series(1, :parts) i, generate_series(0, 3) n;

-- Eight keys of 32 are used; a third of the customers has no orders.
INSERT INTO lineitem
SELECT o, part, (part + pg_temp.pick(line, 50, 4) * (:suppliers / 4 + (part - 1) / :suppliers)) % :suppliers + 1, n, quantity,
       quantity * (90000 + (part / 10) % 20001 + 100 * (part % 1000)) / 100.0, pg_temp.pick(line, 51, 11) / 100.0,
       pg_temp.pick(line, 52, 9) / 100.0,
       CASE WHEN received > '1995-06-17' THEN 'N' WHEN pg_temp.pick(line, 53, 2) = 0 THEN 'R' ELSE 'A' END,
       CASE WHEN shipped > '1995-06-17' THEN 'O' ELSE 'F' END, shipped,
       ordered + (30 + pg_temp.pick(line, 54, 61))::int, received,
       pg_temp.word('{DELIVER IN PERSON,COLLECT COD,NONE,TAKE BACK RETURN}', line, 55),
       pg_temp.word('{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}', line, 56), left(pg_temp.prose(line, 57, 4), 44)
FROM (SELECT o, n, o * 8 + n AS line, ordered, 1 + pg_temp.pick(o * 8 + n, 58, :parts) AS part, 1 + pg_temp.pick(o * 8 + n, 59, 50) AS quantity,
             ordered + (1 + pg_temp.pick(o * 8 + n, 60, 121))::int AS shipped,
             ordered + (2 + pg_temp.pick(o * 8 + n, 60, 121) + pg_temp.pick(o * 8 + n, 61, 30))::int AS received
      FROM (SELECT o, date '1992-01-01' + pg_temp.pick(o, 62, 2406)::int AS ordered, 1 + pg_temp.pick(o, 63, 7) AS lines
            FROM (SELECT i / 8 * 32 + i % 8 AS o FROM generate_series(1, :orders) i) k) o, generate_series(1, lines) n) l;

INSERT INTO orders
SELECT o, pg_temp.pick(o, 70, :customers / 3) * 3 + 1 + pg_temp.pick(o, 71, 2),
       CASE WHEN open = 0 THEN 'F' WHEN open = lines THEN 'O' ELSE 'P' END, price, date '1992-01-01' + pg_temp.pick(o, 62, 2406)::int,
       pg_temp.word('{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}', o, 72),
       'Clerk#' || to_char(1 + pg_temp.pick(o, 73, 1000), 'FM000000000'), 0,
       left(CASE pg_temp.pick(o, 74, 90) WHEN 0 THEN 'special packages, pending requests ' ELSE '' END || pg_temp.prose(o, 75, 6), 79)
FROM (SELECT l_orderkey AS o, count(*) AS lines, count(*) FILTER (WHERE l_linestatus = 'O') AS open,
             sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS price
      FROM lineitem GROUP BY l_orderkey) l;
