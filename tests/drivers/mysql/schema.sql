-- The tables of the MySQL driver suites, made anew for each.
SET foreign_key_checks = 0;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS customers;
DROP TABLE IF EXISTS samples;
DROP TABLE IF EXISTS documents;
DROP TABLE IF EXISTS countries;
DROP TABLE IF EXISTS notes;
SET foreign_key_checks = 1;

CREATE TABLE countries (                 -- on every shard
  code CHAR(2) PRIMARY KEY,
  name VARCHAR(40) NOT NULL
);

CREATE TABLE customers (                 -- by id
  id BIGINT PRIMARY KEY,
  name VARCHAR(60) NOT NULL,
  country CHAR(2),
  balance DECIMAL(12,2) NOT NULL DEFAULT 0,
  feeling ENUM('sad','ok','happy') DEFAULT 'ok',
  seen DATETIME(6),
  FOREIGN KEY (country) REFERENCES countries (code)
);

CREATE TABLE orders (                    -- by customer_id, beside the customers
  customer_id BIGINT NOT NULL,
  order_no INT NOT NULL,
  placed DATE,
  amount DECIMAL(10,2) NOT NULL CHECK (amount >= 0),
  state VARCHAR(10) NOT NULL DEFAULT 'new',
  PRIMARY KEY (customer_id, order_no),
  KEY orders_placed (placed),
  FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
);

CREATE TABLE samples (                   -- by id: a column of each type
  id BIGINT PRIMARY KEY,
  tiny TINYINT,
  small SMALLINT UNSIGNED,
  middle MEDIUMINT,
  whole INT UNSIGNED ZEROFILL,
  large BIGINT,
  larger BIGINT UNSIGNED,
  exact DECIMAL(30,10),
  single FLOAT,
  twice DOUBLE,
  flag BOOLEAN,
  bits BIT(10),
  years YEAR,
  day DATE,
  clock TIME(3),
  moment DATETIME(6),
  stamp TIMESTAMP NULL,
  fixed CHAR(5),
  body VARCHAR(100),
  exactly VARCHAR(20) COLLATE utf8mb4_bin,
  raw BINARY(4),
  bytes VARBINARY(20),
  letter LONGTEXT,
  photo MEDIUMBLOB,
  feeling ENUM('sad','ok','happy'),
  colours SET('red','green','blue'),
  doc JSON,
  place POINT,
  token UUID,
  address INET6
);

CREATE TABLE documents (                 -- by id
  id BIGINT PRIMARY KEY,
  title VARCHAR(200),
  body LONGBLOB
);

CREATE TABLE notes (                     -- on the default shard
  id INT AUTO_INCREMENT PRIMARY KEY,
  body VARCHAR(100) UNIQUE,
  made TIMESTAMP NOT NULL DEFAULT current_timestamp()
);

INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France'), ('JP', 'Japan');
