from __future__ import annotations

import json
import random

import pytest

from rxbackup.errors import FileCorrupt, Refused, RxbackupError
from rxbackup.intake.limits import Bounds
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from tests.support.imports import json_of, rows_of, small_backup, take_json
from tests.support.vaults import new_vault


@pytest.fixture(scope="module")
def made() -> tuple[Vault, bytes, dict[str, bytes]]:
    vault = new_vault()
    backup = small_backup(vault)
    return vault, json_of(vault, backup), rows_of(vault, backup)


def _changed(document: bytes, change) -> bytes:
    """The document after a change of its values, written by another program."""
    values = json.loads(document)
    change(values)
    return json.dumps(values, indent=1).encode()


def test_rows_come_back_byte_for_byte(made) -> None:
    vault, document, rows = made
    into = new_vault()
    taken = take_json(document, into)
    assert rows_of(into, taken.manifest) == rows
    assert verify_contents(into, taken.manifest).ok
    then, now = vault.get_manifest(taken.manifest.backup_id), taken.manifest
    assert [(t.qualified, t.columns, t.primary_key, t.rows, t.raw_bytes) for t in now.tables] == [
        (t.qualified, t.columns, t.primary_key, t.rows, t.raw_bytes) for t in then.tables
    ]
    assert (now.sequences, now.server, now.pins, now.groups) == (then.sequences, then.server, then.pins, then.groups)
    assert now.snapshot.watermark is None
    assert {r.id for r in taken.receipts} == taken.needed


def test_the_same_document_stores_nothing_twice(made) -> None:
    into = new_vault()
    take_json(made[1], into)
    again = take_json(made[1], into)
    assert not any(receipt.is_new for receipt in again.receipts)


def test_written_anew_by_another_program_it_says_the_same(made) -> None:
    """Other blanks, escapes and orders of keys; only values of json columns keep the blanks they come with."""
    into = new_vault()
    values = json.loads(made[1])
    for row in values["data"]["public.assets"]:
        row["note"] = row.pop("note")
        row["id"] = row.pop("id")
    values["data"].pop("public.places")
    about = next(t for t in values["rxbackup"]["tables"] if t["key"] == "public.places")
    values["rxbackup"]["tables"].remove(about)
    text = json.dumps(values, indent=2).encode()
    taken = take_json(text, into)
    # Python's floats lose the zero at the end of a numeric; what was read is kept to the digit.
    wanted = {name: rows.replace(b".50\t", b".5\t") for name, rows in made[2].items() if name != "public.places"}
    assert rows_of(into, taken.manifest) == wanted


def test_cut_at_any_byte_it_is_refused(made) -> None:
    document = made[1].rstrip()
    store = MemoryStore()
    into = new_vault(store)
    before = [found.name for found in store.list()]
    rng = random.Random(1)
    cuts = set(rng.sample(range(len(document)), 300)) | set(range(150)) | set(range(len(document) - 100, len(document)))
    for cut in sorted(cuts):
        with pytest.raises(RxbackupError):
            take_json(document[:cut], into)
    # What is cut off is found by its end, before anything is stored; values of json columns may look like an end.
    assert [found.name for found in store.list() if found.name.startswith("manifests/")] == []
    assert len(list(store.list())) <= len(before) + 3


def test_flipped_bits_are_refused_or_mean_other_rows(made) -> None:
    """A document is signed by nobody: what is still a document is taken, and its rows are those that it says."""
    document = made[1]
    rng = random.Random(2)
    for _ in range(60):
        place = rng.randrange(len(document))
        changed = bytearray(document)
        changed[place] ^= 1 << rng.randrange(8)
        try:
            taken = take_json(bytes(changed), new_vault())
        except RxbackupError:
            continue
        assert taken.manifest.totals.rows == made[0].get_manifest(taken.manifest.backup_id).totals.rows


def _first(values: dict, name: str = "public.assets") -> dict:
    return values["data"][name][0]


