"""Reads a vault in a local folder, or an archive, with nothing of rxbackup: written from docs/vault-format.md alone.

python reader.py PLACE KEYFILE                            list the backups and their tables
python reader.py PLACE KEYFILE BACKUP_ID SCHEMA.TABLE     the rows of a table, as COPY text, to stdout

PLACE is a folder, or an archive file. With `-` for KEYFILE the passphrase of an archive is read from stdin.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import sys
import tarfile
import unicodedata
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HEADER = struct.Struct(">8sBBBB4x16s8s32sQ32s12s4x")
CHUNK, MANIFEST = 1, 2
RAW, ZSTD, DIFFERENCE = 0, 1, 2


def derive(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt, info=info).derive(key)


def read_key(path: Path) -> bytes:
    found = re.search(r"^key:\s*(\S+)\s*$", path.read_text("ascii"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{path} is no key file")
    return base64.b64decode(found[1])


class Folder:
    """The objects of a local store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self, prefix: str) -> list[str]:
        parent = self.folder / prefix.rpartition("/")[0]
        found = [path.relative_to(self.folder).as_posix() for path in parent.iterdir()] if parent.is_dir() else []
        return sorted(name for name in found if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


class Archive:
    """The objects in an archive, once its end mark has said that it is whole."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as tar:
            members = tar.getmembers()
        self.path = path
        self.places = {member.name: (member.offset_data, member.size) for member in members}
        end = json.loads(self.read(members[-1].name))
        if members[-1].name != "archive-end.json" or end["format"] != "rxbackup-archive/1":
            raise SystemExit("the archive has no end mark that can be read")
        with path.open("rb") as file:
            before = file.read(end["bytes"])
        if (end["objects"], end["bytes"]) != (len(members) - 1, members[-1].offset):
            raise SystemExit("the end mark counts other objects")
        if hashlib.sha256(before).hexdigest() != end["sha256"]:
            raise SystemExit("the archive was changed")

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.places if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        start, size = self.places[name]
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(size)


def key_of(passphrase: str, marker: dict[str, Any]) -> bytes:
    """The key that a passphrase gives, by the rule in its slot."""
    rule = next(slot["passphrase"] for slot in marker["slots"] if slot.get("passphrase"))
    if rule["kdf"] != "scrypt":
        raise SystemExit(f"cannot derive by {rule['kdf']}")
    text = unicodedata.normalize("NFC", passphrase).encode()
    cost = {"n": rule["n"], "r": rule["r"], "p": rule["p"]}
    return hashlib.scrypt(text, salt=base64.b64decode(rule["salt"]), dklen=32, maxmem=1 << 28, **cost)


class Reader:
    """An opened vault."""

    def __init__(self, place: Path, key: bytes | str) -> None:
        self.objects = Folder(place) if place.is_dir() else Archive(place)
        marker = json.loads(self.objects.read("vault.json"))
        if marker["format"] != "rxbackup-vault/1":
            raise SystemExit(f"cannot read {marker['format']}")
        self.vault_id = uuid.UUID(marker["vault_id"]).bytes
        if isinstance(key, str):
            key = key_of(key, marker)
        key_id = derive(key, salt=b"", info=b"rxbackup/1 key id")[:8].hex()
        slots = [slot for slot in marker["slots"] if slot["key_id"] == key_id]
        if not slots:
            raise SystemExit(f"the vault has no slot for the key {key_id}")
        wrapping = AESGCM(derive(key, salt=self.vault_id, info=b"rxbackup/1 wrap"))

        def unwrap(wrapped: str, purpose: str) -> bytes:
            sealed = base64.b64decode(wrapped)
            bound = b"rxbackup/1 wrap" + self.vault_id + bytes.fromhex(key_id) + purpose.encode()
            return wrapping.decrypt(sealed[:12], sealed[12:], bound)

        self.data_keys = {
            each["key_id"]: unwrap(each["wrapped"], f"data key {each['key_id']}") for each in slots[0]["data_keys"]
        }
        self.id_key = unwrap(slots[0]["id_key"], "id key")

    def open(self, sealed: bytes, kind: int, object_id: bytes) -> bytes:
        """The plain bytes of a sealed object."""
        header, body = sealed[: HEADER.size], sealed[HEADER.size :]
        magic, version, suite, found, codec, vault, key_id, found_id, length, anchor, nonce = HEADER.unpack(header)
        if (magic, version, suite, found, vault, found_id) != (b"rxbackup", 1, 1, kind, self.vault_id, object_id):
            raise SystemExit("not the object that was asked for")
        info = b"rxbackup/1 object" + bytes([kind]) + object_id
        subkey = derive(self.data_keys[key_id.hex()], salt=self.vault_id, info=info)
        content = AESGCM(subkey).decrypt(nonce, body, header)
        if codec != RAW:
            leaning = None
            if codec == DIFFERENCE and len(prefix := self.chunk(anchor.hex())) >= 8:
                leaning = zstd.ZstdDict(prefix, is_raw=True).as_prefix
            unpacking = zstd.ZstdDecompressor(zstd_dict=leaning)
            content = unpacking.decompress(content, length + 1)
            if not unpacking.eof or unpacking.unused_data:
                raise SystemExit("the compressed bytes do not end where they should")
        if len(content) != length:
            raise SystemExit("the content has another length than was sealed")
        return content

    def chunk(self, chunk_id: str) -> bytes:
        """The plain bytes of a chunk, from its newest object."""
        names = self.objects.names(f"chunks/{chunk_id[:2]}/{chunk_id}-")
        newest = max(names, key=lambda name: int(name.rpartition("-")[2]))
        plain = self.open(self.objects.read(newest), CHUNK, bytes.fromhex(chunk_id))
        if blake3(plain, key=self.id_key).hexdigest() != chunk_id:
            raise SystemExit(f"the chunk {chunk_id} does not hold what its name says")
        return plain

    def manifests(self) -> Iterator[dict[str, Any]]:
        """Every backup's manifest."""
        for name in self.objects.names("manifests/"):
            object_id = uuid.UUID(name.partition("/")[2]).bytes + bytes(16)
            yield json.loads(self.open(self.objects.read(name), MANIFEST, object_id))

    def rows(self, backup_id: str, table: str) -> Iterator[bytes]:
        """The rows of a table, as COPY text."""
        for manifest in self.manifests():
            for entry in manifest["tables"]:
                if manifest["backup_id"] == backup_id and f"{entry['schema']}.{entry['name']}" == table:
                    for segment in entry["segments"]:
                        yield from map(self.chunk, segment["chunks"])
                    return
        raise SystemExit("no such backup or table")


def main(arguments: list[str]) -> None:
    key = sys.stdin.readline().rstrip("\n") if arguments[1] == "-" else read_key(Path(arguments[1]))
    reader = Reader(Path(arguments[0]), key)
    if len(arguments) > 2:
        for piece in reader.rows(arguments[2], arguments[3]):
            sys.stdout.buffer.write(piece)
        return
    for manifest in reader.manifests():
        print(manifest["backup_id"], manifest["created_at"], manifest["name"])
        for entry in manifest["tables"]:
            print(f"    {entry['schema']}.{entry['name']}: {entry['rows']} rows")


if __name__ == "__main__":
    main(sys.argv[1:])
