"""What is asked wrongly is refused with what would be right, before anything is written."""

from __future__ import annotations

import io
import json

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, NotFound, UsageError
from rxbackup.operations import accounts, backups, doctor, downloads, restores, verifications
from rxbackup.operations.views import BackupQuery, NewBackup, NewRestore
from tests.support.installation import ADMIN, CONSOLE, Installation


@pytest.mark.parametrize("new", [NewBackup("a", groups=("Nope",)), NewBackup("a", store="moon")])
def test_a_backup_of_what_is_not_there_leaves_no_row_and_no_run(
    installation: Installation, admin: Actor, new: NewBackup
) -> None:
    seen: list[object] = []
    with pytest.raises((UsageError, NotFound)):
        backups.perform_backup(installation.services, admin, new, on_progress=seen.append)
    assert seen == []
    assert installation.system_sql("SELECT name FROM rxbackup.backups") == []
    assert installation.system_sql("SELECT kind FROM rxbackup.jobs") == []


def test_a_queued_backup_whose_group_has_gone_fails_as_a_run_only(installation: Installation, admin: Actor) -> None:
    services = installation.services
    job = backups.request_backup(services, admin, NewBackup("a", groups=("Other tables",)))
    installation.sql("DROP TABLE public.notes")
    with pytest.raises(UsageError, match="Other tables"):
        backups.perform_backup(services, admin, NewBackup("a", groups=("Other tables",)), job_id=job.id)
    assert installation.system_sql("SELECT name FROM rxbackup.backups") == []
    assert installation.system_sql("SELECT state FROM rxbackup.jobs") == [("failed",)]


def test_an_unknown_state_is_refused_with_those_there_are(installation: Installation, admin: Actor) -> None:
    with pytest.raises(UsageError, match="bogus") as refused:
        backups.list_backups(installation.services, admin, BackupQuery(state="bogus"))
    assert "complete, running, failed, interrupted, deleting" in refused.value.hint


def test_a_name_that_fits_several_lists_them_newest_first(installation: Installation, admin: Actor) -> None:
    services = installation.services
    made = [backups.perform_backup(services, admin, NewBackup("Same")) for _ in range(2)]
    with pytest.raises(BackupNotFound, match="more than one") as several:
        backups.show_backup(services, admin, "Same")
    first, second = (several.value.hint.index(view.id) for view in reversed(made))
    assert first < second
    assert several.value.hint.count(f"{made[0].when:%Y-%m-%d}") == 2
    for _ in range(4):
        installation.system_sql(
            "INSERT INTO rxbackup.backups (id, name, created_by, state, store, trigger) "
            "VALUES (gen_random_uuid(), 'Same', 'system', 'failed', 'database', 'manual')"
        )
    with pytest.raises(BackupNotFound) as several:
        backups.show_backup(services, admin, "Same")
    assert several.value.hint.count("UTC") == 5
    assert several.value.hint.endswith("and more.")


def test_only_somebody_can_be_named(installation: Installation, admin: Actor) -> None:
    services = installation.services
    assert accounts.require_account(services, CONSOLE, f" {ADMIN.upper()} ") == ADMIN
    assert accounts.require_account(services, CONSOLE, "Console@localhost") == "console@localhost"
    for email in ("nobody@x.de", "nobody", "half \ud800@x.de"):
        with pytest.raises(UsageError):
            accounts.require_account(services, CONSOLE, email)
    installation.system_sql("UPDATE rxbackup.accounts SET active = false")
    with pytest.raises(UsageError):
        accounts.require_account(services, CONSOLE, ADMIN)


def test_what_is_planned_is_told_from_what_never_was(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))

    def asked(level: str, format_name: str, mode: str) -> list[UsageError]:
        refusals = []
        for ask in (
            lambda: verifications.perform_verify(services, admin, backup.id, level=level),
            lambda: downloads.export_to(services, admin, backup.id, io.BytesIO(), format_name=format_name),
            lambda: restores.preview_restore(services, admin, NewRestore(backup.id, mode=mode)),
        ):
            with pytest.raises(UsageError) as refused:
                ask()
            refusals.append(refused.value)
        return refusals

    unknown = asked("x", "y", "z")
    assert all("There is no " in error.message for error in unknown)
    assert unknown[1].hint.endswith("json, sql, archive.")


def test_the_document_says_nothing_that_its_manifest_cannot_know(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    written = io.BytesIO()
    downloads.export_to(services, admin, backup.id, written)
    totals = json.loads(written.getvalue())["metadata"]["totals"]
    assert "stored_bytes" not in totals
    assert (totals["rows"], totals["raw_bytes"]) == (backup.rows, backup.raw_bytes)


def test_the_doctor_names_each_subject_once_and_speaks_to_people(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backups.perform_backup(services, admin, NewBackup("First"))
    findings = doctor.diagnose(services, CONSOLE)
    subjects = [finding.subject for finding in findings]
    assert sorted(subjects) == sorted(set(subjects))
    store = next(finding for finding in findings if finding.subject == "Store database")
    assert ": 1 backup, " in store.message
    assert " kB." in store.message
    assert any("3 tables in " in finding.message for finding in findings)
    installation.system_sql("UPDATE rxbackup.backups SET error = '{}'")
    damaged = next(f for f in doctor.diagnose(services, CONSOLE) if f.subject == "Damaged backups")
    assert (damaged.level, damaged.message) == ("error", "First.")
