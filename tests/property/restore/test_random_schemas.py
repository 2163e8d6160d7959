"""Any schema, any damage, any selection: the chosen tables come back and no other is touched, or nothing happens.

Where rows may be set aside, those come back that can, and all others stay as they were.
"""

from __future__ import annotations

import contextlib
import os
import random
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.restore.plan import KeptRow, RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.tables.watermarks import ensure_watermarks
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, take_image
from tests.support.postgres import NewDatabase
from tests.support.vaults import new_vault

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("RXBACKUP_TEST_SCHEMAS", "12"))
ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
TIMING = ("", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")


@dataclass
class Parent:
    table: str
    column: str
    action: str
    timing: str


@dataclass
class Table:
    name: str
    key: str
    unique: bool
    parted: bool
    triggered: bool
    parents: list[Parent] = field(default_factory=list)


@st.composite
def schemas(draw: st.DrawFn) -> list[Table]:
    groups = draw(st.integers(1, 3))
    tables = []
    for group in range(groups):
        for letter in "abc"[: draw(st.integers(2, 3))]:
            odd = draw(st.sampled_from(("", " x", '"q', "é;--")))
            tables.append(
                Table(
                    name=f"g{group}_{letter}{odd}",
                    key=draw(st.sampled_from(("id", "id", "pair", "unique", "always", "none"))),
                    unique=draw(st.booleans()),
                    parted=draw(st.integers(0, 5)) == 0,
                    triggered=draw(st.integers(0, 3)) == 0,
                )
            )
    whole = [t for t in tables if not t.parted]
    referable = [(t.name, "id") for t in whole if t.key in {"id", "always", "unique"}]
    referable += [(t.name, "label") for t in whole if t.unique]
    for table in tables:
        for name, column in draw(st.lists(st.sampled_from(referable), max_size=2, unique=True)) if referable else []:
            table.parents.append(Parent(name, column, draw(st.sampled_from(ACTIONS)), draw(st.sampled_from(TIMING))))
    return tables


def _create(conn: psycopg.Connection, tables: list[Table]) -> None:
    conn.execute(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.label := 'spoiled'; RETURN NEW; END $$"
    )
    for table in tables:
        columns = [
            "id int GENERATED ALWAYS AS IDENTITY" if table.key == "always" else "id int NOT NULL",
            "part int NOT NULL DEFAULT 0",
            "label text",
            "amount numeric",
            "twice numeric GENERATED ALWAYS AS (amount * 2) STORED",
            # Three rows fill a block, so that a table has several.
            "padding char(2500) NOT NULL DEFAULT ''",
        ]
        columns += [f"r{i} {'int' if p.column == 'id' else 'text'}" for i, p in enumerate(table.parents)]
        keys = {
            "id": "PRIMARY KEY (id)",
            "always": "PRIMARY KEY (id)",
            "pair": "PRIMARY KEY (id, part)",
            "unique": "UNIQUE (id)",
        }
        if table.key in keys:
            columns.append(keys[table.key])
        if table.unique and not table.parted:
            columns.append("UNIQUE (label)")
        tail = " PARTITION BY HASH (id)" if table.parted and table.key != "always" else ""
        name = sql.Identifier(table.name)
        conn.execute(sql.SQL("CREATE TABLE {} ({}){}").format(name, sql.SQL(", ".join(columns)), sql.SQL(tail)))
        conn.execute(sql.SQL("ALTER TABLE {} ALTER padding SET STORAGE PLAIN").format(name))
        for remainder in range(2) if tail else []:
            conn.execute(
                sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES WITH (MODULUS 2, REMAINDER {})").format(
                    sql.Identifier(f"{table.name}_{remainder}"), name, sql.Literal(remainder)
                )
            )


def _refer(conn: psycopg.Connection, tables: list[Table]) -> None:
    for table in tables:
        for i, parent in enumerate(table.parents):
            conn.execute(
                sql.SQL("ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} {}").format(
                    sql.Identifier(table.name),
                    sql.Identifier(f"r{i}"),
                    sql.Identifier(parent.table),
                    sql.Identifier(parent.column),
                    sql.SQL(parent.action),
                    sql.SQL(parent.timing),
                )
            )
        if table.triggered:
            conn.execute(
                sql.SQL("CREATE TRIGGER spoil BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION spoil()").format(
                    sql.Identifier(table.name)
                )
            )


def _insert(conn: psycopg.Connection, table: Table, dice: random.Random, ids: list[int]) -> None:
    names = ["id", "part", "label", "amount", *(f"r{i}" for i in range(len(table.parents)))]
    for number in ids:
        label = dice.choice((f"label {number}", f"other {dice.randrange(40)}", None))
        values = [number, dice.randrange(3), label, dice.choice((1, "1.10", "NaN", None))]
        values += [dice.choice((None, _reference(parent, dice, 12))) for parent in table.parents]
        with contextlib.suppress(psycopg.errors.IntegrityError):
            conn.execute(
                sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                    sql.Identifier(table.name),
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.SQL(", ").join(map(sql.Literal, values)),
                )
            )


