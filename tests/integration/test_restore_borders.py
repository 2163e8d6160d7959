"""What a restore refuses, in words, and that it then changes nothing."""

from __future__ import annotations

import threading
import time

import pytest

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.run import commit_outcome, prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, restore, run_psql, take_image
from tests.support.postgres import admin_url
from tests.support.vaults import new_vault

SCHEMA = """
CREATE TABLE shop_customers (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE shop_notes (id int PRIMARY KEY, body text);
CREATE TABLE sale_orders (id int PRIMARY KEY, customer int REFERENCES shop_customers {action});
CREATE TABLE sale_lines (id int PRIMARY KEY, sale int REFERENCES sale_orders);
INSERT INTO shop_customers SELECT n, 'Customer ' || n FROM generate_series(1, 10) n;
INSERT INTO shop_notes SELECT n, 'Note ' || n FROM generate_series(1, 10) n;
INSERT INTO sale_orders SELECT n, n FROM generate_series(1, 10) n;
INSERT INTO sale_lines SELECT n, n FROM generate_series(1, 10) n;
"""


@pytest.fixture
def vault() -> Vault:
    return new_vault()


def _shop(url: str, vault: Vault, action: str = "") -> BackupOutcome:
    run_psql(url, SCHEMA.format(action=action))
    return back_up(url, vault)


def _run(url: str, statement: str) -> None:
    with connect(url, application_name="test") as conn:
        conn.execute(statement)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("", "would refer to nothing"),
        ("ON DELETE RESTRICT", "would refer to nothing"),
        ("ON DELETE CASCADE", "would be deleted with it"),
        ("ON DELETE SET NULL", "would lose their reference"),
        ("ON DELETE SET DEFAULT", "would get another reference"),
    ],
)
def test_rows_of_other_tables_are_never_broken_or_cascaded(
    database: str, vault: Vault, action: str, words: str
) -> None:
    outcome = _shop(database, vault, action)
    _run(database, "INSERT INTO shop_customers VALUES (11, 'New'); INSERT INTO sale_orders VALUES (11, 11), (12, 11)")
    before = take_image(database)

    with pytest.raises(errors.PlanRefused, match=words) as refused:
        restore(database, vault, outcome, groups=("Shop",))

    assert "2 of its rows" in refused.value.message
    assert "public.sale_orders" in refused.value.message
    assert take_image(database) == before


def test_a_group_is_restored_while_others_refer_to_rows_that_stay(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault, "ON DELETE CASCADE")
    _run(database, "UPDATE shop_customers SET name = 'Spoiled ' || id; INSERT INTO sale_lines VALUES (11, 1)")

    report = restore(database, vault, outcome, groups=("Shop",))

    assert report.tables["public.shop_customers"].changed == 10
    with connect(database, application_name="test") as conn:
        assert conn.execute("SELECT count(*) FROM sale_orders").fetchone() == (10,)
        assert conn.execute("SELECT count(*) FROM sale_lines").fetchone() == (11,)


def test_rows_whose_parents_are_gone_are_refused(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "DELETE FROM sale_lines; DELETE FROM sale_orders; DELETE FROM shop_customers WHERE id < 4")
    before = take_image(database)

    with pytest.raises(errors.PlanRefused, match=r"3 rows of public\.sale_orders refer to rows of"):
        restore(database, vault, outcome, groups=("Sale",))

    assert take_image(database) == before


def test_the_hint_is_possible_where_both_tables_are_in_the_backup(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "INSERT INTO shop_customers VALUES (11, 'New'); INSERT INTO sale_orders VALUES (11, 11)")
    with pytest.raises(errors.PlanRefused) as refused:
        restore(database, vault, outcome, groups=("Shop",))
    assert refused.value.hint == "Restore the groups of both tables together."


def test_the_hint_is_possible_where_a_table_is_newer_than_the_backup(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "CREATE TABLE claims (id int PRIMARY KEY, customer int REFERENCES shop_customers)")
    _run(database, "INSERT INTO shop_customers VALUES (11, 'New'); INSERT INTO claims VALUES (1, 11), (2, 11), (3, 1)")
    with pytest.raises(errors.PlanRefused, match=r"public\.claims is not in this backup \(it is newer") as refused:
        restore(database, vault, outcome)
    assert "2 of its rows" in refused.value.message
    assert refused.value.hint == (
        "Remove those rows of public.claims (2), or let them refer to other rows, then restore again."
    )


