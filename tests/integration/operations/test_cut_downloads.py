"""A download ends with the session that asked for it, and holds its backup as long as it runs."""

from __future__ import annotations

import dataclasses

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import Busy, NotSignedIn
from rxbackup.operations import backups, downloads, sign_in
from rxbackup.operations._backups import cutting
from rxbackup.operations.views import NewBackup
from tests.support.installation import ADMIN, PASSWORD, Installation

ROWS = """
CREATE TABLE public.readings (id int PRIMARY KEY, note text NOT NULL);
INSERT INTO public.readings SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 4000) n;
"""


@pytest.fixture
def signed_in(installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> Actor:
    monkeypatch.setattr(cutting, "LOOK_EVERY_SECONDS", 0.0)
    installation.sql(ROWS)
    return sign_in.sign_in(installation.services, ADMIN, PASSWORD, ip="127.0.0.1", user_agent="test").actor


@pytest.mark.parametrize("end", ["revoked_at = now()", "expires_at = now()"])
def test_it_ends_with_the_session(installation: Installation, signed_in: Actor, end: str) -> None:
    services = installation.services
    backup = backups.perform_backup(services, signed_in, NewBackup("First"))
    link = downloads.request_link(services, signed_in, backup.id)
    content = downloads.open_link(services, signed_in, link.path.removeprefix("/dl/")).content
    assert next(content)
    with pytest.raises(Busy):
        backups.delete_backup(services, signed_in, backup.id)
    installation.system_sql(f"UPDATE rxbackup.sessions SET {end}")
    with pytest.raises(NotSignedIn):
        list(content)
    # Its hold went with it.
    backups.delete_backup(services, Actor.system(), backup.id)


def test_it_ends_with_the_right(installation: Installation, signed_in: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, signed_in, NewBackup("First"))
    link = downloads.request_link(services, signed_in, backup.id)
    content = downloads.open_link(services, signed_in, link.path.removeprefix("/dl/")).content
    assert next(content)
    installation.system_sql("UPDATE rxbackup.accounts SET active = false")
    with pytest.raises(NotSignedIn):
        list(content)


def test_one_that_is_left_alone_comes_whole(installation: Installation, signed_in: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, signed_in, NewBackup("First"))
    link = downloads.request_link(services, signed_in, backup.id)
    got = b"".join(downloads.open_link(services, signed_in, link.path.removeprefix("/dl/")).content)
    console = dataclasses.replace(signed_in, session_id=None)
    again = downloads.request_link(services, console, backup.id)
    assert got == b"".join(downloads.open_link(services, console, again.path.removeprefix("/dl/")).content)
