from __future__ import annotations

import base64
import os
import pickle
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from rxbackup.errors import KeyFileDamaged, KeyFileExposed, KeyMissing, KeyTrouble, Refused, WrongKey
from rxbackup.vault.keyring import Keyring, create_key_file, load_keyring, parse_key, read_key_file

SECRET = bytes(range(32))


def _settings(path: Path, key: str | None = None) -> SimpleNamespace:
    hidden = None if key is None else SimpleNamespace(get_secret_value=lambda: key)
    return SimpleNamespace(key=hidden, key_path=path)


def test_created_file_is_private_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rxbackup.key"
    made = create_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(path).secret == made.secret
    assert [each.name for each in path.parent.iterdir()] == ["rxbackup.key"]


def test_two_keys_differ(tmp_path: Path) -> None:
    assert create_key_file(tmp_path / "a").secret != create_key_file(tmp_path / "b").secret


def test_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "rxbackup.key"
    first = create_key_file(path)
    with pytest.raises(Refused, match="never overwritten"):
        create_key_file(path)
    assert read_key_file(path).secret == first.secret
    assert len(list(tmp_path.iterdir())) == 1


def test_even_a_dangling_link_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "rxbackup.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        create_key_file(tmp_path / "rxbackup.key")
    assert not (tmp_path / "elsewhere").exists()


def test_missing_file_says_where(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match=r"nothing\.key"):
        load_keyring(_settings(tmp_path / "nothing.key"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o666, 0o601])
def test_exposed_file_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "rxbackup.key"
    create_key_file(path)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed):
        read_key_file(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rxbackup.key"
    create_key_file(path)
    os.chown(path, 12345, 12345)
    with pytest.raises(KeyFileExposed):
        read_key_file(path)


def test_every_damage_of_the_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rxbackup.key"
    made = create_key_file(path)
    content = path.read_bytes()
    start = content.index(b"key-id:")
    for position in range(start, len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        try:
            # A change of blank space, or of base64's unused bits, may leave the key as it was; never another key.
            assert read_key_file(path).secret == made.secret
        except KeyFileDamaged:
            continue
    for length in range(len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(KeyFileDamaged):
            read_key_file(path)


def test_line_ends_of_another_system_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "rxbackup.key"
    made = create_key_file(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_key_file(path).secret == made.secret


@pytest.mark.parametrize("content", [b"", b"\0" * 300, b"hello", b"\xff\xfe", b"x" * 100_000])
def test_other_files_are_no_keys(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rxbackup.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileDamaged):
        read_key_file(path)


def test_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyTrouble):
        read_key_file(tmp_path)


def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyTrouble):
        read_key_file(tmp_path / "pipe")


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper(),
        base64.b64encode(SECRET).decode(),
        base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
        f"  {SECRET.hex()}\n",
    ],
)
def test_key_in_the_environment_wins_and_takes_hex_and_base64(tmp_path: Path, text: str) -> None:
    assert load_keyring(_settings(tmp_path / "none", text)).secret == SECRET


@pytest.mark.parametrize("text", ["", "abc", "00" * 31, "00" * 32, "é" * 44, base64.b64encode(b"x" * 31).decode()])
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(KeyFileDamaged):
        parse_key(text, origin="RXBACKUP_KEY")


def test_wrapped_secret_opens_only_with_key_vault_and_purpose() -> None:
    keyring, vault_id = Keyring.generate(), os.urandom(16)
    wrapped = keyring.wrap(SECRET, vault_id=vault_id, purpose="id key")
    assert keyring.unwrap(wrapped, vault_id=vault_id, purpose="id key") == SECRET
    for other, identity, purpose in (
        (Keyring.generate(), vault_id, "id key"),
        (keyring, os.urandom(16), "id key"),
        (keyring, vault_id, "data key"),
    ):
        with pytest.raises(WrongKey):
            other.unwrap(wrapped, vault_id=identity, purpose=purpose)
    for damaged in (b"", wrapped[:-1], wrapped + b"\0"):
        with pytest.raises(WrongKey):
            keyring.unwrap(damaged, vault_id=vault_id, purpose="id key")


def test_keyring_never_prints_its_secret() -> None:
    keyring = Keyring(SECRET)
    for text in (repr(keyring), str(keyring), keyring.key_id):
        assert SECRET.hex() not in text
        assert repr(SECRET)[2:20] not in text
    assert pickle.loads(pickle.dumps(keyring)) == keyring
