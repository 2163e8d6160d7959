"""The card at the top: one sentence that says whether the data is safe, and the one button that mends it."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import when
from rxbackup.ui.components.zones import in_zone

_LOOKS = {
    "protected": ("shield-check", "good", "Protected"),
    "stored": ("archive", "run", "Backed up"),
    "attention": ("clock-alert", "warn", "Attention"),
    "risk": ("shield-alert", "bad", "At risk"),
    "running": ("loader-circle", "run", "First backup running"),
}


def protection_card(facts: Any, *, deeds: rx.Component, first: rx.Component, note: rx.Var[str]) -> rx.Component:
    """Draw the judgement.

    Args:
        facts: a var of `Protection`.
        deeds: the buttons beside it; first: the one beside "No backup yet".
        note: what to know about where backups rest; may be "".
    """
    cards = [(kind, _card(look, facts, deeds, note)) for kind, look in _LOOKS.items()]
    return rx.el.section(
        rx.match(facts.kind, *cards, ("none", _first_start(first)), _skeleton()),
        aria_label="How safe the data is",
    )


def _card(look: tuple[str, str, str], facts: Any, deeds: rx.Component, note: Any) -> rx.Component:
    icon, tone, word = look
    spin = "rx-spin" if icon == "loader-circle" else ""
    return rx.el.div(
        rx.el.span(rx.icon(icon, size=20, aria_hidden="true", class_name=spin), class_name="rx-protection-icon"),
        rx.el.div(
            rx.el.p(
                rx.el.span(word, ". ", class_name="rx-protection-word"),
                _sentence(facts),
                class_name="rx-protection-line",
            ),
            rx.el.p(
                rx.cond(facts.reason != "", rx.el.span(facts.reason, " "), rx.fragment()),
                rx.cond(note != "", rx.el.span(note), rx.fragment()),
                class_name="rx-soft",
            ),
            class_name="rx-protection-words",
        ),
        deeds,
        class_name=f"rx-protection rx-tone-{tone}",
    )


def _sentence(facts: Any) -> rx.Component:
    proof = rx.cond(
        facts.proof != "",
        rx.fragment(", ", facts.proof, " ", when(at=facts.checked_at)),
        rx.fragment(),
    )
    earlier = rx.cond(
        facts.proven_at != "", rx.fragment(" An earlier one was proven whole ", when(at=facts.proven_at), "."), ""
    )
    following = rx.cond(
        facts.next_at != "",
        rx.fragment(
            " Next one ",
            when(at=facts.next_at),
            " (",
            in_zone(at=facts.next_at, zone=facts.next_zone, short=True),
            ").",
        ),
        "",
    )
    return rx.cond(
        facts.at != "",
        rx.el.span("Last good backup ", when(at=facts.at), proof, ".", earlier, following),
        rx.cond(
            facts.kind == "running",
            rx.el.span("The first backup is being taken now."),
            rx.el.span("There is no good backup yet."),
        ),
    )


def _first_start(first: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.span(rx.icon("shield-off", size=20, aria_hidden="true"), class_name="rx-protection-icon"),
        rx.el.div(
            rx.el.p(
                rx.el.span("No backup yet. ", class_name="rx-protection-word"),
                "Your data is not protected.",
                class_name="rx-protection-line",
            ),
            rx.el.p(
                "The first backup holds everything below and takes seconds to minutes; the app goes on working.",
                class_name="rx-soft",
            ),
            class_name="rx-protection-words",
        ),
        first,
        class_name="rx-protection rx-tone-idle",
    )


def _skeleton() -> rx.Component:
    return rx.el.div(
        bone("disc"),
        rx.el.div(bone("line"), bone("short"), class_name="rx-protection-words"),
        class_name="rx-protection rx-tone-idle",
        aria_busy="true",
    )
