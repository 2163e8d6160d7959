"""Archives and documents through the gate: out of one installation, into the same or another."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.errors import FileCorrupt, NotFound, Refused, RxbackupError, StoreFull, TooLarge, UsageError
from rxbackup.intake import spool as spooling
from rxbackup.intake.spool import keys_beside
from rxbackup.operations import backups, downloads, imports, jobs, restores, verifications
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from rxbackup.vault.passphrase import PassphraseRule
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import CONSOLE, SHOP, Installation, build
from tests.support.postgres import NewDatabase, admin_url

ZOO = (Path(__file__).parents[2] / "support" / "zoo.sql").read_text(encoding="utf-8")
PHRASE = SecretStr("correct horse battery")


def _written(
    services: Services, backup: str, path: Path, format_name: str, passphrase: SecretStr | None = None
) -> Path:
    with path.open("wb") as file:
        downloads.export_to(services, CONSOLE, backup, file, format_name=format_name, passphrase=passphrase)
    return path


def _restored(installation: Installation, view: BackupView, *, foreign: bool) -> None:
    new = NewRestore(view.id, confirm_name=view.name, safety=False, trust_foreign=foreign)
    restores.perform_restore(installation.services, CONSOLE, new)


def _origin(installation: Installation, view: BackupView) -> dict:
    ((found,),) = installation.system_sql("SELECT origin FROM rxbackup.backups WHERE id = %s", view.id)
    return found


def _chunks(installation: Installation) -> set:
    return set(installation.system_sql("SELECT store, id, generation, state FROM rxbackup.chunks"))


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    salt = base64.b64encode(bytes(range(16))).decode()
    monkeypatch.setattr(PassphraseRule, "new", classmethod(lambda cls: cls("scrypt", salt, 1 << 10, 8, 1)))


@pytest.fixture
def elsewhere(new_system_database: NewDatabase, tmp_path: Path) -> Iterator[Installation]:
    """Another installation with another key, whose shop is empty."""
    url = new_system_database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(SHOP)
        conn.execute("DELETE FROM public.orders; DELETE FROM public.customers; DELETE FROM public.notes")
    built = build(url, url, tmp_path / "elsewhere")
    yield built
    built.services.system.dispose()


@pytest.mark.parametrize("format_name", ["archive", "json"])
def test_a_deleted_backup_comes_back_from_its_file(
    installation: Installation, tmp_path: Path, format_name: str
) -> None:
    services, before = installation.services, installation.image()
    first = backups.perform_backup(services, CONSOLE, NewBackup("First", description="Why"))
    file = _written(services, first.id, tmp_path / "file", format_name)
    backups.delete_backup(services, CONSOLE, first.id)
    installation.sql("DELETE FROM public.orders WHERE id < 100")

    seen = []
    view = imports.perform_import(services, CONSOLE, file, on_progress=seen.append)
    assert (view.id, view.name, view.description) == (first.id, "First", "Why")
    assert (view.state, view.rows, view.tables, view.trigger) == ("complete", 570, 3, "import")
    assert (view.origin, view.foreign) == (format_name, format_name == "json")
    assert seen
    assert verifications.perform_verify(services, CONSOLE, view.id).ok
    if view.foreign:
        with pytest.raises(Refused, match="not signed"):
            _restored(installation, view, foreign=False)
    _restored(installation, view, foreign=view.foreign)
    assert installation.image() == before
    # The next backup does not stumble over it.
    assert backups.perform_backup(services, CONSOLE, NewBackup("Next")).rows == 570


@pytest.mark.parametrize("format_name", ["archive", "json"])
def test_the_same_file_twice_is_one_backup(installation: Installation, tmp_path: Path, format_name: str) -> None:
    services = installation.services
    first = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    file = _written(services, first.id, tmp_path / "file", format_name)
    view = imports.perform_import(services, CONSOLE, file)
    # A document is signed by nobody: it is not the backup that it was written from.
    assert (view.id == first.id) == (format_name == "archive")
    chunks, listed = _chunks(installation), backups.list_backups(services, CONSOLE).total
    again = imports.perform_import(services, CONSOLE, file)
    assert again.id == view.id
    assert _chunks(installation) == chunks
    assert backups.list_backups(services, CONSOLE).total == listed
    newest = jobs.recent_jobs(services, CONSOLE)[0]
    assert newest.result["already_there"]
    assert "already" in newest.message


def test_an_archive_restores_elsewhere_with_its_passphrase(
    installation: Installation, elsewhere: Installation, tmp_path: Path
) -> None:
    before = installation.image()
    first = backups.perform_backup(installation.services, CONSOLE, NewBackup("First"))
    file = _written(installation.services, first.id, tmp_path / "a.rxbackup", "archive", PHRASE)
    with pytest.raises(Refused, match="another key"):
        imports.perform_import(elsewhere.services, CONSOLE, file)
    with pytest.raises(Refused, match="passphrase"):
        imports.perform_import(elsewhere.services, CONSOLE, file, passphrase=SecretStr("wrong horse battery"))
    assert _chunks(elsewhere) == set()
    view = imports.perform_import(elsewhere.services, CONSOLE, file, passphrase=PHRASE, store="local", name="Mine")
    assert (view.foreign, view.name, view.store, view.id) == (True, "Mine", "local", first.id)
    origin = _origin(elsewhere, view)
    assert origin["signer"] == installation.services.open_vault("database").id
    assert (origin["kind"], origin["file"]) == ("archive", "a.rxbackup")
    _restored(elsewhere, view, foreign=True)
    assert elsewhere.image() == before
    again = imports.perform_import(elsewhere.services, CONSOLE, file, passphrase=PHRASE)
    assert again.id == view.id
    # With the key file of the other installation it opens too, and is no less foreign.
    backups.delete_backup(elsewhere.services, CONSOLE, view.id)
    key = installation.services.settings.key_path
    assert imports.perform_import(elsewhere.services, CONSOLE, file, key_file=key).foreign


def test_a_document_restores_elsewhere(installation: Installation, elsewhere: Installation, tmp_path: Path) -> None:
    before = installation.image()
    first = backups.perform_backup(installation.services, CONSOLE, NewBackup("First"))
    file = _written(installation.services, first.id, tmp_path / "a.json", "json")
    view = imports.perform_import(elsewhere.services, CONSOLE, file)
    _restored(elsewhere, view, foreign=True)
    assert elsewhere.image() == before


def test_values_of_every_kind_survive_both_files(
    new_database: NewDatabase, new_system_database, tmp_path: Path
) -> None:
    source, system = new_database(), new_system_database()
    with psycopg.connect(admin_url(source), autocommit=True) as conn:
        conn.execute(ZOO)
    built = build(system, admin_url(source), tmp_path / "zoo")
    try:
        services = built.services
        first = backups.perform_backup(services, CONSOLE, NewBackup("Zoo"))
        with services.open_vault("database") as vault:
            wanted = _rows(vault, first.id)
            for format_name in ("archive", "json"):
                file = _written(services, first.id, tmp_path / format_name, format_name)
                if format_name == "archive":
                    backups.delete_backup(services, CONSOLE, first.id)
                view = imports.perform_import(services, CONSOLE, file)
                assert _rows(vault, view.id) == wanted
    finally:
        built.services.system.dispose()


def _rows(vault, backup_id: str) -> dict[str, bytes]:
    manifest = vault.get_manifest(backup_id)
    return {t.qualified: b"".join(vault.get_chunk(c) for s in t.segments for c in s.chunks) for t in manifest.tables}


def _upload(services: Services, content: bytes, **more: object) -> tuple[str, Path]:
    with imports.receive_file(services, CONSOLE, announced=len(content)) as spool:
        spool.write(content)
        job = imports.request_import(services, CONSOLE, spool.path, more.pop("file_name", "a"), **more)
        spool.keep()
    return job.id, spool.path


def test_an_uploaded_file_is_imported_by_a_worker_and_gone(installation: Installation, tmp_path: Path) -> None:
    services = installation.services
    first = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    content = _written(services, first.id, tmp_path / "f", "archive").read_bytes()
    backups.delete_backup(services, CONSOLE, first.id)
    job, path = _upload(services, content, name="Again")
    assert path.stat().st_mode & 0o777 == 0o600
    assert imports.sweep_imports(services, CONSOLE) == 0
    _give_console_an_account(installation)
    perform_job(services, job, "import")
    done = jobs.show_job(services, CONSOLE, job)
    assert (done.state, done.error) == ("succeeded", None)
    assert backups.show_backup(services, CONSOLE, done.result["backup"]).view.name == "Again"
    assert not path.exists()


def test_a_passphrase_is_used_at_the_upload_and_kept_nowhere(
    installation: Installation, elsewhere: Installation, tmp_path: Path
) -> None:
    first = backups.perform_backup(installation.services, CONSOLE, NewBackup("First"))
    content = _written(installation.services, first.id, tmp_path / "f", "archive", PHRASE).read_bytes()
    services = elsewhere.services
    with pytest.raises(Refused):
        _upload(services, content, passphrase=SecretStr("wrong horse battery"))
    assert list((services.settings.data_dir / "imports").iterdir()) == []
    job, path = _upload(services, content, passphrase=PHRASE)
    assert keys_beside(path).exists()
    secret = PHRASE.get_secret_value()
    assert secret.encode() not in path.read_bytes() + keys_beside(path).read_bytes()
    assert secret not in str(elsewhere.system_sql("SELECT j::text FROM rxbackup.jobs j"))
    _give_console_an_account(elsewhere)
    perform_job(services, job, "import")
    assert jobs.show_job(services, CONSOLE, job).state == "succeeded"
    assert list((services.settings.data_dir / "imports").iterdir()) == []


def test_what_nobody_wants_is_swept(installation: Installation, tmp_path: Path) -> None:
    services = installation.services
    first = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    content = _written(services, first.id, tmp_path / "f", "json").read_bytes()
    job, path = _upload(services, content)
    with imports.receive_file(services, CONSOLE) as receiving:
        receiving.write(b"half")
        assert imports.sweep_imports(services, CONSOLE) == 0
        assert receiving.path.exists()
    assert not receiving.path.exists()
    jobs.cancel_job(services, CONSOLE, job)
    assert imports.sweep_imports(services, CONSOLE) == 1
    assert not path.exists()
    # A crash leaves its file without a lock.
    left = path.with_name("0" * 32)
    left.write_bytes(b"x")
    keys_beside(left).write_bytes(b"x")
    (left.parent / "not ours.txt").write_bytes(b"x")
    imports.sweep_imports(services, CONSOLE)
    assert [p.name for p in left.parent.iterdir()] == ["not ours.txt"]


def test_a_job_with_a_path_for_a_file_imports_nothing(installation: Installation, tmp_path: Path) -> None:
    for name in ("../../rxbackup.key", "/etc/passwd", "", "x" * 32):
        with pytest.raises(RxbackupError):
            imports.perform_spooled_import(
                installation.services, CONSOLE, name, "f", name=None, store="database", job_id="x"
            )


def test_uploads_are_bounded(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = installation.services.settings.model_copy(update={"import_max_bytes": 1000})
    services = dataclasses.replace(installation.services, settings=settings)
    with pytest.raises(TooLarge):
        imports.receive_file(services, CONSOLE, announced=1001)
    with imports.receive_file(services, CONSOLE) as spool:
        spool.write(b"x" * 1000)
        with pytest.raises(TooLarge):
            spool.write(b"x")
    assert not spool.path.exists()
    monkeypatch.setattr(spooling, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(StoreFull):
        imports.receive_file(services, CONSOLE)


OTHER_FILES = [
    (b"", FileCorrupt),
    (b"hello", FileCorrupt),
    (b"\xef\xbb\xbf{}", FileCorrupt),
    (b"-- PostgreSQL database dump\nDROP TABLE users;", Refused),
    (b"\\! rm -rf /", Refused),
    (b"COPY public.users FROM stdin;", Refused),
    (b"PGDMP\x01\x0f", Refused),
    (b"\x1f\x8b\x08" + bytes(100), Refused),
    (b"PK\x03\x04" + bytes(100), Refused),
    (b"{}", FileCorrupt),
    (b'{"a": [}}', FileCorrupt),
    (b"vault.json" + bytes(502), FileCorrupt),
]


def test_other_files_are_refused_with_a_word_what_they_are(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content, error in OTHER_FILES:
        file.write_bytes(content)
        with pytest.raises(error) as caught:
            imports.perform_import(installation.services, CONSOLE, file)
        assert caught.value.hint
        with pytest.raises(error):
            _upload(installation.services, content)
    assert backups.list_backups(installation.services, CONSOLE).total == 0
    assert _chunks(installation) == set()
    assert list((installation.services.settings.data_dir / "imports").iterdir()) == []


def test_what_is_no_file_is_refused(installation: Installation, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    for path, error in ((tmp_path / "none", NotFound), (tmp_path, UsageError), (tmp_path / "pipe", UsageError)):
        with pytest.raises(error):
            imports.perform_import(installation.services, CONSOLE, path)
    with pytest.raises(NotFound):
        imports.perform_import(installation.services, CONSOLE, tmp_path, store="moon")


def test_a_failed_import_leaves_a_row_and_nothing_that_two_prunes_would_not_take(
    installation: Installation, tmp_path: Path
) -> None:
    from rxbackup.operations import prunes

    services = installation.services
    first = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    content = _written(services, first.id, tmp_path / "f", "json").read_bytes()
    backups.delete_backup(services, CONSOLE, first.id)
    (tmp_path / "f").write_bytes(content.replace(b'"id":500', b'"id":"x"'))
    with pytest.raises(FileCorrupt):
        imports.perform_import(services, CONSOLE, tmp_path / "f")
    (view,) = backups.list_backups(services, CONSOLE).items
    assert (view.state, view.error is not None) == ("failed", True)
    for _ in range(2):
        prunes.perform_prune(services, CONSOLE)
    left = [found.name for found in services.open_vault("database").store.list()]
    assert not [name for name in left if name.startswith(("chunks/", "manifests/"))]
    backups.delete_backup(services, CONSOLE, view.id)


FILE_NAMES = [
    ("../../etc/passwd", "passwd"),
    ("C:\\temp\\x.json", "x.json"),
    ("\0", "file"),
    ("a\u202etxt.exe", "atxt.exe"),
    ("x" * 4096, "x" * 100),
    ("<b>x</b>", "b>"),
    ("\udc80", "?"),
]


def test_names_of_files_are_for_people_only(installation: Installation, tmp_path: Path) -> None:
    services = installation.services
    first = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    content = _written(services, first.id, tmp_path / "f", "archive").read_bytes()
    for name, shown in FILE_NAMES:
        job, path = _upload(services, content, file_name=name)
        assert path.parent == services.settings.data_dir / "imports"
        assert jobs.show_job(services, CONSOLE, job).backup_name == shown


def _give_console_an_account(installation: Installation) -> None:
    from rxbackup.operations import accounts
    from tests.support.installation import ADMIN, PASSWORD

    accounts.create_admin(installation.services, CONSOLE, ADMIN, PASSWORD)


def test_the_browser_gets_an_archive_with_a_passphrase(
    installation: Installation, elsewhere: Installation, admin: Actor, tmp_path: Path
) -> None:
    first = backups.perform_backup(installation.services, admin, NewBackup("First"))
    with pytest.raises(UsageError):
        downloads.request_link(installation.services, admin, first.id, format_name="json", passphrase=PHRASE)
    with pytest.raises(UsageError):
        downloads.request_link(
            installation.services, admin, first.id, format_name="archive", passphrase=SecretStr("short")
        )
    for passphrase in (None, PHRASE):
        link = downloads.request_link(
            installation.services, admin, first.id, format_name="archive", passphrase=passphrase
        )
        assert link.file_name.endswith(".rxbackup")
        found = downloads.open_link(installation.services, admin, link.path.rpartition("/")[2])
        (tmp_path / "a").write_bytes(b"".join(found.content))
        assert found.media_type == "application/x-tar"
        if passphrase is None:
            with pytest.raises(Refused):
                imports.perform_import(elsewhere.services, CONSOLE, tmp_path / "a", passphrase=PHRASE)
    assert imports.perform_import(elsewhere.services, CONSOLE, tmp_path / "a", passphrase=PHRASE).rows == 570
    kept = installation.system_sql("SELECT key FROM rxbackup.settings WHERE key LIKE 'archive marker%%'")
    assert kept == []
