"""What a plan says of columns that moved, and that the restore then does just that."""

from __future__ import annotations

import pytest

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.restore.plan import RestorePlan, RestoreRequest
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, take_image
from tests.support.vaults import new_vault

_SCHEMA = (
    "CREATE TABLE notes (id int PRIMARY KEY, body text, stars int)",
    "INSERT INTO notes SELECT n, 'note ' || n, n FROM generate_series(1, 9) n",
    "CREATE TABLE parts (id int, kind int, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)",
    "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2)",
    "INSERT INTO parts SELECT n, 1 + n % 2, 'part ' || n FROM generate_series(1, 9) n",
)


@pytest.fixture
def vault() -> Vault:
    return new_vault()


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _backed_up(url: str, vault: Vault) -> BackupOutcome:
    _run(url, *_SCHEMA)
    return back_up(url, vault)


def _plan(url: str, outcome: BackupOutcome) -> RestorePlan:
    return prepare_restore(outcome.manifest, RestoreRequest(), source_url=url)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("ALTER TABLE notes RENAME body TO words", ("public.notes", "body", "renamed", True, "words")),
        ("ALTER TABLE parts RENAME body TO words", ("public.parts", "body", "renamed", True, "words")),
        ("ALTER TABLE notes DROP body", ("public.notes", "body", "dropped", True, "")),
        ("ALTER TABLE notes ADD later text NOT NULL", None),
        ("ALTER TABLE notes ADD later text", ("public.notes", "later", "new", False, "")),
        ("ALTER TABLE notes ALTER stars TYPE bigint", ("public.notes", "stars", "retyped", False, "bigint")),
        (
            "ALTER TABLE parts ALTER body TYPE varchar(9)",
            ("public.parts", "body", "retyped", False, "character varying(9)"),
        ),
    ],
)
def test_drift_is_told_and_is_the_one_source_of_what_the_plan_says(
    database: str, vault: Vault, change: str, found: tuple[object, ...] | None
) -> None:
    outcome = _backed_up(database, vault)
    if found is None:
        _run(database, "TRUNCATE notes")
        found = ("public.notes", "later", "new", True, "")
    _run(database, change)
    before = take_image(database)
    plan = _plan(database, outcome)
    (drift,) = plan.drift
    assert (drift.table, drift.column, drift.kind, drift.blocks, drift.now) == found
    if drift.blocks:
        assert [(p.message, p.hint) for p in plan.problems] == [(drift.message, drift.hint)]
        with pytest.raises(errors.PlanRefused):
            run_restore(plan, outcome.manifest, vault=vault, source_url=database)
        assert take_image(database) == before
    else:
        assert plan.warnings == (drift.message,)
        run_restore(plan, outcome.manifest, vault=vault, source_url=database)


def test_a_new_column_keeps_its_values_in_rows_that_stay_and_its_default_comes_with_rows_that_return(
    database: str, vault: Vault
) -> None:
    outcome = _backed_up(database, vault)
    _run(
        database,
        "ALTER TABLE notes ADD later int DEFAULT 7",
        "UPDATE notes SET later = 1, body = 'spoiled' WHERE id = 1",
        "DELETE FROM notes WHERE id = 2",
    )
    run_restore(_plan(database, outcome), outcome.manifest, vault=vault, source_url=database)
    with connect(database, application_name="test") as conn:
        rows = conn.execute("SELECT id, body, later FROM notes WHERE id < 3 ORDER BY id").fetchall()
    assert rows == [(1, "note 1", 1), (2, "note 2", 7)]


def test_values_that_do_not_fit_the_new_type_stop_the_whole_restore(database: str, vault: Vault) -> None:
    outcome = _backed_up(database, vault)
    _run(database, "DELETE FROM parts", "TRUNCATE notes", "ALTER TABLE notes ALTER body TYPE int USING 1")
    before = take_image(database)
    with pytest.raises(errors.RxbackupError, match="invalid input syntax for type integer"):
        run_restore(_plan(database, outcome), outcome.manifest, vault=vault, source_url=database)
    assert take_image(database) == before


def test_only_the_tables_that_were_chosen_count(database: str, vault: Vault) -> None:
    outcome = _backed_up(database, vault)
    _run(database, "ALTER TABLE notes DROP body", "DELETE FROM parts WHERE id < 5")
    spoiled = take_image(database).rows["public.notes"]
    request = RestoreRequest(tables=("public.parts",))
    plan = prepare_restore(outcome.manifest, request, source_url=database)
    assert plan.drift == ()
    report = run_restore(plan, outcome.manifest, vault=vault, source_url=database)
    assert {name: t.added for name, t in report.tables.items()} == {"public.parts": 4}
    assert take_image(database).rows["public.notes"] == spoiled


def test_single_tables_are_chosen_within_groups_and_sequences_move_with_them_alone(database: str, vault: Vault) -> None:
    _run(
        database,
        "CREATE TABLE notes (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, body text)",
        "CREATE TABLE parts (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, body text)",
        "INSERT INTO notes (body) VALUES ('a'), ('b')",
        "INSERT INTO parts (body) VALUES ('a'), ('b')",
    )
    outcome = back_up(database, vault)
    _run(database, "TRUNCATE notes RESTART IDENTITY", "TRUNCATE parts RESTART IDENTITY")
    plan = prepare_restore(outcome.manifest, RestoreRequest(tables=("public.notes",)), source_url=database)
    report = run_restore(plan, outcome.manifest, vault=vault, source_url=database)
    assert list(report.tables) == ["public.notes"]
    assert report.sequences == ("public.notes_id_seq",)
    with connect(database, application_name="test") as conn:
        assert conn.execute("SELECT count(*) FROM parts").fetchone() == (0,)


@pytest.mark.parametrize("unknown", ["public.note", "notes", "public.parts_1"])
def test_a_table_that_the_backup_does_not_have_gets_like_names_proposed(
    database: str, vault: Vault, unknown: str
) -> None:
    outcome = _backed_up(database, vault)
    with pytest.raises(errors.UsageError, match="There is no table") as refused:
        prepare_restore(outcome.manifest, RestoreRequest(tables=(unknown,)), source_url=database)
    assert refused.value.hint is not None
    assert ("public.parts" if "parts" in unknown else "public.notes") in refused.value.hint


def test_a_plan_of_another_choice_or_mode_stands_on_other_ground(database: str, vault: Vault) -> None:
    outcome = _backed_up(database, vault)
    requests = (
        RestoreRequest(),
        RestoreRequest(mode="missing"),
        RestoreRequest(tables=("public.notes",)),
        RestoreRequest(tables=("public.parts",)),
    )
    plans = {prepare_restore(outcome.manifest, r, source_url=database, counted=False).fingerprint for r in requests}
    assert len(plans) == 4
    both = RestoreRequest(tables=("public.parts", "public.notes"), set_aside=True)
    assert prepare_restore(outcome.manifest, both, source_url=database).fingerprint in plans


def test_maintenance_goes_with_the_mode_exact_only(database: str, vault: Vault) -> None:
    outcome = _backed_up(database, vault)
    with pytest.raises(errors.UsageError, match="exact only"):
        prepare_restore(outcome.manifest, RestoreRequest(mode="missing", maintenance=True), source_url=database)
