"""The SQL download loads into an empty copy of the schema, as an owner who is no superuser, whatever refers to what."""

from __future__ import annotations

import subprocess

import psycopg
import pytest

from rxbackup.export.sql_script import write_sql
from rxbackup.postgres.connecting import connect
from rxbackup.tables.migrating import make_bundled_application
from tests.support.databases import back_up, run_psql, take_image
from tests.support.postgres import NewDatabase, admin_url
from tests.support.vaults import new_vault

RINGS = r"""
CREATE SCHEMA "odd '{}"",\ $rxbackup$ schema";
SET search_path = "odd '{}"",\ $rxbackup$ schema";
CREATE TABLE "a $rxbackup$ '" (id int PRIMARY KEY, b int);
CREATE TABLE "b
\! touch /tmp/rxbackup-was-here" (id int PRIMARY KEY, a int CONSTRAINT "to % ""a"" key" REFERENCES "a $rxbackup$ '");
ALTER TABLE "a $rxbackup$ '" ADD CONSTRAINT "to ; b" FOREIGN KEY (b) REFERENCES "b
\! touch /tmp/rxbackup-was-here";
INSERT INTO "a $rxbackup$ '" VALUES (1), (2);
INSERT INTO "b
\! touch /tmp/rxbackup-was-here" VALUES (1, 2), (2, 1);
UPDATE "a $rxbackup$ '" SET b = id;
CREATE TABLE chosen (id int PRIMARY KEY, next int REFERENCES chosen DEFERRABLE INITIALLY DEFERRED);
INSERT INTO chosen VALUES (1, 2), (2, 1);
CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree);
INSERT INTO tree VALUES (1, 2), (2, 1);
CREATE TABLE months (month int, id int, before_month int, before int, PRIMARY KEY (month, id),
                     FOREIGN KEY (before_month, before) REFERENCES months) PARTITION BY LIST (month);
CREATE TABLE month_1 PARTITION OF months FOR VALUES IN (1) PARTITION BY RANGE (id);
CREATE TABLE month_1_low PARTITION OF month_1 FOR VALUES FROM (0) TO (10);
CREATE TABLE month_1_high PARTITION OF month_1 FOR VALUES FROM (10) TO (20);
CREATE TABLE month_2 PARTITION OF months FOR VALUES IN (2);
INSERT INTO months VALUES (1, 1, 2, 1), (1, 11, 1, 1), (2, 1, 1, 11);
"""


def _script(url: str) -> str:
    vault = new_vault()
    return b"".join(write_sql(vault, back_up(url, vault).manifest)).decode()


def _emptied(url: str) -> None:
    with connect(url, application_name="empty") as conn:
        names = conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema|rxbackup)'"
        ).fetchall()
        conn.execute(f"TRUNCATE {', '.join(name for (name,) in names)}")


def test_the_bundled_application_loads_into_an_empty_copy(bundled_database: str, new_database: NewDatabase) -> None:
    copy = new_database()
    make_bundled_application(copy)
    _emptied(copy)
    definitions = take_image(copy)

    run_psql(copy, _script(bundled_database))

    after = take_image(copy)
    assert after.differing(take_image(bundled_database)) == []
    assert (after.constraints, after.triggers) == (definitions.constraints, definitions.triggers)


def test_rings_parts_and_odd_names_load_and_the_keys_are_as_they_were(
    database: str, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_psql(database, RINGS)
    copy = new_database()
    run_psql(copy, RINGS)
    _emptied(copy)

    run_psql(copy, _script(database))

    assert take_image(copy) == take_image(database)
    with psycopg.connect(copy, autocommit=True) as conn, pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("""DELETE FROM "odd '{}"",\\ $rxbackup$ schema".tree WHERE id = 1 """)


def test_a_row_that_breaks_a_key_changes_nothing(database: str, new_database: NewDatabase) -> None:
    run_psql(database, RINGS)
    copy = new_database()
    run_psql(copy, RINGS)
    _emptied(copy)
    before = take_image(copy)
    broken = _script(database).replace("\n2\t1\n", "\n2\t7\n")

    with pytest.raises(subprocess.CalledProcessError):
        run_psql(copy, broken)

    assert take_image(copy) == before


def test_who_does_not_own_the_tables_loads_what_needs_no_deferring(database: str, new_database: NewDatabase) -> None:
    schema = "CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (id int REFERENCES parents);"
    run_psql(database, schema + "INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1)")
    copy = new_database()
    run_psql(
        admin_url(copy),
        f"{schema} GRANT SELECT, INSERT ON parents, children TO rxbackup; GRANT USAGE ON SCHEMA public TO rxbackup",
    )

    run_psql(copy, _script(database))

    assert take_image(copy).rows == take_image(database).rows
