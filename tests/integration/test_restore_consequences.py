"""What keys speak against is told as values, with what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rxbackup import errors
from rxbackup.backup.run import BackupOutcome
from rxbackup.postgres.connecting import connect
from rxbackup.restore.consequences import Consequence
from rxbackup.restore.plan import KeptRow, RestoreRequest
from rxbackup.restore.report import RestoreReport
from rxbackup.restore.run import prepare_restore, run_restore
from rxbackup.vault.vault import Vault
from tests.support.databases import back_up, take_image
from tests.support.vaults import new_vault

_SCHEMA = (
    "CREATE TABLE shop_customers (id int PRIMARY KEY, name text UNIQUE, region text UNIQUE)",
    "CREATE TABLE shop_notes (id int PRIMARY KEY, body text)",
    "CREATE TABLE sale_orders (id int PRIMARY KEY, customer int REFERENCES shop_customers {action})",
    "CREATE TABLE sale_lines (id int PRIMARY KEY, sale int REFERENCES sale_orders)",
    "INSERT INTO shop_customers SELECT n, 'Customer ' || n, 'R' || n FROM generate_series(1, 10) n",
    "INSERT INTO shop_notes SELECT n, 'Note ' || n FROM generate_series(1, 10) n",
    "INSERT INTO sale_orders SELECT n, n FROM generate_series(1, 10) n",
    "INSERT INTO sale_lines SELECT n, n FROM generate_series(1, 10) n",
)
_NEWER_ORDERS = "INSERT INTO shop_customers VALUES (11, 'New', 'N'); INSERT INTO sale_orders VALUES (11, 11), (12, 11)"


@pytest.fixture
def vault() -> Vault:
    return new_vault()


def _shop(url: str, vault: Vault, action: str = "") -> BackupOutcome:
    _run(url, *(statement.format(action=action) for statement in _SCHEMA))
    return back_up(url, vault)


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _rehearse(url: str, vault: Vault, outcome: BackupOutcome, request: RestoreRequest) -> RestoreReport:
    plan = prepare_restore(outcome.manifest, request, source_url=url)
    before = take_image(url)
    report = run_restore(plan, outcome.manifest, vault=vault, source_url=url, rehearse=True)
    assert take_image(url) == before
    return report


def _restore(url: str, vault: Vault, outcome: BackupOutcome, request: RestoreRequest) -> RestoreReport:
    plan = prepare_restore(outcome.manifest, request, source_url=url)
    return run_restore(plan, outcome.manifest, vault=vault, source_url=url)


def _essence(consequences: Sequence[Consequence]) -> list[tuple[str, str, str, int]]:
    return [(c.kind, c.table, c.other, c.rows) for c in consequences]


def _choices(consequence: Consequence) -> list[tuple[str, str]]:
    return [(c.kind, c.value) for c in consequence.choices]


def test_orphans_are_told_with_every_way_out(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, _NEWER_ORDERS)
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(groups=("Shop",))).consequences
    assert _essence([found]) == [("orphans", "public.sale_orders", "public.shop_customers", 2)]
    assert _choices(found) == [("add-group", "Sale"), ("set-aside", ""), ("mode", "changed"), ("mode", "missing")]
    for mode in ("changed", "missing"):
        assert _rehearse(database, vault, outcome, RestoreRequest(groups=("Shop",), mode=mode)).consequences == ()


def test_a_rehearsal_shows_the_numbers_beside_what_speaks_against_them(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, _NEWER_ORDERS)
    report = _rehearse(database, vault, outcome, RestoreRequest(groups=("Shop",)))
    assert report.tables["public.shop_customers"].removed == 1
    with pytest.raises(errors.PlanRefused, match="2 of its rows") as refused:
        _restore(database, vault, outcome, RestoreRequest(groups=("Shop",)))
    assert refused.value.message == f"{report.consequences[0].message} Nothing was changed."
    assert refused.value.hint == report.consequences[0].hint


def test_a_mode_is_proposed_only_where_it_helps(database: str, vault: Vault) -> None:
    """A customer whose id was given to somebody else's row is changed by the mode that sets right what differs."""
    _run(
        database,
        "CREATE TABLE shop_codes (id int PRIMARY KEY, code int UNIQUE)",
        "INSERT INTO shop_codes VALUES (1, 1)",
    )
    _run(database, "CREATE TABLE sale_uses (id int PRIMARY KEY, code int REFERENCES shop_codes (code))")
    outcome = back_up(database, vault)
    _run(database, "UPDATE shop_codes SET code = 2", "INSERT INTO sale_uses VALUES (1, 2)")
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(tables=("public.shop_codes",))).consequences
    assert [c for c in _choices(found) if c[0] == "mode"] == [("mode", "missing")]


