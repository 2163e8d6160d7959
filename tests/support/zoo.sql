-- Every kind of value that a logical backup has ever lost, and the tables they live in.
CREATE SCHEMA "Odd ""schema""";
CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"', E'two\nlines', 'happy');
CREATE TYPE pair AS (left_part int, right_part text);
CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
CREATE DOMAIN moods AS mood[];
CREATE TYPE float_range AS RANGE (subtype = float8);

CREATE TABLE zoo_json (id int PRIMARY KEY, j json, b jsonb);
INSERT INTO zoo_json VALUES
  (1, NULL, NULL), (2, 'null', 'null'), (3, '{}', '{}'), (4, '""', '""'), (5, '1e400', '1e400'),
  (6, '{"a": 1,  "a": 2, "b"  : [1,2 ,3]}', '{"a": 1, "b": [1.10, 1e2, -0]}'),
  (7, E'"\\u2028 \\u00e9 \\n"', E'"\\u2028 \\u00e9 \\\\ \\" \\n\\t"'), (8, '[]', '[null, true, "x", {"y": {}}]'),
  (9, (SELECT '"' || repeat('9', 10000) || '"')::json, repeat('9', 5000)::jsonb), (10, 'true', 'false');

CREATE TABLE zoo_bytes (id int PRIMARY KEY, b bytea);
INSERT INTO zoo_bytes VALUES (1, NULL), (2, ''), (3, '\x00'), (4, decode('0a0d095c5c2e0000ff', 'hex'));
INSERT INTO zoo_bytes SELECT 100, string_agg(decode(lpad(to_hex(n), 2, '0'), 'hex'), '' ORDER BY n) FROM generate_series(0, 255) n;

