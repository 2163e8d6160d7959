"""`backup rows` and `compare` as people and scripts meet them."""

from __future__ import annotations

import csv
from pathlib import Path

import psycopg

from tests.support.terminal import Terminal


def test_rows_of_a_backup_on_the_terminal(shop: Terminal, tmp_path: Path) -> None:
    backup = shop.run("backup", "create", "--name", "First", "--json", "-q").json["id"]
    listed = shop.run("backup", "rows", "First", "--json").json
    assert {t["name"]: t["rows"] for t in listed["tables"]}["public.orders"] == 500
    assert "public.orders" in shop.run("backup", "rows", backup[:8]).out

    found = shop.run("backup", "rows", backup, "orders", "--where", "customer_id=7", "--limit", "3", "--json").json
    assert [row["id"] for row in found["rows"]] == ["6", "56", "106"]
    further = shop.run(
        "backup", "rows", backup, "orders", "--where", "customer_id=7", "--after", found["next"], "--json"
    ).json
    assert [row["id"] for row in further["rows"]][:2] == ["156", "206"]
    assert further["next"] is None
    assert "customer 7" in shop.run("backup", "rows", backup, "customers", "--where", "name~MER 7").out

    target = tmp_path / "orders.csv"
    assert shop.run("backup", "rows", backup, "orders", "-o", str(target)).code == 0
    with target.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 500
    assert target.stat().st_mode & 0o777 == 0o600
    assert shop.run("backup", "rows", backup, "orders", "-o", str(target)).code == 3
    assert shop.run("backup", "rows", backup, "order", "--json").error["hint"] == "Did you mean public.orders?"
    assert shop.run("backup", "rows", backup, "order").code == 4
    assert shop.run("backup", "rows", backup, "orders", "--where", "x=1").code == 2


def test_compare_on_the_terminal(shop: Terminal) -> None:
    assert shop.run("backup", "create", "--name", "First", "-q").code == 0
    with psycopg.connect(shop.settings["RXBACKUP_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("DELETE FROM public.orders WHERE id <= 3")
        conn.execute("UPDATE public.customers SET name = E'bell\\x07' WHERE id = 7")
    found = shop.run("compare", "First", "now", "--json", "-q").json
    assert {t["name"]: (t["added"], t["changed"], t["removed"]) for t in found["tables"]} == {
        "public.customers": (0, 1, 0), "public.orders": (0, 0, 3),
    }  # fmt: skip
    assert found["parts_opened"] < found["parts_total"]
    told = shop.run("compare", "First")
    assert "public.orders" in told.out
    assert "parts opened" in told.out
    rows = shop.run("compare", "First", "now", "--table", "orders", "--rows", "2")
    assert rows.out.splitlines()[0].startswith("- id: 1, customer_id: ")
    assert rows.out.splitlines()[-1] == "More: --skip 2"
    changed = shop.run("compare", "First", "--table", "customers").out
    assert "~ id: 7, name: customer 7 → bell\N{REPLACEMENT CHARACTER}" in changed
    shop.run("backup", "create", "--name", "Second", "-q")
    assert shop.run("compare", "Second", "now").out.startswith("No row differs between Second and now.")
    assert shop.run("compare", "First", "Third").code == 4
