-- The tables of the differential tests. map.yaml.in says where each one's rows live.
-- Default collation is ICU en-US; other collations are named where they matter.

CREATE TABLE users (                       -- by_user: id
  id bigint PRIMARY KEY,
  name text NOT NULL,
  email text COLLATE "C",
  city text COLLATE "de-x-icu",
  handle text COLLATE "C.utf8",
  nick varchar(20),
  country char(2),
  mood mood,
  age integer,
  score numeric(10,2),
  active boolean,
  joined date,
  seen timestamptz,
  nap interval,
  alarm timetz,
  interests text[],
  profile jsonb,
  avatar bytea
);

CREATE TABLE orders (                      -- by_user: user_id
  user_id bigint NOT NULL,
  order_no integer NOT NULL,
  placed_at timestamp NOT NULL,
  status text COLLATE "C",
  amount numeric(12,2),
  discount numeric,
  weight float8,
  ratio float4,
  quantity smallint,
  flags integer,
  currency char(3),
  note text,
  PRIMARY KEY (user_id, order_no)
);

CREATE TABLE order_items (                 -- by_user: user_id
  user_id bigint NOT NULL,
  order_no integer NOT NULL,
  item_no integer NOT NULL,
  sku text,
  price numeric,
  pieces integer,
  PRIMARY KEY (user_id, order_no, item_no)
);

CREATE TABLE events (                      -- by_month: toYYYYMM(created_at)
  id bigint NOT NULL,
  created_at timestamp NOT NULL,
  kind text NOT NULL,
  value integer,
  payload jsonb
);

CREATE TABLE measurements (                -- by_sensor: sensor (may be NULL)
  sensor bigint,
  seq integer NOT NULL,
  weird float8,                            -- NaN, infinities, -0
  temperature float8,
  humidity float4,
  precise numeric(40,20),
  loose numeric                            -- equal values in several spellings; NaN
);

CREATE TABLE tags (                        -- by_tag: tag
  tag text PRIMARY KEY,
  uses integer,
  parent text
);

CREATE TABLE places (                      -- by_country: country (a list)
  country text NOT NULL,
  place text COLLATE "de-x-icu" NOT NULL,
  people integer,
  PRIMARY KEY (country, place)
);

CREATE TABLE docs (                        -- by_doc: id
  id uuid PRIMARY KEY,
  title text NOT NULL,
  pages integer,
  span interval,
  body bytea,
  labels integer[]
);

CREATE TABLE logins (                      -- by_login: user_id (pg_hash)
  user_id integer NOT NULL,
  at timestamptz NOT NULL,
  ok boolean
);

CREATE TABLE shelves (                     -- by_shelf: warehouse and sku, either may be NULL
  warehouse integer,
  sku text,
  amount integer,
  price numeric(10,2),
  UNIQUE (warehouse, sku)
);

CREATE TABLE moves (                       -- by_shelf: warehouse and sku
  sku varchar(20) NOT NULL,
  warehouse bigint NOT NULL,
  move_no integer NOT NULL,
  quantity integer,
  at date,
  PRIMARY KEY (warehouse, sku, move_no)
);

CREATE TABLE tenancies (                   -- on the default shard: where the rows of by_tenant live
  key text PRIMARY KEY,
  shard text NOT NULL
);

CREATE TABLE accounts (                    -- by_tenant: tenant
  tenant text NOT NULL,
  id integer NOT NULL,
  balance numeric(10,2),
  note text,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE invoices (                    -- by_tenant: tenant
  tenant varchar(20) NOT NULL,
  id integer NOT NULL,
  account integer NOT NULL,
  amount numeric(10,2),
  PRIMARY KEY (tenant, id)
);

CREATE TABLE countries (                   -- reference
  code char(2) PRIMARY KEY,
  name text NOT NULL,
  continent text,
  people bigint
);

CREATE TABLE currencies (                  -- reference
  code char(3) PRIMARY KEY,
  name text NOT NULL,
  rate numeric
);

CREATE TABLE audit_log (                   -- whole, on one shard
  id bigint PRIMARY KEY,
  actor text,
  action text
);

CREATE TABLE notes (                       -- not in the map: on the default shard
  id integer PRIMARY KEY,
  body text
);
