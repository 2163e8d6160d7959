"""Time zones: choosing one, and showing a moment in one."""

from __future__ import annotations

import zoneinfo

import reflex as rx

_LIBRARY = "$/public/rxbackup-schedules.js"
_PARTS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


class ZoneInput(rx.Component):
    """A field with the list of time zones, narrowed while one types.

    Attributes:
        name: of the field in its form. field_id: its id.
        value: what it begins with; "" is the reader's own zone.
        zones: what the list offers.
    """

    library = _LIBRARY
    tag = "ZoneInput"
    name: rx.Var[str]
    field_id: rx.Var[str]
    value: rx.Var[str]
    zones: rx.Var[list[str]]


class InZone(rx.Component):
    """A moment in a zone, which it names.

    Attributes:
        at: ISO 8601 with offset; nothing is drawn for "".
        zone: IANA name.
        short: without the year. yours: with the reader's own time beneath, where it is another.
    """

    library = _LIBRARY
    tag = "InZone"
    at: rx.Var[str]
    zone: rx.Var[str]
    short: rx.Var[bool]
    yours: rx.Var[bool]


def known_zones() -> list[str]:
    """The zones that have a place in them, as Europe/Berlin; no abbreviations, no files of the database itself."""
    return sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in _PARTS and "/" in name)


zone_input = ZoneInput.create
in_zone = InZone.create
