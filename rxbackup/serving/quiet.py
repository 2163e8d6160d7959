"""Keeps secrets out of the logs.

Reflex logs an event it does not know whole, cookies included, and servers log addresses whole, tokens included.
"""

from __future__ import annotations

import logging
import re

_SECRETS = (
    re.compile(r"(?i)(cookie['\"]?\s*[:=]\s*['\"]?)[^'\"\n}]+"),
    re.compile(r"(?i)((?:__Host-)?rxb_session=)[^;,\s'\"]+"),
    re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)[^'\"\n}]+"),
    re.compile(r"(?i)(['\"]?\w*(?:password|token|secret)['\"]?\s*[:=](?!=)\s*['\"]?)[^&\s,'\"}]+"),
    re.compile(r"(/dl/)[\w-]+"),
    re.compile(r"(\w+://[^\s:/@]+:)[^\s@/]+(?=@)"),
)
LOGGERS = ("", "reflex", "reflex_base", "engineio", "engineio.server", "socketio", "socketio.server", "_granian")


def redacted(text: str) -> str:
    """The text with everything that looks like a credential replaced by ***."""
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text


class Redaction(logging.Filter):
    """Rewrites a record before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message and the text of the exception; never drop the record."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        record.msg, record.args = redacted(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True


def hide_secrets_in_logs() -> None:
    """Put the filter on the handlers of every logger that speaks; idempotent."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for target in (logger, *logger.handlers):
            if not any(isinstance(known, Redaction) for known in target.filters):
                target.addFilter(Redaction())
