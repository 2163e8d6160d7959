"""A long row goes through an export without a second copy of it in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from rxbackup.export.json_document import write_json
from rxbackup.export.sql_script import write_sql
from rxbackup.stores.local import LocalStore
from tests.support.vaults import column, manifest, new_vault, table

MIB = 1 << 20


@pytest.mark.parametrize(("write", "row_times"), [(write_json, 1.2), (write_sql, 0)], ids=["json", "sql"])
def test_long_row_is_held_once_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Iterator[bytes]], row_times: float
) -> None:
    vault = new_vault(LocalStore.create(tmp_path_factory.mktemp("vault") / "store"))
    row = b"1\t" + rb'line \\ with "quotes"\n' * (48 * MIB // 22) + b"\n"
    whole = manifest(vault, [table(vault, "t", [column("id", "integer"), column("body")], [row, b"2\t\n"])])
    tracemalloc.start()
    length = sum(map(len, write(vault, whole)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > len(row)
    assert peak < len(row) * row_times + 40 * MIB
