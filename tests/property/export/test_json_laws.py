from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxbackup.errors import Corrupt
from rxbackup.export.json_document import write_json
from rxbackup.export.json_reading import copy_field, split_object, value_end
from rxbackup.export.json_rows import RowWriter
from rxbackup.export.json_values import CONVERTERS, ValueKind, kind_of
from rxbackup.postgres.copy_format import NULL, join_row
from tests.support.vaults import column, manifest, new_vault, table

digits = st.integers(-(2**63), 2**63 - 1).map(lambda n: str(n).encode())
numbers = st.one_of(
    digits,
    st.sampled_from([b"NaN", b"Infinity", b"-Infinity", b"1e+20", b"-0", b"5e-324", b"1.10", b"0.000", b"1e-07"]),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda d: format(d, "f").encode()),
)
texts = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=20),
    st.sampled_from([b"", b"\\N", b"\\.", b"null", b'"', b"\\v\v\\\\v", b"\x00\x01\x1f\x7f", "\u2028\ufeff".encode()]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=6), st.sampled_from(["$json", "$bytes", "$jso"])), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
blanks = st.text(" \n\t\r", max_size=2)
documents = st.one_of(
    st.builds(
        lambda value, ascii_only, a, b: (a + json.dumps(value, ensure_ascii=ascii_only) + b).encode(),
        json_values,
        st.booleans(),
        blanks,
        blanks,
    ),
    st.sampled_from(
        [b'{"a":1,"a":2}', b'{ "$json" : 1}', b'{"$json":1,"$json":2}', b'{"\\u0024json":null}', b"1e400", b'"\\ud800"']
    ),
)

BY_TYPE = {
    "bigint": digits,
    "numeric(10,2)": numbers,
    "double precision": numbers,
    "boolean": st.sampled_from([b"t", b"f"]),
    "jsonb": documents,
    "json": documents,
    "text": texts,
    "text[]": texts,
    "myschema.price": texts,
}
types = st.lists(st.sampled_from(sorted(BY_TYPE)), min_size=1, max_size=6)


def _row(kinds: list[str], data: st.DataObject) -> bytes:
    return join_row([data.draw(st.one_of(st.none(), BY_TYPE[kind])) for kind in kinds])


@given(types, st.data())
def test_json_gives_back_the_same_bytes(kinds: list[str], data: st.DataObject) -> None:
    rows = [_row(kinds, data) for _ in range(data.draw(st.integers(1, 4)))]
    vault = new_vault()
    columns = [column(f'c{index}"%', kind) for index, kind in enumerate(kinds)]
    entry = table(vault, "t", columns, [b"".join(rows)])
    written = b"".join(RowWriter(entry).write(b"".join(rows)))
    objects, start = [], 0
    while start < len(written):
        end = value_end(written, start)
        assert written[end : end + 2] in (b"", b",\n")
        objects.append(written[start:end])
        start = end + 2
    for line, text in zip(rows, objects, strict=True):
        pairs = split_object(text)
        assert [key for key, _ in pairs] == [each.name for each in columns]
        fields = [copy_field(value, kind_of(kind)) for (_, value), kind in zip(pairs, kinds, strict=True)]
        assert b"\t".join(fields) + b"\n" == line


@given(types, st.lists(st.integers(0, 9), max_size=3), st.data())
def test_document_is_one_valid_utf8_json(kinds: list[str], sizes: list[int], data: st.DataObject) -> None:
    vault = new_vault()
    segments = [b"".join(_row(kinds, data) for _ in range(size)) for size in sizes]
    entry = table(vault, "t", [column(f"c{i}", kind) for i, kind in enumerate(kinds)], segments, limit=50)
    whole = b"".join(write_json(vault, manifest(vault, [entry]))).decode("utf-8")
    assert len(json.loads(whole)["data"]["public.t"]) == sum(sizes)


@given(documents)
@example(b"null")
@example(b' {"$json":null}')
def test_json_documents_survive_and_never_look_like_null(value: bytes) -> None:
    field = join_row([value]).removesuffix(b"\n")
    written = CONVERTERS[ValueKind.DOCUMENT](field)
    assert written != b"null"
    assert copy_field(written, ValueKind.DOCUMENT) == field


@given(st.lists(texts, min_size=1, max_size=3), st.sampled_from([3, 7, 64]))
def test_long_rows_are_written_as_short_ones(values: list[bytes], window: int) -> None:
    vault = new_vault()
    entry = table(vault, "t", [column(f"c{i}") for i in range(len(values))], [])
    block = join_row(values) + join_row(values)
    short = b"".join(RowWriter(entry).write(block))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rxbackup.export.json_rows.CHUNK_BYTES", 1)
        patch.setattr("rxbackup.export.json_rows.WINDOW_BYTES", window)
        patch.setattr("rxbackup.export.json_values.WINDOW_BYTES", window)
        assert b"".join(RowWriter(entry).write(bytearray(block))) == short


@given(documents)
def test_long_documents_are_written_as_short_ones(value: bytes) -> None:
    vault = new_vault()
    entry = table(vault, "t", [column("c", "json")], [])
    block = join_row([value])
    short = b"".join(RowWriter(entry).write(block))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rxbackup.export.json_rows.CHUNK_BYTES", 1)
        patch.setattr("rxbackup.export.json_rows.WINDOW_BYTES", 40)
        patch.setattr("rxbackup.export.json_values.WINDOW_BYTES", 40)
        assert b"".join(RowWriter(entry).write(block)) == short


@pytest.mark.parametrize("row", [b"1\n", b"1\t2\t3\n", b"1\t\\\\\n\n"])
def test_row_that_does_not_fit_is_damage_and_no_traceback(row: bytes) -> None:
    vault = new_vault()
    entry = table(vault, "t", [column("a", "integer"), column("b")], [])
    with pytest.raises(Corrupt, match=r"public\.t"):
        list(RowWriter(entry).write(row))


def test_example_of_everything() -> None:
    vault = new_vault()
    columns = [
        column("id", "integer"),
        column("n", "numeric"),
        column("f", "double precision"),
        column("ok", "boolean"),
        column("j", "jsonb"),
        column("s", "character varying(20)"),
        column("g", "text", generated="s"),
    ]
    rows = b'1\t1.10\tNaN\tt\tnull\ta\\tb"c\n\\N\t\\N\t1e+20\tf\t{"k": "a\\\\nb"}\t\\N\n'
    entry = table(vault, "t", columns, [rows])
    document = b"".join(write_json(vault, manifest(vault, [entry])))
    assert b'{"id":1,"n":1.10,"f":"NaN","ok":true,"j":{"$json":null},"s":"a\\tb\\"c"}' in document
    assert b'{"id":null,"n":null,"f":1e+20,"ok":false,"j":{"k": "a\\nb"},"s":null}' in document
    assert orjson.loads(document)["version"] == "1.0.0"
    assert NULL not in document
