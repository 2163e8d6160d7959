"""Places where a running operation waits until a test lets it on: the moment of a fault is sure, not luck.

A gate is an advisory lock that the test holds. Triggers and constraints in the database ask for it, so that it works
on real processes without touching them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.support.postgres import admin_url

_keys = itertools.count(0x6A7E)


def until(claim: Callable[[], object], what: str, *, seconds: float = 60) -> None:
    """Poll until the claim is true; `what` is in the failure."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Gate:
    """A closed gate."""

    conn: psycopg.Connection
    key: int

    def waiting(self) -> int:
        """How many backends stand before it."""
        row = self.conn.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (self.key,),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def wait(self) -> None:
        """Wait until somebody stands before it."""
        until(self.waiting, "somebody at the gate")

    def open(self) -> None:
        """Let everybody through, now and later."""
        self.conn.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def gate_before_insert(url: str, table: str, condition: str) -> Iterator[Gate]:
    """Inserts into `table` wait, where `condition` on NEW holds."""
    with _gate(url) as gate:
        _trigger(gate, table, "INSERT", condition)
        yield gate


@contextmanager
def gate_before_update(url: str, table: str, condition: str) -> Iterator[Gate]:
    """Updates of `table` wait, where `condition` on OLD and NEW holds."""
    with _gate(url) as gate:
        _trigger(gate, table, "UPDATE", condition)
        yield gate


@contextmanager
def gate_before_delete(url: str, table: str, condition: str) -> Iterator[Gate]:
    """Deletes from `table` wait, where `condition` on OLD holds."""
    with _gate(url) as gate:
        _trigger(gate, table, "DELETE", condition)
        yield gate


@contextmanager
def gate_at_row(url: str, table: str, condition: str) -> Iterator[Gate]:
    """Whoever writes a row for which `condition` holds waits: a check constraint, which no restore turns off."""
    with _gate(url) as gate:
        name = f"gate_{gate.key}"
        gate.conn.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} "
            f"CHECK (CASE WHEN {condition} THEN public.wait_at_{name}() ELSE true END) NOT VALID"
        )
        yield gate


@contextmanager
def _gate(url: str) -> Iterator[Gate]:
    key = next(_keys)
    with psycopg.connect(admin_url(url), autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (key,))
        conn.execute(
            sql.SQL(
                "CREATE FUNCTION public.{} () RETURNS boolean LANGUAGE plpgsql SET lock_timeout TO 0 AS "
                "$$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared({}); RETURN true; END $$"
            ).format(sql.Identifier(f"wait_at_gate_{key}"), sql.Literal(key))
        )
        yield Gate(conn, key)


def _trigger(gate: Gate, table: str, event: str, condition: str) -> None:
    name = f"gate_{gate.key}"
    row = "OLD" if event == "DELETE" else "NEW"
    gate.conn.execute(
        f"CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ "
        f"BEGIN IF {condition} THEN PERFORM public.wait_at_{name}(); END IF; RETURN {row}; END $$"
    )
    gate.conn.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION public.{name}()")
