from __future__ import annotations

import pytest

from rxbackup.errors import UsageError
from rxbackup.export.json_reading import copy_field, split_object, value_end
from rxbackup.export.json_values import ValueKind, kind_of


@pytest.mark.parametrize(
    ("column_type", "kind"),
    [
        ("smallint", ValueKind.INTEGER),
        ("bigint", ValueKind.INTEGER),
        ("numeric", ValueKind.NUMBER),
        ("numeric(10,2)", ValueKind.NUMBER),
        ("numeric(3,-2)", ValueKind.NUMBER),
        ("real", ValueKind.NUMBER),
        ("boolean", ValueKind.BOOLEAN),
        ("jsonb", ValueKind.DOCUMENT),
        ("json[]", ValueKind.TEXT),
        ("numeric(10,2)[]", ValueKind.TEXT),
        ("public.numeric", ValueKind.TEXT),
        ("oid", ValueKind.TEXT),
        ("money", ValueKind.TEXT),
        ("interval", ValueKind.TEXT),
    ],
)
def test_kind_follows_the_type_that_postgresql_names(column_type: str, kind: ValueKind) -> None:
    assert kind_of(column_type) is kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"true", ValueKind.INTEGER),
        (b'"5"', ValueKind.INTEGER),
        (b"5", ValueKind.TEXT),
        (b"yes", ValueKind.BOOLEAN),
        (b"[1]", ValueKind.NUMBER),
        (b'{"$bytes":"AA=="}', ValueKind.NUMBER),
        (b"1;2", ValueKind.NUMBER),
        (b'"open', ValueKind.TEXT),
        (b"", ValueKind.TEXT),
    ],
)
def test_value_that_no_such_column_holds_is_refused(value: bytes, kind: ValueKind) -> None:
    with pytest.raises(UsageError):
        copy_field(value, kind)


def test_reformatted_document_is_still_read() -> None:
    text = b'{ "a" : { "$json" : null } ,\n "b":[1, {"c": "}"}] , "d" : "x,\\"}" }'
    pairs = split_object(text)
    assert pairs == [("a", b'{ "$json" : null }'), ("b", b'[1, {"c": "}"}]'), ("d", b'"x,\\"}"')]
    assert copy_field(pairs[0][1], ValueKind.DOCUMENT).strip() == b"null"
    assert split_object(b"{}") == split_object(b"{ }") == []


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1 2}', b'{"a":[1}', b"{a:1}"])
def test_broken_rows_are_refused(text: bytes) -> None:
    with pytest.raises(UsageError):
        split_object(text)


def test_value_that_never_ends_is_refused() -> None:
    with pytest.raises(UsageError):
        value_end(b'{"a": [1, 2', 0)
