"""A drill restores everything, compares it, binds it, writes, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.support.databases import back_up, run_psql, take_image
from tests.support.drills import drill, leftovers
from tests.support.vaults import new_vault

ZOO = (Path(__file__).parents[2] / "support" / "zoo.sql").read_text(encoding="utf-8")


def test_the_bundled_application_is_proven_and_untouched(bundled_database: str) -> None:
    vault = new_vault()
    outcome = back_up(bundled_database, vault)
    before = take_image(bundled_database)

    report = drill(bundled_database, vault, outcome)

    assert report.ok
    assert report.unproven == ()
    assert report.place == "schema"
    assert (report.tables, report.rows) == (outcome.manifest.totals.tables, outcome.manifest.totals.rows)
    assert take_image(bundled_database) == before
    assert leftovers(bundled_database) == []


def test_every_kind_of_table_and_value_is_proven(database: str) -> None:
    run_psql(database, ZOO)
    vault = new_vault()
    outcome = back_up(database, vault)

    report = drill(database, vault, outcome)

    assert [str(each) for each in report.unproven] == []
    assert report.damaged == ()
    assert report.rows == outcome.manifest.totals.rows
    assert leftovers(database) == []
