"""Propose groups from a schema: shared name prefixes first, then foreign-key neighbours. Pure.

Every ordinary or partitioned table comes out in exactly one group.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from rxbackup.groups.bundled import BUNDLED_GROUPS
from rxbackup.groups.group import Group
from rxbackup.postgres.introspection import Catalogue, Table

OTHER = "Other tables"


def discover_groups(catalogue: Catalogue) -> tuple[Group, ...]:
    """Return the groups of a database: those of the bundled application where it is there, else proposed ones."""
    names = {t.qualified for t in catalogue.roots}
    bundled = [Group(name, tuple(tables)) for name, tables in BUNDLED_GROUPS.items()]
    fixed = bundled if {t for g in bundled for t in g.tables} <= names else []
    taken = {t for g in fixed for t in g.tables}
    rest = [t for t in catalogue.roots if t.qualified not in taken]
    return (*fixed, *_propose(rest, _neighbours(catalogue), {g.name.casefold() for g in fixed}))


def _propose(tables: Iterable[Table], neighbours: Mapping[str, AbstractSet[str]], used: set[str]) -> list[Group]:
    members = _by_prefix(tables)
    home = {name: key for key, names in members.items() for name in names}
    loose = sorted(t.qualified for t in tables if t.qualified not in home)
    for cluster in _clusters(loose, neighbours):
        if len(cluster) > 1:
            hub = max(sorted(cluster), key=lambda n: len(neighbours[n] & cluster))
            members[hub] = cluster
        else:
            (name,) = cluster
            near = sorted({home[n] for n in neighbours.get(name, ()) if n in home})
            members.setdefault(near[0] if len(near) == 1 else OTHER, set()).add(name)
    groups = []
    for key in sorted(members, key=lambda k: (k == OTHER, k)):
        title = _unused(key if key == OTHER else _title(key), used)
        groups.append(Group(title, tuple(sorted(members[key]))))
    return groups


def _by_prefix(tables: Iterable[Table]) -> dict[str, set[str]]:
    """Tables that share the first word of their name, at least two, keyed by `schema.word`."""
    members: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        members[f"{table.schema}.{_words(table.name)[0]}"].add(table.qualified)
    return {key: names for key, names in members.items() if len(names) > 1}


def _clusters(names: Iterable[str], neighbours: Mapping[str, AbstractSet[str]]) -> list[set[str]]:
    """Split names into sets connected by foreign keys."""
    left = set(names)
    clusters = []
    for start in sorted(left):
        if start not in left:
            continue
        cluster, edge = set(), {start}
        while edge:
            cluster |= edge
            edge = {n for name in edge for n in neighbours.get(name, ())} & left - cluster
        left -= cluster
        clusters.append(cluster)
    return clusters


def _neighbours(catalogue: Catalogue) -> dict[str, set[str]]:
    near: dict[str, set[str]] = defaultdict(set)
    for key in catalogue.foreign_keys:
        child = catalogue.by_oid[catalogue.by_oid[key.table].root].qualified
        parent = catalogue.by_oid[catalogue.by_oid[key.referenced].root].qualified
        if child != parent:
            near[child].add(parent)
            near[parent].add(child)
    return near


def _words(name: str) -> list[str]:
    words = [w for w in re.split(r"[^\w]+|_|(?<=[a-z0-9])(?=[A-Z])", name) if w]
    return [w.casefold() for w in words] or [name.casefold()]


def _title(key: str) -> str:
    schema, _, name = key.partition(".")
    title = " ".join(_words(name)).capitalize()
    return title if schema == "public" else f"{title} ({schema})"


def _unused(title: str, used: set[str]) -> str:
    candidate, number = title, 2
    while candidate.casefold() in used:
        candidate, number = f"{title} {number}", number + 1
    used.add(candidate.casefold())
    return candidate
