-- The tables of scripts/demo. Sent to Anabranch as to any PostgreSQL: it creates each on every shard.
CREATE TABLE airlines (
  id        bigint PRIMARY KEY,
  name      text NOT NULL COLLATE "C",
  alias     text,
  iata      text,
  icao      text,
  callsign  text,
  country   text COLLATE "C",
  active    text
);
CREATE TABLE routes (
  airline      text,
  airline_id   bigint,
  source       text,
  source_id    bigint,
  destination  text,
  destination_id bigint,
  codeshare    text,
  stops        integer,
  equipment    text COLLATE "C"
);
CREATE INDEX routes_by_airline ON routes (airline_id);
CREATE TABLE airports (
  id        bigint PRIMARY KEY,
  name      text NOT NULL,
  city      text,
  country   text COLLATE "C",
  iata      text,
  icao      text,
  latitude  double precision,
  longitude double precision,
  altitude  integer,
  utc_offset numeric,
  dst       text,
  timezone  text,
  type      text,
  source    text
);
CREATE TABLE planes (name text COLLATE "C", iata text COLLATE "C", icao text);
CREATE TABLE countries (name text, iso_code text, dafif_code text);
CREATE TABLE hits (
  id        bigint,
  at        timestamp,
  user_id   bigint,
  region    integer,
  os        integer,
  is_mobile boolean,
  duration  integer,
  url       text COLLATE "C"
);
