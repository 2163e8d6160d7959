"""What foreign and unique keys across the border of the choice would do, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody can do about a consequence.

    Attributes:
        kind: "add-group" or "skip-group" (value: the group's name), "add-table" or "skip-table" (the same where single
            tables were chosen; value: the table's qualified name), "mode" (value: the mode) or "set-aside" (no value).
        label: the same in words.
    """

    kind: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a key would do to rows. The restore is refused while there is one.

    Attributes:
        kind: "orphans" (rows of `table`, which is not restored, would lose rows of `other` that they refer to),
            "parentless" (rows of `table` in the backup refer to rows of `other` that will not be there) or "clash"
            (rows of `table` cannot come back because rows that stay hold values that must be unique).
        table, other: qualified names; the same for a clash.
        rows: how many rows of `table` that is.
    """

    kind: str
    table: str
    other: str
    rows: int
    message: str
    hint: str
    choices: tuple[Choice, ...] = ()
