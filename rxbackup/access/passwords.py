"""Passwords: what is accepted, how it is kept, how it is checked.

argon2id with 19 MiB and two passes (OWASP's first choice for 2026). The hash of a password nobody has lets an unknown
account cost as much time as a known one.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from passlib.hash import argon2

from rxbackup.errors import TooManyAttempts, UsageError

SHORTEST = 12
LONGEST = 128

# Chosen now: passlib would choose at the first call, and fails if two threads, or two nested calls, make it.
argon2.set_backend("argon2_cffi")
_hasher = argon2.using(type="ID", memory_cost=19 * 1024, time_cost=2, parallelism=1)

# Every check takes 19 MiB: a flood of sign-ins must not take the machine down (two at a time, eight waiting).
_working = threading.BoundedSemaphore(2)
_admitted = threading.BoundedSemaphore(10)

_COMMON_TEXT = """
123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 0123456789012 987654321098
qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiopasdf 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv
zaq12wsxcde3 qazwsxedcrfv asdfghjkl123 zxcvbnm12345 abcdefghijkl abcdefgh1234 abcd12345678 abc123456789 abcdefghijklm
iloveyou1234 iloveyou12345 iloveyouforever princess1234 sunshine1234 football1234 baseball1234 superman1234
trustno1trustno1 changemenow123 correcthorsebatterystaple thisisapassword dragon123456 monkey123456 master123456
whatever1234 starwars1234 computer1234 liverpool123 letmeinplease
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_DIGITS = "1234567890" * 13
_WEAK_WORDS = ("password", "passwort", "passw0rd", "p@ssw0rd", "admin", "administrator", "welcome", "letmein", "qwerty",
               "changeme", "postgres", "database", "secret", "rxbackup", "backup", "login", "root", "user")  # fmt: skip


def normalise(password: str) -> str:
    """The same password however the keyboard composed its accents."""
    return unicodedata.normalize("NFC", password)


def check_acceptable(password: str, *, context: Iterable[str] = ()) -> None:
    """Refuse passwords that are guessed first.

    Args:
        password: as typed.
        context: words an attacker would try for this person: parts of the email, the host.

    Raises:
        UsageError: says which rule it breaks; never repeats the password.
    """
    text = normalise(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise UsageError(
            f"The password must have {SHORTEST} to {LONGEST} characters.", hint="A few unrelated words make a good one."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("The password contains half of a character.", hint="Type it again.") from None
    if "\0" in text:
        raise UsageError("The password contains a NUL character.", hint="Type it again.")
    if _is_guessable(text, context):
        raise UsageError(
            "This password is among the first that somebody would guess.",
            hint="Take a few unrelated words, or let a password manager make one.",
        )


def hash_password(password: str) -> str:
    """The hash to store."""
    with _turn():
        return str(_hasher.hash(normalise(password)))


def verify_password(password: str, stored: str | None) -> bool:
    """Whether the password fits. `stored=None` (no such account) takes the same time and is False."""
    text = normalise(password)
    acceptable = len(text) <= LONGEST and _is_encodable(text) and "\0" not in text
    with _turn():
        fits = bool(_hasher.verify(text if acceptable else "", stored or _nobodys_hash()))
    return fits and acceptable and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether a stored hash was made with weaker parameters than today's."""
    return bool(_hasher.needs_update(stored))


@cache
def _nobodys_hash() -> str:
    return str(_hasher.hash("the password of an account that does not exist"))


@contextmanager
def _turn() -> Iterator[None]:
    if not _admitted.acquire(blocking=False):
        raise TooManyAttempts("Too many people are signing in at this moment.", hint="Try again in a few seconds.")
    try:
        with _working:
            yield
    finally:
        _admitted.release()


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_guessable(text: str, context: Iterable[str]) -> bool:
    folded = re.sub(r"[\W_]+", "", text.casefold())
    if folded in _COMMON or folded in _DIGITS or len(set(text)) <= 3:  # noqa: PLR2004 - "aaaaaaaaaaaa", "ababababab"
        return True
    bare = folded
    for word in (*_WEAK_WORDS, *(w.casefold() for w in context if len(w) > 2)):  # noqa: PLR2004 - "me" is in every word
        bare = bare.replace(re.sub(r"[\W_]+", "", word), "")
    # What is left beside such words must be worth guessing: "Password123456!" leaves nothing.
    return bare != folded and sum(c.isalpha() for c in bare) < 4  # noqa: PLR2004
