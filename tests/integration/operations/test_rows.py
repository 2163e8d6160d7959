"""Looking into a backup: the rows that were there, whatever became of them since; by page, by condition, as a file."""

from __future__ import annotations

import csv
import io
import json

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import NotFound, PermissionDenied, Refused, UsageError
from rxbackup.operations import backups, rows
from rxbackup.operations.views import BackupView, NewBackup
from rxbackup.vault.vault import Vault
from tests.support.installation import CONSOLE, Installation

PARTS = """
CREATE TABLE public.parts (id int, kind int, "a=b" text, size int GENERATED ALWAYS AS (kind * 10) STORED,
    PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE public.parts_two (kind int, "a=b" text, size int GENERATED ALWAYS AS (kind * 10) STORED, id int);
CREATE TABLE public.parts_one PARTITION OF public.parts FOR VALUES IN (1);
ALTER TABLE public.parts_two ALTER id SET NOT NULL, ALTER kind SET NOT NULL;
ALTER TABLE public.parts ATTACH PARTITION public.parts_two FOR VALUES IN (2);
INSERT INTO public.parts (id, kind, "a=b") SELECT n, 1 + n % 2, CASE WHEN n % 3 = 0 THEN NULL ELSE 'part ' || n END
    FROM generate_series(1, 30) n;
"""


@pytest.fixture
def taken(installation: Installation) -> BackupView:
    installation.sql(PARTS)
    view = backups.perform_backup(installation.services, CONSOLE, NewBackup("First"))
    installation.sql("DELETE FROM public.orders; DROP TABLE public.parts")
    return view


def _rows(installation: Installation, taken: BackupView, table: str, **options: object) -> list[dict[str, str | None]]:
    found = rows.read_rows(installation.services, CONSOLE, taken.id, table, **options)  # type: ignore[arg-type]
    names = [column.name for column in found.columns]
    return [dict(zip(names, row.values, strict=True)) for row in found.rows]


def test_rows_that_are_gone_are_still_there(installation: Installation, taken: BackupView) -> None:
    found = _rows(installation, taken, "orders", where=["customer_id=7"], limit=1000)
    assert [int(row["id"] or 0) for row in found] == [n for n in range(1, 501) if 1 + n % 50 == 7]
    assert _rows(installation, taken, "public.customers", where=["name~MER 7"]) == [{"id": "7", "name": "customer 7"}]


def test_a_partitioned_table_is_one(installation: Installation, taken: BackupView) -> None:
    found = _rows(installation, taken, "public.parts", limit=100)
    assert sorted(int(row["id"] or 0) for row in found) == list(range(1, 31))
    assert set(found[0]) == {"id", "kind", "a=b"}
    assert all(row["a=b"] == (None if int(row["id"] or 0) % 3 == 0 else f"part {row['id']}") for row in found)
    assert _rows(installation, taken, "parts", where=["a=b=part 7"])[0]["id"] == "7"
    assert len(_rows(installation, taken, "parts", where=["a=b is null"])) == 10
    assert len(_rows(installation, taken, "parts", where=["a=b IS NOT NULL", "kind=1"])) == 10
    view = rows.read_rows(installation.services, CONSOLE, taken.id, "parts")
    assert (view.total, view.computed) == (30, ("size",))
    assert {column.name for column in view.columns if column.is_key} == {"id", "kind"}
    names = {t.name: t.rows for t in rows.list_tables(installation.services, CONSOLE, taken.id)}
    assert names == {"public.customers": 50, "public.notes": 20, "public.orders": 500, "public.parts": 30}
    (only,) = rows.list_tables(installation.services, CONSOLE, taken.id, text="ORD")
    assert only.name == "public.orders"


def test_pages_follow_each_other(installation: Installation, taken: BackupView) -> None:
    found: list[str | None] = []
    after = None
    while True:
        page = rows.read_rows(installation.services, CONSOLE, taken.id, "orders", after=after, limit=77)
        found += [row.values[0] for row in page.rows]
        again = rows.read_rows(installation.services, CONSOLE, taken.id, "orders", after=page.rows[3].place, limit=1)
        assert again.rows == page.rows[3:4]
        after = page.next
        if after is None:
            break
    assert [int(value or 0) for value in found] == list(range(1, 501))


