"""What happened, as admins read it: complete, told once, in order, and closed to everybody else."""

from __future__ import annotations

import pytest

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import PermissionDenied, RxbackupError, UsageError
from rxbackup.operations import activity, backups, jobs, sign_in, trash, verifications
from rxbackup.operations.views import NewBackup
from rxbackup.operations.views.activity import ActivityLine, ActivityQuery
from tests.support.installation import ADMIN, CONSOLE, Installation


def told(installation: Installation, admin: Actor, **query: object) -> list[tuple[str, str, str]]:
    page = activity.list_activity(installation.services, admin, ActivityQuery(**query))  # type: ignore[arg-type]
    return [(line.outcome, line.title, line.subject) for line in page.items]


def line_of(installation: Installation, admin: Actor, **query: object) -> ActivityLine:
    page = activity.list_activity(installation.services, admin, ActivityQuery(**query))  # type: ignore[arg-type]
    (line,) = page.items
    return line


def test_runs_and_acts_are_told_once_each_the_newest_first(installation: Installation, admin: Actor) -> None:
    services = installation.services
    kept = backups.perform_backup(services, admin, NewBackup("Kept"))
    gone = backups.perform_backup(services, admin, NewBackup("Gone"))
    trash.trash_backup(services, CONSOLE, gone.id)
    backups.delete_backup(services, admin, gone.id)
    before = activity.last_act(services, admin)
    waiting = backups.request_backup(services, admin, NewBackup("Waiting"))
    assert told(installation, admin)[:5] == [
        ("done", "Deleted for good:", "Gone"),
        ("done", "Moved to the trash:", "Gone"),
        ("done", "Backed up", "Gone"),
        ("done", "Backed up", "Kept"),
        ("done", "Created the account", ADMIN),
    ]
    jobs.cancel_job(services, admin, waiting.id)
    assert told(installation, admin)[:2] == [
        ("done", "Asked to stop: backup", "Waiting"),
        ("stopped", "Backup cancelled:", "Waiting"),
    ]
    assert activity.last_act(services, admin) > before
    items = activity.list_activity(services, admin).items
    by_subject = {(line.what, line.subject): line for line in items}
    # A link is only offered where it leads somewhere.
    assert by_subject["backup", "Kept"].backup_id == kept.id
    assert by_subject["backup", "Gone"].backup_id is None
    assert by_subject["backup.trashed", "Gone"].door == "console"
    assert (by_subject["backup", "Kept"].seconds or 0) > 0
    assert by_subject["backup", "Waiting"].error is not None


def test_pages_stand_still_while_more_happens(installation: Installation, admin: Actor) -> None:
    services = installation.services
    with services.system.session("system") as session:
        for number in range(7):
            audit.append(session, actor="eve@example.org", action="signed_in", object_id=str(number))

    def page(number: int, **query: object) -> activity.ActivityPage:
        asked = ActivityQuery(page=number, per_page=3, by="eve@example.org", **query)  # type: ignore[arg-type]
        return activity.list_activity(services, admin, asked)

    first = page(1)
    assert (first.total, first.pages) == (7, 3)
    with services.system.session("system") as session:
        for _ in range(2):
            audit.append(session, actor="eve@example.org", action="signed_out")
    rest = [page(number, until=first.until) for number in (2, 3, 9)]
    seen = [line.id for each in (first, *rest[:2]) for line in each.items]
    assert len(set(seen)) == len(seen) == 7
    assert (rest[1].total, rest[2].page, rest[2].until) == (7, 3, first.until)
    assert page(1).total == 9


def test_lines_are_found_by_kind_outcome_person_and_words(installation: Installation, admin: Actor) -> None:
    services = installation.services
    view = backups.perform_backup(services, admin, NewBackup("100 % of_it"))
    backups.set_pinned(services, CONSOLE, view.id, pinned=True)
    with pytest.raises(RxbackupError):
        sign_in.sign_in(services, "eve@example.org", "wrong", ip="10.0.0.9")
    installation.damage()
    verifications.perform_verify(services, admin, view.id, level="contents")
    with pytest.raises(PermissionDenied):
        backups.delete_backup(services, Actor("bob@example.org", "viewer"), view.id)

    assert told(installation, admin, kind="backup") == [
        ("done", "Pinned", "100 % of_it"),
        ("done", "Backed up", "100 % of_it"),
    ]
    damaged = line_of(installation, admin, kind="check")
    assert (damaged.outcome, damaged.title, bool(damaged.damaged)) == ("failed", "Damage found in", True)
    assert {title for _, title, _ in told(installation, admin, outcome="failed")} == {
        "Damage found in",
        "Sign-in failed",
    }
    refused = line_of(installation, admin, outcome="refused")
    assert (refused.by, refused.note) == ("bob@example.org", "Delete backup needs the right to delete")
    assert line_of(installation, admin, by="eve@example.org").note == "From 10.0.0.9"
    assert {title for _, title, _ in told(installation, admin, text="100 % OF_")} == {
        "Pinned",
        "Backed up",
        "Damage found in",
    }
    assert told(installation, admin, text="100 _") == []
    assert [title for _, title, _ in told(installation, admin, text="pinn")] == ["Pinned"]
    assert activity.list_people(services, admin) == (ADMIN, "bob@example.org")
    for wrong in (ActivityQuery(kind="chunk"), ActivityQuery(outcome="great")):
        with pytest.raises(UsageError):
            activity.list_activity(services, admin, wrong)


def test_an_act_that_nobody_named_yet_is_told_all_the_same_and_its_details_stay_behind(
    installation: Installation, admin: Actor
) -> None:
    with installation.services.system.session("system") as session:
        audit.append(session, actor=ADMIN, action="moon.landed_on", details={"name": "Luna", "value": "s3cret"})
    line = line_of(installation, admin, kind="other")
    assert (line.title, line.subject) == ("Moon landed on:", "Luna")
    assert "s3cret" not in repr(line)
    assert told(installation, admin, text="s3cret") == []


@pytest.mark.parametrize("role", ["operator", "viewer", "none"])
def test_only_admins_see_it(installation: Installation, admin: Actor, role: str) -> None:
    for ask in (activity.list_activity, activity.list_people, activity.last_act):
        with pytest.raises(PermissionDenied):
            ask(installation.services, Actor("bob@example.org", role))
    # Nor does the database show anything to somebody whose session says more than her account does.
    pretender = Actor("bob@example.org", "admin")
    assert activity.list_activity(installation.services, pretender).items == ()
