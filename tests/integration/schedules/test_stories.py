"""What people are promised, from end to end: the clock, every duty of the scheduler, runs, alerts, and the outbox."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.cadence.rules import daily, hourly
from rxbackup.operations import alerts, backups, channels, freshness, occurrences, retentions, schedules
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupQuery, NewSchedule
from rxbackup.operations.views.alerts import AlertView
from rxbackup.operations.views.channels import NewChannel
from rxbackup.retention.policy import Policy
from rxbackup.worker.dispatch import perform_job
from rxbackup.worker.scheduler import tick
from tests.support.installation import CONSOLE, Installation
from tests.support.receivers import free_port

SYSTEM = Actor.system()


@dataclass
class Life:
    """An installation whose every clock is turned together, with its scheduler and a worker."""

    installation: Installation

    @property
    def services(self) -> Services:
        clock = self.installation.clock
        return dataclasses.replace(self.installation.services, database_clock=lambda _: clock())

    def pass_by(self, *, minutes: int = 0, days: int = 0) -> None:
        """Time passes, and nothing of ours runs."""
        self.installation.clock.forward(minutes=minutes, days=days)

    def run(self, minutes: int) -> Counter[str]:
        """Everything runs for so many minutes; how many jobs of each kind were performed."""
        performed: Counter[str] = Counter()
        for _ in range(minutes):
            tick(self.services)
            jobs, self.installation.queue.jobs[:] = list(self.installation.queue.jobs), []
            for job, kind in jobs:
                perform_job(self.services, job, kind)
                # PostgreSQL's own clock cannot be turned.
                self.installation.system_sql(
                    "UPDATE rxbackup.backups SET timestamp = %s WHERE job_id = %s", self.installation.clock(), job
                )
                performed[kind] += 1
            self.pass_by(minutes=1)
        tick(self.services)
        return performed

    def next_night(self) -> Counter[str]:
        """A day goes by until the nightly backup is due; its runs."""
        self.pass_by(minutes=24 * 60 - 2)
        return self.run(2)

    def said(self) -> list[str]:
        """The headlines in the outbox since the last question, oldest first."""
        rows = self.installation.system_sql("SELECT subject FROM rxbackup.messages ORDER BY created_at, subject")
        self.installation.system_sql("DELETE FROM rxbackup.messages")
        return [str(subject).split(" · ")[0] for (subject,) in rows]

    def open_alerts(self) -> tuple[AlertView, ...]:
        return alerts.list_alerts(self.services, CONSOLE)

    def backups(self, *, in_trash: bool = False) -> list[str]:
        """Names, the newest first."""
        found = backups.list_backups(self.services, CONSOLE, BackupQuery(trash=in_trash))
        return [view.name for view in found.items]

    def runs(self, name: str) -> list[tuple[str, int]]:
        """States of a schedule's runs and how many moments each stands for beside its own, oldest first."""
        schedule = schedules.show_schedule(self.services, CONSOLE, name)
        listed = occurrences.list_occurrences(self.services, CONSOLE, schedule.id)
        return [(each.state, each.missed) for each in reversed(listed)]


@pytest.fixture
def life(installation: Installation, admin: Actor, caplog: pytest.LogCaptureFixture) -> Life:
    """Half past twelve, and a channel where nobody answers: what is said stays in the outbox."""
    del admin
    now = installation.clock()
    installation.clock.forward(seconds=(now.replace(hour=12, minute=30, second=0) - now).total_seconds())
    channel = NewChannel("hook", "webhook", url=SecretStr(f"http://127.0.0.1:{free_port()}"))
    channels.add_channel(installation.services, CONSOLE, channel)
    caplog.set_level(logging.WARNING)
    return Life(installation)


@pytest.fixture(autouse=True)
def no_duty_fails(caplog: pytest.LogCaptureFixture) -> object:
    """The scheduler goes on where a duty fails; here none may."""
    yield
    of_duties = [record for record in caplog.get_records("call") if record.name == "rxbackup.worker.scheduler"]
    assert [record.getMessage() for record in of_duties if record.levelno >= logging.WARNING] == []


