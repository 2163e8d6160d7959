"""An application that does everything an application may do to its tables, by a seed.

Several sessions hold transactions open across each other's steps: savepoints, aborts, prepared ones. Every step is one
call, so that a test decides when it happens; a seed gives the same steps again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import psycopg

SETUP = """
CREATE TYPE public.mood AS ENUM ('m0', 'm1');
CREATE TYPE public.pair AS (a int, b text);
CREATE TABLE public.plain (id int PRIMARY KEY, n int, body text) WITH (fillfactor = 60);
CREATE TABLE public.toasted (id int PRIMARY KEY, n int, body text, big text);
ALTER TABLE public.toasted ALTER big SET STORAGE EXTERNAL;
CREATE TABLE public.keyless (id int, n int, body text);
CREATE TABLE public.typed (
    id int, n int, body text, mood public.mood, moods public.mood[], pair public.pair, r public.plain
);
CREATE TABLE public.parted (id int, n int, body text) PARTITION BY LIST (n);
CREATE TABLE public.parted_0 PARTITION OF public.parted FOR VALUES IN (0);
CREATE TABLE public.parted_1 PARTITION OF public.parted FOR VALUES IN (1);
CREATE TABLE public.parted_rest PARTITION OF public.parted DEFAULT;
CREATE TABLE public.names (id int, n int, body text, what regclass);
INSERT INTO public.plain SELECT i, i % 7, repeat(md5(i::text), 3) FROM generate_series(1, 900) i;
INSERT INTO public.toasted SELECT i, i % 7, 'x', repeat(md5(i::text), 90) FROM generate_series(1, 60) i;
INSERT INTO public.keyless SELECT i % 50, i % 7, repeat('k', i % 90) FROM generate_series(1, 600) i;
INSERT INTO public.typed
SELECT i, i % 7, repeat('t', 80), 'm0', '{m0,m1}', ROW(i, 'b')::public.pair, NULL FROM generate_series(1, 300) i;
INSERT INTO public.parted SELECT i, i % 4, repeat('p', 90) FROM generate_series(1, 600) i;
INSERT INTO public.names SELECT i, i % 7, 'n', 'public.plain' FROM generate_series(1, 20) i;
"""

TABLES = ("plain", "toasted", "keyless", "typed", "parted", "names")


class Writers:
    """Sessions on one database, and what they do next.

    Args:
        url: of the database; its user owns the tables made by SETUP.
        seed: which steps, in which order.
        sessions: how many transactions may be open at a time.
    """

    def __init__(self, url: str, seed: int, *, sessions: int = 3) -> None:
        self.done: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._sessions = [psycopg.connect(url, autocommit=True) for _ in range(sessions)]
        self._alone = psycopg.connect(url, autocommit=True)
        for conn in (*self._sessions, self._alone):
            conn.execute("SET lock_timeout = '15ms'")
        self._prepared: list[str] = []
        self._number = 1000

    def close(self) -> None:
        """End every transaction, and all sessions."""
        for name in self._prepared:
            self._alone.execute(f"ROLLBACK PREPARED '{name}'")
        for conn in (*self._sessions, self._alone):
            conn.close()

    def steps(self, most: int) -> None:
        """Do up to so many steps."""
        for _ in range(self._dice.randint(0, most)):
            self.step()

    def step(self) -> None:
        """Do one step. What PostgreSQL refuses, an application meets too: the transaction goes on or ends."""
        kind = self._dice.choices(("rows", "transaction", "table"), (12, 6, 3))[0]
        conn = self._alone if kind == "table" else self._dice.choice(self._sessions)
        step = {"rows": self._rows, "transaction": self._transaction, "table": self._on_table}[kind]
        try:
            step(conn)
        except psycopg.Error as error:
            self.done[f"refused: {type(error).__name__}"] += 1
            if conn.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                conn.execute("ROLLBACK")

    def _sql(self, conn: psycopg.Connection, statement: str, what: str) -> None:
        conn.execute(statement.encode())
        self.done[what] += 1

    def _rows(self, conn: psycopg.Connection) -> None:
        dice, table, number = self._dice, self._dice.choice(TABLES), self._next()
        part = f"id % {dice.choice((7, 31, 97))} = {dice.randint(0, 6)}"
        few = f"ctid IN (SELECT ctid FROM public.{table} OFFSET {dice.randint(0, 500)} LIMIT {dice.randint(1, 3)})"
        where = dice.choice((part, few, few))
        label = f"(SELECT e FROM unnest(enum_range(NULL::public.mood)) e OFFSET {dice.randint(0, 1)} LIMIT 1)"
        statements = {
            "insert": f"INSERT INTO public.{table} (id, n, body) SELECT {number}000 + i, i % 5, repeat('i', i) "
            f"FROM generate_series(1, {dice.choice((1, 5, 60))}) i",
            "update": f"UPDATE public.{table} SET body = 'u{number}' WHERE {where}",
            "update of nothing": f"UPDATE public.{table} SET body = body WHERE {where}",
            "update of a key": f"UPDATE public.{table} SET id = id + {number}00000 WHERE {few}",
            "move": f"UPDATE public.parted SET n = (n + 1) % 4 WHERE {part}",
            "delete": f"DELETE FROM public.{table} WHERE {where}",
            "replace": f"WITH gone AS (DELETE FROM public.{table} WHERE {few} RETURNING id, n) "
            f"INSERT INTO public.{table} (id, n, body) SELECT id + {number}00000, n, 'r' FROM gone",
            "toast only": f"UPDATE public.toasted SET big = repeat(md5('{number}'), 90) WHERE {part}",
            "beside toast": f"UPDATE public.toasted SET n = {number} WHERE {part}",
            "typed": f"UPDATE public.typed SET mood = {label}, moods = ARRAY[{label}], "
            f"pair = ROW({number}, 'c')::public.pair, r = (SELECT p FROM public.plain p LIMIT 1) WHERE {part}",
            "names": f"UPDATE public.names SET what = 'public.{dice.choice(('plain', 'typed'))}' WHERE {part}",
            "lock": f"SELECT count(*) FROM (SELECT FROM public.{table} WHERE {part} "
            f"FOR {dice.choice(('UPDATE', 'SHARE', 'KEY SHARE'))}) l",
            "caught": f"DO $$ BEGIN FOR k IN 1..3 LOOP BEGIN UPDATE public.plain SET n = n + 1 WHERE {part}; "
            f"IF k = {dice.randint(1, 4)} THEN RAISE division_by_zero; END IF; "
            "EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$",
            "undone": f"DO $$ BEGIN BEGIN DELETE FROM public.{table} WHERE {part}; RAISE division_by_zero; "
            "EXCEPTION WHEN division_by_zero THEN NULL; END; END $$",
        }
        what = dice.choice(list(statements))
        self._sql(conn, statements[what], what)

    def _transaction(self, conn: psycopg.Connection) -> None:
        dice = self._dice
        if self._prepared and dice.random() < 0.2:
            name = self._prepared.pop(dice.randrange(len(self._prepared)))
            how = dice.choice(("COMMIT", "ROLLBACK"))
            self._sql(self._alone, f"{how} PREPARED '{name}'", f"{how.lower()} prepared")
        elif conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            self._sql(conn, "BEGIN", "begin")
        elif dice.random() < 0.12 and len(self._prepared) < 4:
            name = f"p{self._next()}"
            self._sql(conn, f"PREPARE TRANSACTION '{name}'", "prepare")
            self._prepared.append(name)
        else:
            words = ("COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s")
            word = dice.choice(words)
            self._sql(conn, word, word.lower())

    def _on_table(self, conn: psycopg.Connection) -> None:
        what, statements = self._dice.choice(list(self._changes()))
        for statement in statements:
            try:
                self._sql(conn, statement, what)
            except psycopg.Error:
                if conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    conn.execute("ROLLBACK")
                raise

    def _changes(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        dice, number = self._dice, self._next()
        table = dice.choice(("plain", "toasted", "keyless", "parted_0", "names"))
        end = dice.choice(("COMMIT", "ROLLBACK"))
        refill = f"INSERT INTO public.{table} (id, n, body) SELECT i, 0, 'again' FROM generate_series(1, 300) i"
        yield "vacuum", (f"VACUUM {dice.choice(('', '(FREEZE)', '(FREEZE, ANALYZE)', '(FULL)'))} public.{table}",)
        yield "vacuum full", (f"VACUUM (FULL, FREEZE) public.{table}",)
        yield "vacuum freeze", (f"VACUUM (FREEZE) public.{table}",)
        yield "cluster", ("CLUSTER public.plain USING plain_pkey",)
        yield f"truncate, {end.lower()}", ("BEGIN", f"TRUNCATE public.{table}", refill, end)
        yield "truncate", (f"TRUNCATE public.{table}", refill)
        yield "add column", (f"ALTER TABLE public.{table} ADD c{number} int DEFAULT {number}",)
        yield "add column, rewriting", (f"ALTER TABLE public.{table} ADD c{number} float DEFAULT random()",)
        yield (
            "replace column",
            (
                "BEGIN",
                f"ALTER TABLE public.{table} DROP body",
                f"ALTER TABLE public.{table} ADD body text DEFAULT 'body {number}'",
                end,
            ),
        )
        kind = dice.choice(("bigint", "int", "int USING (n % 5) + 1"))
        yield "alter type", (f"ALTER TABLE public.keyless ALTER n TYPE {kind}",)
        yield (
            "swap columns",
            (
                "BEGIN",
                "ALTER TABLE public.typed RENAME n TO m",
                "ALTER TABLE public.typed RENAME id TO n",
                "ALTER TABLE public.typed RENAME m TO id",
                end,
            ),
        )
        yield (
            "drop and create",
            (
                "BEGIN",
                "DROP TABLE public.keyless",
                "CREATE TABLE public.keyless (id int, n int, body text)",
                "INSERT INTO public.keyless SELECT i % 50, i % 7, repeat('k', i % 90) FROM generate_series(1, 600) i",
                end,
            ),
        )
        yield (
            "detach",
            (
                "BEGIN",
                "ALTER TABLE public.parted DETACH PARTITION public.parted_1",
                f"UPDATE public.parted_1 SET body = 'd{number}' WHERE id % 50 = 1",
                dice.choice(("COMMIT", "ROLLBACK")),
            ),
        )
        yield "attach", ("ALTER TABLE public.parted ATTACH PARTITION public.parted_1 FOR VALUES IN (1)",)
        yield "storage", (f"ALTER TABLE public.plain SET {dice.choice(('LOGGED', 'UNLOGGED'))}",)
        yield "label added", (f"ALTER TYPE public.mood ADD VALUE 'm{number}'",)
        yield "label renamed", (f"ALTER TYPE public.mood RENAME VALUE '{dice.choice(('m0', 'm1', 'x'))}' TO 'x'",)
        yield "label renamed back", (f"ALTER TYPE public.mood RENAME VALUE 'x' TO '{dice.choice(('m0', 'm1'))}'",)
        yield "renamed", ("ALTER TABLE public.typed RENAME TO typed2", "ALTER TABLE public.typed2 RENAME TO typed")
        yield "temporary", (f"CREATE TEMP TABLE temporary_{number} (id int)",)

    def _next(self) -> int:
        self._number += 1
        return self._number
