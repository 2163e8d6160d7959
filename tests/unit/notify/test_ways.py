from __future__ import annotations

import hashlib
import hmac
import json
import logging.handlers

import pytest

from rxbackup.errors import NotDelivered, UsageError
from rxbackup.notify.elsewhere import service_of, without_secrets
from rxbackup.notify.letter import Letter, Said, as_html, as_text, subject_of
from rxbackup.notify.sending import Way, send
from tests.support.receivers import MailServer, WebServer, free_port, mail_server, web_server

__all__ = ["mail_server", "web_server"]

SAID = Said(
    "Backup failed: Nightly <1>",
    "The disk is full.",
    tone="bad",
    facts=(("Schedule", "Nightly"), ("Since", "22 Nov 2026, 02:00 UTC")),
    hint="Free some space, then `rxbackup <doctor>`.",
    link="https://backup.example.org/backups",
)
LETTER = Letter("7", "failure", subject_of(SAID, "shop"), as_text(SAID, "shop"), as_html(SAID, "shop"))


def _mail(port: int, **more: object) -> Way:
    settings = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "rx@example.org", "to": ["a@b.org"]}
    return Way("email", {**settings, **more}, {"password": "right horse"})


def test_apprise_quotes_no_address_in_our_log() -> None:
    # Not by caplog: it listens at loggers that pass nothing on, too.
    written = logging.handlers.BufferingHandler(capacity=1000)
    logging.getLogger().addHandler(written)
    try:
        with pytest.raises(UsageError):
            service_of("pigeon://hunter2/hunter2")
    finally:
        logging.getLogger().removeHandler(written)
    assert written.buffer == []


def test_a_mail_reads_well_in_both_forms(mail_server: MailServer) -> None:
    send(_mail(mail_server.port, to=["a@b.org", "c@d.org"], username="rx"), LETTER)

    (mail,) = mail_server.mails
    assert (mail["subject"], mail["to"]) == ("Backup failed: Nightly <1> · shop", "a@b.org, c@d.org")
    assert mail["message-id"] == "<rxbackup-7@example.org>"
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert "Schedule: Nightly\nSince:    22 Nov 2026, 02:00 UTC" in plain.replace("\r\n", "\n")
    assert "What to do: Free some space, then `rxbackup <doctor>`." in plain
    assert "Free some space, then <code>rxbackup &lt;doctor&gt;</code>." in html
    assert "Nightly &lt;1&gt;" in html
    assert "<1>" not in html


def test_a_wrong_password_is_said_and_not_repeated(mail_server: MailServer) -> None:
    way = Way("email", {**_mail(mail_server.port).settings, "username": "rx"}, {"password": "wrong horse"})
    with pytest.raises(NotDelivered, match="did not accept the user name or the password") as caught:
        send(way, LETTER)
    assert "wrong horse" not in caught.value.message + caught.value.hint + repr(way)
    assert mail_server.mails == []


def test_a_server_that_says_no_is_quoted(mail_server: MailServer) -> None:
    mail_server.answer = "554 go away"
    with pytest.raises(NotDelivered, match="go away"):
        send(_mail(mail_server.port), LETTER)


def test_a_dead_mail_server_is_named() -> None:
    port = free_port()
    with pytest.raises(NotDelivered, match=f"127.0.0.1:{port} cannot be reached"):
        send(_mail(port), LETTER)


def test_a_hook_gets_signed_json(web_server: WebServer) -> None:
    send(Way("webhook", {}, {"url": f"{web_server.url}/hook/s3cret", "signing_key": "k"}), LETTER)

    (call,) = web_server.calls
    assert json.loads(call.body) == {
        "id": "7",
        "event": "failure",
        "subject": LETTER.subject,
        "text": LETTER.body,
    }
    expected = hmac.new(b"k", call.body, hashlib.sha256).hexdigest()
    assert call.headers["X-Rxbackup-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("status", [404, 500])
def test_a_hook_that_refuses_is_told_without_its_path(web_server: WebServer, status: int) -> None:
    web_server.status = status
    with pytest.raises(NotDelivered, match=str(status)) as caught:
        send(Way("webhook", {}, {"url": f"{web_server.url}/hook/s3cret"}), LETTER)
    assert "s3cret" not in caught.value.message


def test_a_hook_sends_nobody_elsewhere(web_server: WebServer) -> None:
    web_server.status, web_server.location = 302, f"{web_server.url}/elsewhere"
    with pytest.raises(NotDelivered, match="302"):
        send(Way("webhook", {}, {"url": web_server.url}), LETTER)
    assert len(web_server.calls) == 1


def test_a_heartbeat_is_called(web_server: WebServer) -> None:
    send(Way("heartbeat", {}, {"url": f"{web_server.url}/ping/1"}), LETTER)
    assert [(call.method, call.path) for call in web_server.calls] == [("GET", "/ping/1")]


def test_files_are_no_web_addresses() -> None:
    with pytest.raises(NotDelivered):
        send(Way("webhook", {}, {"url": "file:///etc/passwd"}), LETTER)


def test_apprise_reaches_a_service(web_server: WebServer) -> None:
    send(Way("apprise", {}, {"url": web_server.url.replace("http://", "json://") + "/t0ken"}), LETTER)
    (call,) = web_server.calls
    assert call.path.startswith("/t0ken")
    assert "The disk is full." in json.loads(call.body)["message"]


def test_a_service_that_refuses_is_told_without_its_token(web_server: WebServer) -> None:
    web_server.status = 403
    with pytest.raises(NotDelivered, match="JSON did not take it") as caught:
        send(Way("apprise", {}, {"url": web_server.url.replace("http://", "json://") + "/t0ken"}), LETTER)
    assert "t0ken" not in caught.value.message


@pytest.mark.parametrize("url", ["", "what", "nosuch://x", "slack://", "syslog://", "dbus://"])
def test_addresses_that_tell_nobody_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        service_of(url)


def test_known_services_are_shown_by_name() -> None:
    assert service_of("ntfy://some-topic") == "ntfy"
    assert service_of("tgram://123456789:abcdefg_hijklmnop/12315544") == "Telegram"
    assert service_of("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ") == "Slack"


def test_what_may_be_secret_in_an_address_is_not_repeated() -> None:
    assert without_secrets("no route to T0KENA%20B for T0KENA B", "x://user:T0KENA%20B@host.example/p4th") == (
        "no route to … for …"
    )
