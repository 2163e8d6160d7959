from __future__ import annotations

import dataclasses

import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import backups
from rxbackup.operations.views import BackupView, NewBackup
from tests.support.installation import Installation, admin
from tests.support.installation import installation as shop

__all__ = ["admin", "shop"]

READINGS = """
CREATE TABLE public.readings (id int PRIMARY KEY, note text NOT NULL);
INSERT INTO public.readings SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 24000) n;
"""


@pytest.fixture
def installation(shop: Installation) -> Installation:
    """An installation with some segments to read, whose backups use copy processes."""
    shop.sql(READINGS)
    settings = shop.services.settings.model_copy(update={"processes": 2})
    shop.services = dataclasses.replace(shop.services, settings=settings, processes=2)
    return shop


@pytest.fixture
def kept(installation: Installation, admin: Actor) -> BackupView:
    """A backup from before the calamity; since then every reading has changed, and orders are gone."""
    backup = backups.perform_backup(installation.services, admin, NewBackup("Kept"))
    installation.sql("UPDATE public.readings SET note = reverse(note)")
    installation.sql("DELETE FROM public.orders WHERE id > 100")
    return backup
