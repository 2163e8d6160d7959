from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.postgres.copy_format import escape, join_row, split_row, unescape

values = st.one_of(st.none(), st.binary(max_size=60), st.text("\\\t\n\r\b\f\vN.x0178'\"", max_size=12).map(str.encode))


@given(st.lists(values, min_size=1, max_size=8))
def test_copy_row_round_trips_any_value(row: list[bytes | None]) -> None:
    line = join_row(row)
    assert split_row(line) == row
    assert line.count(b"\n") == 1
    assert line.count(b"\t") == len(row) - 1
    assert line != b"\\.\n"


@given(st.binary(max_size=80))
def test_unescape_of_escape_is_identity(value: bytes) -> None:
    assert unescape(escape(value)) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (rb"\N", b"N"),
        (rb"\\N", rb"\N"),
        (rb"\101", b"A"),
        (rb"\1012", b"A2"),
        (rb"\x41", b"A"),
        (rb"\x4", b"\x04"),
        (rb"\xg", b"xg"),
        (rb"\\101", rb"\101"),
        (rb"\q\t\\", b"q\t\\"),
        (b"\\\xc3\xa9", "é".encode()),
        (b"trailing\\", b"trailing\\"),
    ],
)
def test_unescape_reads_as_postgresql_does(field: bytes, value: bytes) -> None:
    assert unescape(field) == value


def test_null_is_not_an_empty_string() -> None:
    assert split_row(b"\\N\t\t\\\\N\n") == [None, b"", rb"\N"]
