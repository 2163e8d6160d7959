"""Mail, over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any

from rxbackup.errors import NotDelivered
from rxbackup.notify.letter import Letter

SECURITIES = ("starttls", "tls", "none")
_SECONDS = 15.0
_MAIL_HINT = "Check the server's name, its port and how it is secured, then send a test."
_REFUSED_HINT = "Check from whom and to whom it goes, and whether the server wants a user name, then send a test."


def send_mail(settings: Mapping[str, Any], secrets: Mapping[str, str], letter: Letter) -> None:
    """Hand a letter to a mail server, for all its readers at once.

    Args:
        settings: host, port, security, username, sender, to (a list).
        secrets: password, if the server wants one.
        letter: what to say.

    Raises:
        NotDelivered: the server cannot be reached, or did not take it for any of the readers.
    """
    mail = as_mail(settings, letter)
    host, port = str(settings["host"]), int(settings["port"])
    try:
        with _connect(host, port, str(settings.get("security", "starttls"))) as server:
            if settings.get("username"):
                server.login(str(settings["username"]), secrets.get("password", ""))
            refused = server.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        raise NotDelivered(
            f"The mail server {host} did not accept the user name or the password ({error.smtp_code}).",
            hint="Change them on the channel, then send a test.",
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise NotDelivered(
            f"The mail server {host} refused {', '.join(sorted(error.recipients))}.",
            hint=_REFUSED_HINT,
        ) from None
    except smtplib.SMTPException as error:
        raise NotDelivered(f"The mail server {host} refused: {_said(error)}", hint=_REFUSED_HINT) from None
    except ssl.SSLError as error:
        raise NotDelivered(
            f"No safe connection to the mail server {host} came about: {error.reason or 'TLS failed'}.",
            hint="Check the port and whether it speaks TLS at once (tls) or after STARTTLS (starttls).",
        ) from None
    except OSError as error:
        raise NotDelivered(
            f"The mail server {host}:{port} cannot be reached: {error.strerror or 'no answer'}.", hint=_MAIL_HINT
        ) from None
    if refused:
        raise NotDelivered(f"The mail server {host} took it, but not for {', '.join(sorted(refused))}.")


def as_mail(settings: Mapping[str, Any], letter: Letter) -> EmailMessage:
    """The letter as a mail with both forms; tried again it is the same mail, with the same id."""
    sender = str(settings["sender"])
    domain = parseaddr(sender)[1].rpartition("@")[2] or "rxbackup.invalid"
    mail = EmailMessage()
    mail["Subject"] = letter.subject
    mail["From"] = sender
    mail["To"] = ", ".join(str(one) for one in settings["to"])
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = f"<rxbackup-{letter.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.body)
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    return mail


def _connect(host: str, port: int, security: str) -> smtplib.SMTP:
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=_SECONDS)
    if security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _said(error: smtplib.SMTPException) -> str:
    words = getattr(error, "smtp_error", b"") or str(error)
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:300] or type(error).__name__
