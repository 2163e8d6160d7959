"""What the server's processes log: lines for people, or a JSON object a line for whatever collects logs. No secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from rxbackup.serving.quiet import hide_secrets_in_logs

_LINES = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_run: ContextVar[tuple[str, str] | None] = ContextVar("run", default=None)


@contextmanager
def about_run(job_id: str, kind: str) -> Iterator[None]:
    """What this thread logs meanwhile is about a run, and says so in JSON."""
    before = _run.set((job_id, kind))
    try:
        yield
    finally:
        _run.reset(before)


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, message; job and kind within a run; error with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (run := _run.get()) is not None:
            line["job"], line["kind"] = run
        if record.exc_text or record.exc_info:
            line["error"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps(line, ensure_ascii=False)


def write_logs(form: str) -> None:
    """Log to stderr from now on, redacted: `json`, or `text` for people. Of other people's libraries only warnings."""
    hide_secrets_in_logs()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter(_LINES))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("rxbackup").setLevel(logging.INFO)
