from __future__ import annotations

import pickle

import pytest

import rxbackup.errors
from rxbackup.errors import RxbackupError


def _classes() -> list[type[RxbackupError]]:
    return [v for v in vars(rxbackup.errors).values() if isinstance(v, type) and issubclass(v, RxbackupError)]


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_code_status_and_hint(kind: type[RxbackupError]) -> None:
    error = kind()
    assert error.code == error.code.lower()
    assert 1 <= error.exit_code <= 6
    assert 400 <= error.http_status <= 599
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    assert (kind.__doc__ or "").strip()
    again = pickle.loads(pickle.dumps(kind("What happened.", hint="What to do.")))
    assert (type(again), again.message, again.hint) == (kind, "What happened.", "What to do.")


def test_codes_are_unique() -> None:
    codes = [kind().code for kind in _classes()]
    assert len(codes) == len(set(codes))
