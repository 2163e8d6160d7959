"""A server that is slow to answer keeps nobody in this process from living."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

from psycopg import sql

from rxbackup.postgres.connecting import connect
from rxbackup.postgres.copy_in import copy_rows
from rxbackup.postgres.copy_out import read_rows
from tests.support.gates import until


def test_a_stall_in_the_middle_of_a_copy_stops_no_other_thread(database: str) -> None:
    # The first row fills libpq's buffer, so that the second is waited for in the middle of the stream.
    slow = sql.SQL(
        "COPY (SELECT repeat('x', 100000), pg_sleep(CASE n WHEN 2 THEN 1.5 ELSE 0 END) "
        "FROM generate_series(1, 3) n) TO STDOUT"
    )
    beats = 0
    done = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not done.wait(0.05):
            beats += 1

    with connect(database, application_name="test") as conn:
        heart = threading.Thread(target=beat)
        heart.start()
        try:
            rows = sum(ended for _, ended in read_rows(conn, slow, piece_bytes=1 << 20, doing="reading"))
        finally:
            done.set()
            heart.join()
    assert rows == 3
    assert beats >= 8


def test_rows_for_a_server_that_stands_still_are_not_piled_up(database: str) -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(64):
            taken += 1
            if taken == 2:
                os.kill(backend, signal.SIGSTOP)
            yield b"x" * (1 << 20) + b"\n"

    def still_for_half_a_second() -> bool:
        before = taken
        time.sleep(0.5)
        return taken == before

    with connect(database, application_name="test") as conn:
        conn.execute("CREATE TEMP TABLE t (a text)")
        backend = conn.info.backend_pid
        counts: list[int] = []

        def load() -> None:
            counts.append(copy_rows(conn, "pg_temp", "t", ["a"], pieces(), doing="writing"))

        loading = threading.Thread(target=load)
        try:
            loading.start()
            until(lambda: taken >= 2, "COPY has begun")
            until(still_for_half_a_second, "nobody asks for more")
            asked = taken
        finally:
            os.kill(backend, signal.SIGCONT)
            loading.join()
    assert counts == [64]
    assert asked < 64, "the whole table was taken into memory while the server stood still"