CHANGES = {
    "a row more": lambda v: v["data"]["public.assets"].append(dict(_first(v))),
    "a row less": lambda v: v["data"]["public.assets"].pop(),
    "a column more": lambda v: _first(v).update(more=1),
    "a column less": lambda v: _first(v).pop("note"),
    "a text in an integer": lambda v: _first(v).update(id="1"),
    "a fraction in an integer": lambda v: _first(v).update(id=1.5),
    "a number in a text": lambda v: _first(v).update(name=1),
    "a list in a text": lambda v: _first(v).update(name=[]),
    "an object in a text": lambda v: _first(v).update(name={"$bytes": "!!!"}),
    "a zero byte": lambda v: _first(v).update(name={"$bytes": "AA=="}),
    "a zero character": lambda v: _first(v).update(name="a\0b"),
    "half a character": lambda v: _first(v).update(name="a\ud800b"),
    "the other half": lambda v: _first(v).update(name="a\udc00b"),
    "a truth in a number": lambda v: _first(v).update(price=True),
    "a word in a number": lambda v: _first(v).update(price="many"),
    "a zero character in jsonb": lambda v: v["data"]["public.places"][0].update(about={"a": "\0"}),
    "too large": lambda v: _first(v).update(id=2**31),
    "too small": lambda v: _first(v).update(id=-(2**31) - 1),
    "5000 digits": lambda v: _first(v).update(id=10**4000),
    "a table less": lambda v: v["data"].pop("public.empty"),
    "a table more": lambda v: v["data"].update({"public.more": []}),
    "tables in another order": lambda v: v.update(data=dict(reversed(v["data"].items()))),
    "no id": lambda v: v.update(id="x"),
    "no time": lambda v: v.update(timestamp="yesterday"),
    "a time without zone": lambda v: v["rxbackup"].update(taken_at="2026-11-22T10:00:00"),
    "another format": lambda v: v["rxbackup"].update(format="rxbackup-json/2"),
    "no format": lambda v: v["rxbackup"].pop("format"),
    "no rxbackup": lambda v: v.pop("rxbackup"),
    "something unknown": lambda v: v["rxbackup"].update(run="rm -rf /"),
    "a wish": lambda v: v["rxbackup"]["pins"].update(session_replication_role="replica"),
    "other dates": lambda v: v["rxbackup"]["pins"].update(DateStyle="SQL, DMY"),
    "no dates": lambda v: v["rxbackup"]["pins"].pop("DateStyle"),
    "an encoding": lambda v: v["rxbackup"]["server"].update(encoding="utf8'; --"),
    "a key for another table": lambda v: v["rxbackup"]["tables"][0].update(key="public.users"),
    "a table twice": lambda v: v["rxbackup"]["tables"].append(v["rxbackup"]["tables"][0]),
    "a column twice": lambda v: v["rxbackup"]["tables"][0]["columns"].append(v["rxbackup"]["tables"][0]["columns"][0]),
    "a key of nothing": lambda v: v["rxbackup"]["tables"][0].update(primary_key=["nothing"]),
    "less than no rows": lambda v: v["rxbackup"]["tables"][4].update(rows=-1),
    "a truth for a count": lambda v: v["rxbackup"]["tables"][0].update(rows=True),
    "a name of 3 MB": lambda v: v["rxbackup"]["tables"][0].update(name="x" * 3_000_000),
    "a name of 64 bytes": lambda v: v["rxbackup"]["tables"][0]["columns"][0].update(name="ä" * 32),
    "a name with a zero": lambda v: v["rxbackup"]["sequences"][0].update(name="a\0"),
    "half a name": lambda v: v.update(name="\udfff"),
    "a future": lambda v: v["rxbackup"].update(taken_at="9999-99-99T00:00:00+00:00"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_does_not_fit_is_refused(made, change) -> None:
    store = MemoryStore()
    into = new_vault(store)
    with pytest.raises((FileCorrupt, Refused)) as caught:
        take_json(_changed(made[1], change), into)
    assert len(caught.value.message) < 600
    assert not list(store.list("manifests/"))


@pytest.mark.parametrize("schema", ["rxbackup", "rxbackup_queue", "pg_catalog", "pg_toast", "information_schema"])
def test_own_and_system_schemas_are_refused(made, schema: str) -> None:
    def table(values: dict) -> None:
        about = values["rxbackup"]["tables"][0]
        about.update(schema=schema, name="users", key=f"{schema}.users")
        values["data"] = {f"{schema}.users": values["data"].pop("public.assets"), **values["data"]}

    def sequence(values: dict) -> None:
        values["rxbackup"]["sequences"][0].update(schema=schema)

    for change in (table, sequence):
        with pytest.raises(Refused, match="belongs to rxbackup or to PostgreSQL"):
            take_json(_changed(made[1], change), new_vault())


@pytest.mark.parametrize("name", ['a"; DROP TABLE users; --', "a'b", "new\nline", "a.b", "😀", "SELECT 1", "-- \\! rm"])
def test_odd_names_are_only_names(made, name: str) -> None:
    from rxbackup.export.json_document import document_key
    from tests.support.vaults import column, manifest, table

    vault = new_vault()
    entry = table(vault, name, [column(name, "integer"), column("b\\" + name[:20])], [b"1\tx\n2\t\\N\n"])
    from dataclasses import replace

    from tests.support.imports import ALL_PINS

    backup = replace(manifest(vault, [entry]), pins=ALL_PINS)
    vault.put_manifest(backup)
    document = json_of(vault, backup)
    assert json.loads(document)["data"][document_key(entry)][1]
    into = new_vault()
    taken = take_json(document, into)
    assert rows_of(into, taken.manifest) == {f"public.{name}": b"1\tx\n2\t\\N\n"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":1,', b'"id":1,"id":1,'),
        (b'"id":1,', b'"id":01,'),
        (b'"id":1,', b'"id":+1,'),
        (b'"id":1,', b'"id":NaN,'),
        (b'"id":1,', b'"id":1e999,'),
        (b'"id":1,', b'"id":' + b"9" * 5000 + b","),
        (b'"price":1.50', b'"price":1e999'),
        (b'"price":1.50', b'"price":NaN'),
        (b'"price":1.50', b'"price":-Infinity'),
        (b'"price":1.50', b'"price":1.'),
        (b'"name":"asset 1"', b'"name":"asset \n1"'),
        (b'"name":"asset 1"', b'"name":"asset \\x1"'),
        (b'"name":"asset 1"', b'"name":"asset \\u12"'),
        (b'"name":"asset 1"', b'"name":"asset \xff"'),
        (b'"name":"asset 1"', b'"name":"asset \xed\xa0\x80"'),
        (b'"name":"asset 1"', b"\"name\":'asset'"),
        (b'"note":null}', b'"note":null,}'),
        (b'"note":null}', b'"note":null}}'),
        (b'"note":null}', b'"note":nil}'),
        (b'{"floor": 1}', b'{"floor": 1,}'),
        (b'{"floor": 1}', b"{floor: 1}"),
        (b'{"floor": 1}', b'{"floor": [1, 2}]'),
        (b'{"floor": 1}', b'{"$json": 1, "x": 2}'),
        (b'{"floor": 1}', b"[" * 100_000 + b"]" * 100_000),
        (b'{"floor": 1}', b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        (b'"data": {', b'"data": {}, "data": {'),
        (b'"id": "1111', b'"id": "x", "id": "1111'),
        (b'"server": {', b'"server": ' + b"[" * 100_000 + b"]" * 100_000 + b', "server": {'),
        (b'"rows": 2000', b'"rows": 1e999'),
        (b'"rows": 2000', b'"rows": ' + b"9" * 5000),
        (b'"name": "Backup', b'"name": "\\ud800Backup'),
    ],
)
def test_texts_that_programs_read_differently_are_refused(made, old: bytes, new: bytes) -> None:
    assert old in made[1]
    with pytest.raises(FileCorrupt):
        take_json(made[1].replace(old, new, 1), new_vault())


def test_long_numbers_stay_what_they_are_where_the_column_is_numeric(made) -> None:
    digits = b"123456789" * 600
    into = new_vault()
    taken = take_json(made[1].replace(b'"price":1.50', b'"price":' + digits, 1), into)
    assert rows_of(into, taken.manifest)["public.assets"].startswith(b"1\tasset 1\t" + digits + b"\t")


def test_what_comes_before_or_after_the_document_is_refused(made) -> None:
    for document in (b"\xef\xbb\xbf" + made[1], made[1] + b"{}", made[1] + b"x", b"[" + made[1] + b"]", b"{}", b"[]"):
        with pytest.raises((FileCorrupt, Refused)):
            take_json(document, new_vault())


def test_more_rows_than_are_allowed_are_refused(made) -> None:
    with pytest.raises(FileCorrupt, match="bytes of rows"):
        take_json(made[1], new_vault(), bounds=Bounds(row_bytes=10_000))


def test_values_of_a_json_column_keep_every_byte() -> None:
    from dataclasses import replace

    from tests.support.imports import ALL_PINS
    from tests.support.vaults import column, manifest, table

    values = [
        '{\n "a" : [1,  2]\t}', "null", ' {"$json": null}', '{"$bytes": "AA=="}', '"\\\\u0000 \\/ \\u00e4"', "1e400",
        '{"a":1,"a":2}', "[[[[[[[[1]]]]]]]]", '{"\\u0024json": 1}', "-0.0", '""', "  1", '"}]\\""',
    ]  # fmt: skip
    from rxbackup.postgres.copy_format import join_row

    rows = b"".join(join_row([str(n).encode(), value.encode()]) for n, value in enumerate(values))
    vault = new_vault()
    entry = table(vault, "documents", [column("id", "bigint"), column("about", "json")], [rows])
    backup = replace(manifest(vault, [entry]), pins=ALL_PINS)
    vault.put_manifest(backup)
    into = new_vault()
    taken = take_json(json_of(vault, backup), into)
    assert rows_of(into, taken.manifest)["public.documents"] == rows


def test_rows_longer_than_a_chunk_are_cut_as_a_backup_cuts_them() -> None:
    from dataclasses import replace

    from tests.support.imports import ALL_PINS
    from tests.support.vaults import column, manifest, table

    rows = b"".join(
        b"%d\t%b\n" % (n, b"xyz\\n" * length) for n, length in ((1, 5), (2, 2_000_000), (3, 1), (4, 300_000))
    )
    vault = new_vault()
    entry = table(vault, "long", [column("id", "bigint"), column("about")], [rows])
    backup = replace(manifest(vault, [entry]), pins=ALL_PINS)
    vault.put_manifest(backup)
    into = new_vault()
    taken = take_json(json_of(vault, backup), into)
    assert rows_of(into, taken.manifest)["public.long"] == rows
