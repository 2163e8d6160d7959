"""Backups, deletions and prunes in any order, killed anywhere: no backup that is complete ever loses a chunk.

The vault is real and so is the comparison of objects with rows; the catalogue is a model of what the SQL in
`operations/_backups/settling.py` and `operations/_stores/collecting.py` does in one transaction each.

RXBACKUP_TEST_INTERLEAVINGS=10000 tries more seeds; a failure prints the seed, which always fails again.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

import pytest

from rxbackup.prune.comparing import ChunkObject, ChunkRow, Misnoted, Orphan, Outdated, compare
from rxbackup.stores.memory import MemoryStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import ChunkReceipt, Vault
from tests.support.interleaving import Actor, Stage, SteppingStore

SEEDS = int(os.environ.get("RXBACKUP_TEST_INTERLEAVINGS", "150"))
STEPS = 260
_WHOLE = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(24)).encode()
CONTENTS = [_WHOLE[:90] + b"%d" % n + _WHOLE[90:] for n in range(6)]
KEYRING = Keyring.generate()


@dataclass
class Row:
    generation: int
    anchor: str | None
    size: int
    is_live: bool = True
    beside: set[str] = field(default_factory=set)
    is_claimed: bool = False
    is_emptied: bool = False


@dataclass
class Taken:
    """A backup's row; `chunks` and `leans` are its manifest."""

    state: str = "running"
    chunks: dict[str, bytes] = field(default_factory=dict)
    leans: dict[str, str] = field(default_factory=dict)

    @property
    def needed(self) -> set[str]:
        return set(self.chunks) | set(self.leans.values())


class World:
    """A store, its catalogue, and who works on them. Every method is one transaction."""

    def __init__(self, seed: int) -> None:
        self.stage = Stage(seed)
        self.store = MemoryStore()
        self.vault = Vault.create(self.store, KEYRING)
        self.rows: dict[str, Row] = {}
        self.links: dict[str, set[str]] = {}
        self.backups: dict[str, Taken] = {}
        self.alone: Actor | None = None

    # what backups do

    def retired(self) -> dict[str, int]:
        return {
            chunk: row.generation if not row.is_live else row.generation - 1
            for chunk, row in self.rows.items()
            if not row.is_live or row.generation > 0
        }

    def settle(self, name: str, receipts: list[ChunkReceipt]) -> None:
        backup = self.backups[name]
        for receipt in receipts:
            row = self.rows.get(receipt.id)
            new = Row(receipt.generation, receipt.anchor, receipt.stored_bytes)
            is_same = row is not None and row.generation == receipt.generation and (row.is_live or name in row.beside)
            if row is None or row.generation < receipt.generation or is_same:
                self.rows[receipt.id] = new
        for anchor in backup.leans.values():
            self.rows.setdefault(anchor, Row(0, None, 0))
        for chunk in backup.needed:
            row = self.rows[chunk]
            if not row.is_live:
                assert name in row.beside, "a backup counts on a chunk that does not wait for it"
                row.is_live, row.beside = True, set()
        self.links[name] = backup.needed
        backup.state = "complete"

    def running(self) -> set[str]:
        return {name for name, backup in self.backups.items() if backup.state == "running"}

    # what prunes do

    def is_needed(self, chunk: str) -> bool:
        return any(chunk in linked for linked in self.links.values())

    def retire(self) -> None:
        for chunk, row in self.rows.items():
            if row.is_live and not self.is_needed(chunk):
                row.is_live, row.beside = False, self.running()

    def adopt(self, orphans: list[Orphan]) -> None:
        if self.running():
            return
        for orphan in orphans:
            row = self.rows.get(orphan.id)
            if row is None:
                self.rows[orphan.id] = Row(orphan.generation, None, orphan.size, is_live=False)
            elif not row.is_live and row.generation < orphan.generation:
                row.generation, row.size, row.is_emptied = orphan.generation, row.size + orphan.size, False
                row.beside = set()

    def drop(self, outdated: list[Outdated]) -> None:
        if self.running():
            return
        for each in outdated:
            if self.vault.is_intact(each.id, each.current):
                self.vault.delete_chunk(each.id, each.generation)

    def note(self, misnoted: list[Misnoted]) -> None:
        if self.running():
            return
        for each in misnoted:
            row = self.rows.get(each.id)
            if row is not None and row.is_live:
                row.generation, row.size = each.generation, each.size

    def claim(self) -> list[tuple[str, int, bool]]:
        free = [
            (chunk, row)
            for chunk, row in self.rows.items()
            if not row.is_live and not row.is_emptied and not row.beside & self.running() and not self.is_needed(chunk)
        ]
        free.sort(key=lambda each: (each[1].anchor is None, each[0]))
        claimed = [(chunk, row.generation, row.is_claimed) for chunk, row in free[:3]]
        for _, row in free[:3]:
            row.is_claimed, row.beside = True, set()
        return claimed

    def forget(self, chunk: str, generation: int, *, is_second: bool) -> None:
        row = self.rows.get(chunk)
        if row is None or row.is_live or not row.is_claimed or row.generation != generation:
            return
        if is_second:
            row.is_emptied, row.size = True, 0
        else:
            del self.rows[chunk]

    # what must hold

    def check(self) -> None:
        for name, backup in self.backups.items():
            if backup.state == "complete":
                for chunk, content in backup.chunks.items():
                    assert self.vault.get_chunk(chunk) == content, f"{name} lost {chunk[:8]}"
                assert all(self.rows[chunk].is_live for chunk in backup.needed)


