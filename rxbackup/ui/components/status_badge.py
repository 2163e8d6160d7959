"""States and proofs as badges: always icon and word, never colour alone."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import wording
from rxbackup.ui.components.readouts import when

_STATE_LOOKS = {
    "complete": ("circle-check", "plain"),
    "running": ("loader-circle", "run"),
    "failed": ("circle-alert", "bad"),
    "interrupted": ("circle-slash", "warn"),
    "deleting": ("trash-2", "idle"),
}

_PROOF_LOOKS = {
    "stored": ("archive", "idle"),
    "readable": ("scan-line", "idle"),
    "decrypted": ("shield-check", "good"),
    "restored": ("shield-check", "good"),
}


def badge(icon: str, word: Any, tone: str, *more: rx.Component, title: str = "") -> rx.Component:
    """A word with an icon on the ground of its tone (`good warn bad run idle plain`)."""
    spin = " rx-spin" if icon == "loader-circle" else ""
    return rx.el.span(
        rx.icon(icon, size=14, aria_hidden="true", class_name=spin.strip()),
        rx.el.span(word),
        *more,
        class_name=f"rx-badge rx-tone-{tone}",
        title=title or None,
    )


def state_badge(state: rx.Var[str]) -> rx.Component:
    """The state of a backup."""
    cases = [(name, badge(icon, wording.STATE_WORDS[name], tone)) for name, (icon, tone) in _STATE_LOOKS.items()]
    return rx.match(state, *cases, badge("circle-help", state, "idle"))


def proof_badge(level: rx.Var[str], checked_at: rx.Var[str]) -> rx.Component:
    """How well a backup is proven, and since when."""
    age = rx.cond(checked_at != "", rx.el.span(when(at=checked_at), class_name="rx-badge-age"), rx.fragment())
    cases = [
        (name, badge(icon, wording.PROOF_WORDS[name], tone, age, title=wording.PROOF_MEANINGS[name]))
        for name, (icon, tone) in _PROOF_LOOKS.items()
    ]
    return rx.match(
        level, *cases, badge("shield-question", wording.PROOF_WORDS[""], "idle", title=wording.PROOF_MEANINGS[""])
    )


def origin_badge(origin: Any, *, foreign: Any) -> rx.Component:
    """Where a backup came from that was not taken here; a foreign one was signed with another key."""
    return rx.cond(
        foreign,
        badge("shield-alert", "Foreign", "warn", title=wording.FOREIGN_MEANING),
        rx.match(
            origin,
            ("archive", badge("file-input", "Imported", "idle")),
            ("json", badge("file-input", "Imported", "idle")),
            ("rebuild", badge("archive-restore", "Brought back", "idle")),
            rx.fragment(),
        ),
    )


def proof_ladder(level: Any, proven_at: Any) -> rx.Component:
    """The four levels of proof as steps, which of them are reached, and when (`proven_at`: level → ISO)."""
    steps = list(wording.PROOF_STEPS)
    return rx.el.ol(
        *[
            _step(name, rx.Var.create(steps[number:]).contains(level), proven_at.get(name, ""))
            for number, name in enumerate(steps)
        ],
        class_name="rx-ladder",
        aria_label="How well it is proven",
    )


def proof_sentence(level: Any, checked_at: Any) -> rx.Component:
    """What was proven last, and when; what was never proven is said as well."""
    return rx.el.p(
        rx.match(
            level,
            ("restored", rx.fragment("Restored in a drill ", when(at=checked_at), ": every table was compared.")),
            ("decrypted", rx.fragment("Opened and counted ", when(at=checked_at), ". Never restored in a drill.")),
            ("readable", rx.fragment("All parts found ", when(at=checked_at), ". Its contents were never opened.")),
            ("stored", rx.fragment("Stored ", when(at=checked_at), ". Its contents were never opened.")),
            rx.fragment("Never proven: nobody has looked yet whether it can be read back."),
        ),
        class_name="rx-soft",
    )


def _step(name: str, reached: Any, at: Any) -> rx.Component:
    return rx.el.li(
        rx.cond(
            reached,
            rx.icon("circle-check", size=16, role="img", aria_label="Reached"),
            rx.icon("circle-dashed", size=16, role="img", aria_label="Not reached"),
        ),
        rx.el.span(wording.PROOF_WORDS[name]),
        rx.cond(reached, rx.el.span(when(at=at), class_name="rx-step-age"), rx.fragment()),
        title=wording.PROOF_MEANINGS[name],
        class_name=rx.cond(reached, "rx-step rx-step-reached", "rx-step"),
    )


def place_badges(places: Any) -> rx.Component:
    """Where a backup rests: the names of its stores, each marked while its copy is not whole."""
    return rx.el.span(rx.foreach(places, _place), class_name="rx-places")


def _place(place: Any) -> rx.Component:
    icon = rx.match(
        place.state,
        ("complete", rx.fragment()),
        ("failed", rx.icon("circle-alert", size=14, aria_label="Copy failed", role="img")),
        rx.icon("loader-circle", size=14, aria_label="Being copied", role="img", class_name="rx-spin"),
    )
    tone = rx.cond(
        place.state == "failed", "rx-tone-bad", rx.cond(place.state == "complete", "rx-tone-idle", "rx-tone-run")
    )
    return rx.el.span(icon, rx.el.span(place.store), key=place.store, class_name="rx-badge " + tone.to(str))
