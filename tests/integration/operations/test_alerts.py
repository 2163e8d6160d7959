"""What runs mean for people: alerts, and one message a run."""

from __future__ import annotations

import json
import re
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.errors import NotFound, RxbackupError
from rxbackup.operations import alerts, backups, channels, restores, undos, verifications
from rxbackup.operations._telling.alerting import CRITICAL, raise_alert, solve_alert
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from rxbackup.operations.views.alerts import AlertView
from rxbackup.operations.views.channels import NewChannel
from tests.support.installation import CONSOLE, Installation
from tests.support.receivers import MailServer, WebServer, mail_server, web_server

__all__ = ["mail_server", "web_server"]

SYSTEM = Actor.system()


def _hear(installation: Installation, web_server: WebServer, *events: str) -> None:
    new = NewChannel("hook", "webhook", url=SecretStr(web_server.url), events=events or None)
    channels.add_channel(installation.services, CONSOLE, new)


def _tick(installation: Installation) -> None:
    alerts.notice_runs(installation.services, SYSTEM)
    alerts.tell_alerts(installation.services, SYSTEM)
    channels.send_messages(installation.services, SYSTEM)


def _heard(web_server: WebServer) -> list[str]:
    """The headlines that arrived since the last question."""
    said = [json.loads(call.body)["subject"].split(" · ")[0] for call in web_server.calls]
    web_server.calls.clear()
    return said


def _open(installation: Installation) -> list[AlertView]:
    return list(alerts.list_alerts(installation.services, CONSOLE))


def _schedule(installation: Installation, name: str = "Nightly") -> str:
    schedule = str(uuid4())
    installation.system_sql(
        "INSERT INTO rxbackup.schedules (id, name, cadence, store, created_by) "
        """VALUES (%s, %s, '{"kind": "daily", "at": "02:00"}', 'database', 'ada@example.org')""",
        schedule,
        name,
    )
    return schedule


def _back_up(installation: Installation, name: str, schedule: str | None = None) -> BackupView:
    job = backups.request_backup(installation.services, CONSOLE, NewBackup(name))
    if schedule:
        installation.system_sql(
            "INSERT INTO rxbackup.occurrences (schedule_id, due_at, job_id, state) "
            "VALUES (%s, clock_timestamp(), %s, 'queued')",
            schedule,
            job.id,
        )
    try:
        view = backups.perform_backup(installation.services, CONSOLE, NewBackup(name), job_id=job.id)
    finally:
        if schedule:
            installation.system_sql(
                "UPDATE rxbackup.backups SET schedule_id = %s, trigger = 'schedule' WHERE job_id = %s", schedule, job.id
            )
    return view


def _fail(installation: Installation, name: str, schedule: str | None = None) -> None:
    path = installation.services.settings.key_path
    away = path.rename(path.with_suffix(".away"))
    broken = installation.again()
    try:
        job = backups.request_backup(broken, CONSOLE, NewBackup(name))
        if schedule:
            installation.system_sql(
                "INSERT INTO rxbackup.occurrences (schedule_id, due_at, job_id, state) "
                "VALUES (%s, clock_timestamp(), %s, 'queued')",
                schedule,
                job.id,
            )
        with pytest.raises(RxbackupError):
            backups.perform_backup(broken, CONSOLE, NewBackup(name), job_id=job.id)
    finally:
        away.rename(path)


