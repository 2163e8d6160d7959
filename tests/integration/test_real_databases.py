"""Two public databases, damaged in many tables, come back to the last byte."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from rxbackup.postgres.connecting import connect, set_pins
from rxbackup.postgres.introspection import Catalogue, read_catalogue
from tests.support.databases import back_up, load_chinook, load_netbox, restore, take_image
from tests.support.vaults import new_local_vault, new_vault

Load = Callable[[str], None]


@pytest.fixture(params=[load_netbox, load_chinook], ids=["netbox", "chinook"])
def real_database(request: pytest.FixtureRequest, database: str) -> str:
    request.param(database)
    return database


def _catalogue(url: str) -> Catalogue:
    with connect(url, application_name="test") as conn, conn.transaction():
        set_pins(conn)
        return read_catalogue(conn)


def _damage(url: str) -> int:
    """Delete and change rows wherever the schema lets us. Returns how many."""
    touched = 0
    with connect(url, application_name="damage") as conn:
        for table in _catalogue(url).leaves:
            kinds = ("character varying", "text")
            texts = [c.name for c in table.columns if c.type.startswith(kinds) and not c.type.endswith("[]")]
            picked = "ctid IN (SELECT ctid FROM {t} ORDER BY md5(ctid::text) LIMIT 20)"
            statements = [sql.SQL("DELETE FROM {t} WHERE " + picked).format(t=table.identifier)]
            statements += [
                sql.SQL("UPDATE {t} SET {c} = left({c}, 1) || '*' WHERE " + picked).format(
                    t=table.identifier, c=sql.Identifier(name)
                )
                for name in texts
            ]
            for statement in statements:
                with contextlib.suppress(psycopg.errors.IntegrityError, psycopg.errors.StringDataRightTruncation):
                    touched += conn.execute(statement).rowcount
    return touched


def test_damaged_rows_come_back_byte_for_byte(real_database: str) -> None:
    vault = new_vault()
    before = take_image(real_database)
    outcome = back_up(real_database, vault)
    assert _damage(real_database) > 200
    assert len(take_image(real_database).differing(before)) > 5

    report = restore(real_database, vault, outcome)

    after = take_image(real_database)
    assert after.differing(before) == []
    assert after == before
    assert sum(t.added + t.changed for t in report.tables.values()) > 200
    assert sum(t.removed for t in report.tables.values()) == 0


def test_a_restore_into_emptied_tables_brings_everything_back(real_database: str, tmp_path: Path) -> None:
    vault = new_local_vault(tmp_path)
    before = take_image(real_database)
    outcome = back_up(real_database, vault, processes=2)
    names = sql.SQL(", ").join(t.identifier for t in _catalogue(real_database).roots)
    with connect(real_database, application_name="damage") as conn:
        conn.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))

    report = restore(real_database, vault, outcome)

    assert take_image(real_database) == before
    assert sum(t.added for t in report.tables.values()) == outcome.manifest.totals.rows


def test_sequences_hand_out_fresh_values_after_a_restore(real_database: str) -> None:
    vault = new_vault()
    outcome = back_up(real_database, vault)
    catalogue = _catalogue(real_database)
    owned = [s for s in catalogue.sequences if s.owner]
    with connect(real_database, application_name="damage") as conn:
        for sequence in owned:
            conn.execute("SELECT setval(%s, 1, false)", (f'"{sequence.schema}"."{sequence.name}"',))

    restore(real_database, vault, outcome)

    with connect(real_database, application_name="check") as conn:
        for sequence in owned:
            assert sequence.owner is not None
            table = catalogue.by_oid[sequence.owner[0]]
            row = conn.execute(
                sql.SQL("SELECT nextval({}), coalesce(max({}), 0) FROM {}").format(
                    sql.Literal(f'"{sequence.schema}"."{sequence.name}"'),
                    sql.Identifier(sequence.owner[1]),
                    table.identifier,
                )
            ).fetchone()
            assert row is not None
            assert row[0] > row[1], sequence.qualified


def test_rows_added_since_the_backup_are_removed(database: str) -> None:
    load_chinook(database)
    vault = new_vault()
    before = take_image(database)
    outcome = back_up(database, vault)
    with connect(database, application_name="damage") as conn:
        conn.execute("INSERT INTO artist SELECT 1000 + n, 'New ' || n FROM generate_series(1, 50) n")
        conn.execute("INSERT INTO album SELECT 1000 + n, 'New ' || n, 1000 + n FROM generate_series(1, 50) n")
        conn.execute("UPDATE album SET artist_id = 1001 WHERE album_id < 20")

    report = restore(database, vault, outcome)

    assert take_image(database) == before
    assert report.tables["public.album"].removed == 50
    assert report.tables["public.album"].changed == 19
    assert report.tables["public.artist"].removed == 50
