"""Small JSON from elsewhere, read strictly: no key twice, no number that is none, no half characters, no depth."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from rxbackup.intake.limits import MOST_HEAD_DEPTH

_DEPTH = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_MOST_DIGITS = 40


def loads(text: bytes) -> Any:
    """The values of a JSON text in UTF-8.

    Raises:
        ValueError: it is none, or says something that programs understand differently.
    """
    _check_depth(text)
    decoded = text.decode("utf-8")
    found = json.loads(
        decoded,
        object_pairs_hook=_object,
        parse_constant=_constant,
        parse_int=_integer,
        parse_float=_number,
    )
    if "\\u" in decoded:
        _check_characters(found)
    return found


def _check_depth(text: bytes) -> None:
    depth = 0
    for token in _DEPTH.finditer(text):
        if token[0][:1] != b'"':
            depth += 1 if token[0] in b"[{" else -1
            if depth > MOST_HEAD_DEPTH:
                raise ValueError("it is nested too deeply")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is in it twice")
    return found


def _constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number in it is too long")
    return int(text)


def _number(text: str) -> float:
    value = float(text) if len(text) <= _MOST_DIGITS else math.inf
    if not math.isfinite(value):
        raise ValueError("a number in it is out of range")
    return value


def _check_characters(value: Any) -> None:
    # Not recursive by more than the depth that was checked.
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("it contains half of a character") from None
            if "\0" in value:
                raise ValueError("it contains a zero character")
        case list():
            for each in value:
                _check_characters(each)
        case dict():
            for key, each in value.items():
                _check_characters(key)
                _check_characters(each)