def test_the_parentless_are_told_with_every_way_out(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(database, "DELETE FROM sale_lines", "DELETE FROM sale_orders", "DELETE FROM shop_customers WHERE id < 4")
    request = RestoreRequest(tables=("public.sale_orders", "public.sale_lines", "public.shop_notes"))
    (found,) = _rehearse(database, vault, outcome, request).consequences
    assert _essence([found]) == [("parentless", "public.sale_orders", "public.shop_customers", 3)]
    assert found.hint == "Restore both tables together."
    assert _choices(found) == [
        ("add-table", "public.shop_customers"),
        ("set-aside", ""),
        ("skip-table", "public.sale_orders"),
    ]


def test_rows_that_are_there_need_no_parent_when_only_missing_ones_come_back(database: str, vault: Vault) -> None:
    _run(
        database,
        "CREATE TABLE shop_codes (id int PRIMARY KEY)",
        "CREATE TABLE sale_uses (id int PRIMARY KEY, code int REFERENCES shop_codes)",
        "INSERT INTO shop_codes VALUES (1), (2)",
        "INSERT INTO sale_uses VALUES (1, 1)",
    )
    outcome = back_up(database, vault)
    _run(database, "UPDATE sale_uses SET code = 2", "DELETE FROM shop_codes WHERE id = 1")
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(tables=("public.sale_uses",))).consequences
    assert ("mode", "missing") in _choices(found)


def test_a_clash_is_told_and_making_it_exact_proposed(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(
        database,
        "DELETE FROM sale_lines WHERE sale = 5",
        "DELETE FROM sale_orders WHERE id = 5",
        "DELETE FROM shop_customers WHERE id = 5",
        "INSERT INTO shop_customers VALUES (50, 'Customer 5', 'elsewhere')",
    )
    for mode in ("missing", "changed"):
        (found,) = _rehearse(database, vault, outcome, RestoreRequest(mode=mode)).consequences
        assert _essence([found]) == [("clash", "public.shop_customers", "public.shop_customers", 1)]
        assert _choices(found) == [("set-aside", ""), ("mode", "exact"), ("skip-group", "Shop")]
        with pytest.raises(errors.PlanRefused, match="newer rows hold their name"):
            _restore(database, vault, outcome, RestoreRequest(mode=mode))


def test_tables_outside_the_backup_are_not_offered(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(
        database,
        "CREATE TABLE claims (id int PRIMARY KEY, customer int REFERENCES shop_customers)",
        "INSERT INTO shop_customers VALUES (11, 'New', 'N')",
        "INSERT INTO claims VALUES (1, 11)",
    )
    (found,) = _rehearse(database, vault, outcome, RestoreRequest()).consequences
    assert _choices(found) == [("set-aside", ""), ("mode", "changed"), ("mode", "missing"), ("skip-group", "Shop")]


def test_a_row_without_a_key_that_differs_is_never_replaced_under_rows_that_refer_to_it(
    database: str, vault: Vault
) -> None:
    """It can only be deleted and inserted anew: that would delete, or empty, what refers to it by a unique value."""
    _run(
        database,
        "CREATE TABLE shop_codes (code int UNIQUE, body text)",
        "CREATE TABLE sale_uses (id int PRIMARY KEY, code int REFERENCES shop_codes (code) ON DELETE CASCADE)",
        "INSERT INTO shop_codes VALUES (1, 'one'), (2, 'two')",
    )
    outcome = back_up(database, vault)
    _run(
        database, "INSERT INTO sale_uses VALUES (1, 1), (2, 2)", "UPDATE shop_codes SET body = 'spoiled' WHERE code = 1"
    )
    before = take_image(database)
    with pytest.raises(errors.PlanRefused, match="1 of its rows refer"):
        _restore(database, vault, outcome, RestoreRequest(tables=("public.shop_codes",)))
    assert take_image(database) == before


def test_keys_over_columns_that_postgresql_computes_are_borders_too(database: str, vault: Vault) -> None:
    _run(
        database,
        "CREATE TABLE shop_codes (id int PRIMARY KEY, half int, code int GENERATED ALWAYS AS (half * 2) STORED UNIQUE)",
        "CREATE TABLE sale_uses (id int PRIMARY KEY, code int REFERENCES shop_codes (code))",
        "INSERT INTO shop_codes VALUES (1, 1), (2, 2)",
        "INSERT INTO sale_uses VALUES (1, 2)",
    )
    outcome = back_up(database, vault)
    _run(database, "INSERT INTO shop_codes VALUES (3, 3)", "INSERT INTO sale_uses VALUES (2, 6)")
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(tables=("public.shop_codes",))).consequences
    assert _essence([found]) == [("orphans", "public.sale_uses", "public.shop_codes", 1)]
    _run(database, "DELETE FROM sale_uses WHERE id = 2")
    _restore(database, vault, outcome, RestoreRequest())
    _run(database, "DELETE FROM sale_uses", "DELETE FROM shop_codes WHERE id = 1")
    with pytest.raises(errors.PlanRefused):
        _restore(database, vault, outcome, RestoreRequest(tables=("public.sale_uses",)))


def test_a_key_that_was_never_validated_is_asked_only_for_rows_that_come_back(database: str, vault: Vault) -> None:
    _run(
        database,
        "CREATE TABLE shop_codes (id int PRIMARY KEY)",
        "CREATE TABLE sale_uses (id int PRIMARY KEY, code int)",
        "INSERT INTO sale_uses VALUES (1, 7), (2, 8)",
        "ALTER TABLE sale_uses ADD FOREIGN KEY (code) REFERENCES shop_codes NOT VALID",
    )
    outcome = back_up(database, vault)
    _run(database, "INSERT INTO sale_uses VALUES (3, NULL)")
    _restore(database, vault, outcome, RestoreRequest(tables=("public.sale_uses",)))
    _run(database, "DELETE FROM sale_uses WHERE id = 2")
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(tables=("public.sale_uses",))).consequences
    assert _essence([found]) == [("parentless", "public.sale_uses", "public.shop_codes", 1)]


