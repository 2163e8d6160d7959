"""What is said: a subject, plain text, and the same as HTML for mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LONGEST_SUBJECT = 200
_COLOURS = {"good": "#1a7f37", "bad": "#b42318", "note": "#8a5a00", "plain": "#344054"}
_SOFT = "color:#667085"
_IN_THE_DARK = {"good": "#6fd08c", "bad": "#ff9a8f", "note": "#f0c04f", "plain": "#e6e8ec"}
_DARK = (
    "<style>@media (prefers-color-scheme:dark){body{background:#111316!important;color:#e6e8ec!important}"
    "a{color:#9db8ff!important}.soft{color:#a4acb9!important}"
    + "".join(f".{tone}{{color:{colour}!important}}" for tone, colour in _IN_THE_DARK.items())
    + "}</style>"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, ready to go. `id` stays the same when it is tried again, so that receivers can tell."""

    id: str
    event: str
    subject: str
    body: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a letter says, before it is written out.

    Attributes:
        headline: a few words, also the subject: "Backup failed: Nightly".
        text: one or more whole sentences.
        tone: good, bad, note or plain.
        facts: names and values, in the order in which to read them.
        hint: what to do; may be empty.
        link: where to look; may be empty.
    """

    headline: str
    text: str
    tone: str = "plain"
    facts: Sequence[tuple[str, str]] = ()
    hint: str = ""
    link: str = ""


def subject_of(said: Said, place: str) -> str:
    """One line: the headline and which installation says it."""
    whole = " ".join(f"{said.headline} · {place}".split())
    return whole if len(whole) <= _LONGEST_SUBJECT else f"{whole[: _LONGEST_SUBJECT - 1]}…"


def as_text(said: Said, place: str) -> str:
    """For terminals, chats and plain mail."""
    width = max((len(name) for name, _ in said.facts), default=0)
    parts = [said.headline, said.text]
    if said.facts:
        parts.append("\n".join(f"{name + ':':<{width + 1}} {value}" for name, value in said.facts))
    if said.hint:
        parts.append(f"What to do: {said.hint}")
    parts.append(f"-- \nSent by rxbackup for {place}" + (f"\n{said.link}" if said.link else ""))
    return "\n\n".join(part for part in parts if part) + "\n"


def as_html(said: Said, place: str) -> str:
    """For mail: no images, nothing from elsewhere, readable in the dark and where styles are dropped."""
    tone = said.tone if said.tone in _COLOURS else "plain"
    rows = "".join(
        f'<tr><th class="soft" align="left" valign="top" style="padding:2px 16px 2px 0;font-weight:normal;{_SOFT}">'
        f'{escape(name)}</th><td style="padding:2px 0">{escape(value)}</td></tr>'
        for name, value in said.facts
    )
    facts = (
        f'<table cellspacing="0" cellpadding="0" style="margin:16px 0;font-size:14px">{rows}</table>' if rows else ""
    )
    hint = f'<p style="margin:16px 0"><strong>What to do:</strong> {_worded(said.hint)}</p>' if said.hint else ""
    link = (
        f'<p style="margin:16px 0"><a href="{escape(said.link)}" style="color:#3451b2">Open rxbackup</a></p>'
        if said.link
        else ""
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(said.headline)}</title>{_DARK}</head>"
        '<body style="margin:0;padding:24px;font-family:system-ui,sans-serif;font-size:15px;line-height:1.5;'
        'color:#101828;background:#ffffff"><div style="max-width:600px">'
        f'<h1 class="{tone}" style="margin:0 0 12px;font-size:20px;color:{_COLOURS[tone]}">{escape(said.headline)}</h1>'
        f'<p style="margin:0 0 12px">{_worded(said.text)}</p>{facts}{hint}{link}'
        f'<p class="soft" style="margin:24px 0 0;{_SOFT};font-size:13px">Sent by rxbackup for {escape(place)}</p>'
        "</div></body></html>"
    )


def _worded(text: str) -> str:
    """As HTML; commands stand between backticks in messages, as everywhere in rxbackup."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