CREATE TABLE zoo_text (id int PRIMARY KEY, t text, v varchar(40), c char(10), n name);
INSERT INTO zoo_text VALUES
  (1, NULL, NULL, NULL, NULL), (2, '', '', '', ''), (3, '\N', '\N', '\N', '\N'), (4, '\.', E'\\.', '\.', '\.'),
  (5, E'tab\there', E'cr\rhere', E'a\nb', 'x'), (6, E'\r\n', E'\\\\', '  lead', 'trail '),
  (7, U&'\FEFFbom', '😀', 'é', 'ü'), (8, U&'e\0301', U&'\00e9', '"quoted"', ''''), (9, E'\b\f\v\x01\x7f', 'x  ', 'x  ', 'y'),
  (10, E'\\.\n', E'\n\\.\n', 'z', 'null'), (11, repeat(E'\\\n', 50000), 'long', 'l', 'l');

CREATE TABLE zoo_numbers (id int PRIMARY KEY, s smallint, i int, b bigint, n numeric, n2 numeric(30, 10), r real, d double precision, m money, p positive);
INSERT INTO zoo_numbers VALUES
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, -32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', '-92233720368547758.08', 0.000001),
  (3, 32767, 2147483647, 9223372036854775807, 'Infinity', 0, 'Infinity', '-Infinity', '$1,234.50', 1),
  (4, 0, 0, 0, '-Infinity', -1.5, '-0', '-0', 0, 1.10), (5, 1, 1, 1, 1.10, 1.1, 1e-45, 5e-324, 1, 1.1000),
  (6, 1, 1, 1, (repeat('9', 1000) || '.' || repeat('1', 1000))::numeric, 12345678901234567890.0123456789, 3.4028235e38, 1.7976931348623157e308, 1, 3),
  (7, 1, 1, 1, 1e-100, 0.1, 0.1, 0.1, 1, 4), (8, 1, 1, 1, 100, 1e10, 1e20, 1e20, 1, 5), (9, 1, 1, 1, 0.0000001, 1, 1e-7, 123456789.12345678, 1, 6);

CREATE TABLE zoo_times (id int PRIMARY KEY, d date, t time, tt timetz, ts timestamp, tz timestamptz, i interval);
INSERT INTO zoo_times VALUES
  (1, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, 'infinity', '24:00:00', '24:00:00-15:59:59', 'infinity', 'infinity', '178000000 years'),
  (3, '-infinity', '00:00:00', '00:00:00+15:59:59', '-infinity', '-infinity', '-178000000 years'),
  (4, '4713-01-01 BC', '23:59:59.999999', '12:00:00+05:30', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '1 mon'),
  (5, '5874897-12-31', '12:34:56.789', '12:34:56.789-03', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '30 days'),
  (6, '2024-02-03', '01:02:03', '01:02:03+00', '2024-02-03 04:05:06', '1890-01-01 00:00:00+00:19:32', '1 year -2 mons +3 days -04:05:06.789'),
  (7, '2024-02-29', '02:30:00', '02:30:00+02', '2024-03-31 02:30:00', '2024-10-27 02:30:00+02', '-00:00:00.000001');

CREATE TABLE zoo_arrays (id int PRIMARY KEY, i int[], t text[], m mood[], p pair[], ds moods, r int4range[], j jsonb[], b bytea[]);
INSERT INTO zoo_arrays VALUES
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (3, '[-3:-1]={1,2,3}', '{NULL,"NULL",""," "}', '{sad,happy}', ARRAY[ROW(1, 'a,"b"')::pair, NULL], ARRAY['sad', 'happy']::mood[], '{"[1,5)",empty}', ARRAY['{"a": 1}'::jsonb], ARRAY['\x00ff'::bytea]),
  (4, '[2:3][0:1]={{1,2},{3,4}}', ARRAY[E'a"b', E'c\\d', '{e}', E'f\ng', 'h,i'], ARRAY['it''s "fine"', E'two\nlines']::mood[], ARRAY[ROW(NULL, NULL)::pair, ROW(0, '')::pair], NULL, NULL, NULL, NULL);

CREATE TABLE zoo_ranges (id int PRIMARY KEY, i int4range, n numrange, t tstzrange, d daterange, f float_range, mi int4multirange, mt tsmultirange);
INSERT INTO zoo_ranges VALUES
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, 'empty', 'empty', 'empty', 'empty', 'empty', '{}', '{}'), (3, '(,)', '(,)', '(,)', '(,)', '(,)', '{(,)}', '{(,)}'),
  (4, '(1,5]', '(1.10,2.5]', '[2024-01-01 00:00+00,infinity)', '(,2024-01-01]', '[1.5,NaN]', '{[1,2],[5,8)}', '{[2024-01-01 00:00,2024-01-02 00:00)}');

CREATE TABLE zoo_composite (id int PRIMARY KEY, m mood, p pair);
INSERT INTO zoo_composite VALUES (1, NULL, NULL), (2, 'sad', ROW(NULL, NULL)), (3, E'two\nlines', ROW(1, E'a"b\\c(,)')), (4, 'it''s "fine"', ROW(NULL, ''));

CREATE TABLE zoo_rest (id int PRIMARY KEY, v tsvector, q tsquery, u uuid, i inet, c cidr, m macaddr, m8 macaddr8, b bit(5), vb varbit,
  p point, l line, ls lseg, bx box, pa path, po polygon, ci circle, lsn pg_lsn, ch "char", o oid, rc regclass, rt regtype, x8 xid8, jp jsonpath, bo boolean);
INSERT INTO zoo_rest (id) VALUES (1);
INSERT INTO zoo_rest VALUES
  (2, 'a:1A fat:2B,4C cat:5D ''it''''s''', '(fat | rat) & !cat:*', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03',
   '08:00:2b:01:02:03:04:05', B'10101', B'', '(1.5,-0)', '{1,2,3}', '[(0,0),(1,1)]', '((1,1),(0,0))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),1e300>',
   'FFFFFFFF/FFFFFFFF', '\377', 4294967295, 'pg_catalog.pg_class', 'integer', '18446744073709551615', '$.a[*] ? (@.b > 1)', true),
  (3, '', '', '00000000-0000-0000-0000-000000000000', '192.168.0.1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', B'00000', B'1',
   '(NaN,Infinity)', '{-1,0,0}', '[(1,1),(1,1)]', '((0,0),(0,0))', '((0,0),(1,1))', '((0,0))', '<(1,1),0>', '0/0', '', 0, 'zoo_text', 'mood', '0', '$', false);

-- Servers built without libxml refuse every xml value.
CREATE TABLE zoo_xml (id int PRIMARY KEY, x xml);
DO $$ BEGIN
  INSERT INTO zoo_xml VALUES (1, NULL), (2, '<a b="1">x &amp; y</a>'), (3, 'text only'), (4, E'<a>\n\t</a>');
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

