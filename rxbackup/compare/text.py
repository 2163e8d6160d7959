"""Values as people read them: bytes of the server's encoding as text."""

from __future__ import annotations

import codecs


def codec_of(encoding: str) -> str:
    """Python's name for a server's encoding; `SQL_ASCII`, which promises nothing, is read as UTF-8."""
    name = encoding.lower()
    for candidate in (name, name.replace("win", "cp"), name.replace("koi8", "koi8_"), name.replace("_", "")):
        try:
            return codecs.lookup(candidate).name
        except LookupError:
            continue
    return "utf-8"


def as_text(value: bytes, codec: str) -> str:
    """The value as text; bytes that are none in this encoding are shown as escapes."""
    return value.decode(codec, errors="backslashreplace")


def cut_text(text: str, most: int) -> tuple[str, bool]:
    """At most so many characters, and whether there were more."""
    return (text[:most], True) if len(text) > most else (text, False)
