"""JSON's grammar as patterns over bytes, and a check that needs no recursion."""

from __future__ import annotations

import re

from rxbackup.errors import FileCorrupt

SPACE = r"[ \t\r\n]*+"
INSIDE = r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+'
"""What may stand inside a string."""
STRING = f'"{INSIDE}"'
DIGITS = r"-?(?:0|[1-9][0-9]*+)"
NUMBER = rf"{DIGITS}(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+"
_SCALAR = f"{STRING}|{NUMBER}|true|false|null"
_SHALLOW = 4

_TOKEN = re.compile(rf"{SPACE}({_SCALAR}|[\[\]{{}}:,])".encode())
_CLOSING = {b"{": b"}", b"[": b"]"}
_UNICODE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.)", re.DOTALL)
_HIGH, _LOW, _PLANES = 0xD800, 0xDC00, 0x10000


def shallow_value(depth: int = _SHALLOW) -> str:
    """The pattern of a value that is nested no deeper; the depth costs length, so it stays small."""
    if depth == 0:
        return f"(?:{_SCALAR})"
    inner = shallow_value(depth - 1)
    members = rf"(?:{STRING}{SPACE}:{SPACE}{inner}{SPACE}(?:,{SPACE}(?=\")|(?=\}})))*+"
    items = rf"(?:{inner}{SPACE}(?:,{SPACE}(?!\])|(?=\])))*+"
    return rf"(?:{_SCALAR}|\{{{SPACE}{members}\}}|\[{SPACE}{items}\])"


def check_value(text: bytes, *, most_depth: int) -> None:
    """See that the text is one JSON value.

    Raises:
        FileCorrupt: it is not, or is nested deeper than allowed.
    """
    position = 0
    open_brackets: list[bytes] = []
    # What may come: a value; a value or the end of an empty bracket; a key; the same; a colon; a comma or an end.
    wanted = "value"
    while True:
        token = _TOKEN.match(text, position)
        if token is None:
            raise FileCorrupt(f"A value in the document is no JSON at its byte {position}.")
        position, word = token.end(), token[1]
        wanted = _step(word, wanted, open_brackets)
        if len(open_brackets) > most_depth:
            raise FileCorrupt(f"A value in the document is nested more than {most_depth} deep.")
        if not wanted:
            raise FileCorrupt(f"A value in the document is no JSON at its byte {position}.")
        if not open_brackets and wanted == "next":
            break
    if text[position:].strip(b" \t\r\n"):
        raise FileCorrupt("A value in the document is followed by something.")


def _step(word: bytes, wanted: str, open_brackets: list[bytes]) -> str:
    """What may come after this token; empty if it may not come itself."""
    after = ""
    if word in _CLOSING and wanted.startswith("value"):
        open_brackets.append(word)
        after = "key or end" if word == b"{" else "value or end"
    elif word in (b"}", b"]"):
        fits = bool(open_brackets) and _CLOSING[open_brackets[-1]] == word
        if fits and (wanted == "next" or wanted.endswith("or end")):
            open_brackets.pop()
            after = "next"
    elif word == b":":
        after = "value" if wanted == "colon" else ""
    elif word == b",":
        if wanted == "next" and open_brackets:
            after = "key" if open_brackets[-1] == b"{" else "value"
    elif word not in _CLOSING and wanted.startswith("value"):
        after = "next"
    elif word[:1] == b'"' and wanted.startswith("key"):
        after = "colon"
    return after


def characters(escape: re.Match[bytes]) -> str | None:
    r"""The character that an escape of `UNICODE_ESCAPES` means, or None if it is no `\u`.

    Raises:
        FileCorrupt: half of a character, or a zero character, which PostgreSQL keeps in no text.
    """
    if escape[1] is None:
        return None
    first = int(escape[1], 16)
    second = int(escape[2], 16) if escape[2] else None
    if first == 0:
        raise FileCorrupt("The document contains a zero character, which PostgreSQL cannot keep.")
    if second is None and not _HIGH <= first < _HIGH + 0x800:
        return chr(first)
    if second is None or not _HIGH <= first < _LOW:
        raise FileCorrupt("The document contains half of a character.")
    return chr(_PLANES + ((first - _HIGH) << 10) + (second - _LOW))


UNICODE_ESCAPES = _UNICODE
