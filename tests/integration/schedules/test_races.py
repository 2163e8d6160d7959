"""Eight instances on one database: each due moment gives one job, and what was settled is settled once."""

from __future__ import annotations

from datetime import timedelta

from rxbackup.access.actor import Actor
from rxbackup.cadence.rules import cron, daily, hourly
from tests.support.racing import race
from tests.support.schedules import MONDAY, TimeMachine

INSTANCES = 8


def test_eight_instances_race_and_each_occurrence_has_one_job(machine: TimeMachine, admin: Actor) -> None:
    machine.add(admin, "Hourly", hourly(1))
    machine.add(admin, "Often", cron("*/10 * * * *"), jitter_minutes=9)
    machine.add(admin, "Nightly", daily("02:00"))
    # A minute apart for an hour and a bit, then three days away.
    moments = [MONDAY + timedelta(minutes=n) for n in range(0, 66, 5)] + [MONDAY + timedelta(days=3, minutes=30)]
    sql = machine.installation.system_sql

    def finish() -> None:
        sql("UPDATE rxbackup.jobs SET state = 'succeeded', result = '{}' WHERE state = 'queued'")

    race(machine.services.system_url, machine.services.settings.data_dir, moments, processes=INSTANCES, between=finish)
    runs = sql(
        "SELECT s.name, o.state, count(*)::int, count(DISTINCT o.job_id)::int, sum(o.missed)::int "
        "FROM rxbackup.occurrences o JOIN rxbackup.schedules s ON s.id = o.schedule_id "
        "WHERE o.state IN ('queued', 'done') GROUP BY 1, 2 ORDER BY 1, 2"
    )
    jobs = sql("SELECT count(*)::int FROM rxbackup.jobs WHERE kind = 'backup'")[0][0]
    by_name = {str(name): 0 for name, *_ in runs}
    for name, _, count, different, _ in runs:
        assert count == different
        by_name[str(name)] += int(str(count))
    assert sum(by_name.values()) == jobs
    # Hourly at 13:00; Nightly none; Often six or seven times by its jitter: and each once more for three days away.
    assert by_name["Hourly"] == 2
    assert by_name["Nightly"] == 1
    assert by_name["Often"] in {6, 7, 8}
    gaps = sql("SELECT count(*)::int FROM rxbackup.occurrences WHERE state = 'missed'")
    assert gaps == [(3,)]
    assert sql("SELECT count(*)::int FROM rxbackup.occurrences WHERE state = 'skipped'") == [(0,)]