def _reference(parent: Parent, dice: random.Random, end: int) -> int | str:
    number = dice.randrange(1, end)
    return number if parent.column == "id" else f"label {number}"


def _damage(conn: psycopg.Connection, tables: list[Table], dice: random.Random) -> None:
    for _ in range(30):
        table = dice.choice(tables)
        name, number = sql.Identifier(table.name), dice.randrange(1, 12)
        change = dice.randrange(6)
        with contextlib.suppress(psycopg.errors.IntegrityError):
            if change == 0:
                conn.execute(sql.SQL("DELETE FROM {} WHERE id = {}").format(name, sql.Literal(number)))
            elif change == 1:
                _insert(conn, table, dice, [dice.randrange(1, 25)])
            elif change == 2:
                # Unique labels move from row to row.
                conn.execute(
                    sql.SQL("UPDATE {} SET label = {} WHERE id = {}").format(
                        name, sql.Literal(f"label {dice.randrange(1, 12)}"), sql.Literal(number)
                    )
                )
            elif change == 3 and table.parents:
                place = dice.randrange(len(table.parents))
                conn.execute(
                    sql.SQL("UPDATE {} SET {} = {} WHERE id = {}").format(
                        name,
                        sql.Identifier(f"r{place}"),
                        sql.Literal(_reference(table.parents[place], dice, 25)),
                        sql.Literal(number),
                    )
                )
            elif change == 4:
                conn.execute(sql.SQL("UPDATE {} SET amount = 1.1 WHERE amount = 1.10").format(name))
            elif table.unique:
                _swap_labels(conn, name)


def _swap_labels(conn: psycopg.Connection, name: sql.Identifier) -> None:
    rows = conn.execute(sql.SQL("SELECT id, label FROM {} WHERE label IS NOT NULL LIMIT 2").format(name)).fetchall()
    if len(rows) == 2 and rows[0][0] != rows[1][0]:
        statement = sql.SQL("UPDATE {} SET label = {} WHERE id = {}")
        (a, x), (b, y) = rows
        for number, label in ((a, "aside"), (b, x), (a, y)):
            conn.execute(statement.format(name, sql.Literal(label), sql.Literal(number)))


def _fill(url: str, tables: list[Table], dice: random.Random) -> None:
    with connect(url, application_name="test") as conn:
        _create(conn, tables)
        for table in tables:
            _insert(conn, table, dice, list(range(1, 12)))
        # References are made whole before they are enforced: rows may refer in rings.
        for table in tables:
            for i, parent in enumerate(table.parents):
                conn.execute(
                    sql.SQL(
                        "UPDATE {t} SET {c} = NULL WHERE NOT EXISTS (SELECT FROM {p} p WHERE p.{r} = {t}.{c})"
                    ).format(
                        t=sql.Identifier(table.name),
                        c=sql.Identifier(f"r{i}"),
                        p=sql.Identifier(parent.table),
                        r=sql.Identifier(parent.column),
                    )
                )
        _refer(conn, tables)


@pytest.mark.parametrize("segments", ["one a table", "one a block"])
@given(tables=schemas(), seed=st.integers(0, 2**32), data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_restore_keeps_its_promise(
    new_database: NewDatabase, segments: str, tables: list[Table], seed: int, data: st.DataObject
) -> None:
    url = new_database()
    dice = random.Random(seed)
    _fill(url, tables, dice)
    vault = new_vault()
    if segments == "one a block":
        ensure_watermarks(url)
    before, rows_before = take_image(url), _lines(url)
    with pytest.MonkeyPatch.context() as patch:
        if segments == "one a block":
            patch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 1)
        outcome = back_up(url, vault)
    with connect(url, application_name="test") as conn:
        _damage(conn, tables, dice)
    damaged, rows_damaged = take_image(url), _lines(url)
    request = data.draw(requests(outcome, tables))
    everything = {f"public.{t.name}" for t in tables}
    chosen = set(request.tables or everything) & {
        t for g in outcome.manifest.groups if g.name in (request.groups or g.name) for t in g.tables
    }

    with pytest.MonkeyPatch.context() as patch:
        # However little was left untouched, it is left alone.
        patch.setattr("rxbackup.restore.damage._WORTH_IT", 0.01)
        foretold = _run(url, vault, outcome, request, rehearse=True)
        plain = _run(url, vault, outcome, replace(request, set_aside=False), rehearse=True)
        report = _run(url, vault, outcome, request)
    after = take_image(url)
    if isinstance(report, str):
        assert after == damaged
        assert isinstance(foretold, str) or all(c.message in report for c in foretold.consequences)
        assert any(each in report for each in _excuses(request, everything <= chosen)), report
        return
    assert isinstance(foretold, RestoreReport)
    assert foretold.consequences == ()
    assert (after.constraints, after.triggers) == (before.constraints, before.triggers)
    assert {n for n in after.differing(damaged) if not any(n == c or n.startswith(f"{c}_") for c in chosen)} == set()
    rows = _lines(url)
    for table in (t for t in tables if f"public.{t.name}" in chosen):
        _check(table, rows_before, rows_damaged, rows, request, report)
    if request.set_aside and not request.keep:
        assert isinstance(plain, RestoreReport)
        assert bool(plain.consequences) == any(t.set_aside for t in report.tables.values())


