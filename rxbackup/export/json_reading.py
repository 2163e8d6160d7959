"""The way back: values of our JSON documents as the COPY fields they came from, byte for byte."""

from __future__ import annotations

import base64
import json
import re

from rxbackup.errors import UsageError
from rxbackup.export.json_values import ValueKind
from rxbackup.postgres.copy_format import NULL, escape

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TOKEN = re.compile(_STRING + rb"|[\[{]|[\]}]", re.DOTALL)
_SCALAR = re.compile(_STRING + rb'|[^\s,\[\]{}":]+', re.DOTALL)
_KEY = re.compile(rb"\s*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_BETWEEN = re.compile(rb"\s*([,}])\s*")
_WRAPPER = re.compile(rb'\{\s*"\$(json|bytes)"\s*:')
_FLAGS = {b"true": b"t", b"false": b"f"}


def copy_field(value: bytes, kind: ValueKind) -> bytes:
    """The COPY field of a JSON value in a column of this kind.

    Raises:
        UsageError: no such value is ever written for such a column.
    """
    if value == b"null":
        return NULL
    wrapper = _WRAPPER.match(value)
    if wrapper and wrapper[1] == b"bytes" and kind in (ValueKind.TEXT, ValueKind.DOCUMENT):
        return escape(base64.b64decode(_string(value[wrapper.end() : -1].strip()), validate=True))
    if kind is ValueKind.DOCUMENT:
        return escape(value[wrapper.end() : -1] if wrapper else value)
    if kind is ValueKind.BOOLEAN and value in _FLAGS:
        return _FLAGS[value]
    if value.startswith(b'"') and kind in (ValueKind.TEXT, ValueKind.NUMBER):
        return escape(_string(value))
    if kind in (ValueKind.INTEGER, ValueKind.NUMBER) and re.fullmatch(rb"-?[0-9][-+.0-9eE]*", value):
        return value
    raise UsageError(f"{value[:80]!r} is no value for a column of kind {kind.value}.")


def split_object(text: bytes) -> list[tuple[str, bytes]]:
    """Keys of a JSON object and their values as they are written, without the blanks around them.

    Raises:
        UsageError: the text is no JSON object.
    """
    pairs: list[tuple[str, bytes]] = []
    position = 1
    if text[:1] != b"{":
        raise UsageError("A row must be a JSON object.")
    if text[1:].strip() == b"}":
        return pairs
    while True:
        key = _KEY.match(text, position)
        if key is None:
            raise UsageError(f"There is no key at byte {position} of a row.")
        end = value_end(text, key.end())
        pairs.append((_string(key[1]).decode(), text[key.end() : end]))
        between = _BETWEEN.match(text, end)
        if between is None:
            raise UsageError(f"A row does not go on as JSON at byte {end}.")
        if between[1] == b"}":
            return pairs
        position = between.end()


def value_end(text: bytes, start: int) -> int:
    """Just after the JSON value that begins at `start`. Raises `UsageError` if it never ends."""
    if text[start : start + 1] not in (b"{", b"["):
        scalar = _SCALAR.match(text, start)
        if scalar is None:
            raise UsageError(f"There is no JSON value at byte {start} of a row.")
        return scalar.end()
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0][:1] == b'"':
            continue
        depth += 1 if token[0] in b"[{" else -1
        if depth == 0:
            return token.end()
    raise UsageError("A JSON value does not end.")


def _string(text: bytes) -> bytes:
    try:
        return str(json.loads(text)).encode()
    except ValueError as error:
        raise UsageError(f"{text[:80]!r} is no JSON string.") from error
