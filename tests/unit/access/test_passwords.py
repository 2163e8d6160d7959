from __future__ import annotations

import re
import statistics
import time

import pytest

from rxbackup.access.passwords import check_acceptable, hash_password, needs_rehash, verify_password
from rxbackup.errors import UsageError


def test_the_hash_is_argon2id_with_enough_work() -> None:
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$", hash_password("correct staple battery"))
    assert found is not None
    memory, passes, lanes = map(int, found.groups())
    assert (memory >= 19 * 1024, passes >= 2, lanes) == (True, True, 1)


@pytest.mark.parametrize(
    "password",
    [
        "correct staple battery",
        "über größe straße",
        "密码密碼パスワード안녕하세요",
        "a b" * 42,
        "\U0001f600\U0001f412" * 8,
        " spaces kept ",
    ],
)
def test_any_text_of_the_right_length_works(password: str) -> None:
    stored = hash_password(password)
    assert verify_password(password, stored)
    assert not verify_password(password + "x", stored)
    assert not verify_password(password[:-1], stored)


def test_nothing_is_cut_off() -> None:
    stored = hash_password("x" * 100 + "a" * 28)
    assert not verify_password("x" * 100 + "a" * 27 + "b", stored)


def test_accents_may_be_typed_either_way() -> None:
    assert verify_password("cafe\u0301 au lait", hash_password("café au lait"))


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "aaaaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "12345678901234567890",
        "Password123456!",
        "p@ssw0rd2026!!",
        "rxbackup-2026-11",
        "qwertyuiop12",
        "ada.lovelace.1843",
        "half \ud800 character",
        "with a \0 inside",
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_acceptable(password, context=("ada.lovelace", "example"))
    assert password not in refused.value.message + refused.value.hint


@pytest.mark.parametrize(
    "password", ["correct horse stapler", "my admin likes purple frogs", "kD8#fj29!kdLq", "x" * 5 + "yzabcdefg"]
)
def test_good_passwords_pass(password: str) -> None:
    check_acceptable(password, context=("ada", "example"))


def test_an_unknown_account_takes_as_long_as_a_wrong_password() -> None:
    stored = hash_password("correct staple battery")
    verify_password("warm up", None)

    def median(hashed: str | None) -> float:
        took = []
        for _ in range(7):
            began = time.process_time()
            assert not verify_password("wrong password", hashed)
            took.append(time.process_time() - began)
        return statistics.median(took)

    known, unknown = median(stored), median(None)
    assert abs(known - unknown) < 0.5 * max(known, unknown)


def test_odd_input_is_wrong_and_no_error() -> None:
    stored = hash_password("correct staple battery")
    for odd in ("", "x" * 10_000, "\ud800", "a\0b"):
        assert not verify_password(odd, stored)


def test_weaker_hashes_are_made_anew() -> None:
    assert not needs_rehash(hash_password("correct staple battery"))
    assert needs_rehash("$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$J8jPY0gtLWz0XyJ5ZhlAaQ")
