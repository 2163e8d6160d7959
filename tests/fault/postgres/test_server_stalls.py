"""A server that is slow to answer keeps nobody in this process from living."""

from __future__ import annotations

import threading

from psycopg import sql

from rxbackup.postgres.connecting import connect
from rxbackup.postgres.copy_out import read_rows


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