def test_three_days_of_silence(life: Life) -> None:
    """One run a schedule makes up for all, the gap stays visible, each is told of once, and so is its end."""
    for name, rule in (("Hourly", hourly(6)), ("Nightly", daily("12:32")), ("Resting", daily("12:32"))):
        schedules.add_schedule(life.services, CONSOLE, NewSchedule(name, rule))
    schedules.pause_schedule(life.services, CONSOLE, "Resting")
    life.run(5)
    schedules.run_schedule(life.services, CONSOLE, "Hourly")
    life.run(2)
    assert life.said() == ["First backup is safe: Nightly", "First backup is safe: Hourly"]
    assert len(life.backups()) == 2

    life.pass_by(days=3)

    assert {view.schedule: view.state for view in freshness.show_freshness(life.services, CONSOLE)} == {
        "": "late",
        "Hourly": "late",
        "Nightly": "late",
        "Resting": "paused",
    }
    tick(life.services)
    late = {alert.title: alert.message for alert in life.open_alerts()}
    assert set(late) == {"No good backup in time: Hourly", "No good backup in time: Nightly"}
    assert "for 3 days" in late["No good backup in time: Nightly"]
    performed = life.run(10)
    assert performed["backup"] == 2
    assert life.runs("Nightly") == [("done", 0), ("missed", 2), ("done", 2)]
    assert life.runs("Hourly") == [("done", 0), ("missed", 11), ("done", 11)]
    assert life.runs("Resting") == []
    gap = occurrences.list_occurrences(life.services, CONSOLE, _id(life, "Nightly"))[1]
    assert "did not run" in gap.message
    assert sorted(life.said()) == [
        "Backups work again: Hourly",
        "Backups work again: Nightly",
        "No good backup in time: Hourly",
        "No good backup in time: Nightly",
    ]
    assert life.open_alerts() == ()
    assert {view.state for view in freshness.show_freshness(life.services, CONSOLE)} == {"ok", "paused"}
    life.run(30)
    assert life.said() == []
    assert len(life.backups()) == 4


def test_an_emptied_table(life: Life) -> None:
    """An alert is sent, the last good backup is pinned, retention is held, and "expected" releases it."""
    schedules.add_schedule(life.services, CONSOLE, NewSchedule("Nightly", daily("12:32"), policy=Policy(last=1)))
    life.run(4)
    for _ in range(2):
        life.next_night()
    good = life.backups()[0]
    assert life.said() == ["First backup is safe: Nightly"]

    life.installation.sql("TRUNCATE public.orders")
    assert life.next_night()["backup"] == 1
    bad = life.backups()[0]
    assert life.said() == [f"Data may be lost: {bad}"]
    [alert] = life.open_alerts()
    assert (alert.kind, alert.severity) == ("radar", "critical")
    assert ("public.orders", "emptied: 500 rows before") in alert.facts
    assert _pinned(life) == {good}
    gone = life.backups(in_trash=True)
    assert gone

    for _ in range(3):
        assert life.next_night()["backup"] == 1
    assert life.backups()[3:] == [bad, good]
    assert life.backups(in_trash=True) == gone
    assert retentions.preview_retention(life.services, CONSOLE, "Nightly").held
    assert set(life.said()) == {f"Still open: Data may be lost: {bad}"}
    assert len(life.open_alerts()) == 1

    alerts.expect_alert(life.services, CONSOLE, alert.id)
    assert _pinned(life) == set()
    life.next_night()
    # The newest, and before it the newest that was verified by then.
    assert len(life.backups()) == 2
    assert {bad, good} <= set(life.backups(in_trash=True))
    assert (life.open_alerts(), life.said()) == ((), [])


@pytest.mark.parametrize(
    ("loss", "nights"),
    [
        ("TRUNCATE public.orders, public.customers, public.notes", 9),  # more than the radar looks back
        ("DROP TABLE public.orders, public.customers, public.notes", 2),
    ],
)
def test_an_empty_run_never_displaces_a_good_one(life: Life, loss: str, nights: int) -> None:
    schedules.add_schedule(life.services, CONSOLE, NewSchedule("Nightly", daily("12:32"), policy=Policy(last=1)))
    life.run(4)
    [good] = life.backups()
    life.installation.sql(loss)
    for _ in range(nights):
        life.next_night()
    assert good in life.backups()
    assert life.backups(in_trash=True) == []
    said = {alert.title.split(":")[0]: alert.message for alert in life.open_alerts()}
    assert "Data may be lost" in said or "has no tables to back up" in said["Failed"]


def test_a_failed_run_never_displaces_a_good_one(life: Life) -> None:
    schedules.add_schedule(
        life.services, CONSOLE, NewSchedule("Nightly", daily("12:32"), policy=Policy(last=1, days=1), store="local")
    )
    life.run(4)
    [good] = life.backups()
    folder, away = life.services.local_folder, life.services.local_folder.with_name("away")
    folder.rename(away)
    for _ in range(3):
        life.next_night()
    away.rename(folder)
    assert [state for state, _ in life.runs("Nightly")] == ["done", "failed", "failed", "failed"]
    retentions.retain_daily(life.services, SYSTEM)
    assert good in life.backups()
    assert life.backups(in_trash=True) == []

    for _ in range(2):  # the first one has yet to be verified when it ends
        life.next_night()
    assert good in life.backups(in_trash=True)
    assert life.open_alerts() == ()


def _pinned(life: Life) -> set[str]:
    return {view.name for view in backups.list_backups(life.services, CONSOLE).items if view.pinned}


def _id(life: Life, name: str) -> str:
    return schedules.show_schedule(life.services, CONSOLE, name).id
