"""SIGKILL to a worker at sure moments of a restore: before its COMMIT nothing happened, after it the job says so."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseTrouble
from rxbackup.operations import jobs, restores
from rxbackup.operations.views import BackupView, NewRestore
from tests.support.databases import take_image
from tests.support.gates import gate_at_row, gate_before_update
from tests.support.installation import Installation
from tests.support.wire import Wire, wire_to
from tests.support.workers import Worker, assert_sound, queue_restore, restart, working

COMMIT_NOTED = b"pg_current_xact_id()"


def _through(installation: Installation, wire: Wire) -> Installation:
    """The same installation, whose protected database is reached through a wire."""
    services = installation.services
    settings = services.settings.model_copy(
        update={"database_url": SecretStr(wire.url), "system_url": SecretStr(services.system_url)}
    )
    return dataclasses.replace(
        installation, services=dataclasses.replace(services, settings=settings, source_url=wire.url)
    )


def test_killed_while_rows_are_set_right(installation: Installation, admin: Actor, kept: BackupView) -> None:
    url = installation.services.source_url
    with gate_at_row(url, "public.orders", "id = 300") as gate:
        before = take_image(url)
        job = queue_restore(installation, admin, kept)
        with working(installation) as worker:
            gate.wait()
            worker.kill()
            gate.open()
    restart(installation)
    assert jobs.show_job(installation.services, admin, job.id).state == "interrupted"
    assert take_image(url) == before
    assert_sound(installation, admin, kept)


def test_killed_while_the_commit_is_noted(installation: Installation, admin: Actor, kept: BackupView) -> None:
    services = installation.services
    condition = "NEW.commit_xid IS DISTINCT FROM OLD.commit_xid"
    with gate_before_update(services.system_url, "rxbackup.jobs", condition) as gate:
        before = take_image(services.source_url)
        job = queue_restore(installation, admin, kept)
        with working(installation) as worker:
            gate.wait()
            worker.kill()
            gate.open()
    restart(installation)
    assert jobs.show_job(services, admin, job.id).state == "interrupted"
    assert take_image(services.source_url) == before
    assert_sound(installation, admin, kept)


@pytest.mark.parametrize("arrives", [True, False], ids=["commit arrives", "commit is lost"])
def test_killed_when_its_commit_is_on_the_way(
    installation: Installation, admin: Actor, kept: BackupView, arrives: bool
) -> None:
    services = installation.services
    before = take_image(services.source_url)
    job = queue_restore(installation, admin, kept)
    victims: list[Worker] = []
    with wire_to(services.source_url) as wire:
        wire.after, wire.word, wire.forward = COMMIT_NOTED, b"COMMIT", arrives
        wire.then = lambda: [victim.kill() for victim in victims]
        with working(_through(installation, wire)) as worker:
            victims.append(worker)
            worker.process.wait(60)
        assert wire.cuts == 1
    restart(installation)
    told = jobs.show_job(services, admin, job.id)
    assert told.state == ("succeeded" if arrives else "interrupted")
    assert (take_image(services.source_url) == before) is not arrives
    if arrives:
        assert installation.sql("SELECT count(*) FROM public.orders") == [(500,)]
    assert_sound(installation, admin, kept)


@pytest.mark.parametrize("arrives", [True, False], ids=["commit arrives", "commit is lost"])
def test_wire_cut_when_the_commit_is_on_it(
    installation: Installation, admin: Actor, kept: BackupView, arrives: bool
) -> None:
    before = take_image(installation.services.source_url)
    wanted = NewRestore(kept.id, safety=False, confirm_name=kept.name)
    with wire_to(installation.services.source_url) as wire:
        wire.after, wire.word, wire.forward = COMMIT_NOTED, b"COMMIT", arrives
        services = _through(installation, wire).services
        if arrives:
            assert "just after" in restores.perform_restore(services, admin, wanted).note
        else:
            with pytest.raises(DatabaseTrouble):
                restores.perform_restore(services, admin, wanted)
        assert wire.cuts == 1
    assert jobs.recent_jobs(services, admin)[0].state == ("succeeded" if arrives else "failed")
    assert (take_image(installation.services.source_url) == before) is not arrives
    assert_sound(installation, admin, kept)
