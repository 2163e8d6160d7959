"""Frozen dataclasses to JSON values and back, believing nothing."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

_Value = TypeVar("_Value")
_Reader = Callable[[Any, str, bool], Any]
_SCALARS: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), bool: (bool,), float: (float, int)}
_INT64 = 1 << 63
_NAMES: dict[type, tuple[str, ...] | None] = {}
_READERS: dict[Any, _Reader] = {}


def encode(value: Any) -> Any:
    """JSON values of a dataclass: properties are left out."""
    if isinstance(value, list):
        return [encode(item) for item in value]
    names = _names(type(value))
    return value if names is None else {name: encode(getattr(value, name)) for name in names}


def decode(kind: type[_Value], document: object, *, ignore_unknown: bool = False) -> _Value:
    """The dataclass that the JSON values describe.

    Raises:
        ValueError: a field is missing, unknown (unless ignored) or of another type; the message says where.
    """
    found: _Value = _reader(kind)(document, "", ignore_unknown)
    return found


def _names(kind: type) -> tuple[str, ...] | None:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(each.name for each in fields(kind)) if is_dataclass(kind) else None
    return _NAMES[kind]


def _reader(hint: Any) -> _Reader:
    if hint not in _READERS:
        _READERS[hint] = _new_reader(hint)
    return _READERS[hint]


def _new_reader(hint: Any) -> _Reader:
    if hint in _SCALARS:
        return _scalar_reader(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _dataclass_reader(hint)
    arguments = get_args(hint)
    if get_origin(hint) is list:
        return _list_reader(_reader(arguments[0]))
    if get_origin(hint) is dict:
        return _dict_reader(_reader(arguments[1]))
    if isinstance(hint, types.UnionType):
        return _optional_reader(_reader(next(each for each in arguments if each is not type(None))))
    raise TypeError(f"No reader for {hint}.")


def _scalar_reader(kind: type) -> _Reader:
    allowed = _SCALARS[kind]

    def read(value: Any, path: str, _ignore: bool) -> Any:  # noqa: FBT001
        # bool is an int to Python, and not to us.
        if type(value) not in allowed or (kind is int and not -_INT64 <= value < _INT64 * 2):
            raise ValueError(f"{path} is not {kind.__name__}")
        return value

    return read


def _dataclass_reader(kind: type) -> _Reader:
    hints = get_type_hints(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}
    optional = {e.name for e in fields(kind) if e.default is not MISSING or e.default_factory is not MISSING}

    def read(value: Any, path: str, ignore: bool) -> Any:  # noqa: FBT001
        if not isinstance(value, dict):
            raise ValueError(f"{path or 'it'} is not an object")  # noqa: TRY004 - every complaint here is a ValueError
        if not ignore and not value.keys() <= readers.keys():
            raise ValueError(f"{path}.{min(value.keys() - readers.keys())} is unknown")
        if missing := readers.keys() - optional - value.keys():
            raise ValueError(f"{path}.{min(missing)} is missing")
        present = {name: reader for name, reader in readers.items() if name in value}
        return kind(**{name: reader(value[name], f"{path}.{name}", ignore) for name, reader in present.items()})

    return read


def _list_reader(item: _Reader) -> _Reader:
    def read(value: Any, path: str, ignore: bool) -> Any:  # noqa: FBT001
        if not isinstance(value, list):
            raise ValueError(f"{path} is not a list")  # noqa: TRY004
        return [item(each, path, ignore) for each in value]

    return read


def _dict_reader(item: _Reader) -> _Reader:
    def read(value: Any, path: str, ignore: bool) -> Any:  # noqa: FBT001
        if not isinstance(value, dict):
            raise ValueError(f"{path} is not an object")  # noqa: TRY004
        return {name: item(each, path, ignore) for name, each in value.items()}

    return read


def _optional_reader(inner: _Reader) -> _Reader:
    def read(value: Any, path: str, ignore: bool) -> Any:  # noqa: FBT001
        return None if value is None else inner(value, path, ignore)

    return read
