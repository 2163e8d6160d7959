"""Rows leave the database in pieces that join to the very stream PostgreSQL wrote."""

from __future__ import annotations

import pytest

from rxbackup import errors
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.copy_out import copy_query, read_rows

TABLE = ("public", "t")


@pytest.fixture
def rows(database: str) -> str:
    with connect(database, application_name="test") as conn:
        conn.execute("CREATE TABLE t (id int, body text)")
        conn.execute("INSERT INTO t SELECT n, repeat('x', n % 50) FROM generate_series(1, 5000) n")
        conn.execute("INSERT INTO t VALUES (5001, repeat('long', 1000)), (5002, 'last')")
    return database


def _whole(url: str) -> bytes:
    with (
        connect(url, application_name="test") as conn,
        conn.cursor() as cursor,
        cursor.copy("COPY t TO STDOUT") as copy,
    ):
        return b"".join(bytes(piece) for piece in copy)


@pytest.mark.parametrize("piece_bytes", [8, 100, 1000, 1 << 20])
def test_pieces_join_to_the_stream_and_count_its_rows(rows: str, piece_bytes: int) -> None:
    with connect(rows, application_name="test") as conn:
        query = copy_query(*TABLE, ["id", "body"], 0, None)
        pieces = [(bytes(p), n) for p, n in read_rows(conn, query, piece_bytes=piece_bytes, doing="reading")]
        assert conn.execute("SELECT 1").fetchone() == (1,)
    assert b"".join(p for p, _ in pieces) == _whole(rows)
    assert sum(n for _, n in pieces) == 5002
    assert all(len(p) <= piece_bytes for p, _ in pieces)
    assert all(p.endswith(b"\n") == bool(n) for p, n in pieces)


def test_block_ranges_divide_a_table_without_gap_or_overlap(rows: str) -> None:
    with connect(rows, application_name="test") as conn:
        joined = b""
        for first, end in ((0, 1), (1, 3), (3, 20), (20, None)):
            query = copy_query(*TABLE, ["id", "body"], first, end)
            joined += b"".join(bytes(p) for p, _ in read_rows(conn, query, piece_bytes=1 << 20, doing="reading"))
    assert joined == _whole(rows)


def test_a_consumer_that_stops_early_leaves_no_open_copy_behind(rows: str) -> None:
    conn = connect(rows, application_name="test")
    reading = read_rows(conn, copy_query(*TABLE, ["id"], 0, None), piece_bytes=100, doing="reading")
    next(reading)
    reading.close()
    assert conn.closed


def test_a_refused_query_names_what_was_read(rows: str) -> None:
    conn = connect(rows, application_name="test")
    with conn, pytest.raises(errors.DatabaseRefused, match=r"Reading public\.t: column"):
        list(read_rows(conn, copy_query(*TABLE, ["gone"], 0, None), piece_bytes=100, doing="reading public.t"))
