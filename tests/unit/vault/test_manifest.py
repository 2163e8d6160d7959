from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from rxbackup.errors import ManifestCorrupt
from rxbackup.vault.manifest import Manifest
from tests.support.vaults import column, manifest, new_vault, sequence, table


@pytest.fixture
def whole() -> Manifest:
    vault = new_vault()
    rows = [b"1\ta\n", b"", b"2\tb\n3\tc\n"]
    entry = table(vault, "t", [column("id", "integer"), column("name"), column("up", generated="s")], rows)
    return manifest(vault, [entry], [sequence()])


def test_json_round_trips(whole: Manifest) -> None:
    assert Manifest.from_json(whole.to_json()) == whole
    assert Manifest.from_json(whole.to_json().decode()) == whole
    assert Manifest.from_dict(whole.to_dict()) == whole


def test_generated_columns_are_not_copied(whole: Manifest) -> None:
    assert [each.name for each in whole.tables[0].copied_columns] == ["id", "name"]
    assert whole.tables[0].qualified == "public.t"
    assert whole.sequences[0].qualified == "public.things_id_seq"


def test_chunk_ids_are_those_of_the_segments(whole: Manifest) -> None:
    assert whole.chunk_ids() == {chunk for segment in whole.tables[0].segments for chunk in segment.chunks}
    assert len(whole.chunk_ids()) == 2


def test_anchors_are_needed_too(whole: Manifest) -> None:
    difference, anchor = min(whole.chunk_ids()), "a" * 64
    leaning = dataclasses.replace(whole, leans={difference: anchor})
    leaning.check()
    assert leaning.needed_ids() == whole.chunk_ids() | {anchor}
    assert Manifest.from_json(leaning.to_json()).leans == {difference: anchor}


def test_manifests_without_anchors_written_down_are_read(whole: Manifest) -> None:
    document = whole.to_dict()
    del document["leans"]
    old = Manifest.from_dict(document)
    assert old.leans is None
    assert old.needed_ids() == old.chunk_ids()


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"{}", b"{", b'{"format": 1}', b'{"format": "other/1"}', b"\xff"]
)
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(ManifestCorrupt):
        Manifest.from_json(text)


def test_later_major_format_is_refused_with_advice(whole: Manifest) -> None:
    with pytest.raises(ManifestCorrupt, match="rxbackup/2") as caught:
        Manifest.from_dict(whole.to_dict() | {"format": "rxbackup/2"})
    assert "newer version" in caught.value.hint


def test_unknown_fields_are_ignored_only_in_a_later_minor_format(whole: Manifest) -> None:
    more = whole.to_dict() | {"extra": 1}
    with pytest.raises(ManifestCorrupt, match="extra is unknown"):
        Manifest.from_dict(more)
    assert Manifest.from_dict(more | {"format": "rxbackup/1.4"}).tables == whole.tables


def test_every_missing_field_is_noticed(whole: Manifest) -> None:
    for name in whole.to_dict().keys() - {"format", "warnings", "leans"}:
        document = whole.to_dict()
        del document[name]
        with pytest.raises(ManifestCorrupt, match=name):
            Manifest.from_dict(document)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["tables"][0].update(rows=7), "sum of its segments"),
        (lambda d: d["tables"][0].update(raw_bytes=7), "sum of its segments"),
        (lambda d: d["totals"].update(rows=7), "sum of its tables"),
        (lambda d: d["tables"][0]["segments"][0].update(chunks=["x"]), "no chunk"),
        (lambda d: d["tables"][0]["segments"][0].update(chunks=[]), "without chunks"),
        (lambda d: d["tables"][0].update(primary_key=["other"]), "fit together"),
        (lambda d: d["tables"].append(d["tables"][0]), "twice"),
        (lambda d: d.update(leans={"0" * 64: "1" * 64}), "holds none of its rows"),
        (lambda d: d.update(leans={"0" * 64: "x"}), "no chunk kept whole"),
        (lambda d: d.update(leans={"0" * 64: "1" * 64, "1" * 64: "2" * 64}), "no chunk kept whole"),
        (lambda d: d.update(backup_id="../x"), "no uuid"),
        (lambda d: d["tables"][0].update(rows="3"), "rows is not int"),
        (lambda d: d["tables"][0].update(rows=True), "rows is not int"),
        (lambda d: d["tables"][0].update(rows=1 << 70), "rows is not int"),
        (lambda d: d.update(name=None), "name is not str"),
        (lambda d: d.update(tables={}), "tables is not a list"),
        (lambda d: d.update(pins=[]), "pins is not an object"),
        (lambda d: d.update(server="x"), "server is not an object"),
        (lambda d: d["tables"][0]["columns"][0].update(more=1), "more is unknown"),
    ],
)
def test_contradictions_are_named(whole: Manifest, change: Callable[[dict[str, Any]], None], said: str) -> None:
    document = orjson.loads(whole.to_json())
    change(document)
    with pytest.raises(ManifestCorrupt, match=said):
        Manifest.from_dict(document)
