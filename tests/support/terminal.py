"""Runs `rxbackup` as a person would: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error in the JSON object."""
        return dict(self.json["error"])


@dataclass(frozen=True)
class Terminal:
    """A shell with the settings of one installation."""

    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The process's environment: the machine's, without other settings, with ours."""
        machine = {name: value for name, value in os.environ.items() if not name.startswith("RXBACKUP_")}
        return {**machine, **self.settings, "TERM": "dumb", "COLUMNS": "200"}

    def with_settings(self, **settings: str) -> Terminal:
        return Terminal({**self.settings, **settings})

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rxbackup.cli.main", *arguments]
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: str, typed: str | None = None, seconds: float = 60) -> Outcome:
        process = self.start(*arguments, stdin=subprocess.PIPE if typed is not None else subprocess.DEVNULL)
        try:
            out, err = process.communicate(typed, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{arguments} took longer than {seconds} s: {out} {err}") from None
        assert "Traceback" not in out + err, err
        return Outcome(process.returncode, out, err)


def terminal(database_url: str, folder: Path) -> Terminal:
    """A terminal whose installation protects one database and keeps its own tables there."""
    return Terminal({"RXBACKUP_DATABASE_URL": database_url, "RXBACKUP_DATA_DIR": str(folder)})
