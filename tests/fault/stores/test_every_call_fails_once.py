"""Every call to the store fails once, the first, the second, … until there is none left: never a false `complete`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import StoreUnavailable
from rxbackup.operations import backups, jobs, restores, verifications
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewBackup, NewRestore
from rxbackup.vault.vault import Vault, open_vault
from tests.support.databases import take_image
from tests.support.faults import FailingStore
from tests.support.installation import Installation, admin, installation

__all__ = ["admin", "installation"]

VERBS = ("put", "get", "stat", "list")
_PLACES = ("_backups.taking", "_restores.safety")


def _fails_at(monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool = False) -> Callable[[], bool]:
    """Let the n-th call to the store fail from here on; answers whether it came to that."""
    script = ["o"] * (number - 1) + ["X"]
    calls = iter(script)
    hit = False

    class Once(FailingStore):
        def _pass(self, verb: str, call: Callable[[], object]) -> object:  # type: ignore[override]
            nonlocal hit
            fails = verb in VERBS and next(calls, "o") == "X"
            if fails:
                hit = True
                if after:
                    call()
                raise StoreUnavailable("planted")
            return call()

    @contextmanager
    def vault_of_its_own(services: Services, store: str) -> Iterator[Vault]:
        inner = open_vault(services.open_vault(store).recipe())
        try:
            yield Vault(Once(inner.store, "", verbs=VERBS), inner._keys)
        finally:
            inner.close()

    for place in _PLACES:
        module = f"rxbackup.operations.{place}.vault_of_its_own"
        monkeypatch.setattr(module, vault_of_its_own)
    return lambda: hit


@pytest.mark.parametrize("after", [False, True], ids=["before it is done", "after it was done"])
def test_every_call_of_a_backup(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    services = installation.services
    kept = backups.perform_backup(services, admin, NewBackup("Kept"))
    for number in itertools.count(1):
        installation.sql("UPDATE public.notes SET body = body || %s", str(number))
        with monkeypatch.context() as patch:
            was_hit = _fails_at(patch, number, after=after)
            try:
                backups.perform_backup(services, admin, NewBackup(f"Try {number}"))
                failed = False
            except StoreUnavailable:
                failed = True
        [state] = [b.state for b in backups.list_backups(services, admin).items if b.name == f"Try {number}"]
        assert state == ("failed" if failed else "complete")
        assert failed == was_hit(), "a call failed and nobody cared"
        if not failed:
            break
        assert jobs.recent_jobs(services, admin)[0].state == "failed"
        assert verifications.perform_verify(services, admin, kept.id, level="structure").ok
    assert number > 8
    for backup in backups.list_backups(services, admin).items:
        if backup.state == "complete":
            assert verifications.perform_verify(services, admin, backup.id).ok
    print(f"{number - 1} calls, each failed once")


def test_every_call_of_a_restore(installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    services = installation.services
    good = take_image(services.source_url)
    kept = backups.perform_backup(services, admin, NewBackup("Kept"))
    installation.sql("DELETE FROM public.orders WHERE id > 100")
    damaged = take_image(services.source_url)
    wanted = NewRestore(kept.id, confirm_name=kept.name)
    for number in itertools.count(1):
        with monkeypatch.context() as patch:
            was_hit = _fails_at(patch, number)
            try:
                restores.perform_restore(services, admin, wanted)
            except StoreUnavailable:
                assert take_image(services.source_url) == damaged
                assert jobs.recent_jobs(services, admin)[0].state == "failed"
                continue
        assert not was_hit()
        break
    assert number > 8
    assert take_image(services.source_url) == good
    for backup in backups.list_backups(services, admin).items:
        assert backup.state in {"complete", "failed"}
        if backup.state == "complete":
            assert verifications.perform_verify(services, admin, backup.id).ok
    print(f"{number - 1} calls, each failed once")
