"""Times, counts and sizes, worded by the reader's own browser: its language, its time zone, its digits."""

from __future__ import annotations

import reflex as rx

_LIBRARY = "$/public/rxbackup-ui.js"


class When(rx.Component):
    """A moment: "2 hours ago", with the exact time and its zone as tooltip; it keeps itself up to date.

    Attributes:
        at: ISO 8601 with offset; nothing is drawn for "".
        exact: write the exact time with its zone instead.
    """

    library = _LIBRARY
    tag = "When"
    at: rx.Var[str]
    exact: rx.Var[bool]


class Count(rx.Component):
    """A whole number with the reader's thousands separator, `~` before an estimate."""

    library = _LIBRARY
    tag = "Count"
    value: rx.Var[int]
    estimated: rx.Var[bool]
    signed: rx.Var[bool]


class Size(rx.Component):
    """Bytes as kB, MB, GB (decimal); `whole` is what it was before compression, as tooltip."""

    library = _LIBRARY
    tag = "Size"
    bytes: rx.Var[int]
    whole: rx.Var[int]


class Words(rx.Component):
    """A paragraph whose commands stand between backticks, as in every message and hint."""

    library = _LIBRARY
    tag = "Words"
    text: rx.Var[str]


class TableName(rx.Component):
    """The name of a table, which may be broken after a dot or an underscore."""

    library = _LIBRARY
    tag = "TableName"
    name: rx.Var[str]


class Shortcuts(rx.Component):
    """Keys that focus a field or press a button, without asking the server.

    Attributes:
        keys: key → CSS selector. Nothing happens while one types or while a dialog or menu is open.
    """

    library = _LIBRARY
    tag = "Shortcuts"
    keys: rx.Var[dict[str, str]]


class FocusKeeper(rx.Component):
    """Gives the focus back to where it was before a dialog that was opened by state, not by a trigger."""

    library = _LIBRARY
    tag = "FocusKeeper"


class HereInView(rx.Component):
    """Scrolls the navigation to the page that one is on, where it does not fit."""

    library = _LIBRARY
    tag = "HereInView"


class NameInput(rx.Component):
    """A field that starts as "Backup 22 Nov 2026, 19:40", in the reader's own time zone."""

    library = _LIBRARY
    tag = "NameInput"
    name: rx.Var[str]


when = When.create
count = Count.create
size = Size.create
words = Words.create
table_name = TableName.create
shortcuts = Shortcuts.create
focus_keeper = FocusKeeper.create
here_in_view = HereInView.create
name_input = NameInput.create
