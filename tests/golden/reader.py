"""Reads a vault in a local folder with nothing of rxbackup: written from docs/vault-format.md alone.

python reader.py FOLDER KEYFILE                            list the backups and their tables
python reader.py FOLDER KEYFILE BACKUP_ID SCHEMA.TABLE     the rows of a table, as COPY text, to stdout
"""

from __future__ import annotations

import base64
import json
import re
import struct
import sys
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


class Reader:
    """An opened vault."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        marker = json.loads((folder / "vault.json").read_text())
        if marker["format"] != "rxbackup-vault/1":
            raise SystemExit(f"cannot read {marker['format']}")
        self.vault_id = uuid.UUID(marker["vault_id"]).bytes
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
        objects = (self.folder / "chunks" / chunk_id[:2]).glob(f"{chunk_id}-*")
        newest = max(objects, key=lambda path: int(path.name.rpartition("-")[2]))
        plain = self.open(newest.read_bytes(), CHUNK, bytes.fromhex(chunk_id))
        if blake3(plain, key=self.id_key).hexdigest() != chunk_id:
            raise SystemExit(f"the chunk {chunk_id} does not hold what its name says")
        return plain

    def manifests(self) -> Iterator[dict[str, Any]]:
        """Every backup's manifest."""
        for path in sorted((self.folder / "manifests").iterdir()):
            object_id = uuid.UUID(path.name).bytes + bytes(16)
            yield json.loads(self.open(path.read_bytes(), MANIFEST, object_id))

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
    reader = Reader(Path(arguments[0]), read_key(Path(arguments[1])))
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
