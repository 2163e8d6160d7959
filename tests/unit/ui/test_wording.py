"""Facts as words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rxbackup
from rxbackup.ui import wording


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.01, "0.1 s"),
        (4.24, "4.2 s"),
        (12, "12 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
    ],
)
def test_a_span_has_at_most_two_units(seconds: float, words: str) -> None:
    assert wording.span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2, "a few seconds left"), (33, "about 35 s left"), (130, "about 2 min left"), (7000, "about 2 h left")],
)
def test_time_left_is_rough(seconds: float, words: str) -> None:
    assert wording.time_left(seconds) == words


def test_plural_counts_one_and_many() -> None:
    assert wording.plural(1, "group") == "1 group"
    assert wording.plural(6, "group") == "6 groups"
    assert wording.plural(1_234_567, "row") == "1\u202f234\u202f567 rows"


def test_every_proof_has_a_word_and_a_meaning() -> None:
    assert set(wording.PROOF_WORDS) == set(wording.PROOF_MEANINGS)
    assert {"stored", "readable", "decrypted", "restored"} < set(wording.PROOF_WORDS)


def test_no_stage_of_the_engine_speaks_of_the_trade() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(rxbackup.__file__).parent.glob("*/*.py"))
    stages = set(re.findall(r'[Pp]rogress\(\s*"([^"]+)"', source))
    assert "Reading chunks" in stages  # the pattern still finds them
    for words in stages:
        assert not re.search("chunk|manifest|snapshot|segment|job", wording.stage(words), re.IGNORECASE)
