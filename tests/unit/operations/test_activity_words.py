"""The wording of what happened: sentences for people, and nothing of the details that was not asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rxbackup.operations.views import ErrorView, JobView
from rxbackup.operations.views.activity import ActivityLine
from rxbackup.operations.views.activity_words import (
    ACTS,
    KINDS,
    RUNS,
    all_that_contain,
    kind_of,
    note_on,
    title_of_act,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def line(kind: str, state: str = "succeeded", name: str | None = "Nightly", **more: object) -> ActivityLine:
    error = ErrorView("full", "The disk is full.", "Free some space.") if state == "failed" else None
    facts = ("id", kind, "ada@example.org", state, "", None, 0, 0, 0, 0, "All is well.", error, {})
    job = JobView(*facts, NOW, NOW, NOW + timedelta(seconds=4), "b1", name)
    return ActivityLine.of_run(job, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "sentence", "outcome"),
    [
        (line("backup"), "Backed up Nightly", "done"),
        (line("backup", "failed"), "Backup failed: Nightly", "failed"),
        (line("restore", "interrupted"), "Restore interrupted: Nightly", "stopped"),
        (line("restore", "cancelled"), "Restore cancelled: Nightly", "stopped"),
        (line("verify", damaged=["public.assets: 12 rows"]), "Damage found in Nightly", "failed"),
        (line("restore-into"), "Restored into another database: Nightly", "done"),
        (line("prune", name=None), "Freed space", "done"),
        (line("prune", "failed", None), "Freeing space failed", "failed"),
        (line("new-thing"), "New thing: Nightly", "done"),
    ],
)
def test_a_run_is_a_sentence(told: ActivityLine, sentence: str, outcome: str) -> None:
    assert (f"{told.title} {told.subject}".strip(), told.outcome, told.seconds) == (sentence, outcome, 4)


def test_what_a_run_says_of_itself_is_a_note_where_the_sentence_leaves_it_open() -> None:
    assert line("verify").note == "All is well."
    assert line("backup").note == line("verify", "failed").note == line("verify", damaged=["x"]).note == ""


def test_only_named_details_of_an_act_are_told() -> None:
    details = {"table": "public.users", "conditions_on": ["email", "id"], "secret": "s3cret", "door": "api"}
    assert note_on("backup.rows.read", details) == "Table public.users, by email, id"
    assert note_on("backup.downloaded", {"format": "json", "key": "s3cret"}) == "As JSON"
    assert note_on("refused", {"operation": "delete_backup", "permission": "delete"}) == (
        "Delete backup needs the right to delete"
    )


def test_every_run_and_act_belongs_somewhere_and_is_found_by_its_words() -> None:
    assert {kind_of(what) for what in (*RUNS, *ACTS)} | {"other"} == set(KINDS)
    assert title_of_act("key.rotated_twice") == "Key rotated twice:"
    assert set(all_that_contain("TRASH")) == {"backup.trashed", "backup.undeleted"}
