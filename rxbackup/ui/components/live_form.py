"""Forms that are answered while one fills them in: `assets/rxbackup-schedules.js`."""

# mypy: disable-error-code="type-arg,valid-type"
# What an event hands over is said by a call inside the annotation, which only Reflex understands.

from __future__ import annotations

import reflex as rx

_LIBRARY = "$/public/rxbackup-schedules.js"


class FormWatch(rx.Component):
    """Draws nothing. Tells the fields of the form that it stands in, when it appears and shortly after each change.

    Attributes:
        on_form: takes names and texts, as a submitted form has them.
    """

    library = _LIBRARY
    tag = "FormWatch"
    on_form: rx.EventHandler[rx.event.passthrough_event_spec(dict)]


class FillIn(rx.Component):
    """A button that fills in fields of the form that it stands in.

    Attributes:
        values: the fields' names and texts.
    """

    library = _LIBRARY
    tag = "FillIn"
    values: rx.Var[dict[str, str]]


form_watch = FormWatch.create
fill_in = FillIn.create
