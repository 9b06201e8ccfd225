-- Through the proxy, by the owner. Rows 0 to 3 are nobody's, one on each shard.
CREATE TABLE items (id bigint PRIMARY KEY, owner int NOT NULL, note text);
INSERT INTO items VALUES (0, 0, 'anchor'), (1, 0, 'anchor'), (2, 0, 'anchor'), (3, 0, 'anchor');
CREATE TABLE plain_items (id bigint PRIMARY KEY, owner int NOT NULL, note text);
INSERT INTO plain_items VALUES (0, 0, 'anchor'), (1, 0, 'anchor'), (2, 0, 'anchor'), (3, 0, 'anchor');
CREATE SEQUENCE tickets;
CREATE SCHEMA alpha;
CREATE SCHEMA beta;
CREATE TABLE public.place (name text);
CREATE TABLE alpha.place (name text);
CREATE TABLE beta.place (name text);
INSERT INTO public.place VALUES ('public');
INSERT INTO alpha.place VALUES ('alpha');
INSERT INTO beta.place VALUES ('beta');
GRANT ALL ON items TO reader_a, reader_b;
GRANT ALL ON plain_items, place, alpha.place, beta.place TO reader_a, reader_b;
GRANT ALL ON SEQUENCE tickets TO reader_a, reader_b;
GRANT USAGE ON SCHEMA alpha, beta TO reader_a, reader_b;
