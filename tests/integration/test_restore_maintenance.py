"""Maintenance: tables are emptied and loaded anew, and everything that belongs to them is as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.restore.plan import KeptRow, RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import Image, back_up, run_psql, take_image
from tests.support.postgres import admin_url
from tests.support.vaults import new_local_vault

pytestmark = pytest.mark.integration

_SCHEMA = """
CREATE TABLE public.firms (
    id int PRIMARY KEY, code text CONSTRAINT firms_code UNIQUE WITH (fillfactor = 70), body text
);
CREATE TABLE public.items (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    firm int NOT NULL CONSTRAINT items_firm REFERENCES public.firms ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    parent int, place int UNIQUE DEFERRABLE, body text CHECK (body <> ''),
    loud text GENERATED ALWAYS AS (upper(body)) STORED
);
ALTER TABLE public.items ADD CONSTRAINT items_parent FOREIGN KEY (parent) REFERENCES public.items ON UPDATE SET NULL;
CREATE TABLE public.tags (id int PRIMARY KEY, item int, code text, moment int NOT NULL);
INSERT INTO public.firms SELECT n, 'code ' || n, md5(n::text) FROM generate_series(1, 300) n;
INSERT INTO public.items (firm, parent, place, body)
    SELECT 1 + n % 300, CASE WHEN n > 1 THEN n / 2 END, n, md5(n::text) FROM generate_series(1, 2000) n;
INSERT INTO public.tags SELECT n, n, 'code ' || (1 + n % 300), n FROM generate_series(1, 1500) n;
INSERT INTO public.tags VALUES (9000, 9000, 'nowhere', 9000);
ALTER TABLE public.tags ADD CONSTRAINT tags_item FOREIGN KEY (item) REFERENCES public.items NOT VALID;
CREATE INDEX items_body ON public.items USING btree (lower(body) text_pattern_ops DESC NULLS LAST, firm) INCLUDE (id)
    WITH (fillfactor = 55) WHERE firm > 3;
ALTER INDEX public.items_body ALTER COLUMN 1 SET STATISTICS 321;
COMMENT ON INDEX public.items_body IS 'for the search';
COMMENT ON CONSTRAINT firms_code ON public.firms IS 'as printed';
COMMENT ON INDEX public.firms_code IS 'of the codes';
COMMENT ON CONSTRAINT items_firm ON public.items IS 'who made it';
CREATE UNIQUE INDEX tags_moment ON public.tags (moment);
ALTER TABLE public.tags REPLICA IDENTITY USING INDEX tags_moment;
CREATE INDEX tags_code ON public.tags USING hash (code);
CREATE INDEX tags_item_firm ON public.tags (item);
ALTER TABLE public.tags CLUSTER ON tags_item_firm;
CREATE STATISTICS public.tags_together ON item, moment FROM public.tags;
CREATE TABLE public.spans (id int PRIMARY KEY, span int4range, EXCLUDE USING gist (span WITH &&));
INSERT INTO public.spans SELECT n, int4range(n * 10, n * 10 + 5) FROM generate_series(1, 400) n;
CREATE TABLE public.parts (id int, kind int, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES IN (1);
CREATE TABLE public.parts_2 PARTITION OF public.parts FOR VALUES IN (2);
CREATE INDEX parts_body ON public.parts (body);
CREATE INDEX only_here ON public.parts_2 (body, id);
INSERT INTO public.parts SELECT n, 1 + n % 2, md5(n::text) FROM generate_series(1, 1000) n;
CREATE TABLE public.bits (part int, kind int, FOREIGN KEY (part, kind) REFERENCES public.parts);
INSERT INTO public.bits SELECT n, 1 + n % 2 FROM generate_series(1, 10) n;
CREATE VIEW public.by_firm AS SELECT f.id, f.code, count(*) AS n
    FROM public.firms f JOIN public.items i ON i.firm = f.id GROUP BY f.id;
CREATE MATERIALIZED VIEW public.bodies AS SELECT id, body FROM public.items;
CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'spoiled'; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT ON public.items FOR EACH ROW EXECUTE FUNCTION public.spoil();
CREATE FUNCTION public.forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TRIGGER forbid BEFORE TRUNCATE ON public.items EXECUTE FUNCTION public.forbid();
ALTER TABLE public.items ENABLE ALWAYS TRIGGER forbid;
"""

_FACTS = """
SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisprimary, indisunique,
       indimmediate, indisclustered, indisreplident, indisvalid, obj_description(indexrelid, 'pg_class')
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2;
SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid), condeferrable, condeferred,
       convalidated, obj_description(oid, 'pg_constraint'), conislocal, coninhcount
FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2;
SELECT attrelid::regclass::text, attnum, attname, attstattarget, attnotnull, attoptions
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY 1, 2;
SELECT relname, relkind, relreplident, reloptions, relpersistence, reltablespace, relowner::regrole::text, relacl
FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1;
SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2;
SELECT tgrelid::regclass::text, tgconstrrelid::regclass::text, tgfoid::regproc::text, tgenabled, tgdeferrable,
       tginitdeferred FROM pg_trigger WHERE tgisinternal ORDER BY 1, 2, 3;
SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits ORDER BY 1, 2;
SELECT stxname FROM pg_statistic_ext ORDER BY 1;
SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1;
SELECT * FROM public.bodies ORDER BY 1
"""


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with new_local_vault(tmp_path) as vault:
        yield vault


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rxbackup.restore.plan._LARGE_BYTES", 0)


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def _facts(url: str) -> list[list[tuple[Any, ...]]]:
    with psycopg.connect(url) as conn:
        return [conn.execute(query).fetchall() for query in _FACTS.split(";")]


def _restore(url: str, vault: Vault, outcome: BackupOutcome, *, rehearse: bool = False, **wanted: Any) -> RestoreReport:
    plan = prepare_restore(outcome.manifest, RestoreRequest(maintenance=True, **wanted), source_url=url)
    return run_restore(plan, outcome.manifest, vault=vault, source_url=url, rehearse=rehearse, lock_timeout_seconds=2)


def _reloaded(report: RestoreReport) -> set[str]:
    return {name.removeprefix("public.") for name, result in report.tables.items() if result.reloaded}


_ALL_DAMAGED = (
    "TRUNCATE public.tags, public.spans",
    "UPDATE public.items SET body = 'spoiled', parent = NULL",
    "DELETE FROM public.firms WHERE id > 290",
    "UPDATE public.firms SET body = 'spoiled'",
    "INSERT INTO public.firms VALUES (90000, 'new', 'new')",
    "DELETE FROM public.parts WHERE id > 10",
    "UPDATE public.parts SET body = 'spoiled'",
)


def _backed_up(url: str, vault: Vault) -> tuple[BackupOutcome, Image]:
    run_psql(url, _SCHEMA)
    return back_up(url, vault), take_image(url)


def test_everything_is_as_it_was(system_database: str, vault: Vault) -> None:
    outcome, before = _backed_up(system_database, vault)
    facts = _facts(system_database)
    _run(system_database, *_ALL_DAMAGED)
    foretold = _restore(system_database, vault, outcome, rehearse=True)
    assert foretold.tables["public.firms"].removed == 1
    report = _restore(system_database, vault, outcome)
    after = take_image(system_database)
    assert after.differing(before) == []
    assert _facts(system_database) == facts
    assert _reloaded(report) == {"firms", "items", "tags", "spans"}
    assert report.tables["public.items"].rows == report.tables["public.items"].added == 2000
    with psycopg.connect(system_database) as conn:
        row = conn.execute("INSERT INTO public.firms VALUES (4000, 'more') RETURNING id").fetchone()
        assert row == (4000,)
        assert conn.execute("SELECT nextval('public.items_id_seq')").fetchone() == (2001,)


def test_a_partitioned_table_that_no_key_links(system_database: str, vault: Vault) -> None:
    _backed_up(system_database, vault)
    _run(system_database, "DROP TABLE public.bits")
    outcome, before, facts = back_up(system_database, vault), take_image(system_database), _facts(system_database)
    _run(system_database, *_ALL_DAMAGED)
    report = _restore(system_database, vault, outcome)
    assert "parts" in _reloaded(report)
    assert take_image(system_database).differing(before) == []
    assert _facts(system_database) == facts


def test_small_tables_and_small_damage_are_set_right_row_by_row(
    system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, before = _backed_up(system_database, vault)
    facts = _facts(system_database)
    monkeypatch.setattr("rxbackup.restore.plan._LARGE_BYTES", 60_000)
    _run(system_database, *_ALL_DAMAGED)
    report = _restore(system_database, vault, outcome)
    assert _reloaded(report) == {"items"}
    assert report.tables["public.firms"].changed
    assert take_image(system_database).differing(before) == []
    assert _facts(system_database) == facts


def test_a_key_from_a_table_that_is_not_restored_holds(system_database: str, vault: Vault) -> None:
    outcome, before = _backed_up(system_database, vault)
    facts = _facts(system_database)
    _run(
        system_database,
        "UPDATE public.firms SET body = 'spoiled'",
    )
    report = _restore(system_database, vault, outcome, tables=("public.firms",))
    assert _reloaded(report) == {"firms"}
    assert take_image(system_database).differing(before) == []
    assert _facts(system_database) == facts
    _run(
        system_database,
        "INSERT INTO public.firms VALUES (90000, 'new', 'new')",
        "UPDATE public.items SET firm = 90000 WHERE id = 5",
    )
    damaged = take_image(system_database)
    _run(system_database, "UPDATE public.firms SET body = 'spoiled'")
    with pytest.raises(errors.PlanRefused, match="items_firm"):
        _restore(system_database, vault, outcome, tables=("public.firms",))
    _run(system_database, "UPDATE public.firms SET body = md5(id::text) WHERE id < 90000")
    _run(system_database, "UPDATE public.firms SET body = 'new' WHERE id = 90000")
    assert take_image(system_database).differing(damaged) == []
    assert _facts(system_database) == facts


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        ("ALTER TABLE public.firms ADD COLUMN newer int DEFAULT 7", ""),
        ("ALTER TABLE public.items DISABLE TRIGGER ALL", "ALTER TABLE public.items ENABLE TRIGGER ALL"),
    ],
    ids=["newer column", "triggers of keys off"],
)
def test_what_could_not_be_given_back_is_set_right_row_by_row(
    system_database: str, vault: Vault, change: str, undo: str
) -> None:
    outcome, before = _backed_up(system_database, vault)
    _run(system_database, "UPDATE public.firms SET body = 'spoiled'", "UPDATE public.items SET body = 'spoiled'")
    _run(admin_url(system_database), change)
    facts = _facts(system_database)
    report = _restore(system_database, vault, outcome)
    assert "firms" not in _reloaded(report)
    assert _facts(system_database) == facts
    if undo:
        _run(admin_url(system_database), undo)
        assert take_image(system_database).differing(before) == []


def test_rows_that_stay_as_they_are(system_database: str, vault: Vault) -> None:
    outcome, _ = _backed_up(system_database, vault)
    _run(system_database, "UPDATE public.firms SET body = 'mine'", "UPDATE public.items SET body = 'spoiled'")
    report = _restore(system_database, vault, outcome, keep=(KeptRow("public.firms", "code", "CODE 7"),))
    assert _reloaded(report) == {"items"}
    with psycopg.connect(system_database) as conn:
        assert conn.execute("SELECT id FROM public.firms WHERE body = 'mine'").fetchall() == [(7,)]


def test_a_table_whose_truncation_subscribers_do_not_hear_of(system_database: str, vault: Vault) -> None:
    outcome, before = _backed_up(system_database, vault)
    _run(
        admin_url(system_database),
        "CREATE PUBLICATION hears_no_truncate FOR TABLE public.spans WITH (publish = 'insert, delete')",
    )
    _run(system_database, *_ALL_DAMAGED)
    assert "spans" not in _reloaded(_restore(system_database, vault, outcome))
    assert take_image(system_database).differing(before) == []


def test_damaged_bytes_change_nothing(system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = _backed_up(system_database, vault)
    _run(system_database, *_ALL_DAMAGED)
    damaged, facts = take_image(system_database), _facts(system_database)
    lost = next(t for t in outcome.manifest.tables if t.qualified == "public.tags").segments[-1].chunks[-1]
    real = vault.get_chunk

    def get_chunk(chunk: str) -> bytes:
        if chunk == lost:
            raise errors.ChunkMissing
        return real(chunk)

    monkeypatch.setattr(vault, "get_chunk", get_chunk)
    with pytest.raises(errors.ChunkMissing):
        _restore(system_database, vault, outcome)
    assert take_image(system_database) == damaged
    assert _facts(system_database) == facts


@pytest.mark.parametrize(
    ("stricter", "said"),
    [
        ("ALTER TABLE public.items ADD CONSTRAINT no_a CHECK (body NOT LIKE 'a%')", r"public\.items.*no_a"),
        ("CREATE UNIQUE INDEX once ON public.items (left(body, 4))", r"public\.items.*once"),
    ],
    ids=["check", "unique index"],
)
def test_what_postgresql_refuses_is_said(system_database: str, vault: Vault, stricter: str, said: str) -> None:
    outcome, _ = _backed_up(system_database, vault)
    _run(system_database, "UPDATE public.items SET body = id || ' spoiled'")
    _run(system_database, "ALTER TABLE public.items DROP CONSTRAINT items_place_key", stricter)
    damaged, facts = take_image(system_database), _facts(system_database)
    with pytest.raises(errors.PlanRefused, match=said):
        _restore(system_database, vault, outcome)
    assert take_image(system_database) == damaged
    assert _facts(system_database) == facts


def test_readers_are_kept_away_and_only_as_long_as_it_takes(system_database: str, vault: Vault) -> None:
    outcome, _ = _backed_up(system_database, vault)
    _run(system_database, *_ALL_DAMAGED)
    with psycopg.connect(system_database) as reader:
        reader.execute("SELECT count(*) FROM public.firms")
        with pytest.raises(errors.LockNotAvailable):
            _restore(system_database, vault, outcome)


def test_the_plan_says_what_nobody_can_read_and_for_how_long(
    system_database: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, _ = _backed_up(system_database, vault)

    def warnings(**wanted: Any) -> tuple[str, ...]:
        return prepare_restore(outcome.manifest, RestoreRequest(**wanted), source_url=system_database).warnings

    assert warnings() == ()
    assert "for a few seconds" in warnings(maintenance=True)[0]
    monkeypatch.setattr("rxbackup.restore.plan._LOADED_BYTES_A_SECOND", 500)
    said = warnings(maintenance=True, tables=("public.items",))[0]
    assert said.startswith("Nobody can read public.items,")
    assert "minutes" in said


def test_other_modes_know_no_maintenance(system_database: str, vault: Vault) -> None:
    outcome, _ = _backed_up(system_database, vault)
    with pytest.raises(errors.UsageError):
        _restore(system_database, vault, outcome, mode="missing")
