"""`rxbackup prune`: free what no backup needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson, Quiet
from rxbackup.cli.progress import shown_progress
from rxbackup.cli.session import answer, installation, say

if TYPE_CHECKING:
    from rxbackup.operations.views import PruneView


def prune(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be freed, and change nothing.")] = False,
    store: Annotated[str | None, typer.Option("--store", help="Only this store; default: all.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Free what no backup needs any more; whatever runs goes on undisturbed."""
    from rxbackup.operations.prunes import perform_prune, preview_prune

    with installation() as at, shown_progress(quiet=quiet or dry_run) as on_progress:
        if dry_run:
            views = preview_prune(at.services, at.actor, store)
        else:
            views = perform_prune(at.services, at.actor, store, on_progress=on_progress)
    answer({"dry_run": dry_run, "stores": views}, as_json=as_json, text=lambda: _say(views, dry_run=dry_run))
    return exit_codes.REFUSED if any(view.refused for view in views) else exit_codes.DONE


def _say(views: tuple[PruneView, ...], *, dry_run: bool) -> None:
    if not views:
        say("No store holds anything yet.")
    for view in views:
        say(f"{view.store}: {_summary(view, dry_run=dry_run)}")
        if view.waiting_chunks:
            reason = f" for {', '.join(view.waiting_for)}" if view.waiting_for else " until their grace is over"
            say(f"  {words.counted(view.waiting_chunks, 'chunk')} ({words.size(view.waiting_bytes)}) wait{reason}")
        for damage in view.damage:
            say(f"  Damage: {damage} Verify, and take a new backup with --full.")


def _summary(view: PruneView, *, dry_run: bool) -> str:
    if view.refused:
        return f"refused. {view.refused}"
    if not dry_run:
        freed = f"{words.size(view.freed_bytes)} freed, {words.counted(view.freed_chunks, 'chunk')}"
        return freed if view.freed_chunks else "nothing to free"
    would = view.unneeded_bytes + view.orphan_bytes
    if not would:
        return "nothing to free"
    parts = [words.counted(view.unneeded_chunks, "chunk")] if view.unneeded_chunks else []
    parts += [f"{words.counted(view.orphan_objects, 'object')} left behind"] if view.orphan_objects else []
    return f"would free {words.size(would)}: {', '.join(parts)}"
