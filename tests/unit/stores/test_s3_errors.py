"""The shapes of obstore's errors that we read. If an upgrade changes them, this is where it shows."""

from __future__ import annotations

import pytest

from rxbackup.errors import ObjectNotFound, StoreMisaddressed, StoreTrouble, StoreUnavailable
from rxbackup.stores.s3_errors import Answer, told

XML = '<?xml version="1.0"?><Error><Code>{}</Code><Message>It said\x1b[31m so.</Message><Key>a</Key></Error>'


def _status(status: int, code: str) -> Exception:
    return Exception(
        f"Generic S3 error: Error performing GET http://127.0.0.1/b/a in 7.1ms - Server returned non-2xx status code: "
        f"{status} Some Reason: {XML.format(code)}\n\nDebug source:\nGeneric {{}}"
    )


def _wire(kind: str, more: str = "") -> Exception:
    return Exception(
        "Generic S3 error: Error performing GET http://127.0.0.1:1/b/a in 335.497µs - HTTP error: error sending "
        f"request\n\nDebug source:\nGeneric {{\n  inner: Http(\n    HttpError {{\n      kind: {kind},\n {more}}}"
    )


def test_status_code_and_words_are_read() -> None:
    answer = Answer.of(_status(503, "SlowDown"))
    assert (answer.status, answer.code) == (503, "SlowDown")
    assert answer.said == "It said [31m so."
    assert not answer.is_silent


def test_answer_without_a_body_is_silent() -> None:
    assert Answer.of(Exception("Server returned non-2xx status code: 404 Not Found: ")).is_silent


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (_status(404, "NoSuchKey"), ObjectNotFound, "no object a/b"),
        (_status(503, "SlowDown"), StoreUnavailable, "503"),
        (_status(400, "EntityTooLarge"), StoreTrouble, "EntityTooLarge"),
        (_wire("Connect"), StoreUnavailable, "no connection could be made"),
        (_wire("Timeout"), StoreUnavailable, "no answer came in time"),
        (_wire("Interrupted"), StoreUnavailable, "broke in the middle"),
        (_wire("Something"), StoreUnavailable, "connection failed"),
        (_wire("Connect", "invalid peer certificate: UnknownIssuer"), StoreMisaddressed, "not trusted .UnknownIssuer"),
        (Exception("what nobody has seen yet"), StoreUnavailable, "connection failed"),
    ],
)
def test_errors_become_words(error: Exception, kind: type[StoreTrouble], words: str) -> None:
    with pytest.raises(kind, match=words):
        raise told(Answer.of(error), "bucket b at host", doing="read", name="a/b")