def test_the_hint_is_possible_where_the_parents_were_left_out_of_the_backup(database: str, vault: Vault) -> None:
    run_psql(database, SCHEMA.format(action=""))
    outcome = back_up(database, vault, groups=("Sale",))
    _run(database, "DELETE FROM sale_lines; DELETE FROM sale_orders; DELETE FROM shop_customers WHERE id < 4")
    with pytest.raises(errors.PlanRefused, match="that table is not in this backup") as refused:
        restore(database, vault, outcome)
    assert refused.value.hint.startswith("Put the missing rows into public.shop_customers first")


def test_a_rehearsal_that_fails_says_that_it_is_one(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=database)
    name = database.rpartition("/")[2].partition("?")[0]
    _run(admin_url(database), f'REVOKE TEMP ON DATABASE "{name}" FROM PUBLIC, rxbackup')
    for rehearse, words in ((True, "Rehearsing the restore: permission"), (False, "Restoring: permission")):
        with pytest.raises(errors.DatabaseTrouble) as failed:
            run_restore(plan, outcome.manifest, vault=vault, source_url=database, rehearse=rehearse)
        assert failed.value.message.startswith(words)


def test_unique_values_that_moved_between_rows_come_back(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    before = take_image(database)
    _run(
        database,
        "DELETE FROM sale_lines; DELETE FROM sale_orders; UPDATE shop_customers SET name = 'x' || id;"
        "UPDATE shop_customers SET name = 'Customer ' || (id % 10) + 1",
    )

    restore(database, vault, outcome)

    assert take_image(database) == before


def test_keys_that_must_wait_are_made_to_before_anything_is_written(database: str, vault: Vault) -> None:
    """Rows that were deleted leave checks for later, and with those PostgreSQL lets nobody alter their table."""
    _run(
        database,
        "CREATE TABLE team_people (id int PRIMARY KEY, name text UNIQUE, chief int REFERENCES team_people);"
        "CREATE TABLE team_tasks (id int PRIMARY KEY, who int REFERENCES team_people DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO team_people VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 2);"
        "INSERT INTO team_tasks VALUES (1, 1), (2, 2)",
    )
    outcome = back_up(database, vault)
    before = take_image(database)
    _run(
        database,
        "INSERT INTO team_people VALUES (9, 'new', 1);"
        "UPDATE team_people SET name = 'aside' WHERE id = 1; UPDATE team_people SET name = 'a' WHERE id = 2;"
        "UPDATE team_people SET name = 'b' WHERE id = 1",
    )

    restore(database, vault, outcome)

    assert take_image(database) == before


def test_a_row_without_a_key_is_replaced_under_rows_that_refer_to_it(database: str, vault: Vault) -> None:
    _run(
        database,
        "CREATE TABLE team_codes (code int UNIQUE, body text);"
        "CREATE TABLE team_tasks (id int PRIMARY KEY, code int REFERENCES team_codes (code));"
        "INSERT INTO team_codes VALUES (1, 'a'), (2, 'b'); INSERT INTO team_tasks VALUES (1, 1), (2, 2)",
    )
    outcome = back_up(database, vault)
    before = take_image(database)
    _run(database, "UPDATE team_codes SET body = 'spoiled'; DELETE FROM team_tasks WHERE id = 1")

    restore(database, vault, outcome)

    assert take_image(database) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DROP TABLE shop_notes", "public.shop_notes is in the backup but not in the database"),
        ("ALTER TABLE shop_notes DROP COLUMN body", "no longer has the column body"),
        ("ALTER TABLE shop_notes RENAME COLUMN body TO text", "no longer has the column body"),
        (
            "ALTER TABLE shop_notes ADD x int NOT NULL DEFAULT 1; ALTER TABLE shop_notes ALTER x DROP DEFAULT",
            "has the new column x",
        ),
        ("ALTER TABLE shop_notes ADD CHECK (body <> 'Note 3') NOT VALID", "does not accept the backup's rows"),
        ("CREATE RULE r AS ON INSERT TO shop_notes DO INSTEAD NOTHING", "rewrite rules"),
    ],
)
def test_a_changed_schema_is_refused_in_words(database: str, vault: Vault, change: str, words: str) -> None:
    outcome = _shop(database, vault)
    _run(database, "UPDATE shop_notes SET body = 'Spoiled' WHERE id > 1; DELETE FROM sale_lines")
    _run(database, change)
    before = take_image(database)

    with pytest.raises(errors.PlanRefused, match=words):
        restore(database, vault, outcome)

    assert take_image(database) == before


