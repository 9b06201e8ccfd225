-- Types are made on each server itself, before the tables: their OIDs differ between shards on purpose.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'Ecstatic');
CREATE FUNCTION opaque_double(n bigint) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT n * 2';
CREATE FUNCTION pure_double(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE COLLATION case_blind (provider = icu, locale = 'en-u-ks-level2', deterministic = false);
