"""The command line as people and scripts meet it: what it prints, and the code it ends with."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.support.installation import ADMIN, PASSWORD
from tests.support.postgres import NewDatabase
from tests.support.terminal import Terminal, terminal

NOBODY = "00000000-0000-4000-8000-000000000000"
NEEDED = {
    "id",
    "name",
    "rows",
    "tables",
    "raw_bytes",
    "stored_bytes",
    "segments_total",
    "segments_read",
    "seconds",
}

NO_CHANGE_BUT_TEN_ADDED = {"added": 10, "changed": 0, "removed": 0, "set_aside": 0}


def _sql(shop: Terminal, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shop.settings["RXBACKUP_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("SET rxbackup.actor = 'system'")
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_the_whole_circle(shop: Terminal, tmp_path: Path) -> None:
    made = shop.run("backup", "create", "--name", "First", "--json")
    assert made.code == 0, made.err
    assert made.json.keys() >= NEEDED
    assert made.json["rows"] == 570
    assert "Reading rows" in made.err
    backup = made.json["id"]

    listed = shop.run("backup", "list", "--json").json
    assert [b["id"] for b in listed["backups"]] == [backup]
    assert "First" in shop.run("backup", "list").out
    shown = shop.run("backup", "show", backup[:8], "--json").json
    assert {t["name"] for t in shown["tables"]} == {"public.customers", "public.orders", "public.notes"}

    assert shop.run("backup", "verify", backup, "--level", "structure").code == 0
    assert shop.run("backup", "verify", "First", "--json", "-q").json["ok"] is True

    target = tmp_path / "first.json"
    assert shop.run("backup", "download", backup, "-o", str(target), "-q").code == 0
    assert len(json.loads(target.read_text())["data"]["public.orders"]) == 500
    assert target.stat().st_mode & 0o777 == 0o600
    assert shop.run("backup", "download", backup, "-o", str(target)).code == 3
    assert "COPY" in shop.run("backup", "download", backup, "-o", "-", "--format", "sql", "-q").out

    _sql(shop, "DELETE FROM public.orders WHERE id <= 10")
    plan = shop.run("restore", backup, "--dry-run", "--json")
    assert plan.code == 0
    orders = next(t for t in plan.json["tables"] if t["name"] == "public.orders")
    assert orders["change"].items() >= NO_CHANGE_BUT_TEN_ADDED.items()
    done = shop.run("restore", backup, "--yes", "--json").json
    assert done["tables"]["public.orders"].items() >= NO_CHANGE_BUT_TEN_ADDED.items()
    assert done.keys() >= {"job", "tables", "safety_backup", "seconds"}
    assert _sql(shop, "SELECT count(*) FROM public.orders") == [(500,)]

    assert shop.run("backup", "pin", backup).code == 0
    assert shop.run("backup", "delete", backup, "--yes").code == 3
    assert shop.run("backup", "unpin", backup).code == 0
    assert shop.run("backup", "delete", backup, "--yes", "--json").json["trash_until"]
    assert backup not in [view["id"] for view in shop.run("backup", "list", "--json").json["backups"]]
    assert [view["id"] for view in shop.run("backup", "list", "--trash", "--json").json["backups"]] == [backup]
    assert shop.run("restore", backup, "--dry-run").code == 3
    assert shop.run("backup", "undelete", backup, "--json").json["trashed_at"] is None
    assert shop.run("backup", "delete", backup, "--now", "--yes", "--json").json["deleted"] == backup
    assert shop.run("backup", "show", backup).code == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ("backup", "show", NOBODY),
        ("backup", "verify", NOBODY),
        ("backup", "delete", NOBODY, "--yes"),
        ("backup", "pin", NOBODY),
        ("backup", "download", NOBODY, "-o", "/nowhere/x.json"),
        ("restore", NOBODY, "--yes"),
        ("backup", "create", "--store", "moon"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_ends_with_4(shop: Terminal, arguments: tuple[str, ...]) -> None:
    outcome = shop.run(*arguments, "--json")
    assert outcome.code in ({4, 2} if "/nowhere/x.json" in arguments else {4}), outcome
    assert outcome.error["hint"]


def test_usage_ends_with_2(shop: Terminal) -> None:
    for arguments in (["nonsense"], ["backup", "create", "--nope"], ["restore"], ["backup", "create", "--groups", "X"]):
        assert shop.run(*arguments).code == 2, arguments


def test_nothing_is_deleted_or_restored_without_a_yes(shop: Terminal) -> None:
    backup = shop.run("backup", "create", "--json", "-q").json["id"]
    for arguments in (["backup", "delete", backup], ["restore", backup]):
        refused = shop.run(*arguments, "--json")
        assert (refused.code, refused.error["code"]) == (3, "refused")
    assert shop.run("backup", "show", backup).code == 0


def test_a_plan_that_breaks_something_ends_with_3(shop: Terminal) -> None:
    backup = shop.run("backup", "create", "--json", "-q").json["id"]
    _sql(shop, "DROP TABLE public.notes")
    for extra in (["--dry-run"], ["--yes"]):
        refused = shop.run("restore", backup, "--json", *extra)
        assert refused.code == 3
        assert "public.notes" in refused.error["message"]


def test_damage_ends_with_5(shop: Terminal) -> None:
    backup = shop.run("backup", "create", "--json", "-q").json["id"]
    _sql(shop, "UPDATE rxbackup.objects SET content = set_byte(content, 200, get_byte(content, 200) # 4) "
               "WHERE name LIKE 'chunks/%'")  # fmt: skip
    found = shop.run("backup", "verify", backup, "--json")
    assert (found.code, found.json["ok"]) == (5, False)
    _sql(shop, "UPDATE public.customers SET name = name")
    assert shop.run("restore", backup, "--yes", "--no-safety").code == 5
    assert shop.run("backup", "download", backup, "-o", shop.settings["RXBACKUP_DATA_DIR"] + "/x").code == 5
    assert not (Path(shop.settings["RXBACKUP_DATA_DIR"]) / "x").exists()


def test_a_wrong_key_is_told_at_once_and_changes_nothing(shop: Terminal) -> None:
    backup = shop.run("backup", "create", "--json", "-q").json["id"]
    before = _sql(shop, "SELECT name FROM rxbackup.objects ORDER BY 1")
    other = shop.with_settings(RXBACKUP_KEY=secrets.token_hex(32))
    for arguments in (
        ["backup", "create"],
        ["backup", "verify", backup],
        ["key", "check"],
        ["restore", backup, "--yes"],
    ):
        refused = other.run(*arguments, "--json")
        assert (refused.code, refused.error["code"]) == (1, "wrong-key"), arguments
    assert _sql(shop, "SELECT name FROM rxbackup.objects ORDER BY 1") == before
    assert shop.run("key", "check").code == 0


def test_a_missing_key_is_never_replaced(shop: Terminal) -> None:
    made = shop.run("backup", "create", "--json", "-q")
    assert "key was made" in made.err
    key = Path(shop.settings["RXBACKUP_DATA_DIR"]) / "rxbackup.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.rename(key.with_suffix(".away"))
    refused = shop.run("backup", "create", "--json", "-q")
    assert (refused.code, refused.error["code"]) == (1, "key-missing")
    assert not key.exists()
    assert shop.run("backup", "list").code == 0
    assert shop.run("doctor", "--json").code == 1
    key.with_suffix(".away").rename(key)
    key.chmod(0o644)
    exposed = shop.run("key", "check", "--json")
    assert (exposed.code, exposed.error["code"]) == (1, "key-file-exposed")


def test_a_database_that_is_away_ends_with_1(shop: Terminal) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    for arguments in (["backup", "list"], ["backup", "create"], ["doctor"]):
        away = shop.with_settings(RXBACKUP_DATABASE_URL=url).run(*arguments, "--json")
        assert away.code == 1, arguments
    away = shop.with_settings(RXBACKUP_DATABASE_URL=url).run("backup", "create", "--json")
    assert away.error["code"] == "database-unavailable"


def test_admins_are_made_with_passwords_that_do(shop: Terminal) -> None:
    made = shop.run("admin", "create", ADMIN, "--password-stdin", "--json", typed=f"{PASSWORD}\n")
    assert (made.code, made.json["email"]) == (0, ADMIN)
    assert PASSWORD not in made.out + made.err
    assert shop.run("admin", "create", "x@y.org", "--password-stdin", typed="short\n").code == 2
    assert shop.run("admin", "create", "nobody", "--password-stdin", typed=f"{PASSWORD}\n").code == 2
    assert shop.run("admin", "create", "x@y.org").code == 2
    backup = shop.run("backup", "create", "--json", "-q").json
    assert backup["created_by"] == ADMIN
    grace = shop.run("admin", "create", "grace@example.org", "--password-stdin", "--json", typed=f"{PASSWORD}\n")
    assert grace.code == 0
    for given, kept in (("Grace@Example.org", "grace@example.org"), ("console@localhost", "console@localhost")):
        assert shop.run("--as", given, "backup", "create", "--json", "-q").json["created_by"] == kept


def test_only_an_account_can_be_named_with_as(shop: Terminal) -> None:
    refused = shop.run("--as", "nobody@x.de", "backup", "list", "--json")
    assert (refused.code, refused.error["code"]) == (2, "usage-error")
    assert "nobody@x.de" in refused.error["message"]
    assert "console@localhost" in refused.error["hint"]
    assert shop.with_settings(RXBACKUP_ACTOR="nobody").run("backup", "list").code == 2


def test_a_wrong_group_is_refused_before_anything_begins(shop: Terminal) -> None:
    refused = shop.run("backup", "create", "--groups", "Nope")
    assert refused.code == 2
    assert "There is no group named Nope." in refused.err
    assert "Locking" not in refused.err
    assert _sql(shop, "SELECT name FROM rxbackup.backups") == []


def test_the_list_says_which_states_and_pages_there_are(shop: Terminal) -> None:
    bogus = shop.run("backup", "list", "--state", "bogus", "--json")
    assert bogus.code == 2
    assert "complete, running" in bogus.error["hint"]
    beyond = shop.run("backup", "list", "--page", "7", "--json")
    assert (beyond.code, beyond.error["message"]) == (2, "There is no page 7: there is one page only.")
    assert shop.run("backup", "list", "--state", "failed").out == "No backup matches.\n"


def test_schemas_made_in_somebodys_database_are_told_of_once(
    database: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    name = database.rpartition("/")[2].partition("?")[0]
    at = terminal(database, tmp_path)
    first = at.run("backup", "list", "--json")
    assert first.json["total"] == 0
    assert f"Made the schemas rxbackup and rxbackup_queue in database {name}.\n" in first.err
    assert "Made the schema" not in at.run("backup", "list").err
    apart = at.with_settings(RXBACKUP_DATABASE_URL=new_database(), RXBACKUP_SYSTEM_URL=database)
    assert "Made the schema rxbackup in database " in apart.run("migrate").err
    assert "Made the schema" not in apart.run("migrate").err


def test_a_terminated_backup_is_interrupted_and_ends_with_6(shop: Terminal) -> None:
    shop.run("backup", "list")
    with psycopg.connect(shop.settings["RXBACKUP_DATABASE_URL"]) as conn:
        conn.execute("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
        process = shop.start("backup", "create", "--json")
        deadline = time.monotonic() + 20
        while not _sql(shop, "SELECT 1 FROM rxbackup.backups WHERE state = 'running'"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 6, (out, err)
    assert _sql(shop, "SELECT state FROM rxbackup.backups") == [("interrupted",)]
    assert _sql(shop, "SELECT state FROM rxbackup.jobs") == [("interrupted",)]


def test_doctor_and_migrate_and_version(shop: Terminal) -> None:
    assert shop.run("migrate", "--json").json == {"migrated": True}
    found = shop.run("doctor", "--json")
    assert {f["level"] for f in found.json["findings"]} <= {"ok", "warning"}
    assert found.code == 0
    assert shop.run("--version").out.startswith("rxbackup ")
