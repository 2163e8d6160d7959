"""Whether a place can be a store: not asked, but tried.

A probe writes small objects of its own, under names that nothing else has, and removes them again. It looks at no
other object, needs no key, and takes at most `DEADLINE_SECONDS` whatever the store does.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rxbackup.errors import ObjectNotFound, RxbackupError, StoreTrouble, StoreUnavailable
from rxbackup.stores.base import Store
from rxbackup.stores.metered import MeteredStore

_log = logging.getLogger(__name__)

DEADLINE_SECONDS = 15.0
LARGEST_DRIFT = timedelta(minutes=3)

_PROBES = "probe-"
_ABANDONED = timedelta(hours=1)
_BYTES = 256 * 1024
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class ProbeCheck:
    """One thing that was tried.

    Attributes:
        name: reach, write, read, stat, list, overwrite, conditional, clock, connections or delete.
        ok: the store can do it.
        detail: what was seen, or what went wrong and what to do, for people.
        seconds: how long it took.
    """

    name: str
    ok: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a probe found.

    Attributes:
        checks: in the order they were made; those after a failure that makes them pointless are missing.
        seconds: in all.
        requests: calls made to the store.
        sent: bytes written.
        received: bytes read.
        trouble: the first failure, ready to be raised; None if all is well.
    """

    checks: tuple[ProbeCheck, ...]
    seconds: float
    requests: int
    sent: int
    received: int
    trouble: RxbackupError | None = field(repr=False)

    @property
    def ok(self) -> bool:
        """The place can be a store."""
        return self.trouble is None


def probe_store(
    store: Store,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    deadline: float = DEADLINE_SECONDS,
    on_check: Callable[[ProbeCheck], None] = lambda _: None,
) -> ProbeReport:
    """Try everything that a vault will ask of the store. Nothing is raised: the report says it.

    Args:
        store: opened with `patient=False`, so that trouble shows. Existing objects are neither read nor changed.
        clock: the right time, with zone.
        deadline: seconds until the report is given, with whatever is known by then.
        on_check: told of each check as soon as it was made, in order, from the probe's own thread.
    """
    began = time.monotonic()
    probe = _Probe(MeteredStore(store), clock, on_check)
    # A thread of its own, left behind if it hangs: no store can be trusted to come back in time.
    threading.Thread(target=probe.run, name="store probe", daemon=True).start()
    probe.done.wait(deadline)
    checks, trouble = probe.findings(deadline)
    counts = probe.store.counts
    return ProbeReport(
        checks=checks,
        seconds=time.monotonic() - began,
        requests=sum(count.calls for count in counts.values()),
        sent=counts["put"].bytes,
        received=counts["get"].bytes,
        trouble=trouble,
    )


class _Failed(Exception):
    """A check found that the store does not do what it must."""


