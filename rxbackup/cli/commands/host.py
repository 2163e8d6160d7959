"""Commands for whoever runs the host: serve, worker, migrate, doctor, demo, key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxbackup.cli import exit_codes, words
from rxbackup.cli.options import AsJson, Quiet
from rxbackup.cli.session import answer, installation, say, tell

if TYPE_CHECKING:
    from rxbackup.operations.views import Finding

demo = typer.Typer(no_args_is_help=True, help="The bundled asset-management application.")
key = typer.Typer(no_args_is_help=True, help="The encryption key.")


def serve(
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8800,
) -> None:
    """Run everything: page, API, scheduler and one worker. A first start prints a link that creates the first admin."""
    from rxbackup.serving.launcher import serve as run_app
    from rxbackup.wiring import read_settings

    run_app(read_settings(), host=host, port=port)


def worker() -> None:
    """Run one more worker, on this machine or another."""
    import runpy

    # Doors do not lean on each other: this is `python -m rxbackup.worker`, and nothing more.
    runpy.run_module("rxbackup.worker", run_name="__main__", alter_sys=True)


def migrate(*, as_json: AsJson = False) -> None:
    """Bring rxbackup's own tables up to date."""
    from rxbackup.wiring import migrate_databases

    migrate_databases(tell=tell)
    answer({"migrated": True}, as_json=as_json, text=lambda: say("rxbackup's tables are up to date."))


def doctor(*, as_json: AsJson = False) -> None:
    """Look at everything that commonly goes wrong, and say what to do. Exit code 1 if something is wrong."""
    from rxbackup.errors import RxbackupError
    from rxbackup.operations.doctor import diagnose
    from rxbackup.operations.views import Finding

    try:
        with installation() as at:
            findings = diagnose(at.services, at.actor)
    except RxbackupError as error:
        findings = [Finding("error", "Installation", error.message, error.hint)]
    ok = all(finding.level != "error" for finding in findings)
    answer({"ok": ok, "findings": findings}, as_json=as_json, text=lambda: _say_findings(findings))
    if not ok:
        raise typer.Exit(exit_codes.FAILED)


@demo.callback()
def _demo() -> None:
    """Keep `load` a command of its own, although it is the only one."""


@demo.command("load")
def demo_load(
    *,
    scale: Annotated[float, typer.Option("--scale", min=0.001, max=10000, help="1 is about 2 000 assets.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the application's tables in the protected database and fill them; never replaces anything."""
    from rxbackup.cli.progress import shown_progress
    from rxbackup.wiring import load_demo_data

    with installation() as at, shown_progress(quiet=quiet) as on_progress:
        report = load_demo_data(at.services, scale=scale, on_progress=on_progress)
    total = sum(report.rows.values())
    loaded = f"Loaded {words.number(total)} rows into {len(report.rows)} tables in {words.span(report.seconds)}."
    whole = {"scale": scale, "rows": total, "tables": report.rows, "seconds": report.seconds}
    answer(whole, as_json=as_json, text=lambda: say(loaded))


@key.callback()
def _key() -> None:
    """Keep `check` a command of its own, although it is the only one."""


@key.command("check")
def key_check(*, as_json: AsJson = False) -> None:
    """See that the key is there, well kept, and opens every vault."""
    from rxbackup.operations.keys import check_key

    with installation() as at:
        found = check_key(at.services, at.actor)
    opens = f"It opens {', '.join(found.vaults)}." if found.vaults else "There is no vault yet."
    answer(found, as_json=as_json, text=lambda: say(f"Key {found.key_id} from {found.source} is good. {opens}"))


def _say_findings(findings: list[Finding]) -> None:
    marks = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}
    for finding in findings:
        say(f"{marks[finding.level]}  {finding.subject}: {finding.message}")
        if finding.hint:
            say(f"           → {finding.hint}")
