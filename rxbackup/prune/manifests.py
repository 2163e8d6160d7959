"""Which manifests of a store belong to whom. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

_GIVEN_UP = frozenset({"failed", "interrupted", "deleting"})


@dataclass(frozen=True, slots=True)
class ManifestFindings:
    """What the catalogue makes of the manifests in a store.

    Attributes:
        unknown: ids of backups that the catalogue does not know to rest here. While there is one, nothing may be
            deleted in the store: nobody can say which chunks it needs.
        left_over: ids of those that were given up: nobody will read them.
        missing: ids of complete backups without a manifest.
    """

    unknown: tuple[str, ...]
    left_over: tuple[str, ...]
    missing: tuple[str, ...]


def judge_manifests(listed: Collection[str], known: Mapping[str, str]) -> ManifestFindings:
    """Compare.

    Args:
        listed: ids of the manifests in the store, listed before the catalogue was asked.
        known: backup id → the state of that backup, or of its copy, in this store.
    """
    there = set(listed)
    return ManifestFindings(
        unknown=tuple(sorted(there - known.keys())),
        left_over=tuple(sorted(each for each in there & known.keys() if known[each] in _GIVEN_UP)),
        missing=tuple(sorted(each for each in known.keys() - there if known[each] == "complete")),
    )
