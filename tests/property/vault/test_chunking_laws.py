from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rxbackup.vault.chunking import ChunkCutter

LIMIT = 40

rows = st.lists(st.binary(max_size=130).map(lambda row: row.replace(b"\n", b"") + b"\n"), max_size=30)


def _chunks(pieces: list[bytes], *, limit: int = LIMIT) -> list[bytes]:
    cutter = ChunkCutter(limit)
    made = [bytes(chunk) for piece in pieces for chunk in cutter.feed(piece)]
    return made + [bytes(chunk) for chunk in cutter.finish()]


@given(rows)
def test_chunks_join_to_the_input(lines: list[bytes]) -> None:
    chunks = _chunks(lines)
    assert b"".join(chunks) == b"".join(lines)
    assert all(0 < len(chunk) <= LIMIT for chunk in chunks)


@given(rows, st.data())
def test_chunks_do_not_depend_on_how_rows_are_fed(lines: list[bytes], data: st.DataObject) -> None:
    batches, rest = [], lines
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        batches.append(b"".join(rest[:size]))
        rest = rest[size:]
    assert _chunks(batches) == _chunks(lines)


@given(rows)
def test_chunk_ends_at_a_row_end_unless_its_row_is_longer(lines: list[bytes]) -> None:
    short = [line for line in lines if len(line) <= LIMIT]
    assert all(chunk.endswith(b"\n") for chunk in _chunks(short))


@given(rows)
def test_chunks_are_as_long_as_they_may_be(lines: list[bytes]) -> None:
    short = [line for line in lines if len(line) <= LIMIT]
    chunks = _chunks(short)
    for chunk, following in pairwise(chunks):
        assert len(chunk) + following.index(b"\n") + 1 > LIMIT


def test_windows_of_the_search_for_a_row_end_meet() -> None:
    line = b"x" * 150_000 + b"\n"
    chunks = _chunks([b"a\n" + line * 3], limit=200_000)
    assert chunks == [b"a\n" + line, line, line]


def test_memoryviews_are_taken() -> None:
    cutter = ChunkCutter(LIMIT)
    big = memoryview(b"y" * 100 + b"\n")
    assert [len(chunk) for chunk in cutter.feed(big)] == [40, 40, 21]
    assert list(cutter.finish()) == []
