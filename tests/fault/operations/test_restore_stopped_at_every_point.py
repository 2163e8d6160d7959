"""A restore stopped at every named point, by SIGKILL or by a cut connection: all of it happened, or nothing.

Definitions count too: triggers, keys and indexes are as they were, also where maintenance had taken them off.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseTrouble
from rxbackup.operations import backups, jobs, restores
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from rxbackup.worker.scheduler import tick
from tests.support.databases import take_image
from tests.support.installation import Installation, admin, installation
from tests.support.postgres import admin_url
from tests.support.seams import at, die

__all__ = ["admin", "installation"]

Arm = Callable[[Callable[[], object]], Callable[[], None]]

_TROUBLE = 10


def _point(place: str, *, after: bool = True) -> Arm:
    return lambda happens: at(place, happens, after=after)


PLANNED: dict[str, Arm] = {
    "R0 planned": _point("operations._restores.planning.prepare_restore"),
    "R1 in the middle of the safety backup": _point("backup.run._look_for"),
    "R2 the safety backup is verified": _point("operations.restores.take_safety_backup"),
}
BEGUN: dict[str, Arm] = {
    "R3 locked": _point("restore.locks.lock_tables"),
    "R3 staged and checked": _point("restore.run.find_consequences"),
    "R6 sequences moved": _point("restore.run.move_sequences_on"),
    "R7 before COMMIT": _point("operations._runs.running.Run.note_commit"),
}
ROW_BY_ROW: dict[str, Arm] = {
    "R4 rows deleted": _point("postgres.reconcile.delete_extra"),
    "R5 rows changed": _point("postgres.reconcile.update_changed"),
    "R5 rows inserted": _point("postgres.reconcile.insert_missing"),
    "R5 compared": _point("restore.run.prove"),
}
MAINTENANCE: dict[str, Arm] = {
    "R4 keys and indexes off": _point("postgres.rebuilding.take_off"),
    "R4 emptied": _point("postgres.rebuilding.empty"),
    "R5 a table loaded": _point("restore.staging.Staging.load"),
    "R5 an index built": _point("postgres.rebuilding.rebuild_index"),
    "R5 a key built": _point("postgres.rebuilding.rebuild_link"),
}
DONE: dict[str, Arm] = {"R9 committed, not noted": _point("restore.run._commit")}

_KILLED = [
    *((name, False) for name in PLANNED | BEGUN | ROW_BY_ROW | DONE),
    *((name, True) for name in MAINTENANCE),
    *(pytest.param(name, True, marks=pytest.mark.slow) for name in BEGUN | DONE),
]
_CUT = [
    *((name, False) for name in ROW_BY_ROW),
    *((name, True) for name in MAINTENANCE),
    *(pytest.param(name, maintenance, marks=pytest.mark.slow) for name in BEGUN for maintenance in (False, True)),
]
_POINTS = PLANNED | BEGUN | ROW_BY_ROW | MAINTENANCE | DONE

_MORE = """
CREATE INDEX orders_total ON public.orders (total);
COMMENT ON INDEX public.orders_total IS 'dear ones';
ALTER TABLE public.customers ADD CONSTRAINT customers_name UNIQUE (name);
CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.body := upper(NEW.body); RETURN NEW; END $$;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.shout();
"""


@pytest.fixture
def kept(installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> BackupView:
    """A backup from before the calamity; since then most rows have changed, came or went."""
    monkeypatch.setattr("rxbackup.restore.plan._LARGE_BYTES", 0)
    installation.sql(_MORE)
    kept = backups.perform_backup(installation.services, admin, NewBackup("Kept"))
    installation.sql("DELETE FROM public.orders WHERE id % 2 = 0")
    installation.sql("UPDATE public.orders SET total = -1")
    installation.sql("UPDATE public.customers SET name = name || ' spoiled'")
    installation.sql("INSERT INTO public.customers VALUES (900, 'new')")
    installation.sql("TRUNCATE public.notes RESTART IDENTITY")
    return kept


def _definitions(installation: Installation) -> list[tuple[object, ...]]:
    return installation.sql(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), obj_description(indexrelid) FROM pg_index "
        "WHERE indrelid::regclass::text IN ('public.orders', 'orders', 'customers', 'notes') ORDER BY 1"
    )


def _terminate(installation: Installation) -> None:
    with psycopg.connect(admin_url(installation.services.source_url), autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE application_name = 'rxbackup restore' AND datname = current_database()"
        )


def _end_of_restore(
    shop: Installation, owner: Actor, backup: BackupView, arm: Callable[[], None], *, maintenance: bool
) -> int:
    """How a process that restores ended."""
    child = os.fork()
    if child == 0:
        code = 77
        try:
            services = shop.again()
            wanted = NewRestore(backup.id, confirm_name=backup.name, maintenance=maintenance)
            arm()
            restores.perform_restore(services, owner, wanted)
            code = 0
        except DatabaseTrouble:
            code = _TROUBLE
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _restore_job(shop: Installation, owner: Actor) -> str:
    return next(j.state for j in jobs.recent_jobs(shop.services, owner) if j.kind == "restore")


def _assert_it_can_be_done(shop: Installation, owner: Actor, backup: BackupView) -> None:
    wanted = NewRestore(backup.id, safety=False, confirm_name=backup.name)
    restores.perform_restore(shop.services, owner, wanted)
    assert shop.sql("SELECT count(*), sum(total) FROM public.orders") == [(500, 125250)]


@pytest.mark.parametrize(("point", "maintenance"), _KILLED)
def test_killed(installation: Installation, admin: Actor, kept: BackupView, point: str, maintenance: bool) -> None:
    before, definitions = take_image(installation.services.source_url), _definitions(installation)
    end = _end_of_restore(installation, admin, kept, _POINTS[point](die), maintenance=maintenance)
    assert end == -signal.SIGKILL
    tick(installation.again())
    assert jobs.active_jobs(installation.services, admin) == ()
    after = take_image(installation.services.source_url)
    assert (after.constraints, after.triggers) == (before.constraints, before.triggers)
    assert _definitions(installation) == definitions
    if point in DONE:
        assert _restore_job(installation, admin) == "succeeded"
        assert installation.sql("SELECT count(*) FROM public.notes") == [(20,)]
    else:
        assert _restore_job(installation, admin) == "interrupted"
        assert after == before
    _assert_it_can_be_done(installation, admin, kept)


@pytest.mark.parametrize(("point", "maintenance"), _CUT)
def test_cut(installation: Installation, admin: Actor, kept: BackupView, point: str, maintenance: bool) -> None:
    before, definitions = take_image(installation.services.source_url), _definitions(installation)
    arm = _POINTS[point](lambda: _terminate(installation))
    assert _end_of_restore(installation, admin, kept, arm, maintenance=maintenance) == _TROUBLE
    assert take_image(installation.services.source_url) == before
    assert _definitions(installation) == definitions
    assert _restore_job(installation, admin) == "failed"
    _assert_it_can_be_done(installation, admin, kept)
