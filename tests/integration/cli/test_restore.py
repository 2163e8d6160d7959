"""`rxbackup restore` with all that can be asked of it, and `rxbackup undo`."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.installation import SHOP
from tests.support.postgres import NewDatabase
from tests.support.terminal import Terminal


def _sql(shop: Terminal, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shop.settings["RXBACKUP_DATABASE_URL"], autocommit=True) as conn:
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def backup(shop: Terminal) -> str:
    _sql(shop, "CREATE MATERIALIZED VIEW public.sums AS SELECT sum(total) AS total FROM public.orders")
    made = shop.run("backup", "create", "--name", "First", "--json", "-q").json
    _sql(shop, "DELETE FROM public.orders WHERE id <= 10; UPDATE public.notes SET body = 'spoiled' WHERE id = 1")
    return str(made["id"])


def test_a_dry_run_binds_the_restore_that_names_it(shop: Terminal, backup: str) -> None:
    plan = shop.run("restore", backup, "--dry-run", "--json").json
    assert (plan["is_exact"], plan["allowed"], plan["stale_views"]) == (True, True, ["public.sums"])
    notes = next(t for t in plan["tables"] if t["name"] == "public.notes")
    (body,) = [f for f in notes["samples"][0]["fields"] if f["differs"]]
    assert (body["before"], body["after"]) == ("spoiled", "ä")
    shown = shop.run("restore", backup, "--dry-run").out
    assert "--preview " in shown
    assert "public.sums" in shown

    _sql(shop, "UPDATE public.notes SET body = 'spoiled' WHERE id = 2")
    refused = shop.run("restore", backup, "--preview", plan["job"], "--yes", "--json")
    assert (refused.code, refused.error["code"]) == (3, "plan-refused")
    assert "public.notes: 2 rows changed" in refused.error["message"]
    again = shop.run("restore", backup, "--dry-run", "--json", "-q").json["job"]
    done = shop.run("restore", backup, "--preview", again, "--refresh-views", "--yes", "--json").json
    assert done["tables"]["public.orders"]["added"] == 10
    assert done["refreshed"]["refreshed"] == ["public.sums"]
    assert done["undo_until"] > "2026"


def test_single_tables_go_back_and_forth(shop: Terminal, backup: str) -> None:
    done = shop.run("restore", backup, "--table", "public.notes", "--yes")
    assert done.code == 0, done.err
    assert "Restored 1 table" in done.out
    assert "takes it back, until" in done.out
    assert _sql(shop, "SELECT count(*) FROM public.orders") == [(490,)]
    foretold = shop.run("undo", "--dry-run", "--json").json
    assert [(t["name"], t["change"]["changed"]) for t in foretold["tables"]] == [("public.notes", 1)]
    undone = shop.run("undo", "--preview", foretold["job"], "--yes", "--json").json
    assert list(undone["tables"]) == ["public.notes"]
    assert _sql(shop, "SELECT body FROM public.notes WHERE id = 1") == [("spoiled",)]
    unknown = shop.run("restore", backup, "--table", "public.note,public.orders", "--yes", "--json")
    assert (unknown.code, unknown.error["code"]) == (2, "usage-error")
    assert "public.notes" in unknown.error["hint"]


def test_what_speaks_against_it_is_told_with_what_to_do(shop: Terminal, backup: str) -> None:
    _sql(shop, "INSERT INTO public.customers VALUES (99, 'new')")
    _sql(shop, "CREATE TABLE public.claims (id int PRIMARY KEY, customer_id int REFERENCES public.customers)")
    _sql(shop, "INSERT INTO public.claims VALUES (1, 99)")
    refused = shop.run("restore", backup, "--dry-run")
    assert refused.code == 3
    assert "public.claims" in refused.out
    told = shop.run("restore", backup, "--dry-run", "--json")
    assert (told.code, told.error["code"]) == (3, "plan-refused")
    assert told.error["hint"]
    done = shop.run("restore", backup, "--set-aside", "--yes", "--json").json
    assert done["tables"]["public.customers"]["set_aside"] == 1
    assert _sql(shop, "SELECT count(*) FROM public.claims") == [(1,)]


def test_maintenance_goes_with_exact_only(shop: Terminal, backup: str) -> None:
    refused = shop.run("restore", backup, "--maintenance", "--mode", "missing", "--yes", "--json")
    assert (refused.code, refused.error["code"]) == (2, "usage-error")
    assert (
        shop.run("restore", backup, "--maintenance", "--yes", "--json").json["tables"]["public.orders"]["added"] == 10
    )


def test_into_another_database(shop: Terminal, backup: str, new_database: NewDatabase) -> None:
    other = new_database()
    with psycopg.connect(other, autocommit=True) as conn:
        conn.execute(SHOP)
        conn.execute("DELETE FROM public.orders")
    secret = f"{other}{'&' if '?' in other else '?'}password=hunter2"
    plan = shop.run("restore", backup, "--into", secret, "--dry-run")
    assert plan.code == 0, plan.err
    assert "the other database" in plan.out
    done = shop.run("restore", backup, "--into", secret, "--yes", "--json")
    assert (done.code, done.json["tables"]["public.orders"]["added"]) == (0, 500)
    assert "hunter2" not in plan.out + plan.err + done.out + done.err
    own = shop.run("restore", backup, "--into", shop.settings["RXBACKUP_DATABASE_URL"], "--yes", "--json")
    assert (own.code, own.error["code"]) == (3, "refused")
    assert shop.run("restore", backup, "--into", other, "--refresh-views", "--yes").code == 2


def test_into_a_schema_beside_the_tables(shop: Terminal, backup: str) -> None:
    made = shop.run("restore", backup, "--into-schema", "then", "--table", "public.orders", "--hours", "2")
    assert made.code == 0, made.err
    assert "then.orders" in made.out
    assert _sql(shop, 'SELECT count(*) FROM "then".orders') == [(500,)]
    (listed,) = shop.run("side-schema", "list", "--json").json["side_schemas"]
    assert (listed["name"], listed["backup_name"]) == ("then", "First")
    assert "First" in shop.run("side-schema", "list").out
    assert shop.run("restore", backup, "--into-schema", "then").code == 2
    assert shop.run("side-schema", "drop", "then", "--json").json == {"dropped": "then"}
    assert shop.run("side-schema", "drop", "then").code == 4
    assert "There is none" in shop.run("side-schema", "list").out