CREATE TABLE zoo_generated (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, other int GENERATED BY DEFAULT AS IDENTITY, price numeric, total numeric GENERATED ALWAYS AS (price * 1.2) STORED);
INSERT INTO zoo_generated (price) SELECT n * 1.10 FROM generate_series(1, 20) n;
CREATE TABLE zoo_no_columns ();
INSERT INTO zoo_no_columns SELECT FROM generate_series(1, 3);
CREATE TABLE zoo_no_key (a int, b text);
INSERT INTO zoo_no_key VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL), (2, 'y');
CREATE TABLE zoo_empty (id int PRIMARY KEY, t text);
CREATE UNLOGGED TABLE zoo_unlogged (id int PRIMARY KEY);
INSERT INTO zoo_unlogged VALUES (1);
CREATE TABLE "Odd ""schema"""."semi;colon -- and
newline" ("select" int PRIMARY KEY, "a ""b"" c" text, "ümläut" text, "tab	col" int);
INSERT INTO "Odd ""schema"""."semi;colon -- and
newline" VALUES (1, 'x', 'y', 2), (2, NULL, '', NULL);

CREATE TABLE zoo_parent (id int PRIMARY KEY, t text);
CREATE TABLE zoo_child (extra int) INHERITS (zoo_parent);
CREATE TABLE zoo_grandchild () INHERITS (zoo_child);
INSERT INTO zoo_parent VALUES (1, 'p'); INSERT INTO zoo_child VALUES (2, 'c', 3); INSERT INTO zoo_grandchild VALUES (4, 'g', 5);

CREATE TABLE zoo_parted (id int, at date, t text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE zoo_parted_a PARTITION OF zoo_parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE zoo_parted_b (t text, gone int, at date NOT NULL, id int NOT NULL);
ALTER TABLE zoo_parted_b DROP COLUMN gone;
ALTER TABLE zoo_parted ATTACH PARTITION zoo_parted_b FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE zoo_parted_rest PARTITION OF zoo_parted DEFAULT PARTITION BY HASH (id);
CREATE TABLE zoo_parted_rest_0 PARTITION OF zoo_parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE zoo_parted_rest_1 PARTITION OF zoo_parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO zoo_parted SELECT n, DATE '2024-06-01' + n * 10, 'row ' || n FROM generate_series(1, 120) n;
ALTER TABLE zoo_parted DROP COLUMN t; ALTER TABLE zoo_parted ADD COLUMN t2 text DEFAULT 'new';

CREATE TABLE zoo_ring_a (id int PRIMARY KEY, b int);
CREATE TABLE zoo_ring_b (id int PRIMARY KEY, a int REFERENCES zoo_ring_a);
INSERT INTO zoo_ring_a VALUES (1, 1), (2, 2); INSERT INTO zoo_ring_b VALUES (1, 2), (2, 1);
ALTER TABLE zoo_ring_a ADD FOREIGN KEY (b) REFERENCES zoo_ring_b;
CREATE TABLE zoo_tree (id int PRIMARY KEY, parent int REFERENCES zoo_tree ON DELETE SET NULL, label text UNIQUE);
INSERT INTO zoo_tree VALUES (1, NULL, 'root'), (9, 1, 'nine'), (5, 9, 'five'), (3, 5, 'three');

CREATE SEQUENCE zoo_lonely INCREMENT -5 MAXVALUE 100 START 100;
SELECT nextval('zoo_lonely'), nextval('zoo_lonely');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.t := 'stamped'; RETURN NEW; END $$;
CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TABLE zoo_triggered (id int PRIMARY KEY, t text);
INSERT INTO zoo_triggered VALUES (1, 'mine'), (2, 'yours');
CREATE TRIGGER a_stamp BEFORE INSERT OR UPDATE ON zoo_triggered FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER b_always BEFORE INSERT ON zoo_triggered FOR EACH ROW EXECUTE FUNCTION vanish();
CREATE TRIGGER c_off BEFORE INSERT ON zoo_triggered FOR EACH ROW EXECUTE FUNCTION vanish();
CREATE TRIGGER d_replica BEFORE INSERT ON zoo_triggered FOR EACH ROW EXECUTE FUNCTION vanish();
ALTER TABLE zoo_triggered ENABLE ALWAYS TRIGGER b_always;
ALTER TABLE zoo_triggered DISABLE TRIGGER c_off;
ALTER TABLE zoo_triggered ENABLE REPLICA TRIGGER d_replica;
