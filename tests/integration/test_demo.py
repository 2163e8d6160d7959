"""The demo data: believable, the same every time, whole or not at all, and never on top of somebody's own."""

from __future__ import annotations

import psycopg
import pytest

from rxbackup.demo import load_demo
from rxbackup.errors import Cancelled, Refused, UsageError
from rxbackup.groups.bundled import BUNDLED_GROUPS
from rxbackup.progress import Progress
from rxbackup.tables.migrating import migrate
from tests.support.postgres import NewDatabase

TABLES = [name for tables in BUNDLED_GROUPS.values() for name in tables]

# Everything but what counts back from now.
_TIMELESS = """
    SELECT md5(string_agg(md5((to_jsonb(t) - '{created_at,updated_at,at,reported_at,resolved_at,open_for,state,status,
        purchased_on,warranty_until,last_login_at,performed_on,next_due_on,needed_by,decided_at,read_at}'::text[])::text),
        '' ORDER BY md5(to_jsonb(t)::text))) FROM (SELECT * FROM {table} ORDER BY 1) AS t
"""


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def test_groups_name_every_table_of_the_application_once(bundled_database: str) -> None:
    with psycopg.connect(bundled_database) as connection:
        there = [
            n for (n,) in connection.execute("SELECT 'public.' || tablename FROM pg_tables WHERE schemaname='public'")
        ]
    assert sorted(there) == sorted(TABLES)
    assert list(BUNDLED_GROUPS) == [
        "Assets",
        "Users",
        "Departments",
        "Issues",
        "Requests",
        "Notifications",
        "Preferences",
    ]


def test_scale_one_is_a_company_of_three_hundred(system_database: str) -> None:
    seen: list[Progress] = []
    report = load_demo(system_database, scale=1, on_progress=seen.append)
    assert report.rows["public.assets"] == 2000
    assert report.rows["public.users"] == 300
    assert report.rows["public.departments"] == 12
    assert report.rows["public.issues"] == 5000
    assert report.rows["public.notifications"] == 8000
    for name, rows in report.rows.items():
        assert ask(system_database, f"SELECT count(*) FROM {name}") == rows
    assert seen[-1].rows_done == seen[-1].rows_total == report.total
    assert ask(system_database, "SELECT count(*) FROM users WHERE role = 'admin' AND active") == 3
    assert ask(system_database, "SELECT value FROM rxbackup.settings") is None  # not without an actor
    with psycopg.connect(system_database) as connection:
        connection.execute("SELECT set_config('rxbackup.actor', 'system', true)")
        row = connection.execute("SELECT value FROM rxbackup.settings WHERE key = 'bundled_application'").fetchone()
        assert row == (True,)


def test_data_has_what_makes_a_backup_hard(bundled_database: str) -> None:
    for question in (
        "SELECT count(*) FROM assets WHERE parent_asset_id IS NOT NULL",
        "SELECT count(*) FROM departments d JOIN users u ON u.id = d.head_user_id",
        "SELECT count(*) FROM assets WHERE attributes ? 'ram_gb'",
        "SELECT count(*) FROM assets WHERE cardinality(tags) > 1",
        "SELECT count(*) FROM assets WHERE total_cost > price",
        "SELECT count(*) FROM issues WHERE open_for > interval '1 hour'",
        "SELECT count(*) FROM users WHERE name ~ '[^ -~]'",
        "SELECT count(*) FROM issues WHERE description LIKE E'%\\n%'",
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'assets'::regclass AND NOT tgisinternal AND tgenabled = 'O'",
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'issues'::regclass AND convalidated",
    ):
        assert ask(bundled_database, question), question


def test_no_moment_lies_in_the_future(bundled_database: str) -> None:
    with psycopg.connect(bundled_database) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'"
        ).fetchall()
        for table, column in columns:
            row = connection.execute(f"SELECT max({column}) <= now() FROM {table}").fetchone()  # type: ignore[arg-type]
            assert row != (False,), (table, column)


