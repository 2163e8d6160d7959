from __future__ import annotations

from pathlib import Path

import pytest

from rxbackup.errors import StoreUnavailable, UsageError
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import create_store, open_store


@pytest.mark.parametrize(
    "recipe",
    [StoreRecipe("tape"), StoreRecipe("local"), StoreRecipe("local", {"path": "here"}), StoreRecipe("database")],
)
def test_recipe_that_makes_no_sense_is_a_usage_error(recipe: StoreRecipe) -> None:
    with pytest.raises(UsageError):
        open_store(recipe)


def test_opening_makes_no_folder_and_creating_does(tmp_path: Path) -> None:
    recipe = StoreRecipe("local", {"path": str(tmp_path / "deep" / "store")})
    with pytest.raises(StoreUnavailable):
        open_store(recipe).put("a", b"")
    assert list(tmp_path.iterdir()) == []
    assert create_store(recipe).put("a", b"1")
    assert open_store(recipe).get("a") == b"1"


def test_memory_stores_share_by_label_only() -> None:
    open_store(StoreRecipe("memory", {"label": "one"})).put("a", b"1")
    assert open_store(StoreRecipe("memory", {"label": "one"})).get("a") == b"1"
    assert open_store(StoreRecipe("memory", {"label": "two"})).stat("a") is None
    assert open_store(StoreRecipe("memory")).stat("a") is None


def test_recipe_prints_no_secret() -> None:
    recipe = StoreRecipe("s3", {"secret": "hunter2"}, system_url="postgresql://a:hunter2@b/c", actor="ada@example.org")
    assert "hunter2" not in repr(recipe)
