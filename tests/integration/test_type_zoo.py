"""Every kind of value and table survives: back into the database, and out as SQL and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rxbackup.export.json_document import write_json
from rxbackup.export.sql_script import write_sql
from rxbackup.postgres.connecting import connect
from rxbackup.verify.contents import verify_contents
from tests.support.databases import back_up, restore, run_psql, take_image
from tests.support.postgres import NewDatabase, admin_url
from tests.support.vaults import new_vault

ZOO = (Path(__file__).parents[1] / "support" / "zoo.sql").read_text(encoding="utf-8")


@pytest.fixture
def zoo(database: str) -> str:
    run_psql(database, ZOO)
    return database


def _wreck(url: str) -> None:
    """Empty half of the tables, spoil the rest."""
    with connect(url, application_name="damage") as conn:
        conn.execute("SET row_security = off")
        conn.execute("ALTER TABLE zoo_triggered DISABLE TRIGGER USER")
        for name in ("json", "text", "arrays", "ranges", "generated", "no_columns", "parted", "tree", "unlogged"):
            conn.execute(f"DELETE FROM zoo_{name}")
        conn.execute("UPDATE zoo_numbers SET d = 0 WHERE id = 4")
        conn.execute("UPDATE zoo_numbers SET n = 1.1 WHERE id = 5")
        conn.execute("UPDATE zoo_times SET i = '30 days' WHERE id = 4")
        conn.execute("DELETE FROM zoo_no_key WHERE ctid = (SELECT min(ctid) FROM zoo_no_key)")
        conn.execute("INSERT INTO zoo_no_key VALUES (NULL, NULL), (7, 'new')")
        conn.execute("INSERT INTO zoo_empty VALUES (1, 'was empty')")
        conn.execute("UPDATE zoo_parent SET t = 'spoiled'")
        conn.execute("UPDATE zoo_bytes SET b = b || '\\x00' WHERE id = 2")
        conn.execute("UPDATE zoo_ring_a SET b = 1; DELETE FROM zoo_ring_b WHERE id = 2")
        conn.execute("UPDATE zoo_triggered SET t = 'spoiled'; DELETE FROM zoo_triggered WHERE id = 2")
        conn.execute(
            "ALTER TABLE zoo_triggered ENABLE TRIGGER a_stamp, ENABLE ALWAYS TRIGGER b_always, "
            "ENABLE REPLICA TRIGGER d_replica"
        )


def test_every_value_comes_back_with_the_same_text(zoo: str) -> None:
    vault = new_vault()
    before = take_image(zoo)
    outcome = back_up(zoo, vault)
    _wreck(zoo)
    assert len(take_image(zoo).differing(before)) > 15

    restore(zoo, vault, outcome)

    after = take_image(zoo)
    assert after.differing(before) == []
    assert after == before


def test_values_survive_hostile_settings_of_the_role(zoo: str) -> None:
    vault = new_vault()
    before = take_image(zoo)
    outcome = back_up(zoo, vault)
    with connect(admin_url(zoo), application_name="hostile") as conn:
        name = conn.info.dbname
        for setting in (
            "DateStyle = 'SQL, DMY'",
            "IntervalStyle = 'sql_standard'",
            "extra_float_digits = -5",
            "bytea_output = 'escape'",
            "TimeZone = 'Asia/Kolkata'",
            "statement_timeout = '1ms'",
            "search_path = 'pg_temp'",
            "xmloption = 'document'",
            "default_transaction_read_only = on",
            "default_transaction_isolation = 'serializable'",
        ):
            conn.execute(f'ALTER DATABASE "{name}" SET {setting}')
    second = back_up(zoo, vault)
    assert [t.segments for t in second.manifest.tables] == [t.segments for t in outcome.manifest.tables]
    with connect(zoo, application_name="damage") as conn:
        conn.execute("SET default_transaction_read_only = off")
        conn.execute("SET statement_timeout = 0")
        conn.execute("DELETE FROM public.zoo_times")
        conn.execute("DELETE FROM public.zoo_rest")

    restore(zoo, vault, outcome)

    with connect(admin_url(zoo), application_name="calm") as conn:
        conn.execute(f'ALTER DATABASE "{name}" RESET ALL')
    assert take_image(zoo) == before


def test_contents_verify(zoo: str) -> None:
    vault = new_vault()
    outcome = back_up(zoo, vault)
    report = verify_contents(vault, outcome.manifest)
    assert report.ok
    assert report.damaged == ()


def test_the_sql_script_brings_the_same_rows_into_an_empty_copy(zoo: str, new_database: NewDatabase) -> None:
    vault = new_vault()
    before = take_image(zoo)
    outcome = back_up(zoo, vault)
    copy = new_database()
    run_psql(copy, ZOO)
    with connect(copy, application_name="empty") as conn:
        conn.execute("ALTER TABLE zoo_triggered DISABLE TRIGGER USER")
        tables = conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace >= 16384 OR "
            "relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        conn.execute(f"TRUNCATE {', '.join(t[0] for t in tables)}")
    definitions = take_image(copy)

    run_psql(copy, b"".join(write_sql(vault, outcome.manifest)).decode())

    after = take_image(copy)
    assert after.differing(before) == []
    assert after.constraints == definitions.constraints


def test_the_json_document_holds_what_it_promises(zoo: str) -> None:
    vault = new_vault()
    outcome = back_up(zoo, vault)
    text = b"".join(write_json(vault, outcome.manifest)).decode()
    document = json.loads(text, parse_float=str, parse_int=str)
    data = document["data"]
    assert document["id"] == outcome.manifest.backup_id
    assert {"rxbackup", "name", "description", "timestamp", "version", "created_by", "metadata", "data"} <= set(
        document
    )
    numbers = {row["id"]: row for row in data["public.zoo_numbers"]}
    assert numbers["2"]["b"] == "-9223372036854775808"
    assert numbers["2"]["n"] == "NaN"
    assert numbers["5"]["n"] == "1.10"
    assert numbers["4"]["d"] == "-0"
    assert numbers["6"]["n"] == "9" * 1000 + "." + "1" * 1000
    assert numbers["1"]["n"] is None
    assert '"n": 1.10' in text or '"n":1.10' in text
    json_rows = {row["id"]: row for row in data["public.zoo_json"]}
    assert json_rows["1"]["b"] is None
    assert json_rows["2"]["b"] == {"$json": None}
    assert json_rows["2"]["j"] == {"$json": None}
    assert json_rows["8"]["b"] == [None, True, "x", {"y": {}}]
    assert '{"a": 1,  "a": 2, "b"  : [1,2 ,3]}' in text
    texts = {row["id"]: row for row in data["public.zoo_text"]}
    assert texts["3"]["t"] == "\\N"
    assert texts["4"]["t"] == "\\."
    assert texts["2"]["t"] == ""
    assert texts["5"]["t"] == "tab\there"
    rest = {row["id"]: row for row in data["public.zoo_rest"]}
    assert rest["2"]["bo"] is True
    assert rest["2"]["u"] == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert data["public.zoo_arrays"][2]["i"] == "[-3:-1]={1,2,3}"
    assert len(data["public.zoo_no_columns"]) == 3
    assert data["public.zoo_empty"] == []