def test_a_new_column_with_a_default_is_no_obstacle(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "ALTER TABLE shop_notes ADD COLUMN stars int NOT NULL DEFAULT 3")
    _run(database, "DELETE FROM shop_notes WHERE id < 3; UPDATE shop_notes SET stars = 5, body = '' WHERE id = 9")

    restore(database, vault, outcome)

    with connect(database, application_name="test") as conn:
        rows = conn.execute("SELECT id, body, stars FROM shop_notes WHERE id IN (1, 9) ORDER BY id").fetchall()
    assert rows == [(1, "Note 1", 3), (9, "Note 9", 5)]


def test_a_plan_is_refused_when_the_ground_has_moved(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=database)
    _run(database, "ALTER TABLE shop_notes ADD COLUMN later int")

    with pytest.raises(errors.PlanRefused, match="changed since the plan"):
        run_restore(plan, outcome.manifest, vault=vault, source_url=database)


def test_a_rehearsal_counts_and_changes_nothing(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "DELETE FROM sale_lines WHERE id < 4; UPDATE shop_notes SET body = 'x' WHERE id = 1")
    _run(database, "INSERT INTO shop_notes VALUES (99, 'extra')")
    before = take_image(database)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=database)

    report = run_restore(plan, outcome.manifest, vault=vault, source_url=database, rehearse=True)

    assert take_image(database) == before
    lines, notes = report.tables["public.sale_lines"], report.tables["public.shop_notes"]
    assert (lines.added, lines.changed, lines.removed) == (3, 0, 0)
    assert (notes.added, notes.changed, notes.removed) == (0, 1, 1)


def test_a_table_that_stays_locked_is_named_with_its_holder(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=database)
    with connect(database, application_name="nightly import") as holder, holder.transaction():
        holder.execute("LOCK TABLE shop_notes IN ROW EXCLUSIVE MODE")
        with pytest.raises(errors.LockNotAvailable, match=r"shop_notes is locked by nightly import \(process \d+"):
            run_restore(plan, outcome.manifest, vault=vault, source_url=database, lock_timeout_seconds=0.3)


def test_readers_see_before_or_after_and_never_between(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "DELETE FROM sale_lines; DELETE FROM sale_orders")
    seen: set[tuple[int, int]] = set()
    longest = 0.0
    done = threading.Event()

    def look() -> None:
        nonlocal longest
        with connect(database, application_name="reader") as conn:
            while not done.is_set():
                began = time.monotonic()
                row = conn.execute(
                    "SELECT (SELECT count(*) FROM sale_lines), (SELECT count(*) FROM sale_orders)"
                ).fetchone()
                longest = max(longest, time.monotonic() - began)
                assert row is not None
                seen.add(row)

    reader = threading.Thread(target=look)
    reader.start()
    time.sleep(0.2)
    restore(database, vault, outcome)
    time.sleep(0.2)
    done.set()
    reader.join()
    assert seen == {(0, 0), (10, 10)}


def test_the_outcome_of_a_restore_can_be_asked_for_later(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    plan = prepare_restore(outcome.manifest, RestoreRequest(), source_url=database)
    noted: list[str] = []

    def note(xid: str) -> None:
        noted.append(xid)
        assert commit_outcome(database, xid) == "in progress"

    run_restore(plan, outcome.manifest, vault=vault, source_url=database, before_commit=note)
    assert commit_outcome(database, noted[0]) == "committed"

    def fail(xid: str) -> None:
        noted.append(xid)
        raise errors.Cancelled

    with pytest.raises(errors.Cancelled):
        run_restore(plan, outcome.manifest, vault=vault, source_url=database, before_commit=fail)
    assert commit_outcome(database, noted[1]) == "aborted"
