"""Each backup shows what is proven of it and when; only damage takes that away."""

from __future__ import annotations

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, jobs, verifications
from rxbackup.operations.views import BackupView, NewBackup
from rxbackup.worker.dispatch import perform_job
from tests.support.drills import leftovers
from tests.support.installation import Installation


def _look(installation: Installation, admin: Actor, backup: BackupView) -> tuple[str | None, list[str]]:
    detail = backups.show_backup(installation.services, admin, backup.id)
    return detail.view.verified_level, [proof.level for proof in detail.proofs]


def test_a_drill_proves_most_and_a_lesser_look_takes_nothing_away(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    before = installation.image()
    assert _look(installation, admin, backup) == ("stored", [])

    found = verifications.perform_verify(services, admin, backup.id, level="drill")

    assert found.proven
    assert (found.place, found.store) == ("schema", "database")
    assert (found.tables_checked, found.rows_checked) == (backup.tables, backup.rows)
    assert found.seconds > 0
    assert _look(installation, admin, backup) == ("restored", ["restored"])
    drilled_at = backups.show_backup(services, admin, backup.id).view.verified_at

    verifications.perform_verify(services, admin, backup.id, level="structure")

    view = backups.show_backup(services, admin, backup.id).view
    assert (view.verified_level, view.verified_at) == ("restored", drilled_at)
    assert _look(installation, admin, backup)[1] == ["readable", "restored"]
    assert installation.image() == before

    installation.damage()
    assert not verifications.perform_verify(services, admin, backup.id, level="drill").ok
    assert _look(installation, admin, backup) == (None, [])
    assert leftovers(services.source_url) == []


def test_what_cannot_be_proven_is_said_and_lowers_nothing(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("ALTER TABLE public.notes DROP COLUMN body")

    job = verifications.request_verify(services, admin, backup.id, level="drill")
    perform_job(services, job.id, "verify")

    done = jobs.show_job(services, admin, job.id)
    assert done.state == "succeeded"
    assert done.result["ok"] is True
    assert "the column body is no longer in the database" in done.message
    assert _look(installation, admin, backup) == ("decrypted", ["decrypted"])
    view = backups.show_backup(services, admin, backup.id).view
    assert view.error is None


def test_leftovers_are_dropped_by_the_clock(installation: Installation, admin: Actor) -> None:
    installation.sql("CREATE SCHEMA rxbackup_drill_0123456789abcdef; CREATE SCHEMA rxbackup_drill_0123456789abcdef_1")
    dropped = verifications.drop_drill_leftovers(installation.services, Actor.system())
    assert len(dropped) == 2
    assert leftovers(installation.services.source_url) == []