@st.composite
def requests(draw: st.DrawFn, outcome: BackupOutcome, tables: list[Table]) -> RestoreRequest:
    names = [g.name for g in outcome.manifest.groups]
    groups = draw(st.lists(st.sampled_from(names), min_size=1, unique=True) | st.just(names))
    within = sorted(t for g in outcome.manifest.groups if g.name in groups for t in g.tables)
    some = draw(st.none() | st.lists(st.sampled_from(within), min_size=1, unique=True))
    kept = st.builds(
        KeptRow,
        st.sampled_from([f"public.{t.name}" for t in tables]),
        st.just("label"),
        st.integers(1, 11).map(lambda n: f"LABEL {n}"),
    )
    return RestoreRequest(
        groups=tuple(groups),
        mode=draw(st.sampled_from(("exact", "exact", "missing", "changed"))),
        tables=None if some is None else tuple(some),
        set_aside=draw(st.booleans()),
        keep=tuple(draw(st.just([]) | st.lists(kept, max_size=2))),
    )


def _run(
    url: str, vault: Vault, outcome: BackupOutcome, request: RestoreRequest, *, rehearse: bool = False
) -> RestoreReport | str:
    """The report, or the words of the refusal."""
    plan = prepare_restore(outcome.manifest, request, source_url=url, counted=False)
    try:
        return run_restore(
            plan, outcome.manifest, vault=vault, source_url=url, rehearse=rehearse, samples=6 if rehearse else 0
        )
    except errors.PlanRefused as refusal:
        return refusal.message


def _excuses(request: RestoreRequest, whole: bool) -> tuple[str, ...]:
    """Why a restore may be refused."""
    # A row is replaced where a unique value changed hands; some keys do not bear that.
    excuses = ["swapped", "which acts at once, would break"]
    if request.set_aside:
        return tuple(excuses)
    if request.mode != "exact":
        excuses += ["newer rows hold", "because rows there stay", "newer than the backup refer to"]
    if request.keep:
        excuses += ["a row that stays as it is holds", "because rows there stay"]
    if not whole:
        excuses += ["that the backup does not have", "that are no longer there"]
    return tuple(excuses)


class Row(NamedTuple):
    number: int
    part: int
    label: str | None
    text: str


Lines = dict[str, list[Row]]


def _lines(url: str) -> Lines:
    """The rows of every table."""
    with connect(url, application_name="test") as conn:
        names = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition"
        ).fetchall()
        found = {}
        for (name,) in names:
            query = sql.SQL("SELECT t.id, t.part, t.label, t::text FROM {} AS t").format(sql.Identifier(name))
            found[f"public.{name}"] = [Row(*row) for row in conn.execute(query)]
    return found


def _key(table: Table, row: Row) -> object:
    return {"none": row.text, "pair": (row.number, row.part)}.get(table.key, row.number)


def _check(
    table: Table, before: Lines, damaged: Lines, after: Lines, request: RestoreRequest, report: RestoreReport
) -> None:
    """Every row is as the mode promises, or was left as it was: and those are as many as the report says."""
    name = f"public.{table.name}"
    then, spoiled, now = (_named(table, rows[name]) for rows in (before, damaged, after))
    wanted = {f"{each.value}" for each in request.keep if each.table == name}
    kept = {_key(table, r) for r in before[name] + damaged[name] if r.label is not None and r.label.upper() in wanted}
    left = 0
    for key in then | spoiled | now:
        promised = _promised(request.mode, then.get(key, ()), spoiled.get(key, ()))
        if key in kept:
            assert now.get(key, ()) == spoiled.get(key, ()), (name, key)
        elif now.get(key, ()) != promised:
            assert now.get(key, ()) == spoiled.get(key, ()), (name, key)
            left += max(1, abs(len(now.get(key, ())) - len(promised)))
    assert report.tables[name].set_aside == left, name
    assert request.set_aside or request.keep or not left


def _named(table: Table, rows: list[Row]) -> dict[object, tuple[str, ...]]:
    """The text of each row by what names it: several copies, where only the whole row does."""
    found: dict[object, tuple[str, ...]] = {}
    for row in rows:
        found[_key(table, row)] = (*found.get(_key(table, row), ()), row.text)
    return found


def _promised(mode: str, then: tuple[str, ...], spoiled: tuple[str, ...]) -> tuple[str, ...]:
    if mode == "exact":
        return then
    if len(then) > 1 or len(spoiled) > 1:
        return max(then, spoiled, key=len)  # copies of one row
    return spoiled or then if mode == "missing" else then or spoiled
