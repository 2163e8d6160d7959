"""What somebody asks for as a store: checked, parted into what may be shown and what is sealed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sqlmodel import Session, select

from rxbackup.errors import Refused, UsageError
from rxbackup.operations.views import NewStore
from rxbackup.stores.base import StoreRecipe
from rxbackup.tables.system import Store

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_KINDS = ("local", "s3")
# What is in there is the system's own, or is nowhere on a disk.
_NO_PLACE = ("/proc", "/sys", "/dev", "/etc", "/boot", "/bin", "/sbin", "/lib", "/usr")


@dataclass(frozen=True, slots=True)
class CheckedStore:
    """A store that could be added, as far as its words go.

    Attributes:
        settings: kept in clear, shown to admins.
        secrets: sealed before they are kept.
    """

    name: str
    kind: str
    settings: dict[str, str]
    secrets: dict[str, str] = field(repr=False)

    def recipe(self) -> StoreRecipe:
        """How to open it."""
        return StoreRecipe(self.kind, {**self.settings, **self.secrets})


def check_new_store(new: NewStore) -> CheckedStore:
    """Refuse what cannot be a store.

    Raises:
        UsageError: says what and why; never repeats a secret.
    """
    if not _NAME.fullmatch(new.name):
        raise UsageError(
            f"{new.name[:80]!r} cannot name a store.",
            hint="Use up to 63 small letters, digits, - and _, for example offsite.",
        )
    if new.kind not in _KINDS:
        raise UsageError(f"{new.kind[:40]!r} is no kind of store to add.", hint=f"The kinds are: {', '.join(_KINDS)}.")
    if new.kind == "local":
        return CheckedStore(new.name, "local", {"path": _path(new.path)}, {})
    settings = {
        "bucket": new.bucket.strip(),
        "prefix": new.prefix.strip().strip("/"),
        "region": new.region.strip(),
        "endpoint": new.endpoint.strip(),
        "style": new.style,
        "allow_http": "1" if new.allow_http else "",
    }
    given = {"access_key": new.access_key, "secret_key": new.secret_key, "session_token": new.session_token}
    secrets = {name: value.get_secret_value().strip() for name, value in given.items() if value is not None}
    missing = [name.replace("_", " ") for name in ("access_key", "secret_key") if not secrets.get(name)]
    if missing:
        raise UsageError(
            f"The {' and the '.join(missing)} of the bucket {'is' if len(missing) == 1 else 'are'} missing.",
            hint="On the command line, set RXBACKUP_S3_ACCESS_KEY and RXBACKUP_S3_SECRET_KEY.",
        )
    return CheckedStore(new.name, "s3", {name: value for name, value in settings.items() if value}, secrets)


def refuse_taken(session: Session, checked: CheckedStore) -> None:
    """Refuse a name that is in use, and a place that is a store already.

    Raises:
        Refused: says which store it is.
    """
    for name, kind, settings in session.exec(select(Store.name, Store.kind, Store.settings)):
        if name == checked.name:
            raise Refused(f"There is a store named {name} already.", hint="Choose another name, or remove it first.")
        if kind == checked.kind and _overlap(kind, settings, checked.settings):
            raise Refused(f"This place is the store {name} already, or within it.", hint="Choose another place.")


def where(kind: str, settings: Mapping[str, Any]) -> str:
    """The place, for people."""
    match kind:
        case "database":
            return "rxbackup's own database"
        case "local":
            return str(settings.get("path", ""))
        case _:
            path = "/".join(part for part in (settings.get("bucket", ""), settings.get("prefix", "")) if part)
            return f"bucket {path} at {settings.get('endpoint') or 'AWS ' + str(settings.get('region', ''))}".strip()


def _path(text: str) -> str:
    path = Path(text.strip()) if text.strip() else None
    if path is None or not path.is_absolute() or "\0" in text:
        raise UsageError(f"{text[:80]!r} is no absolute path of a folder.", hint="For example /mnt/backups/rxbackup.")
    real = path.resolve()
    if real == Path("/") or any(real.is_relative_to(place) for place in _NO_PLACE):
        raise UsageError(f"{real} belongs to the system.", hint="Choose a folder for backups alone.")
    return str(path)


def _overlap(kind: str, known: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    if kind == "local":
        one, other = Path(str(known.get("path", ""))).resolve(), Path(wanted["path"]).resolve()
    else:
        if any(str(known.get(k, "")).rstrip("/") != wanted.get(k, "").rstrip("/") for k in ("endpoint", "bucket")):
            return False
        # As paths: `a` holds `a/b`, but not `ab`.
        one, other = (PurePosixPath("/", str(s.get("prefix", ""))) for s in (known, wanted))  # type: ignore[assignment]
    return one.is_relative_to(other) or other.is_relative_to(one)
