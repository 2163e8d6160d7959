"""Threads that run one at a time, step by step, in an order that a seed decides: the same seed, the same order."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

from rxbackup.stores.base import Store, StoredObject, StoreRecipe


class Killed(BaseException):
    """This actor was killed: no handler of the code under test may catch it."""


class Actor:
    """A thread that waits for its turn before each of its steps."""

    def __init__(self, stage: Stage, name: str, work: Callable[[Actor], None]) -> None:
        self.name = name
        self.is_over = False
        self.is_killed = False
        self.sleeps = 0
        """So many turns pass it by."""
        self.error: BaseException | None = None
        self._stage = stage
        self._turn = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Let others go first."""
        self._stage.came_back.release()
        self._turn.acquire()
        if self.is_killed:
            raise Killed

    def go(self) -> None:
        """Let it do its next step; back when that is done. For the stage."""
        self._turn.release()
        self._stage.came_back.acquire()

    def _run(self, work: Callable[[Actor], None]) -> None:
        self._turn.acquire()
        try:
            if not self.is_killed:
                work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - the stage raises it
            self.error = error
        finally:
            self.is_over = True
            self._stage.came_back.release()


class Stage:
    """Lets actors take turns."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.came_back = threading.Semaphore(0)
        self.actors: list[Actor] = []

    def enter(self, name: str, work: Callable[[Actor], None]) -> Actor:
        """Another actor; its first step comes when it is its turn."""
        actor = Actor(self, name, work)
        self.actors.append(actor)
        return actor

    def turn(self) -> bool:
        """One step of somebody; False if nobody is left."""
        waiting = [actor for actor in self.actors if not actor.is_over]
        if not waiting:
            return False
        for each in waiting:
            each.sleeps = max(each.sleeps - 1, 0)
        actor = self.random.choice([each for each in waiting if not each.sleeps] or waiting)
        actor.go()
        if actor.error is not None:
            raise actor.error
        return True

    def kill(self, actor: Actor) -> None:
        """End it where it stands."""
        if not actor.is_over:
            actor.is_killed = True
            actor.go()

    def close(self) -> None:
        """Kill whoever is left."""
        for actor in self.actors:
            self.kill(actor)


class SteppingStore:
    """A store each call of which is a step of its actor."""

    kind = "stepping"

    def __init__(self, inner: Store, actor: Actor) -> None:
        self._inner = inner
        self._actor = actor

    def describe(self) -> str:
        return self._inner.describe()

    def recipe(self) -> StoreRecipe:
        raise AssertionError("a stepping store stays with its actor")

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        self._actor.step()
        return self._inner.put(name, content, if_absent=if_absent)

    def get(self, name: str) -> bytes:
        self._actor.step()
        return self._inner.get(name)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        self._actor.step()
        return iter(list(self._inner.list(prefix)))

    def stat(self, name: str) -> StoredObject | None:
        self._actor.step()
        return self._inner.stat(name)

    def delete(self, name: str) -> None:
        self._actor.step()
        self._inner.delete(name)

    def close(self) -> None:
        self._inner.close()
