"""The form that brings a file in; it lives in the browser: `assets/rxbackup-import.js`."""

# mypy: disable-error-code="type-arg,valid-type,no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx


class ImportForm(rx.Component):
    """A place to choose or drop a file, which is sent with a progress bar.

    Attributes:
        action: a path of our own API; the file is the body of a PUT.
        on_queued: the server has taken the file; gets the id of the run.
        on_busy: a file is on its way, or is not any more.
        on_close: somebody wants out.
    """

    library = "$/public/rxbackup-import.js"
    tag = "ImportForm"
    action: rx.Var[str]
    on_queued: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_busy: rx.EventHandler[rx.event.passthrough_event_spec(bool)]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


def import_form(*fields: rx.Component, action: str, **handlers: Any) -> rx.Component:
    """The form. The first of `fields` is shown only where the file may need a passphrase."""
    return ImportForm.create(*fields, action=action, **handlers)