def test_the_mail_about_a_failure_reads_well(installation: Installation, mail_server: MailServer) -> None:
    new = NewChannel(
        "people", "email", to=("ada@example.org",), host="127.0.0.1", port=mail_server.port, security="none"
    )
    channels.add_channel(installation.services, CONSOLE, new)
    nightly = _schedule(installation)
    _fail(installation, "two", nightly)
    _tick(installation)
    _back_up(installation, "three", nightly)
    _tick(installation)

    failed, recovered = mail_server.mails
    assert failed["subject"].startswith("Failed: Nightly · ")
    plain, html = (failed.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    said = 'The backup of the schedule "Nightly" failed: '
    for words in (said, "What to do: ", "Asked for by:     ada@example.org", "Last good backup: never"):
        assert words in plain
    assert "The backup of the schedule &quot;Nightly&quot; failed: " in html
    assert recovered["subject"].startswith("Backups work again: Nightly · ")
    assert "570 in 3 tables" in recovered.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    _fail(installation, "four", nightly)
    _tick(installation)
    again = mail_server.mails[2].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert re.search(r"Last good backup: \d+ \w+ 20\d\d, \d\d:\d\d UTC", again)


def test_a_schedule_that_fails_and_recovers_is_told_once_each(
    installation: Installation, web_server: WebServer
) -> None:
    _hear(installation, web_server)
    nightly = _schedule(installation)
    _back_up(installation, "one", nightly)
    _tick(installation)
    assert _heard(web_server) == ["First backup is safe: Nightly"]
    _tick(installation)
    assert _heard(web_server) == []

    _fail(installation, "two", nightly)
    _tick(installation)
    _fail(installation, "three", nightly)
    _tick(installation)
    assert _heard(web_server) == ["Failed: Nightly"]
    (alert,) = _open(installation)
    assert (alert.kind, alert.about, alert.details["failures"]) == ("failure", nightly, 2)
    assert 'The backup of the schedule "Nightly" failed:' in alert.message
    assert alert.hint

    _back_up(installation, "four", nightly)
    _tick(installation)
    assert _heard(web_server) == ["Backups work again: Nightly"]
    assert _open(installation) == []


def test_every_success_is_told_only_to_who_wants_it(installation: Installation, web_server: WebServer) -> None:
    new = NewChannel("checks", "heartbeat", url=SecretStr(f"{web_server.url}/ping"))
    channels.add_channel(installation.services, CONSOLE, new)
    _back_up(installation, "one")
    _fail(installation, "two")
    _back_up(installation, "three")
    _tick(installation)
    assert [call.path for call in web_server.calls] == ["/ping", "/ping"]


def test_an_open_alert_is_told_again_every_day_until_it_is_solved(
    installation: Installation, web_server: WebServer
) -> None:
    _hear(installation, web_server)
    _fail(installation, "by hand")
    _tick(installation)
    for hours in (1, 22):
        installation.clock.forward(hours=hours)
        _tick(installation)
    assert _heard(web_server) == ["Failed: by hand"]
    installation.clock.forward(hours=2)
    _tick(installation)
    assert _heard(web_server) == ["Still open: Failed: by hand"]

    (alert,) = _open(installation)
    alerts.expect_alert(installation.services, CONSOLE, alert.id[:8])
    installation.clock.forward(days=2)
    _tick(installation)
    assert _heard(web_server) == []
    with pytest.raises(NotFound):
        alerts.expect_alert(installation.services, CONSOLE, alert.id)


def test_a_cancelled_run_is_no_failure(installation: Installation) -> None:
    from rxbackup.operations import jobs

    job = backups.request_backup(installation.services, CONSOLE, NewBackup("one"))
    jobs.cancel_job(installation.services, CONSOLE, job.id)
    _tick(installation)
    assert _open(installation) == []


def test_restore_and_undo_are_told(installation: Installation, web_server: WebServer) -> None:
    _hear(installation, web_server)
    backup = _back_up(installation, "one")
    installation.sql("DELETE FROM public.notes WHERE id < 5")
    restored = restores.perform_restore(installation.services, CONSOLE, NewRestore(backup.id, confirm_name="one"))
    undos.perform_undo(installation.services, CONSOLE, restored.job)
    _tick(installation)
    restore, undo = _heard(web_server)
    assert restore == "Restored: one"
    assert undo.startswith("Restore taken back")


def test_damage_is_told_and_over_once_it_is_found_whole(installation: Installation, web_server: WebServer) -> None:
    _hear(installation, web_server, "verification-failed")
    backup = _back_up(installation, "one")
    installation.damage()
    assert not verifications.perform_verify(installation.services, CONSOLE, backup.id).ok
    _tick(installation)
    assert _heard(web_server) == ["Damaged backup: one"]
    installation.damage()  # the same byte again: whole
    assert verifications.perform_verify(installation.services, CONSOLE, backup.id).ok
    _tick(installation)
    assert _open(installation) == []


def test_a_verification_that_cannot_be_made_is_told(installation: Installation, web_server: WebServer) -> None:
    _hear(installation, web_server)
    backup = _back_up(installation, "one")
    path = installation.services.settings.key_path
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(RxbackupError):
        verifications.perform_verify(installation.again(), CONSOLE, backup.id)
    away.rename(path)
    _tick(installation)
    assert _heard(web_server) == ["Could not be verified: one"]
    assert _open(installation) == []


def test_damage_of_a_backup_that_is_gone_is_over(installation: Installation) -> None:
    backup = _back_up(installation, "one")
    installation.damage()
    verifications.perform_verify(installation.services, CONSOLE, backup.id)
    _tick(installation)
    assert [alert.kind for alert in _open(installation)] == ["verification-failed"]
    installation.system_sql("UPDATE rxbackup.backups SET state = 'deleting'")
    _tick(installation)
    assert _open(installation) == []


def test_an_emptied_table_pins_the_last_good_backup_and_holds_until_expected(
    installation: Installation, web_server: WebServer
) -> None:
    _hear(installation, web_server)
    first, good = _back_up(installation, "one"), _back_up(installation, "two")
    _tick(installation)
    assert _open(installation) == []

    installation.sql("TRUNCATE public.orders")
    bad = _back_up(installation, "three")
    _tick(installation)
    assert _heard(web_server) == ["Data may be lost: three"]
    (alert,) = _open(installation)
    assert (alert.kind, alert.about, alert.severity) == ("radar", "", CRITICAL)
    assert ("public.orders", "emptied: 500 rows before") in alert.facts
    assert alert.details["backup"] == bad.id
    assert alert.details["last_good"] == good.id
    pinned = {b.name: b.pinned for b in backups.list_backups(installation.services, CONSOLE).items}
    assert pinned == {"one": False, "two": True, "three": False}

    _back_up(installation, "four")
    _tick(installation)
    assert len(_open(installation)) == 1

    alerts.expect_alert(installation.services, CONSOLE, alert.id)
    assert not any(b.pinned for b in backups.list_backups(installation.services, CONSOLE).items)
    _back_up(installation, "five")
    _tick(installation)
    assert _open(installation) == []
    assert first.id != good.id


def test_a_dropped_table_and_half_the_rows_are_found(installation: Installation) -> None:
    _back_up(installation, "one")
    installation.sql("DROP TABLE public.notes")
    installation.sql("DELETE FROM public.orders WHERE id > 200")
    _back_up(installation, "two")
    _tick(installation)
    (alert,) = _open(installation)
    assert dict(alert.facts)["public.notes"] == "gone, with 20 rows"
    assert dict(alert.facts)["public.orders"] == "200 rows, 500 before (-60%)"


def test_what_a_restore_removed_was_meant(installation: Installation) -> None:
    small = _back_up(installation, "small")
    installation.sql("INSERT INTO public.customers SELECT n, 'new' FROM generate_series(1000, 3000) n")
    _back_up(installation, "large")
    restores.perform_restore(installation.services, CONSOLE, NewRestore(small.id, confirm_name="small"))
    _back_up(installation, "small again")
    _tick(installation)
    assert _open(installation) == []


def test_a_backup_of_some_groups_misses_no_others(installation: Installation) -> None:
    _back_up(installation, "one")
    groups = tuple({t.group for t in backups.show_backup(installation.services, CONSOLE, "one").tables})
    if len(groups) > 1:
        backups.perform_backup(installation.services, CONSOLE, NewBackup("part", groups=groups[:1]))
    _tick(installation)
    assert _open(installation) == []


def test_two_instances_notice_a_run_once(installation: Installation, web_server: WebServer) -> None:
    import threading

    _hear(installation, web_server)
    _fail(installation, "one")
    counts: list[int] = []

    def look(instance: Services) -> None:
        counts.append(alerts.notice_runs(instance, SYSTEM))

    looks = [threading.Thread(target=look, args=(installation.again(),)) for _ in range(4)]
    for each in looks:
        each.start()
    for each in looks:
        each.join()
    assert sorted(counts) == [0, 0, 0, 1]
    assert _open(installation)[0].details["failures"] == 1


def test_an_alert_is_open_once(installation: Installation) -> None:
    with installation.services.system.session("system") as session:
        first = raise_alert(session, "overdue", "x", CRITICAL, "Late.")
        assert isinstance(first, UUID)
        assert raise_alert(session, "overdue", "x", CRITICAL, "Later.") is None
        assert raise_alert(session, "overdue", "y", CRITICAL, "Late.") is not None
        assert solve_alert(session, "overdue", "x", "system") == first
        assert solve_alert(session, "overdue", "x", "system") is None
        assert raise_alert(session, "overdue", "x", CRITICAL, "Late again.") is not None
