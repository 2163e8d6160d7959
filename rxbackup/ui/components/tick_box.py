"""A checkbox that knows a third state, for what is partly chosen, and answers before the server does."""

# mypy: disable-error-code="type-arg,valid-type"
# What an event hands over is said by a call inside the annotation, which only Reflex understands.

from __future__ import annotations

import reflex as rx


class TickBox(rx.Component):
    """A checkbox.

    Attributes:
        ticked: all, some or none.
        on_tick: told whether it is ticked now.
    """

    library = "$/public/rxbackup-ui.js"
    tag = "TickBox"
    ticked: rx.Var[str]
    on_tick: rx.EventHandler[rx.event.passthrough_event_spec(bool)]


tick_box = TickBox.create
