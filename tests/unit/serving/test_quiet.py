from __future__ import annotations

import logging

import pytest

from rxbackup.serving.quiet import hide_secrets_in_logs, redact, redacted

CANARY = "c4n4ry-S3CRET"


@pytest.mark.parametrize(
    "text",
    [
        f"Event(name='x', router_data={{'headers': {{'cookie': 'rxb_session={CANARY}; a=b'}}}})",
        f"cookie: __Host-rxb_session={CANARY}",
        f"GET /_event?EIO=4&token={CANARY}&x=1",
        f"http://h/setup?token={CANARY}",
        f"{{'password': '{CANARY}'}}",
        f'{{"password": "{CANARY}"}}',
        f"GET /dl/{CANARY}",
        f"postgresql://owner:{CANARY}@localhost/db",
        f"Authorization: Bearer {CANARY}",
        f"setup_token='{CANARY}'",
    ],
)
def test_no_secret_survives(text: str) -> None:
    assert CANARY not in redacted(text)


def test_ordinary_words_stay() -> None:
    assert redacted("The token expired at 12:00, backup 3 of 4") == "The token expired at 12:00, backup 3 of 4"


def test_arguments_and_tracebacks_are_redacted_too() -> None:
    try:
        int(f"password={CANARY}")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "with %s", (f"cookie: {CANARY}",), (type(error), error, error.__traceback__)
        )
    assert CANARY not in logging.Formatter().format(redact(record))


def test_every_record_is_redacted_whoever_makes_it(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    try:
        hide_secrets_in_logs()
        hide_secrets_in_logs()
        logging.getLogger("some.library.deep").error("cookie: %s", CANARY)
    finally:
        logging.setLogRecordFactory(before)
    assert caplog.text
    assert CANARY not in caplog.text
