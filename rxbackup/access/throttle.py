"""The brake on guessing: five free tries, then a wait that doubles from a second up to a quarter of an hour.

Never permanent, so that nobody can lock an admin out for good. Known and unknown emails are counted alike, else the
brake itself would tell which accounts exist.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from datetime import datetime, timedelta

FREE_TRIES = 5
LONGEST_WAIT = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=24)
_REMEMBERED = 10_000


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    if failures < FREE_TRIES:
        return timedelta(0)
    # The exponent is bounded first: 2**1_000_000 is a number too, but nobody wants to compute it.
    return min(timedelta(seconds=2 ** min(failures - FREE_TRIES, 20)), LONGEST_WAIT)


def count_failure(failures: int, locked_until: datetime | None, now: datetime) -> tuple[int, datetime | None]:
    """The state after one more try that may fail: (failures, locked until)."""
    stale = locked_until is not None and now - locked_until > FORGET_AFTER
    failures = 1 if stale else failures + 1
    wait = wait_after(failures)
    return failures, now + wait if wait else (None if stale else locked_until)


class UnknownEmails:
    """Counts tries for emails without an account, in memory and bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[bytes, tuple[int, datetime | None]] = OrderedDict()

    def locked_until(self, email: str) -> datetime | None:
        """Until when this email has to wait."""
        with self._lock:
            return self._states.get(_key(email), (0, None))[1]

    def count(self, email: str, now: datetime) -> None:
        """Count one more try."""
        with self._lock:
            failures, locked_until = self._states.pop(_key(email), (0, None))
            self._states[_key(email)] = count_failure(failures, locked_until, now)
            while len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)


def _key(email: str) -> bytes:
    return hashlib.sha256(email.encode(errors="surrogatepass")).digest()
