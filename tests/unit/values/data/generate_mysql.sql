-- Records what a MariaDB server answers, for the tests of values/. In this folder:
--   mariadb -N -B --raw shop <generate_mysql.sql >mysql.tsv
-- against a throw-away server of release 10.11. Results are the same on each run.
SET NAMES utf8mb4;
SET sql_mode = '';

CREATE TEMPORARY TABLE numbers (id int AUTO_INCREMENT PRIMARY KEY, spelling varchar(40), x double, f float);
INSERT INTO numbers (spelling) VALUES
  ('0'), ('-0'), ('1'), ('-1'), ('0.1'), ('0.3'), ('-2.5'), ('100'), ('123456'), ('1234567'), ('0.00001'), ('1e5'),
  ('123456789012345'), ('100000000000000'), ('1e14'), ('1e15'), ('-1e15'), ('1e16'), ('1e20'), ('1e21'), ('-1e100'),
  ('999999999999999'), ('1234567890123456'), ('1234567890123456.5'), ('12345678901234567'), ('12345678901234.567'),
  ('123456789012345.67'), ('9007199254740991'), ('9007199254740992'), ('9007199254740993'), ('9223372036854775807'),
  ('18446744073709551615'), ('1e-10'), ('1e-13'), ('1e-14'), ('1e-15'), ('1e-16'), ('-1e-17'), ('1.5e-15'),
  ('1.5e-16'), ('1.2345678901234567e-14'), ('1.2345678901234567e-15'), ('9.999999999999999e-16'),
  ('1.7976931348623157e308'), ('-1.7976931348623157e308'), ('2.2250738585072014e-308'), ('5e-324'), ('-4e-320'),
  ('1e22'), ('1e23'), ('9.5367431640625e-7'), ('5.684341886080802e-14'), ('5.6843418860808015e-14'),
  ('3.141592653589793'), ('2.718281828459045'), ('0.1000000000000000055511151231257827'),
  ('0.30000000000000004'), ('4503599627370496.5'), ('1.0000000000000002'), ('123.456e-7'), ('6.02214076e23'),
  ('-1.602176634e-19'), ('1234.5678'), ('16777217'), ('0.000001234565'), ('9999995'), ('999999.5'), ('1.17549435e-38');
UPDATE numbers SET x = spelling, f = spelling;
SELECT 'double', spelling, x FROM numbers ORDER BY id;
SELECT 'float', spelling, f FROM numbers WHERE abs(x) < 1e38 ORDER BY id;

CREATE TEMPORARY TABLE ratios (id int AUTO_INCREMENT PRIMARY KEY, a double(255,0), b double(255,0));
INSERT INTO ratios (a, b) VALUES
  (0, 3), (1, 2), (-1, 2), (3, 2), (5, 2), (-5, 2), (1, 8), (-1, 8), (3, 8), (1, 16), (1, 3), (2, 3), (-200, 3),
  (1e17, 7), (1e22, 1), (-2.1360346728167578e18, 1), (1, 1e9), (-1, 1e9), (45, 1e5), (9995, 1e4), (1e300, 3),
  (123456789, 1000), (7, 1e20), (999999999, 1e9);
DELIMITER //
FOR digits IN 0..9 DO
  IF digits IN (0, 1, 2, 4, 9) THEN
    SET div_precision_increment = digits;
    SELECT 'fixed', a, b, digits, a / b FROM ratios ORDER BY id;
  END IF;
END FOR //
SET div_precision_increment = 30 //
SELECT 'fixed', a, b, 30, a / b FROM ratios ORDER BY id //

-- Each pair under each increment, both with the scales that they are written with.
CREATE TEMPORARY TABLE pairs (id int AUTO_INCREMENT PRIMARY KEY, l varchar(80), r varchar(80)) //
INSERT INTO pairs (l, r) VALUES
  ('1', '3'), ('2', '3'), ('-2', '3'), ('0', '7'), ('0.000', '7'), ('2.00000', '3'), ('2.0000', '3'), ('2', '3.00000'),
  ('20', '0.3'), ('1.500', '3.0000000'), ('1', '0.000000000001'), ('-0.00001', '20001'), ('0.00001', '20001'),
  ('-0.000000001', '7'), ('-3', '10099'), ('100.000000000', '3'), ('100.0000000000', '3.000000000'),
  ('123456789.123456789', '987.654321'), ('999999999', '1000000000'), ('1000000000', '999999999'),
  ('12345678901234567890123456789012345.67890', '0.00007'),
  ('99999999999999999999999999999999999999999999999999999999999999999', '7'),
  ('9776070737009087096327974940241779.40470080360001060020350200', '0.000000000000000014'),
  ('2055281694600201209623092956073040962617995663050000313679.6015', '2.7095'),
  ('0.00000000000000000000000000000000000001', '3'), ('-5.55', '0.11111111111111111111111111111111111111') //
