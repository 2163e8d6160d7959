"""Each calamity at the terminal: the right exit code, what happened, what to do, no secret, and nothing lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.operations import backups, verifications
from rxbackup.operations.views import BackupView, NewBackup
from rxbackup.postgres.embedded import EmbeddedServer
from tests.support.databases import take_image
from tests.support.installation import Installation
from tests.support.terminal import Outcome, Terminal, terminal
from tests.support.workers import assert_sound

Plant = Callable[[Installation, BackupView], None]


def _backup(installation: Installation, admin: Actor, store: str) -> BackupView:
    return backups.perform_backup(installation.services, admin, NewBackup("Kept", store=store))


def _shell(installation: Installation) -> Terminal:
    services = installation.services
    return terminal(services.system_url, services.settings.data_dir)


def _folder(installation: Installation) -> Path:
    return installation.services.local_folder


def _told(outcome: Outcome, installation: Installation, code: int, *words: str) -> None:
    """An error line, a hint, the exit code; no traceback, and no key."""
    said = outcome.out + outcome.err
    assert outcome.code == code, said
    assert "Traceback" not in said
    assert "unexpected" not in said.lower(), said
    assert "Error: " in outcome.err, said
    assert "  → " in outcome.err, said
    key = installation.services.settings.key_path.read_text().splitlines()
    for secret in (line for line in key if line and not line.startswith("#")):
        assert secret.rpartition(" ")[2] not in said
    for word in words:
        assert word in said, said


def _flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _chunks(installation: Installation) -> list[Path]:
    return sorted(path for path in (_folder(installation) / "chunks").rglob("*") if path.is_file())


@contextmanager
def _changed(path: Path, change: Callable[[Path], None]) -> Iterator[None]:
    """A file that is not what it was, and is again afterwards."""
    content = path.read_bytes()
    change(path)
    yield
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


@contextmanager
def _changed_row(installation: Installation, like: str, change: str) -> Iterator[None]:
    """The same in the database store; `change` is SQL on one row of objects, named %s."""
    [(name, content)] = installation.system_sql(
        "SELECT name, content FROM rxbackup.objects WHERE name LIKE %s ORDER BY name LIMIT 1", like
    )
    pointers = installation.system_sql("SELECT id, object_name FROM rxbackup.chunks")
    installation.system_sql("UPDATE rxbackup.chunks SET object_name = NULL")
    installation.system_sql(change, name)
    yield
    installation.system_sql(
        "INSERT INTO rxbackup.objects (name, content) VALUES (%s, %s) "
        "ON CONFLICT (name) DO UPDATE SET content = excluded.content",
        name,
        content,
    )
    for chunk, pointer in pointers:
        installation.system_sql("UPDATE rxbackup.chunks SET object_name = %s WHERE id = %s", pointer, chunk)


_FLIP_ROW = (
    "UPDATE rxbackup.objects SET content = set_byte(content, length(content) - 1, "
    "get_byte(content, length(content) - 1) # 1) WHERE name = %s"
)
_DROP_ROW = "DELETE FROM rxbackup.objects WHERE name = %s"
_CUT_ROW = "UPDATE rxbackup.objects SET content = substr(content, 1, length(content) / 2) WHERE name = %s"


def _fault(installation: Installation, store: str, what: str) -> object:
    if store == "database":
        like, change = {
            "flipped": ("chunks/%", _FLIP_ROW),
            "missing": ("chunks/%", _DROP_ROW),
            "manifest": ("manifests/%", _CUT_ROW),
        }[what]
        return _changed_row(installation, like, change)
    if what == "manifest":
        [path] = (_folder(installation) / "manifests").iterdir()
        return _changed(path, lambda p: p.write_bytes(p.read_bytes()[:200]) and None)
    if what == "missing":
        return _changed(_chunks(installation)[0], Path.unlink)
    return _changed(_chunks(installation)[0], lambda p: p.write_bytes(_flip(p.read_bytes())) and None)


@pytest.mark.parametrize("store", ["local", "database"])
def test_damage(installation: Installation, admin: Actor, store: str) -> None:
    kept = _backup(installation, admin, store)
    installation.sql("DELETE FROM public.orders WHERE id > 100")
    installation.touch()
    before = take_image(installation.services.source_url)
    shell = _shell(installation)
    for what, word in (("flipped", "chunk"), ("missing", "not in the store"), ("manifest", "manifest")):
        with _fault(installation, store, what):
            _told(shell.run("restore", kept.id, "--yes", "--no-safety", "-q"), installation, 5, word)
            found = shell.run("backup", "verify", kept.id, "-q")
            assert found.code == 5
            assert "Take a new backup" in found.out + found.err or "new full backup" in found.out + found.err, found
            assert take_image(installation.services.source_url) == before
        assert verifications.perform_verify(installation.services, admin, kept.id).ok
    assert_sound(installation, admin, kept)


def test_empty_folder_where_the_disk_was_mounted(installation: Installation, admin: Actor) -> None:
    kept = _backup(installation, admin, "local")
    place = _folder(installation)
    place.rename(place.with_name("away"))
    place.mkdir()
    told = _shell(installation).run("backup", "create", "--store", "local", "-q")
    _told(told, installation, 5, "vault.json", "mounted")
    assert list(place.iterdir()) == []
    place.rmdir()
    place.with_name("away").rename(place)
    assert_sound(installation, admin, kept)


def test_folder_that_is_gone(installation: Installation, admin: Actor) -> None:
    kept = _backup(installation, admin, "local")
    place = _folder(installation)
    place.rename(place.with_name("away"))
    _told(_shell(installation).run("backup", "create", "--store", "local", "-q"), installation, 1, str(place))
    assert not place.exists()
    place.with_name("away").rename(place)
    assert_sound(installation, admin, kept)


@pytest.fixture
def small_disk(installation: Installation) -> Iterator[Path]:
    """The local store on a file system of one megabyte."""
    place = _folder(installation)
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk(installation: Installation, admin: Actor, small_disk: Path) -> None:
    kept = _backup(installation, admin, "local")
    installation.sql(
        "CREATE TABLE public.noise AS SELECT n AS id, gen_random_uuid() AS a, gen_random_uuid() AS b, "
        "gen_random_uuid() AS c FROM generate_series(1, 30000) n"
    )
    before = sorted(small_disk.rglob("*"))
    told = _shell(installation).run("backup", "create", "--store", "local", "--name", "Full", "-q")
    _told(told, installation, 1, "space")
    assert [b.state for b in backups.list_backups(installation.services, admin).items if b.name == "Full"] == ["failed"]
    assert not [p for p in small_disk.rglob("*") if p.name.startswith(".")]
    assert set(before) <= set(small_disk.rglob("*"))
    installation.sql("DROP TABLE public.noise")
    again = backups.perform_backup(installation.services, admin, NewBackup("Fits", store="local"))
    assert_sound(installation, admin, kept, again)


def test_read_only_disk(installation: Installation, admin: Actor, small_disk: Path) -> None:
    kept = _backup(installation, admin, "local")
    installation.sql("DELETE FROM public.orders WHERE id > 100")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    shell = _shell(installation)
    _told(shell.run("backup", "create", "--store", "local", "-q"), installation, 1, "write")
    assert shell.run("restore", kept.id, "--yes", "--no-safety", "-q").code == 0
    assert installation.sql("SELECT count(*) FROM public.orders") == [(500,)]
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert_sound(installation, admin, kept)


def test_wrong_password(installation: Installation, admin: Actor, postgres_server: EmbeddedServer) -> None:
    kept = _backup(installation, admin, "database")
    role, secret = "asks_for_a_password", "opal-thimble-1907"
    rules = postgres_server.folder / "pg_hba.conf"
    asked = f"local all {role} scram-sha-256\n"
    with psycopg.connect(postgres_server.superuser_url, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'another-{secret}'")
        rules.write_text(asked + rules.read_text())
        conn.execute("SELECT pg_reload_conf()")
        url = installation.services.system_url.replace("//rxbackup@", f"//{role}:{secret}@", 1)
        outcome = _shell(installation).with_settings(RXBACKUP_DATABASE_URL=url).run("backup", "create", "-q")
        rules.write_text(rules.read_text().removeprefix(asked))
        conn.execute("SELECT pg_reload_conf()")
        conn.execute(f"DROP ROLE {role}")
    _told(outcome, installation, 1, "password", "RXBACKUP_DATABASE_URL")
    assert secret not in outcome.out + outcome.err
    assert_sound(installation, admin, kept)


def test_database_that_is_away_with_a_password_in_its_address(installation: Installation) -> None:
    url = "postgresql://shop:opal-thimble-1907@127.0.0.1:1/shop"
    outcome = _shell(installation).with_settings(RXBACKUP_DATABASE_URL=url).run("backup", "list")
    _told(outcome, installation, 1, "RXBACKUP_DATABASE_URL")
    assert "opal-thimble-1907" not in outcome.out + outcome.err


_SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "key"),
    "one bit": (lambda path: path.write_bytes(_flip(path.read_bytes().rstrip())), "key"),
    "for everybody": (lambda path: path.chmod(0o644), "chmod 600"),
    "gone": (Path.unlink, "RXBACKUP_KEY_FILE"),
}


def test_spoiled_key_file(installation: Installation, admin: Actor) -> None:
    kept = _backup(installation, admin, "database")
    shell, path = _shell(installation), installation.services.settings.key_path
    good = path.read_bytes()
    stored = installation.system_sql("SELECT name FROM rxbackup.objects ORDER BY 1")
    for spoil, word in _SPOILED.values():
        spoil(path)
        left = path.read_bytes() if path.exists() else None
        outcome = shell.run("backup", "verify", kept.id, "-q")
        assert (path.read_bytes() if path.exists() else None) == left, "somebody touched the key file"
        path.write_bytes(good)
        path.chmod(0o600)
        _told(outcome, installation, 1, word)
        assert installation.system_sql("SELECT name FROM rxbackup.objects ORDER BY 1") == stored
    # An editor on another system does no harm.
    path.write_bytes(good.replace(b"\n", b"\r\n"))
    assert shell.run("backup", "verify", kept.id, "-q").code == 0
    assert_sound(installation, admin, kept)
