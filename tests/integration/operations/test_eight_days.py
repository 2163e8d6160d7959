"""Eight daily backups with 1 % random updates: any one restores exactly after all others were deleted and pruned.

Every backup is the survivor once; the order of the deletions is random. RXBACKUP_TEST_ORDERS=5 tries five a survivor.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, prunes, restores, verifications
from rxbackup.operations.views import BackupView, NewBackup, NewRestore, PruneView
from rxbackup.postgres.embedded import EmbeddedServer
from tests.support.installation import Installation, build
from tests.support.postgres import databases_like

ORDERS = int(os.environ.get("RXBACKUP_TEST_ORDERS", "1"))
DAYS = 8
ROWS = 4000
TABLES = """
CREATE TABLE public.readings (id int PRIMARY KEY, note text NOT NULL);
CREATE TABLE public.visits (id int PRIMARY KEY, reading int REFERENCES public.readings, at timestamptz);
INSERT INTO public.readings SELECT n, md5(n::text) || repeat(md5((n % 50)::text), 4) FROM generate_series(1, 4000) n;
INSERT INTO public.visits SELECT n, 1 + n % 4000, to_timestamp(n) FROM generate_series(1, 4000) n;
"""


def _image(installation: Installation) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: installation.sql(f"SELECT t::text FROM public.{name} t ORDER BY 1")
        for name in ("customers", "orders", "notes", "readings", "visits")
    }


def _one_percent(installation: Installation, choose: random.Random) -> None:
    ids = choose.sample(range(1, ROWS + 1), ROWS // 100)
    installation.sql("UPDATE public.readings SET note = md5(random()::text) || note WHERE id = ANY (%s)", ids)
    installation.sql("UPDATE public.visits SET at = at + interval '1 day' WHERE id = ANY (%s)", ids)


def _eight_days(
    installation: Installation, admin: Actor, choose: random.Random
) -> tuple[list[BackupView], list[dict[str, list[tuple[object, ...]]]]]:
    taken, images = [], []
    for day in range(DAYS):
        if day:
            _one_percent(installation, choose)
        taken.append(backups.perform_backup(installation.services, admin, NewBackup(f"Day {day}")))
        images.append(_image(installation))
    return taken, images


@contextmanager
def _twin(original: Installation, server: EmbeddedServer) -> Iterator[Installation]:
    """The same installation once more: a copy of its database, with the store in it, and the same key."""
    original.services.system.dispose()
    name = original.services.system_url.rpartition("/")[2].partition("?")[0]
    with databases_like(server, name) as make:
        url = make()
        twin = build(url, url, original.services.settings.data_dir)
        try:
            yield twin
        finally:
            twin.services.open_vault("database").close()
            twin.services.system.dispose()


@pytest.mark.timeout(900 * ORDERS)
def test_any_one_restores_exactly_once_all_others_are_gone(
    installation: Installation, admin: Actor, postgres_server: EmbeddedServer
) -> None:
    installation.sql(TABLES)
    taken, images = _eight_days(installation, admin, random.Random(0))
    first, later = taken[0].stored_bytes, [view.stored_bytes for view in taken[1:]]
    assert max(later) < first / 2, "each day costs what changed"
    installation.services.open_vault("database").close()
    for order, survivor in itertools.product(range(ORDERS), range(DAYS)):
        with _twin(installation, postgres_server) as twin:
            _only_one_is_left(twin, admin, taken, survivor, random.Random(100 * order + survivor))
            kept = NewRestore(taken[survivor].id, safety=False, confirm_name=taken[survivor].name)
            restores.perform_restore(twin.services, admin, kept)
            assert _image(twin) == images[survivor]
            backups.delete_backup(twin.services, admin, taken[survivor].id)
            assert list(twin.services.open_vault("database").chunk_objects()) == []


def _only_one_is_left(
    installation: Installation, admin: Actor, taken: list[BackupView], survivor: int, choose: random.Random
) -> None:
    services, kept = installation.services, taken[survivor]
    victims = [view for view in taken if view is not kept]
    choose.shuffle(victims)
    for victim in victims:
        backups.delete_backup(services, admin, victim.id)
    assert prunes.perform_prune(services, admin) == (PruneView("database"),), "each deletion freed its own"
    assert verifications.perform_verify(services, admin, kept.id, level="contents").ok
    vault = services.open_vault("database")
    assert {chunk for chunk, _, _ in vault.chunk_objects()} == vault.get_manifest(kept.id).needed_ids()
    _one_percent(installation, choose)
    installation.sql("DELETE FROM public.visits WHERE id % 3 = 0")