def test_half_empty_references_refer_to_nothing(database: str, vault: Vault) -> None:
    _run(
        database,
        "CREATE TABLE shop_pairs (a int, b int, PRIMARY KEY (a, b))",
        "CREATE TABLE sale_uses (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES shop_pairs)",
        "INSERT INTO sale_uses VALUES (1, 1, NULL), (2, NULL, 2), (3, NULL, NULL)",
    )
    outcome = back_up(database, vault)
    _run(database, "DELETE FROM sale_uses")
    report = _restore(database, vault, outcome, RestoreRequest(tables=("public.sale_uses",)))
    assert report.tables["public.sale_uses"].added == 3


def test_newer_rows_that_refer_by_a_value_which_goes_back_are_told(database: str, vault: Vault) -> None:
    """Both tables are restored; only the mode keeps rows that the backup knows nothing of."""
    _run(
        database,
        "CREATE TABLE shop_codes (id int PRIMARY KEY, code int UNIQUE)",
        "CREATE TABLE shop_uses (id int PRIMARY KEY, code int REFERENCES shop_codes (code))",
        "INSERT INTO shop_codes VALUES (1, 1)",
    )
    outcome = back_up(database, vault)
    _run(database, "UPDATE shop_codes SET code = 2", "INSERT INTO shop_uses VALUES (1, 2)")
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(mode="changed")).consequences
    assert _essence([found]) == [("orphans", "public.shop_uses", "public.shop_codes", 1)]
    assert _rehearse(database, vault, outcome, RestoreRequest(mode="exact")).consequences == ()


def test_a_kept_row_in_the_way_of_another_is_told(database: str, vault: Vault) -> None:
    outcome = _shop(database, vault)
    _run(
        database,
        "UPDATE shop_customers SET name = 'x', region = 'y' WHERE id = 3",
        "UPDATE shop_customers SET name = 'Customer 3' WHERE id = 4",
    )
    kept = KeptRow("public.shop_customers", "name", "customer 3")
    # Number 4 stays, under the name of number 3; number 3 of the backup has that name, so it stays as well.
    report = _rehearse(database, vault, outcome, RestoreRequest(keep=(kept,)))
    assert report.consequences == ()
    assert report.tables["public.shop_customers"].changed == 0
    _run(
        database,
        "UPDATE shop_customers SET region = 'R8' || '.' WHERE id = 8",
        "UPDATE shop_customers SET region = 'R8' WHERE id = 4",
    )
    (found,) = _rehearse(database, vault, outcome, RestoreRequest(keep=(kept,))).consequences
    assert _essence([found]) == [("clash", "public.shop_customers", "public.shop_customers", 1)]
    assert "stays as it is holds their region" in found.message
    assert "account" in found.hint
