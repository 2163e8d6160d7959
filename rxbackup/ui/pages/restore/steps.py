"""The steps of a restore: which there are, which of them can be gone to, what stands on the stepper. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STEPS: Final = ("what", "how", "preview", "confirm", "progress", "result")
UNDO_STEPS: Final = ("what", "preview", "confirm", "progress", "result")
"""An undo makes everything exactly as it was before: there is no how."""

TITLES: Final = {
    "what": "What",
    "how": "How",
    "preview": "Preview",
    "confirm": "Confirm",
    "progress": "Progress",
    "result": "Result",
}


@dataclass(frozen=True)
class StepLine:
    """One step on the stepper. `state` is done, here or ahead; `href` is "" where one cannot go."""

    number: int
    name: str
    title: str
    state: str
    href: str


def steps_of(*, undo: bool) -> tuple[str, ...]:
    """The steps in their order."""
    return UNDO_STEPS if undo else STEPS


def allowed_step(wanted: str, *, undo: bool, run: bool) -> str:
    """The step to show for the one an address names.

    What has been asked for cannot be chosen any more: with a `run` there are only progress and result. Without one
    there is neither. An undo knows what it wants, so it begins with its preview.
    """
    if run:
        return wanted if wanted == "result" else "progress"
    known = steps_of(undo=undo)[:-2]
    return wanted if wanted in known else "preview" if undo else "what"


def neighbour(step: str, by: int, *, undo: bool) -> str:
    """The step before or after one."""
    known = steps_of(undo=undo)
    return known[max(0, min(len(known) - 1, known.index(step) + by))]


def stepper(step: str, addresses: dict[str, str], *, undo: bool) -> list[StepLine]:
    """The stepper's lines. Only steps behind are links, and none once the restore was asked for."""
    known = steps_of(undo=undo)
    here = known.index(step)
    fixed = step in {"progress", "result"}
    return [
        StepLine(
            number=number + 1,
            name=name,
            title=TITLES[name],
            state="here" if number == here else "done" if number < here else "ahead",
            href=addresses.get(name, "") if number < here and not fixed else "",
        )
        for number, name in enumerate(known)
    ]
