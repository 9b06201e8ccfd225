-- The tables of the driver suites, made anew for each; proxy.yaml.in says where their rows live.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS customers;
DROP TABLE IF EXISTS samples;
DROP TABLE IF EXISTS documents;
DROP TABLE IF EXISTS countries;
DROP TABLE IF EXISTS notes;
DROP TYPE IF EXISTS mood;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');

CREATE TABLE countries (                 -- on every shard
  code text PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE customers (                 -- by id
  id bigint PRIMARY KEY,
  name text NOT NULL,
  country text,
  balance numeric(12,2) NOT NULL DEFAULT 0,
  feeling mood DEFAULT 'ok',
  seen timestamptz,
  FOREIGN KEY (country) REFERENCES countries (code)
);

CREATE TABLE orders (                    -- by customer_id, beside the customers
  customer_id bigint NOT NULL,
  order_no integer NOT NULL,
  placed date,
  amount numeric(10,2) NOT NULL CHECK (amount >= 0),
  state text NOT NULL DEFAULT 'new',
  PRIMARY KEY (customer_id, order_no),
  FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
);
CREATE INDEX orders_placed ON orders (placed);

CREATE TABLE samples (                   -- by id: a column of each common type
  id bigint PRIMARY KEY,
  small smallint,
  whole integer,
  large bigint,
  exact numeric,
  single real,
  double double precision,
  flag boolean,
  body text,
  short varchar(20),
  fixed char(5),
  raw bytea,
  day date,
  moment timestamp,
  instant timestamptz,
  clock time,
  span interval,
  token uuid,
  doc json,
  docb jsonb,
  numbers integer[],
  words text[],
  feeling mood,
  feelings mood[],
  address inet
);

CREATE TABLE documents (                 -- by id
  id uuid PRIMARY KEY,
  title text,
  meta jsonb
);

CREATE TABLE notes (                     -- on the default shard
  id serial PRIMARY KEY,
  body text UNIQUE,
  made timestamptz NOT NULL DEFAULT now()
);

INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France'), ('JP', 'Japan');