class _Probe:
    """One probe at work. `run` belongs to its thread, `findings` to whoever waits."""

    def __init__(
        self, store: MeteredStore, clock: Callable[[], datetime], on_check: Callable[[ProbeCheck], None]
    ) -> None:
        self.store = store
        self.done = threading.Event()
        self._clock = clock
        self._on_check = on_check
        self._lead = f"{_PROBES}{secrets.token_hex(16)}-"
        self._content = secrets.token_bytes(_BYTES)
        self._written: set[str] = set()
        self._turn = threading.Lock()
        self._checks: list[ProbeCheck] = []
        self._trouble: RxbackupError | None = None
        self._doing = ("reach", time.monotonic())
        self._given_up = False

    def run(self) -> None:
        try:
            for name, check, is_vital in self._plan():
                if not self._try(name, check) and is_vital:
                    break
        finally:
            self._clean_up()
            self.done.set()

    def findings(self, deadline: float) -> tuple[tuple[ProbeCheck, ...], RxbackupError | None]:
        with self._turn:
            if not self.done.is_set():
                self._given_up = True
                name, since = self._doing
                late = StoreUnavailable(f"The {self.store.describe()} did not answer within {deadline:.0f} seconds.")
                self._note(ProbeCheck(name, ok=False, detail=_said(late), seconds=time.monotonic() - since), late)
            return tuple(self._checks), self._trouble

    def _plan(self) -> Iterator[tuple[str, Callable[[], str], bool]]:
        yield from (
            ("reach", self._reach, True),
            ("write", self._write, True),
            ("read", self._read, True),
            ("stat", self._stat, False),
            ("list", self._list, False),
            ("overwrite", self._overwrite, False),
            ("conditional", self._conditional, False),
            ("clock", self._drift, False),
            ("connections", self._several, False),
            ("delete", self._delete, False),
        )

    def _try(self, name: str, check: Callable[[], str]) -> bool:
        began = time.monotonic()
        with self._turn:
            if self._given_up:
                return False
            self._doing = (name, began)
        trouble: RxbackupError | None = None
        try:
            detail = check()
        except _Failed as error:
            trouble = StoreTrouble(f"The {self.store.describe()} cannot hold backups: {error}", hint=_UNFIT)
        except RxbackupError as error:
            trouble = error
        except Exception as error:  # noqa: BLE001 - logged, and told as a failure
            # A place that could not be tried to the end is not a good one.
            _log.exception("The probe of %s broke", self.store.describe())
            trouble = StoreTrouble(f"The {self.store.describe()} could not be tried: {type(error).__name__}.")
        with self._turn:
            if not self._given_up:
                said = _said(trouble) if trouble else detail
                self._note(ProbeCheck(name, trouble is None, said, time.monotonic() - began), trouble)
        return trouble is None

    def _note(self, check: ProbeCheck, trouble: RxbackupError | None) -> None:
        self._checks.append(check)
        self._on_check(check)
        self._trouble = self._trouble or trouble

    def _name(self, suffix: str) -> str:
        self._written.add(self._lead + suffix)
        return self._lead + suffix

    def _reach(self) -> str:
        # What a probe left that was killed is removed by the next one: the names are ours alone.
        for found in self.store.list(_PROBES):
            if self._clock() - found.modified_at > _ABANDONED:
                self.store.delete(found.name)
        return "It answers and can be listed."

    def _write(self) -> str:
        _demand(self.store.put(self._name("a"), self._content), "a write reported that nothing was written.")
        return f"{_BYTES // 1024} KiB were written."

    def _read(self) -> str:
        content = self.store.get(self._name("a"))
        _demand(len(content) == _BYTES, f"of {_BYTES} bytes only {len(content)} came back, as if they were all.")
        _demand(content == self._content, "what was read is not what was written.")
        try:
            self.store.get(self._name("none"))
        except ObjectNotFound:
            return "What was written came back, byte for byte."
        raise _Failed("an object was read that nobody wrote.")

    def _stat(self) -> str:
        found = self.store.stat(self._name("a"))
        _demand(found is not None and found.size == _BYTES, "it does not know the size of what was written.")
        _demand(self.store.stat(self._name("none")) is None, "it knows an object that nobody wrote.")
        return "Sizes are right."

    def _list(self) -> str:
        self.store.put(self._name("b"), b"b")
        found = [(each.name, each.size) for each in self.store.list(self._lead)]
        wanted = [(f"{self._lead}a", _BYTES), (f"{self._lead}b", 1)]
        _demand(found == wanted, "what was written is not in the listing, or not in order.")
        return "New objects are listed at once, in order."

    def _overwrite(self) -> str:
        self.store.put(self._name("b"), b"new")
        _demand(self.store.get(self._name("b")) == b"new", "an old content is still read after it was replaced.")
        return "A replaced object is read anew."

    def _conditional(self) -> str:
        _demand(self.store.put(self._name("c"), b"first", if_absent=True), "a conditional write wrote nothing.")
        second = self.store.put(self._name("c"), b"second", if_absent=True)
        _demand(
            not second and self.store.get(self._name("c")) == b"first",
            "it ignores the condition `If-None-Match: *` and replaces what it must not.",
        )
        if getattr(self.store.inner, "emulates_if_absent", False):
            return "The server cannot; rxbackup looks before it writes. Let only one installation use this place."
        return "Two writers at once: the first one wins."

    def _drift(self) -> str:
        name = self._name("d")
        before = self._clock()
        self.store.put(name, b"")
        after = self._clock()
        found = self.store.stat(name)
        _demand(found is not None, "an object vanished.")
        at = found.modified_at if found else before
        drift = max(before - at, at - after, timedelta())
        _demand(
            drift <= LARGEST_DRIFT,
            f"its clock and this machine's differ by {drift.total_seconds():.0f} s; {_minutes(LARGEST_DRIFT)} may.",
        )
        return (
            "The clocks agree." if drift < timedelta(seconds=2) else f"Clocks differ by {drift.total_seconds():.0f} s."
        )

    def _several(self) -> str:
        names = [self._name(f"e{number}") for number in range(_CONNECTIONS)]

        right: list[str] = []
        troubles: list[RxbackupError] = []

        def round_trip(name: str) -> None:
            try:
                self.store.put(name, name.encode())
                if self.store.get(name) == name.encode():
                    right.append(name)
            except RxbackupError as error:
                troubles.append(error)

        # Not a pool: the interpreter would wait for its threads at the end, and one may hang.
        threads = [threading.Thread(target=round_trip, args=(name,), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if troubles:
            raise troubles[0]
        _demand(sorted(right) == names, "it confuses requests that come at the same time.")
        return f"{_CONNECTIONS} connections at once."

    def _delete(self) -> str:
        name = self._name("b")
        self.store.delete(name)
        self.store.delete(name)
        _demand(self.store.stat(name) is None, "a deleted object is still there.")
        return "Deleted objects are gone."

    def _clean_up(self) -> None:
        for name in sorted(self._written):
            with suppress(RxbackupError):
                self.store.delete(name)


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001
    if not holds:
        raise _Failed(otherwise)


def _said(trouble: RxbackupError) -> str:
    return f"{trouble.message} {trouble.hint}"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} minutes"


_UNFIT = "Choose another place, or update the server that keeps it."