CREATE PROCEDURE record_quotients(increment int) BEGIN
  SET div_precision_increment = increment;
  FOR pair IN (SELECT *, if(locate('.', l), length(l) - locate('.', l), 0) AS scale FROM pairs ORDER BY id) DO
    EXECUTE IMMEDIATE concat("SELECT 'quotient', '", pair.l, "', '", pair.r, "', ", increment, ", ",
      least(38, pair.scale + increment), ", ", pair.l, " / ", pair.r);
  END FOR;
END //
CREATE PROCEDURE record_averages(increment int) BEGIN
  SET div_precision_increment = increment;
  FOR scale IN 0..12 DO
    EXECUTE IMMEDIATE concat("CREATE OR REPLACE TEMPORARY TABLE items (g int, x decimal(40,", scale, "))");
    INSERT INTO items SELECT seq % 3, pow(-7, seq) * 1234567890123.4567891 / pow(10, seq % 3 * 5) FROM seq_1_to_7;
    SELECT 'average', sum(x), count(x), increment, least(38, scale + increment), avg(x), cast(avg(x) AS decimal(65, 38))
      FROM items GROUP BY g;
  END FOR;
END //
FOR increment IN (SELECT 0 AS i UNION SELECT 4 UNION SELECT 9 UNION SELECT 12 UNION SELECT 30 ORDER BY i) DO
  CALL record_quotients(increment.i);
  CALL record_averages(increment.i);
END FOR //
DROP PROCEDURE record_quotients //
DROP PROCEDURE record_averages //

CREATE PROCEDURE record_rounding() BEGIN
  FOR digits IN 0..4 DO
    EXECUTE IMMEDIATE concat("SELECT 'rounded', l, ", digits, ", cast(cast(l AS decimal(65, 10)) AS decimal(60, ",
      digits, ")) FROM (SELECT '0.005' AS l UNION SELECT '-0.005' UNION SELECT '-0.004' UNION SELECT '0.5'",
      " UNION SELECT '-0.5' UNION SELECT '-0.4' UNION SELECT '2.5' UNION SELECT '-2.5' UNION SELECT '99.99995'",
      " UNION SELECT '1' UNION SELECT '0' UNION SELECT '1.2345'",
      " UNION SELECT '123456789012345678901234567890.55555') v");
  END FOR;
END //
CALL record_rounding() //
DROP PROCEDURE record_rounding //

-- Strings in the collation's order with what kMysqlWeights is made of.
CREATE PROCEDURE record_weights(name varchar(60), padded bool) BEGIN
  SET @space = concat("convert(' ' using ", substring_index(name, '_', 1), ") COLLATE ", name);
  SET @pad = if(padded, concat("weight_string(", @space, ")"), "''");
  EXECUTE IMMEDIATE concat("CREATE OR REPLACE TEMPORARY TABLE strings (x varchar(20) COLLATE ", name, ")");
  INSERT INTO strings VALUES (''), (' '), ('  '), ('a'), ('a '), ('a  '), ('a\t'), ('a \t'), ('a  \t'), ('ab'), ('A'),
    ('a b'), ('a  b'), ('aa'), ('b'), ('B '), ('\t'), (' a'), ('a\0'), ('a \0 '), ('é'), ('e'), ('É '), ('z'), ('ß'),
    ('ss'), ('SS '), ('s'), ('1'), ('-1'), ('10'), ('~'), ('a~');
  -- Filesort takes zero bytes at the end for nothing where it should not, and then gives equal strings two places.
  IF NOT padded THEN DELETE FROM strings WHERE hex(x) LIKE '%00%'; END IF;
  EXECUTE IMMEDIATE concat("SELECT 'weights', '", name, "', dense_rank() OVER (ORDER BY x) AS place, hex(x),",
    " hex(concat(char(length(", @pad, ")), ", @pad, ", weight_string(x))) FROM strings ORDER BY place, hex(x)");
END //
CALL record_weights('utf8mb4_general_ci', true) //
CALL record_weights('utf8mb4_bin', true) //
CALL record_weights('utf8mb4_unicode_ci', true) //
CALL record_weights('utf8mb4_unicode_520_ci', true) //
CALL record_weights('utf8mb4_uca1400_ai_ci', true) //
CALL record_weights('utf8mb3_general_ci', true) //
CALL record_weights('latin1_swedish_ci', true) //
CALL record_weights('latin1_bin', true) //
CALL record_weights('utf8mb4_general_nopad_ci', false) //
CALL record_weights('utf8mb4_nopad_bin', false) //
CALL record_weights('utf8mb4_uca1400_nopad_ai_ci', false) //
CALL record_weights('latin1_swedish_nopad_ci', false) //
DROP PROCEDURE record_weights //
