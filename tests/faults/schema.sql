-- One statement a line: each goes to the proxy by itself.
CREATE TABLE items (id bigint PRIMARY KEY, note text, n int CHECK (n < 1000)) WITH (autovacuum_enabled = off)
CREATE TABLE parts (item bigint, part int, PRIMARY KEY (item, part)) WITH (autovacuum_enabled = off)
CREATE TABLE big (id bigint, filler text)
CREATE TABLE late (id bigint, n int, UNIQUE (id, n) DEFERRABLE INITIALLY DEFERRED)
CREATE TABLE doomed (id bigint)
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL)
CREATE TABLE notes (id bigint PRIMARY KEY, note text)
INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France'), ('JP', 'Japan')
INSERT INTO notes SELECT g, 'note ' || g FROM generate_series(1, 1000) g
INSERT INTO items VALUES (1,'i1',10),(2,'i2',20),(3,'i3',30),(4,'i4',40),(5,'i5',50),(6,'i6',60),(7,'i7',70),(8,'i8',80),(9,'i9',90),(10,'i10',100),(11,'i11',110),(12,'i12',120),(13,'i13',130),(14,'i14',140),(15,'i15',150),(16,'i16',160),(17,'i17',170),(18,'i18',180),(19,'i19',190),(20,'i20',200)
INSERT INTO parts VALUES (1,1),(1,2),(2,1),(3,1),(4,1),(4,2)