def _back_up(world: World, name: str, actor: Actor) -> None:
    choose = world.stage.random
    actor.step()
    backup = world.backups[name] = Taken()
    actor.step()
    retired = world.retired()
    actor.step()
    complete = sorted(n for n, b in world.backups.items() if b.state == "complete")
    base = world.backups[choose.choice(complete)] if complete else Taken()
    earlier = sorted(base.chunks.items())
    base_leans = dict(base.leans)
    vault = Vault(SteppingStore(world.store, actor), world.vault._keys).avoiding(retired)
    receipts = []
    for content in choose.sample(CONTENTS, choose.randint(1, 3)):
        anchor = choose.choice(earlier)[0] if earlier else None
        receipt = vault.put_chunk(content, anchor=anchor)
        receipts.append(receipt)
        backup.chunks[receipt.id] = content
        if receipt.anchor:
            backup.leans[receipt.id] = receipt.anchor
    for chunk, content in choose.sample(earlier, choose.randint(0, len(earlier))):
        if chunk not in backup.chunks:
            backup.chunks[chunk] = content
            if chunk in base_leans:
                backup.leans[chunk] = base_leans[chunk]
    actor.step()
    if backup.state == "running":
        world.settle(name, receipts)


def _prune(world: World, actor: Actor) -> None:
    actor.step()
    if world.alone is not None and not world.alone.is_over:
        return
    world.alone = actor
    vault = Vault(SteppingStore(world.store, actor), world.vault._keys)
    objects = [ChunkObject(chunk, generation, found.size) for chunk, generation, found in vault.chunk_objects()]
    actor.step()
    rows = [ChunkRow(c, r.generation, r.size, r.is_live) for c, r in sorted(world.rows.items())]
    findings = list(compare(objects, rows))
    actor.step()
    world.retire()
    actor.step()
    world.adopt([each for each in findings if isinstance(each, Orphan)])
    actor.step()
    world.note([each for each in findings if isinstance(each, Misnoted)])
    actor.step()
    world.drop([each for each in findings if isinstance(each, Outdated)])
    while True:
        actor.step()
        claimed = world.claim()
        if not claimed:
            return
        for chunk, generation, _ in claimed:
            for each in range(generation, -1, -1):
                if world.alone is not actor:
                    return  # it lost its lock, and knows
                # Between this look and the delete it may sleep for long, lose its lock, and delete all the same.
                vault.delete_chunk(chunk, each)
        actor.step()
        if world.alone is not actor:
            return
        for chunk, generation, is_second in claimed:
            world.forget(chunk, generation, is_second=is_second)


def _happen(world: World, number: int) -> None:
    """Something that nobody planned."""
    choose = world.stage.random
    match choose.choices(["backup", "prune", "delete", "kill", "reap", "lock"], [6, 5, 4, 2, 3, 1])[0]:
        case "backup" if sum(not a.is_over for a in world.stage.actors) < 6:
            name = f"backup {number}"
            world.stage.enter(name, lambda actor: _back_up(world, name, actor))
        case "prune" if sum(not a.is_over for a in world.stage.actors) < 6:
            world.stage.enter(f"prune {number}", lambda actor: _prune(world, actor))
        case "delete":
            complete = sorted(n for n, b in world.backups.items() if b.state == "complete")
            if complete:
                victim = choose.choice(complete)
                del world.backups[victim], world.links[victim]
        case "kill":
            alive = [actor for actor in world.stage.actors if not actor.is_over]
            if alive:
                world.stage.kill(choose.choice(alive))
        case "reap":
            # Also those that only sleep: they find out when they want to finish.
            running = sorted(world.running())
            if running:
                world.backups[choose.choice(running)].state = "interrupted"
        case "lock" if world.alone is not None:
            world.alone.sleeps = choose.randint(1, 120)
            world.alone = None


def _play(seed: int) -> World:
    world = World(seed)
    try:
        for number in range(STEPS):
            if world.stage.random.random() < 0.18:
                _happen(world, number)
            world.stage.turn()
            if number % 10 == 0:
                world.check()
        while world.stage.turn():
            pass
        world.check()
    finally:
        world.stage.close()
    return world


def _end(world: World) -> None:
    """Everybody has ended; a day passes; two prunes."""
    for name in world.running():
        world.backups[name].state = "interrupted"
    for _ in range(2):
        world.alone = None
        for chunk in [chunk for chunk, row in world.rows.items() if row.is_emptied]:
            del world.rows[chunk]
        world.stage.enter("last prune", lambda actor: _prune(world, actor))
        while world.stage.turn():
            pass
    world.check()


@pytest.mark.timeout(3600 if SEEDS > 1000 else 300)
def test_no_chunk_is_lost_and_none_left_over() -> None:
    came_back = shared = 0
    for seed in range(SEEDS):
        try:
            world = _play(seed)
            came_back += sum(generation > 0 for _, generation, _ in world.vault.chunk_objects())
            shared += len(world.backups)
            _end(world)
            stored = {(chunk, generation) for chunk, generation, _ in world.vault.chunk_objects()}
            assert stored == {(chunk, row.generation) for chunk, row in world.rows.items() if row.is_live}
            assert {chunk for chunk, _ in stored} == {c for b in world.links.values() for c in b}
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    # The interesting things did happen.
    assert came_back > SEEDS / 10
    assert shared > SEEDS
