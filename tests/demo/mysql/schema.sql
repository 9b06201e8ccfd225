-- The tables of scripts/demo --mysql. Sent to Anabranch as to any MariaDB: it creates each on every shard.
CREATE TABLE airlines (
  id        BIGINT PRIMARY KEY,
  name      VARCHAR(100) COLLATE utf8mb4_bin NOT NULL,
  alias     VARCHAR(100),
  iata      VARCHAR(10),
  icao      VARCHAR(10),
  callsign  VARCHAR(100),
  country   VARCHAR(100) COLLATE utf8mb4_bin,
  active    CHAR(1)
);
CREATE TABLE routes (
  airline      VARCHAR(10),
  airline_id   BIGINT,
  source       VARCHAR(10),
  source_id    BIGINT,
  destination  VARCHAR(10),
  destination_id BIGINT,
  codeshare    VARCHAR(1),
  stops        INT,
  equipment    VARCHAR(100) COLLATE utf8mb4_bin,
  KEY routes_by_airline (airline_id)
);
CREATE TABLE airports (
  id        BIGINT PRIMARY KEY,
  name      VARCHAR(100) NOT NULL,
  city      VARCHAR(100),
  country   VARCHAR(100) COLLATE utf8mb4_bin,
  iata      VARCHAR(10),
  icao      VARCHAR(10),
  latitude  DOUBLE,
  longitude DOUBLE,
  altitude  INT,
  utc_offset DECIMAL(5,2),
  dst       VARCHAR(1),
  timezone  VARCHAR(60),
  type      VARCHAR(20),
  source    VARCHAR(20)
);
CREATE TABLE planes (name VARCHAR(100), iata VARCHAR(10), icao VARCHAR(10));
CREATE TABLE countries (name VARCHAR(100), iso_code VARCHAR(10), dafif_code VARCHAR(10));
CREATE TABLE hits (
  id        BIGINT,
  at        DATETIME,
  user_id   BIGINT,
  region    INT,
  os        INT,
  is_mobile BOOLEAN,
  duration  INT,
  url       VARCHAR(100) COLLATE utf8mb4_bin,
  KEY hits_by_user (user_id)
);
