"""Rows that keys speak against are left as they are, with what depends on them; everything else is as the mode says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.restore.plan import KeptRow, RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, take_image
from tests.support.vaults import new_local_vault

_SCHEMA = (
    "CREATE TABLE towns (id int PRIMARY KEY)",
    "CREATE TABLE firms (id int PRIMARY KEY, town int REFERENCES towns, code text UNIQUE, body text)",
    "CREATE TABLE staff (id int PRIMARY KEY, firm int REFERENCES firms, chief int REFERENCES staff, body text)",
    "CREATE TABLE badges (staff int REFERENCES staff, body text)",
    "CREATE TABLE visits (id int PRIMARY KEY, staff int REFERENCES staff {action})",
    "INSERT INTO towns SELECT n FROM generate_series(1, 9) n",
    "INSERT INTO firms SELECT n, n, 'code ' || n, 'firm' FROM generate_series(1, 9) n",
    "INSERT INTO staff SELECT n, n, nullif(n - 1, 0), 'staff' FROM generate_series(1, 9) n",
    "INSERT INTO badges SELECT n, 'badge' FROM generate_series(1, 9) n",
    "INSERT INTO visits SELECT n, n FROM generate_series(1, 9) n",
)
CHOSEN = ("public.firms", "public.staff", "public.badges")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


def _set_up(url: str, vault: Vault, action: str = "") -> BackupOutcome:
    _run(url, *(statement.format(action=action) for statement in _SCHEMA))
    return back_up(url, vault)


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        conn.execute("SET search_path = public")  # a schema named as the owner would come first
        for statement in statements:
            conn.execute(statement)


def _ask(url: str, query: str) -> list[tuple[object, ...]]:
    with connect(url, application_name="test") as conn:
        conn.execute("SET search_path = public")
        return conn.execute(query).fetchall()


def _restore(url: str, vault: Vault, outcome: BackupOutcome, request: RestoreRequest) -> RestoreReport:
    """Rehearse, restore, and see that the one foretold the other."""
    plan = prepare_restore(outcome.manifest, request, source_url=url)
    foretold = run_restore(plan, outcome.manifest, vault=vault, source_url=url, rehearse=True)
    assert foretold.consequences == ()
    done = run_restore(plan, outcome.manifest, vault=vault, source_url=url)
    for name, result in done.tables.items():
        was = foretold.tables[name]
        assert (was.added, was.changed, was.removed, was.rows, was.set_aside) == (
            result.added, result.changed, result.removed, result.rows, result.set_aside,
        ), name  # fmt: skip
        (rows,) = _ask(url, f"SELECT count(*) FROM {name}")
        assert rows == (result.rows,), name
    return done


def _set_aside(report: RestoreReport) -> dict[str, int]:
    return {name.removeprefix("public."): t.set_aside for name, t in report.tables.items() if t.set_aside}


def test_what_has_lost_its_parent_stays_away_with_all_that_refers_to_it(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM visits",
        "DELETE FROM badges",
        "DELETE FROM staff",
        "DELETE FROM firms",
        "DELETE FROM towns WHERE id = 7",
    )
    report = _restore(system_database, vault, outcome, RestoreRequest(tables=CHOSEN, set_aside=True))
    # Firm 7 is without a town, so its member 7 is without a firm, 8 and 9 without a chief, and all without badges.
    assert _set_aside(report) == {"firms": 1, "staff": 3, "badges": 3}
    assert _ask(system_database, "SELECT array_agg(id ORDER BY id) FROM firms") == [([1, 2, 3, 4, 5, 6, 8, 9],)]
    assert _ask(system_database, "SELECT array_agg(id ORDER BY id) FROM staff") == [([1, 2, 3, 4, 5, 6],)]
    assert _ask(system_database, "SELECT array_agg(staff ORDER BY staff) FROM badges") == [([1, 2, 3, 4, 5, 6],)]


def test_a_row_set_aside_that_is_there_stays_as_it_is_now(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "INSERT INTO towns VALUES (10)",
        "UPDATE firms SET town = 10, body = 'moved' WHERE id = 7",
        "DELETE FROM towns WHERE id = 7",
        "UPDATE firms SET body = 'spoiled' WHERE id < 3",
        "UPDATE staff SET body = 'spoiled'",
    )
    report = _restore(system_database, vault, outcome, RestoreRequest(tables=CHOSEN, set_aside=True))
    assert _set_aside(report) == {"firms": 1}
    assert _ask(system_database, "SELECT id, body FROM firms WHERE body <> 'firm'") == [(7, "moved")]
    assert _ask(system_database, "SELECT count(*) FROM staff WHERE body <> 'staff'") == [(0,)]


@pytest.mark.parametrize("action", ["", "ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_rows_that_others_need_stay_with_their_parents(system_database: str, vault: Vault, action: str) -> None:
    outcome = _set_up(system_database, vault, action)
    _run(
        system_database,
        "INSERT INTO firms VALUES (20, 1, 'code 20', 'new'), (21, 1, 'code 21', 'new')",
        "INSERT INTO staff VALUES (20, 20, NULL, 'new'), (21, 20, 20, 'new'), (22, 21, NULL, 'new')",
        "INSERT INTO badges VALUES (21, 'new'), (22, 'new')",
        "INSERT INTO visits VALUES (20, 21)",
    )
    visits = _ask(system_database, "SELECT * FROM visits ORDER BY 1")
    report = _restore(system_database, vault, outcome, RestoreRequest(tables=CHOSEN, set_aside=True))
    # The visit needs member 21, who needs the chief 20; both need firm 20.
    assert _set_aside(report) == {"firms": 1, "staff": 2}
    assert _ask(system_database, "SELECT id FROM firms WHERE id > 9") == [(20,)]
    assert _ask(system_database, "SELECT id FROM staff WHERE id > 9 ORDER BY 1") == [(20,), (21,)]
    assert _ask(system_database, "SELECT count(*) FROM badges WHERE body = 'new'") == [(0,)]
    assert _ask(system_database, "SELECT * FROM visits ORDER BY 1") == visits


def test_a_unique_value_that_a_row_left_alone_holds_keeps_the_backup_s_row_away(
    system_database: str, vault: Vault
) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "UPDATE firms SET code = 'aside' WHERE id = 3",
        "INSERT INTO firms VALUES (20, 1, 'code 3', 'new')",
        "INSERT INTO staff VALUES (20, 20, NULL, 'new')",
        "INSERT INTO visits VALUES (20, 20)",
    )
    report = _restore(system_database, vault, outcome, RestoreRequest(tables=CHOSEN, set_aside=True))
    assert _set_aside(report) == {"firms": 2, "staff": 1}
    assert _ask(system_database, "SELECT id, code FROM firms WHERE id IN (3, 20) ORDER BY 1") == [
        (3, "aside"),
        (20, "code 3"),
    ]


@pytest.mark.parametrize("mode", ["missing", "changed"])
def test_clashes_are_set_aside_with_what_depends_on_them(system_database: str, vault: Vault, mode: str) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM visits WHERE staff >= 5",
        "DELETE FROM badges WHERE staff >= 5",
        "DELETE FROM staff WHERE id >= 5",
        "DELETE FROM firms WHERE id = 5",
        "INSERT INTO firms VALUES (50, 1, 'code 5', 'new')",
        "UPDATE firms SET body = 'other' WHERE id = 1",
    )
    plan = prepare_restore(outcome.manifest, RestoreRequest(mode=mode), source_url=system_database)
    with pytest.raises(errors.PlanRefused, match="newer rows hold their code"):
        run_restore(plan, outcome.manifest, vault=vault, source_url=system_database)
    report = _restore(system_database, vault, outcome, RestoreRequest(mode=mode, set_aside=True))
    # Without firm 5, member 5 cannot come back, nor 6 to 9, whose chiefs they are.
    assert _set_aside(report) == {"firms": 1, "staff": 5, "badges": 5, "visits": 5}
    other = "other" if mode == "missing" else "firm"
    assert _ask(system_database, "SELECT id, body FROM firms WHERE id IN (1, 5, 50) ORDER BY 1") == [
        (1, other),
        (50, "new"),
    ]


def test_where_only_a_part_is_staged_the_other_part_has_parents_too(system_database: str, vault: Vault) -> None:
    """Rows that nobody touched refer to rows that are touched, and whose place in the backup cannot be filled again."""
    _run(
        system_database,
        "CREATE TABLE towns (id int PRIMARY KEY)",
        "CREATE TABLE firms (id int PRIMARY KEY, town int REFERENCES towns, code int UNIQUE, body text)",
        "CREATE TABLE staff (id int PRIMARY KEY, firm int REFERENCES firms (code), body text)",
        "INSERT INTO towns SELECT n FROM generate_series(1, 3000) n",
        "INSERT INTO firms SELECT n, n, n, repeat(md5(n::text), 12) FROM generate_series(1, 3000) n",
        "INSERT INTO staff SELECT n, n, repeat(md5(n::text), 12) FROM generate_series(1, 3000) n",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 128 * 1024)
        outcome = back_up(system_database, vault)
    _run(
        system_database,
        # Firm 2900 was replaced by another with its code: whoever refers to the code was not touched.
        "ALTER TABLE staff DROP CONSTRAINT staff_firm_fkey",
        "DELETE FROM firms WHERE id = 2900",
        "DELETE FROM towns WHERE id = 2900",
        "INSERT INTO firms VALUES (9000, 1, 2900, 'new')",
        "DELETE FROM staff WHERE id = 3",
        "ALTER TABLE staff ADD CONSTRAINT staff_firm_fkey FOREIGN KEY (firm) REFERENCES firms (code)",
    )
    request = RestoreRequest(tables=("public.firms", "public.staff"), set_aside=True)
    report = _restore(system_database, vault, outcome, request)
    segments = report.tables["public.staff"].segments
    assert segments is not None
    assert segments[0] < segments[1]
    assert _set_aside(report) == {"firms": 2}
    assert _ask(system_database, "SELECT id FROM firms WHERE code = 2900") == [(9000,)]
    assert _ask(system_database, "SELECT count(*) FROM staff") == [(3000,)]


def test_rows_without_a_key_are_set_aside_copy_by_copy(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "DELETE FROM badges",
        "INSERT INTO badges VALUES (1, 'badge'), (1, 'badge'), (2, 'other')",
    )
    only = RestoreRequest(tables=("public.badges",), set_aside=True)
    _run(system_database, "DELETE FROM visits WHERE staff = 9", "DELETE FROM staff WHERE id = 9")
    report = _restore(system_database, vault, outcome, only)
    assert _set_aside(report) == {"badges": 1}
    assert _ask(system_database, "SELECT array_agg(staff ORDER BY staff) FROM badges") == [(list(range(1, 9)),)]


def test_a_kept_row_stays_with_its_parents_whatever_the_backup_has(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "INSERT INTO firms VALUES (20, 1, 'code 20', 'new')",
        "UPDATE staff SET firm = 20, chief = NULL, body = 'Me@Example.com' WHERE id = 4",
        "UPDATE staff SET body = 'spoiled' WHERE id <> 4",
    )
    kept = KeptRow("public.staff", "body", "me@example.COM")
    report = _restore(system_database, vault, outcome, RestoreRequest(keep=(kept,)))
    assert _ask(system_database, "SELECT firm, chief, body FROM staff WHERE id = 4") == [(20, None, "Me@Example.com")]
    assert _ask(system_database, "SELECT id FROM firms WHERE id > 9") == [(20,)]
    assert _ask(system_database, "SELECT count(*) FROM staff WHERE body = 'staff'") == [(8,)]
    assert _set_aside(report) == {"firms": 1}


def test_a_kept_row_that_is_gone_stays_gone(system_database: str, vault: Vault) -> None:
    _run(system_database, *(statement.format(action="") for statement in _SCHEMA))
    _run(system_database, "INSERT INTO staff VALUES (30, 1, NULL, 'me')")
    outcome = back_up(system_database, vault)
    _run(system_database, "DELETE FROM staff WHERE id = 30", "UPDATE staff SET body = 'spoiled' WHERE id = 1")
    kept = (KeptRow("public.staff", "body", "me"), KeptRow("public.elsewhere", "body", "me"))
    report = _restore(system_database, vault, outcome, RestoreRequest(keep=kept))
    assert _ask(system_database, "SELECT count(*) FROM staff WHERE id = 30") == [(0,)]
    assert (report.tables["public.staff"].added, report.tables["public.staff"].changed) == (0, 1)
    assert _set_aside(report) == {}


def test_a_row_that_is_not_written_anyway_does_not_count_as_set_aside(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    _run(
        system_database,
        "UPDATE firms SET code = 'aside' WHERE id = 3",
        "UPDATE firms SET code = 'code 3', body = 'me' WHERE id = 4",
    )
    request = RestoreRequest(mode="missing", set_aside=True, keep=(KeptRow("public.firms", "body", "me"),))
    assert _set_aside(_restore(system_database, vault, outcome, request)) == {}


def test_a_kept_row_is_named_by_a_column_that_is_there(system_database: str, vault: Vault) -> None:
    outcome = _set_up(system_database, vault)
    before = take_image(system_database)
    request = RestoreRequest(keep=(KeptRow("public.staff", "email", "me"),))
    plan = prepare_restore(outcome.manifest, request, source_url=system_database)
    with pytest.raises(errors.PlanRefused, match="no column email"):
        run_restore(plan, outcome.manifest, vault=vault, source_url=system_database)
    assert take_image(system_database) == before


def test_partitions_and_odd_names_are_set_aside_as_well(system_database: str, vault: Vault) -> None:
    _run(
        system_database,
        'CREATE TABLE "Odd; ""t" (" k" int PRIMARY KEY)',
        'CREATE TABLE "Part é" ("a b" int, kind int, ref int REFERENCES "Odd; ""t", PRIMARY KEY ("a b", kind)) '
        "PARTITION BY LIST (kind)",
        'CREATE TABLE "Part é 1" PARTITION OF "Part é" FOR VALUES IN (1)',
        'CREATE TABLE "Part é 2" PARTITION OF "Part é" FOR VALUES IN (2)',
        'CREATE TABLE "Leaf" (id int PRIMARY KEY, a int, kind int, FOREIGN KEY (a, kind) REFERENCES "Part é")',
        'INSERT INTO "Odd; ""t" SELECT n FROM generate_series(1, 9) n',
        'INSERT INTO "Part é" SELECT n, 1 + n % 2, n FROM generate_series(1, 9) n',
        'INSERT INTO "Leaf" SELECT n, n, 1 + n % 2 FROM generate_series(1, 9) n',
    )
    outcome = back_up(system_database, vault)
    _run(
        system_database,
        'DELETE FROM "Leaf"',
        'DELETE FROM "Part é"',
        'DELETE FROM "Odd; ""t" WHERE " k" IN (4, 5)',
        'INSERT INTO "Part é" VALUES (20, 1, 1)',
    )
    request = RestoreRequest(tables=("public.Part é", "public.Leaf"), set_aside=True)
    plan = prepare_restore(outcome.manifest, request, source_url=system_database)
    report = run_restore(plan, outcome.manifest, vault=vault, source_url=system_database)
    assert _set_aside(report) == {"Part é": 2, "Leaf": 2}
    assert _ask(system_database, 'SELECT count(*) FROM "Part é"') == [(7,)]
    assert _ask(system_database, 'SELECT count(*) FROM "Leaf"') == [(7,)]
