"""What runs and acts are called, and which of them belong together. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

OTHER: Final = "other"


class RunWords(NamedTuple):
    """`kind` groups it, `noun` is what it is called ("Backup failed"), `done` stands before the name ("Backed up")."""

    kind: str
    noun: str
    done: str


RUNS: Final[Mapping[str, RunWords]] = MappingProxyType(
    {
        "backup": RunWords("backup", "Backup", "Backed up"),
        "restore": RunWords("restore", "Restore", "Restored"),
        "preview": RunWords("restore", "Preview of a restore", "Previewed the restore of"),
        "refresh": RunWords("restore", "Refresh of materialized views", "Refreshed materialized views after"),
        "restore-into": RunWords("restore", "Restore into another database", "Restored into another database:"),
        "side-schema": RunWords("restore", "Rows beside the tables", "Put rows beside the tables:"),
        "verify": RunWords("check", "Check", "Checked"),
        "copy": RunWords("copy", "Copy", "Copied"),
        "import": RunWords("copy", "Import", "Imported"),
        "compare": RunWords("look", "Comparison", "Compared"),
        "prune": RunWords("deletion", "Freeing space", "Freed space"),
        "rebuild": RunWords("store", "Bringing back the catalogue", "Brought back the catalogue"),
    }
)

ACTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "backup.pinned": ("backup", "Pinned"),
        "backup.unpinned": ("backup", "Unpinned"),
        "backup.trashed": ("deletion", "Moved to the trash:"),
        "backup.undeleted": ("deletion", "Put back from the trash:"),
        "backup.deleted": ("deletion", "Deleted for good:"),
        "copy.deleted": ("deletion", "Deleted a copy of"),
        "backup.downloaded": ("look", "Downloaded"),
        "backup.rows.read": ("look", "Looked at rows of"),
        "backup.rows.downloaded": ("look", "Downloaded rows of"),
        "backup.rows.compared": ("look", "Compared rows of"),
        "side-schema.dropped": ("restore", "Dropped the rows beside the tables:"),
        "side-schema.expired": ("restore", "Dropped the rows beside the tables, as their time was over:"),
        "schedule.added": ("schedule", "Added the schedule"),
        "schedule.changed": ("schedule", "Changed the schedule"),
        "schedule.paused": ("schedule", "Paused the schedule"),
        "schedule.resumed": ("schedule", "Resumed the schedule"),
        "schedule.deleted": ("schedule", "Deleted the schedule"),
        "schedule.missed": ("schedule", "Missed a run of the schedule"),
        "schedule.skipped": ("schedule", "Skipped a run of the schedule"),
        "store.added": ("store", "Added the store"),
        "store.removed": ("store", "Removed the store"),
        "channel.added": ("notification", "Added the channel"),
        "channel.changed": ("notification", "Changed the channel"),
        "channel.removed": ("notification", "Removed the channel"),
        "alert.expected": ("notification", "Said that an alert was expected:"),
        "account.created": ("person", "Created the account"),
        "account.changed": ("person", "Changed the account"),
        "signed_in": ("person", "Signed in"),
        "signed_out": ("person", "Signed out"),
        "sign_in.failed": ("person", "Sign-in failed:"),
        "refused": ("person", "Refused:"),
        **{f"{what}.cancel": (words.kind, f"Asked to stop: {words.noun.lower()}") for what, words in RUNS.items()},
    }
)

KINDS: Final = (
    *("backup", "restore", "check", "copy", "deletion", "look"),
    *("schedule", "store", "notification", "person", OTHER),
)
"""What lines can be filtered by. An act that nobody has named yet is *other*."""

_FORMATS = MappingProxyType({"json": "JSON", "sql": "SQL", "archive": "an archive", "csv": "CSV"})


def kind_of(what: str) -> str:
    """Which of `KINDS` a run or an act belongs to."""
    return RUNS[what].kind if what in RUNS else ACTS.get(what, (OTHER, ""))[0]


def noun_of(what: str) -> str:
    """What a run is called: "Backup"."""
    return RUNS[what].noun if what in RUNS else _spelled(what)


def title_of_run(what: str, state: str, *, named: bool, damaged: bool = False) -> str:
    """What stands before the name of the backup, if there is one."""
    if state != "succeeded":
        return f"{noun_of(what)} {state}{':' if named else ''}"
    if damaged:
        return "Damage found in"
    done = RUNS[what].done if what in RUNS else f"{_spelled(what)}:"
    return done if named else done.removesuffix(":")


def title_of_act(action: str) -> str:
    """What stands before the name of what it was done to; an act that nobody named yet by its own words."""
    return ACTS[action][1] if action in ACTS else f"{_spelled(action)}:"


def all_that_contain(text: str) -> tuple[str, ...]:
    """Every run and act whose words contain this."""
    wanted = text.casefold()
    runs = [what for what, words in RUNS.items() if wanted in f"{words.noun} {words.done}".casefold()]
    return (*runs, *(action for action, (_, title) in ACTS.items() if wanted in title.casefold()))


def note_on(action: str, details: Mapping[str, Any]) -> str:
    """What else is known of an act. Only what is named here is ever shown of its details."""
    parts = []
    if table := details.get("table"):
        parts.append(f"Table {table}")
    if columns := details.get("conditions_on"):
        parts.append(f"by {', '.join(map(str, columns))}")
    if store := details.get("store"):
        parts.append(f"in {store}")
    if file := details.get("format"):
        parts.append(f"as {_FORMATS.get(str(file), str(file))}")
    if action == "refused":
        asked = str(details.get("operation", "")).replace("_", " ")
        parts.append(f"{asked} needs the right to {details.get('permission', '')}")
    if because := details.get("because"):
        parts.append(str(because))
    if address := details.get("ip"):
        parts.append(f"from {address}")
    told = ", ".join(parts)
    return told[:1].upper() + told[1:]


def _spelled(name: str) -> str:
    words = " ".join(part for part in name.replace("_", " ").replace("-", " ").split("."))
    return words[:1].upper() + words[1:]
