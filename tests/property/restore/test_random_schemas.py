"""Any schema, any damage, any selection: the chosen tables come back and no other is touched, or nothing happens."""

from __future__ import annotations

import contextlib
import os
import random
from collections import Counter
from dataclasses import dataclass, field

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.tables.watermarks import ensure_watermarks
from rxbackup.vault.vault import Vault
from tests.support.databases import Image, back_up, restore, take_image
from tests.support.postgres import NewDatabase
from tests.support.vaults import new_vault

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("RXBACKUP_TEST_SCHEMAS", "12"))
ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
TIMING = ("", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")


@dataclass
class Table:
    name: str
    key: str
    unique: bool
    parted: bool
    triggered: bool
    parents: list[tuple[str, str, str]] = field(default_factory=list)  # table, action, timing


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
    referable = [t.name for t in tables if t.key in {"id", "always", "unique"} and not t.parted]
    for table in tables:
        for parent in draw(st.lists(st.sampled_from(referable), max_size=2, unique=True)) if referable else []:
            table.parents.append((parent, draw(st.sampled_from(ACTIONS)), draw(st.sampled_from(TIMING))))
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
        columns += [f"r{i} int" for i in range(len(table.parents))]
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
        for i, (parent, action, timing) in enumerate(table.parents):
            conn.execute(
                sql.SQL("ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} (id) ON DELETE {} {}").format(
                    sql.Identifier(table.name),
                    sql.Identifier(f"r{i}"),
                    sql.Identifier(parent),
                    sql.SQL(action),
                    sql.SQL(timing),
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
        values += [dice.choice((None, dice.randrange(1, 12))) for _ in table.parents]
        with contextlib.suppress(psycopg.errors.IntegrityError):
            conn.execute(
                sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                    sql.Identifier(table.name),
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.SQL(", ").join(map(sql.Literal, values)),
                )
            )


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
                column = sql.Identifier(f"r{dice.randrange(len(table.parents))}")
                conn.execute(
                    sql.SQL("UPDATE {} SET {} = {} WHERE id = {}").format(
                        name, column, sql.Literal(dice.randrange(1, 25)), sql.Literal(number)
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
    with connect(url, application_name="test") as conn:
        _create(conn, tables)
        for table in tables:
            _insert(conn, table, dice, list(range(1, 12)))
        # References are made whole before they are enforced: rows may refer in rings.
        for table in tables:
            for i, (parent, _, _) in enumerate(table.parents):
                conn.execute(
                    sql.SQL(
                        "UPDATE {t} SET {c} = NULL WHERE NOT EXISTS (SELECT FROM {p} p WHERE p.id = {t}.{c})"
                    ).format(t=sql.Identifier(table.name), c=sql.Identifier(f"r{i}"), p=sql.Identifier(parent))
                )
        _refer(conn, tables)
    vault = new_vault()
    if segments == "one a block":
        ensure_watermarks(url)
    before, rows_before = take_image(url), _lines(url)
    with pytest.MonkeyPatch.context() as patch:
        if segments == "one a block":
            patch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 1)
        outcome = back_up(url, vault)
    names = [g.name for g in outcome.manifest.groups]
    with connect(url, application_name="test") as conn:
        _damage(conn, tables, dice)
    damaged, rows_damaged = take_image(url), _lines(url)
    mode = data.draw(st.sampled_from(("exact", "exact", "missing", "changed")))
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True) | st.just(names))

    with pytest.MonkeyPatch.context() as patch:
        # However little was left untouched, it is left alone.
        patch.setattr("rxbackup.restore.damage._WORTH_IT", 0.01)
        refusal = _restore_or_refusal(url, vault, outcome, tuple(chosen), mode)
    if refusal:
        assert take_image(url) == damaged
        # With everything chosen nothing can break; only unique values that changed hands may be beyond us.
        excuses = ("swapped",) if mode == "exact" else ("swapped", "newer rows hold", "duplicate key value")
        assert set(chosen) != set(names) or any(each in refusal for each in excuses), refusal
        return
    members = {t for g in outcome.manifest.groups if g.name in chosen for t in g.tables}
    if mode == "exact":
        _check(take_image(url), before, damaged, members)
    else:
        _check_kept(_lines(url), rows_before, rows_damaged, tables, members, mode)


def _restore_or_refusal(url: str, vault: Vault, outcome: BackupOutcome, groups: tuple[str, ...], mode: str) -> str:
    try:
        restore(url, vault, outcome, groups=groups, mode=mode)
    except errors.PlanRefused as refusal:
        return refusal.message
    return ""


def _check(after: Image, before: Image, damaged: Image, chosen: set[str]) -> None:
    assert after.constraints == before.constraints
    assert after.triggers == before.triggers
    for name in after.rows:
        of_chosen = any(name == c or name.startswith(f"{c}_") for c in chosen)
        assert after.rows[name] == (before if of_chosen else damaged).rows[name], name


Lines = dict[str, list[tuple[object, str]]]


def _lines(url: str) -> Lines:
    """The rows of every table: what names each, and its text."""
    with connect(url, application_name="test") as conn:
        names = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition"
        ).fetchall()
        found = {}
        for (name,) in names:
            query = sql.SQL("SELECT (t.id, t.part)::text, t.id, t::text FROM {} AS t").format(sql.Identifier(name))
            found[f"public.{name}"] = [((pair, number), text) for pair, number, text in conn.execute(query)]
    return found


def _check_kept(after: Lines, before: Lines, damaged: Lines, tables: list[Table], chosen: set[str], mode: str) -> None:
    """Rows of the backup are there, as the mode promises; no row that was there is gone."""
    for table in tables:
        name = f"public.{table.name}"
        if name not in chosen:
            assert sorted(after[name], key=repr) == sorted(damaged[name], key=repr), name
            continue
        if table.key == "none":
            expected = Counter(text for _, text in before[name]) | Counter(text for _, text in damaged[name])
            assert Counter(text for _, text in after[name]) == expected, name
            continue
        place = 0 if table.key == "pair" else 1
        then, spoiled, now = ({key[place]: text for key, text in rows[name]} for rows in (before, damaged, after))
        assert now == (spoiled | then if mode == "changed" else then | spoiled), name
