"""Keeps secrets out of the logs.

Reflex logs an event it does not know whole, cookies included, and servers log addresses whole, tokens included.
"""

from __future__ import annotations

import logging
import re
from typing import Any

_SECRETS = (
    re.compile(r"(?i)(cookie['\"]?\s*[:=]\s*['\"]?)[^'\"\n}]+"),
    re.compile(r"(?i)((?:__Host-)?rxb_session=)[^;,\s'\"]+"),
    re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)[^'\"\n}]+"),
    re.compile(r"(?i)(['\"]?\w*(?:password|token|secret)['\"]?\s*[:=](?!=)\s*['\"]?)[^&\s,'\"}]+"),
    re.compile(r"(/dl/)[\w-]+"),
    re.compile(r"(\w+://[^\s:/@]+:)[^\s@/]+(?=@)"),
)


def redacted(text: str) -> str:
    """The text with everything that looks like a credential replaced by ***."""
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text


def redact(record: logging.LogRecord) -> logging.LogRecord:
    """Rewrite a record's message and the text of its exception, in place."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = str(record.msg)
    record.msg, record.args = redacted(message), None
    if record.exc_info and not record.exc_text:
        record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
    return record


def hide_secrets_in_logs() -> None:
    """Redact every record of this process while it is made, whoever logs it and wherever it goes; idempotent.

    A filter would not do: those of a logger do not see the records of its children, and those of a handler miss
    handlers that are added later.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return redact(make(*args, **kwargs))

    factory.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(factory)
