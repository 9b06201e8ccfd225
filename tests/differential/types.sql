-- Types are made on each server itself, before the tables: their OIDs differ between shards on purpose.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'Ecstatic');
CREATE DOMAIN feeling AS mood CHECK (VALUE <> 'Ecstatic');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE stay AS (place text, felt mood, days positive);
CREATE TYPE trip AS (title text, stays stay[], last stay);
CREATE TYPE mood_range AS RANGE (subtype = mood);
CREATE TYPE stay_range AS RANGE (subtype = stay);
CREATE DOMAIN stays AS stay[];
CREATE FUNCTION opaque_double(n bigint) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT n * 2';
CREATE FUNCTION pure_double(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE COLLATION case_blind (provider = icu, locale = 'en-u-ks-level2', deterministic = false);
CREATE COLLATION natural_order (provider = icu, locale = 'en@colNumeric=yes');
CREATE COLLATION phone_book (provider = icu, locale = 'de-u-co-phonebk');
CREATE DOMAIN drawn AS float8 DEFAULT random();
-- Names of pg_catalog with other meanings.
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.next_to(a bigint, b bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a OPERATOR(pg_catalog.=) (b OPERATOR(pg_catalog.#) 1)';
CREATE FUNCTION shadow.next_to(a bigint, b integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a OPERATOR(pg_catalog.=) (b OPERATOR(pg_catalog.#) 1)';
CREATE FUNCTION shadow.next_to(a bigint, b numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a OPERATOR(pg_catalog.=) (b OPERATOR(pg_catalog.+) 1)';
CREATE FUNCTION shadow.over(a bigint, b integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a OPERATOR(pg_catalog.>) b';
CREATE FUNCTION shadow.less(a bigint, b integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT a OPERATOR(pg_catalog.-) b';
CREATE OPERATOR shadow.= (FUNCTION = shadow.next_to, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR shadow.= (FUNCTION = shadow.next_to, LEFTARG = bigint, RIGHTARG = integer);
CREATE OPERATOR shadow.= (FUNCTION = shadow.next_to, LEFTARG = bigint, RIGHTARG = numeric);
CREATE OPERATOR shadow.< (FUNCTION = shadow.over, LEFTARG = bigint, RIGHTARG = integer);
CREATE OPERATOR shadow.+ (FUNCTION = shadow.less, LEFTARG = bigint, RIGHTARG = integer);
CREATE AGGREGATE shadow.sum(smallint) (SFUNC = int2_sum, STYPE = bigint, INITCOND = '1000');