def test_long_values_are_cut_where_asked(installation: Installation, taken: BackupView) -> None:
    found = rows.read_rows(installation.services, CONSOLE, taken.id, "notes", cut=5, limit=6)
    assert [row.values[1] for row in found.rows] == ["ä", "ää", "äää", "ääää", "äääää", "äääää"]
    assert [row.cut for row in found.rows] == [(), (), (), (), (), (1,)]


def test_a_selection_leaves_as_a_file(installation: Installation, taken: BackupView) -> None:
    stream = io.BytesIO()
    rows.export_rows(installation.services, CONSOLE, taken.id, "orders", stream, where=["customer_id=7"])
    lines = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))
    assert len(lines) == 10
    assert lines[0] == {"id": "6", "customer_id": "7", "total": "6.00"}
    got = rows.open_rows(installation.services, CONSOLE, taken.id, "parts", where=["kind=2"], format_name="json")
    assert got.file_name.startswith("First-public-parts-")
    assert got.file_name.endswith(".json")
    objects = json.loads(b"".join(got.content))
    assert len(objects) == 15
    assert objects[0]["kind"] == 2


def test_only_the_chunks_of_a_page_are_opened(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rxbackup.backup.plan.SEGMENT_BYTES", 64 * 1024)
    installation.sql(
        "CREATE TABLE public.wide AS SELECT n AS id, repeat(md5(n::text), 8) t FROM generate_series(1,9000) n"
    )
    view = backups.perform_backup(installation.services, CONSOLE, NewBackup("Wide"))
    opened: list[str] = []
    real = Vault.get_chunk
    monkeypatch.setattr(Vault, "get_chunk", lambda vault, chunk: (opened.append(chunk), real(vault, chunk))[1])
    page = rows.read_rows(installation.services, CONSOLE, view.id, "wide", limit=20)
    assert (len(page.rows), len(opened)) == (20, 1)
    deep = page
    for _ in range(15):
        deep = rows.read_rows(installation.services, CONSOLE, view.id, "wide", limit=500, after=deep.next)
    opened.clear()
    deep = rows.read_rows(installation.services, CONSOLE, view.id, "wide", limit=20, after=deep.next)
    assert deep.rows[0].values[0] == "7521"
    assert len(opened) == 1
    opened.clear()
    # Looking for what is not there gives up in between, and says how far it came.
    part = rows.read_rows(installation.services, CONSOLE, view.id, "wide", where=["t=nothing"], most_bytes=200_000)
    assert (part.rows, part.next is not None) == ((), True)
    assert 0 < part.looked_at < 9000


def test_who_may_and_what_may_not_be_asked(installation: Installation, taken: BackupView, admin: Actor) -> None:
    services = installation.services
    for role in ("operator", "viewer"):
        with pytest.raises(PermissionDenied):
            rows.read_rows(services, Actor("bob@example.org", role), taken.id, "orders")
    with pytest.raises(NotFound, match=r"no table public\.order") as nothing:
        rows.read_rows(services, admin, taken.id, "public.order")
    assert nothing.value.hint.startswith("Did you mean public.orders")
    for condition in ("totals=1", "nonsense", "size=10", "totl is null"):
        with pytest.raises(UsageError):
            rows.read_rows(services, admin, taken.id, "parts", where=[condition])
    with pytest.raises(UsageError):
        rows.read_rows(services, admin, taken.id, "orders", after="0.0.0.3")
    with pytest.raises(UsageError):
        rows.open_rows(services, admin, taken.id, "orders", format_name="xlsx")
    installation.system_sql("UPDATE rxbackup.backups SET state = 'failed'")
    with pytest.raises(Refused):
        rows.read_rows(services, admin, taken.id, "orders")


def test_looking_is_written_down_without_values(installation: Installation, taken: BackupView, admin: Actor) -> None:
    rows.read_rows(installation.services, admin, taken.id, "customers", where=["name=secret person"])
    ((who, details),) = installation.system_sql(
        "SELECT actor, details::text FROM rxbackup.audit WHERE action = 'backup.rows.read'"
    )
    assert who == admin.email
    assert "public.customers" in str(details)
    assert "secret" not in str(details)
