from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from rxbackup.serving.logs import about_run, write_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours, factory = logging.getLogger(), logging.getLogger("rxbackup"), logging.getLogRecordFactory()
    kept = (list(root.handlers), root.level, ours.level)
    yield
    root.handlers[:], root.level, ours.level = kept
    root.setLevel(kept[1])
    ours.setLevel(kept[2])
    logging.setLogRecordFactory(factory)


def test_json_lines_name_the_run_and_hide_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("json")
    logger = logging.getLogger("rxbackup.worker")
    with about_run("7", "backup"):
        logger.info("Reached postgresql://ada:lovelace@db/shop\nwith %s", "care")
    try:
        int("password=hunter2")
    except ValueError:
        logger.exception("It failed")
    logging.getLogger("apscheduler").info("noise")

    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["job"], first["kind"], first["level"], first["logger"]) == ("7", "backup", "info", "rxbackup.worker")
    assert first["message"] == "Reached postgresql://ada:***@db/shop\nwith care"
    assert "job" not in second
    assert "ValueError" in second["error"]
    assert "hunter2" not in second["error"]


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("text")
    logging.getLogger("rxbackup.worker").info("Worker is ready")
    assert capsys.readouterr().err.endswith(" INFO rxbackup.worker: Worker is ready\n")
