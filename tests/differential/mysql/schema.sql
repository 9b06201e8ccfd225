-- The tables of MySQL's differential tests. map.yaml.in says where each one's rows live.
-- The database's collation is utf8mb4_general_ci; others are named where they matter.

CREATE TABLE users (                       -- by_user: id
  id BIGINT PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  email VARCHAR(60) COLLATE utf8mb4_bin,
  city VARCHAR(40) COLLATE utf8mb4_unicode_ci,
  handle VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
  nick CHAR(20),
  country CHAR(2) COLLATE utf8mb4_bin,
  mood ENUM('sad', 'ok', 'happy', 'Ecstatic'),
  interests SET('art', 'music', 'rock', 'sport'),
  age INT UNSIGNED,
  score DECIMAL(10,2),
  active TINYINT(1),
  joined DATE,
  seen DATETIME(6),
  alarm TIME,
  born YEAR,
  profile JSON,
  avatar BLOB,
  bits BIT(10),
  KEY by_city (city)
);

CREATE TABLE orders (                      -- by_user: user_id
  user_id BIGINT NOT NULL,
  order_no INT NOT NULL,
  placed_at DATETIME NOT NULL,
  status VARCHAR(12) COLLATE utf8mb4_bin,
  amount DECIMAL(12,2),
  discount DECIMAL(20,6),
  weight DOUBLE,
  ratio FLOAT,
  quantity SMALLINT,
  flags INT UNSIGNED NOT NULL DEFAULT 0,
  currency CHAR(3),
  note TEXT,
  PRIMARY KEY (user_id, order_no),
  KEY by_status (status)
);

CREATE TABLE order_items (                 -- by_user: user_id
  user_id BIGINT NOT NULL,
  order_no INT NOT NULL,
  item_no INT NOT NULL,
  sku VARCHAR(20) COLLATE utf8mb4_unicode_ci,
  price DECIMAL(18,4),
  pieces INT UNSIGNED,
  PRIMARY KEY (user_id, order_no, item_no)
);

CREATE TABLE events (                      -- by_month: toYYYYMM(created_at)
  id BIGINT NOT NULL,
  created_at DATETIME NOT NULL,
  kind VARCHAR(20) NOT NULL,
  value INT,
  payload JSON,
  KEY (created_at)
);

CREATE TABLE measurements (                -- by_sensor: sensor (may be NULL)
  sensor BIGINT,
  seq INT NOT NULL,
  temperature DOUBLE,
  humidity FLOAT,
  `precise` DECIMAL(40,20),
  big BIGINT UNSIGNED,
  small TINYINT,
  moment TIMESTAMP(3) NULL DEFAULT NULL,
  lag_time TIME(3)
);

CREATE TABLE kinds (                       -- by_sensor: k; every type, with its extremes
  k BIGINT PRIMARY KEY,
  ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT, i INT, iu INT UNSIGNED,
  bi BIGINT, bu BIGINT UNSIGNED,
  d0 DECIMAL(10,0), d DECIMAL(30,10), f FLOAT, g DOUBLE,
  bt BIT(8),
  dt DATE, tm TIME(2), dtm DATETIME(6), ts TIMESTAMP NULL DEFAULT NULL, y YEAR,
  c CHAR(10), vc VARCHAR(20), vl VARCHAR(20) CHARACTER SET latin1, vu VARCHAR(20) COLLATE utf8mb4_unicode_ci,
  bn BINARY(4), vb VARBINARY(10), tx TEXT, bl BLOB,
  e ENUM('z', 'y', 'x'), s SET('c', 'b', 'a'), j JSON
);

CREATE TABLE tags (                        -- by_tag: tag
  tag VARCHAR(30) COLLATE utf8mb4_bin PRIMARY KEY,
  uses INT,
  parent VARCHAR(30) COLLATE utf8mb4_bin
);

CREATE TABLE places (                      -- by_country: country (a list)
  country CHAR(2) COLLATE utf8mb4_bin NOT NULL,
  place VARCHAR(40) COLLATE utf8mb4_unicode_ci NOT NULL,
  people INT,
  PRIMARY KEY (country, place)
);

CREATE TABLE logins (                      -- by_login: user_id
  user_id INT UNSIGNED NOT NULL,
  at TIMESTAMP NOT NULL,
  ok TINYINT(1)
);

CREATE TABLE shelves (                     -- by_shelf: warehouse and sku, either may be NULL
  warehouse INT,
  sku VARCHAR(20) COLLATE utf8mb4_bin,
  amount INT,
  price DECIMAL(10,2),
  UNIQUE KEY shelf (warehouse, sku)
);

CREATE TABLE moves (                       -- by_shelf: warehouse and sku
  sku VARCHAR(20) COLLATE utf8mb4_bin NOT NULL,
  warehouse BIGINT NOT NULL,
  move_no INT NOT NULL,
  quantity INT,
  at DATE,
  PRIMARY KEY (warehouse, sku, move_no)
);

CREATE TABLE tenancies (                   -- on the default shard: where the rows of by_tenant live
  `key` VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY,
  shard VARCHAR(20) NOT NULL
);

CREATE TABLE accounts (                    -- by_tenant: tenant
  tenant VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  id INT NOT NULL,
  balance DECIMAL(10,2),
  note VARCHAR(50),
  PRIMARY KEY (tenant, id)
);

CREATE TABLE invoices (                    -- by_tenant: tenant
  tenant VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  id INT NOT NULL,
  account INT NOT NULL,
  amount DECIMAL(10,2),
  PRIMARY KEY (tenant, id)
);

CREATE TABLE countries (                   -- reference
  code CHAR(2) COLLATE utf8mb4_bin PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  continent VARCHAR(20),
  people BIGINT UNSIGNED
);

CREATE TABLE currencies (                  -- reference
  code CHAR(3) PRIMARY KEY,
  name VARCHAR(30) NOT NULL,
  rate DECIMAL(10,4)
);

CREATE TABLE audit_log (                   -- whole, on one shard
  id BIGINT PRIMARY KEY,
  actor VARCHAR(20),
  action VARCHAR(40)
);

CREATE TABLE notes (                       -- not in the map: on the default shard
  id INT AUTO_INCREMENT PRIMARY KEY,
  body VARCHAR(200),
  stars TINYINT UNSIGNED DEFAULT 3
);

CREATE TABLE stock (                       -- not in the map
  item VARCHAR(20) PRIMARY KEY,
  amount INT NOT NULL CHECK (amount >= 0),
  price DECIMAL(8,2),
  UNIQUE KEY by_price (price)
);

CREATE VIEW big_orders AS SELECT user_id, order_no, amount, status FROM orders WHERE amount > 500;
CREATE FUNCTION pure_double(n BIGINT) RETURNS BIGINT DETERMINISTIC NO SQL RETURN n * 2;
CREATE PROCEDURE list_notes() SELECT id, body FROM notes ORDER BY id;
DELIMITER //
CREATE PROCEDURE two_answers() BEGIN SELECT 1 AS one; SELECT 'two' AS two, 2.50 AS half; END //
CREATE PROCEDURE doubled(IN n INT, OUT result INT) SET result = n * 2 //
DELIMITER ;
