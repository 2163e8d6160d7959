"""`backup rows` as people and scripts meet it."""

from __future__ import annotations

import csv
from pathlib import Path

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