def test_next_rows_get_fresh_numbers(bundled_database: str) -> None:
    with psycopg.connect(bundled_database) as connection:
        connection.execute("INSERT INTO users (email, name) VALUES ('new@example.org', 'New')")
        connection.execute("INSERT INTO asset_categories (name) VALUES ('New')")
        connection.execute("INSERT INTO assets (name, category_id, price) VALUES ('New', 5, 1)")
        connection.execute("INSERT INTO issues (asset_id, title) SELECT max(id), 'New' FROM assets")
        connection.execute("UPDATE assets SET status = 'lost' WHERE name = 'New'")
        row = connection.execute(
            "SELECT old_status::text, new_status::text FROM asset_events ORDER BY id DESC LIMIT 1"
        ).fetchone()
        assert row == ("in_stock", "lost")


def test_same_data_every_time(new_database: NewDatabase) -> None:
    found = []
    for _ in range(2):
        url = new_database()
        migrate(url, protected_url=None)
        load_demo(url, scale=0.1)
        found.append({name: ask(url, _TIMELESS.replace("{table}", name)) for name in TABLES})
    assert found[0] == found[1]


def test_loading_does_not_change_the_schema(new_database: NewDatabase) -> None:
    from rxbackup.tables.migrating import make_bundled_application

    shapes = []
    for load in (False, True):
        url = new_database()
        migrate(url, protected_url=None)
        make_bundled_application(url)
        if load:
            load_demo(url, scale=0.05)
        with psycopg.connect(url) as connection:
            shapes.append(
                connection.execute("""
                    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
                        WHERE connamespace = 'public'::regnamespace
                    UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
                    UNION ALL SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger
                        WHERE NOT tgisinternal
                    ORDER BY 1, 2, 3""").fetchall()
            )
    assert shapes[0] == shapes[1]


def test_first_admin_may_be_there_before(system_database: str) -> None:
    from rxbackup.tables.migrating import make_bundled_application

    make_bundled_application(system_database)
    with psycopg.connect(system_database) as connection:
        connection.execute("INSERT INTO users (email, name, role) VALUES ('me@here.example', 'Me', 'admin')")
    report = load_demo(system_database, scale=0.05)
    assert ask(system_database, "SELECT count(*) FROM users") == report.rows["public.users"] + 1


def test_second_load_is_refused_and_changes_nothing(bundled_database: str) -> None:
    before = ask(bundled_database, "SELECT count(*) FROM issues")
    with pytest.raises(Refused, match="data already"):
        load_demo(bundled_database, scale=0.05)
    assert ask(bundled_database, "SELECT count(*) FROM issues") == before


def test_database_of_somebody_else_is_refused(system_database: str) -> None:
    with psycopg.connect(system_database) as connection:
        connection.execute("CREATE TABLE public.invoices (id int)")
    with pytest.raises(Refused, match="invoices"):
        load_demo(system_database)
    assert ask(system_database, "SELECT to_regclass('public.assets')") is None


def test_users_of_somebody_else_are_refused(system_database: str) -> None:
    with psycopg.connect(system_database) as connection:
        connection.execute("CREATE TABLE public.users (id int)")
    with pytest.raises(Refused, match="another application"):
        load_demo(system_database)


def test_cancelled_load_leaves_an_empty_application(system_database: str) -> None:
    def cancel(progress: Progress) -> None:
        if progress.tables_done == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        load_demo(system_database, scale=0.05, on_progress=cancel)
    assert ask(system_database, "SELECT count(*) FROM users") == 0
    load_demo(system_database, scale=0.05)


@pytest.mark.parametrize("scale", [0, -1, 1e9, float("nan")])
def test_scale_that_makes_no_sense_is_refused(database: str, scale: float) -> None:
    with pytest.raises(UsageError):
        load_demo(database, scale=scale)
