"""`channel`, `alert` and `status` as people and scripts meet them."""

from __future__ import annotations

import psycopg

from tests.support.receivers import MailServer, WebServer, free_port, mail_server, web_server
from tests.support.terminal import Terminal

__all__ = ["mail_server", "web_server"]


def test_channels_on_the_terminal(shop: Terminal, mail_server: MailServer, web_server: WebServer) -> None:
    mail = ("--email", "ada@example.org,bob@example.org", "--smtp-host", "127.0.0.1", "--security", "none")
    assert shop.run("channel", "add", "people", *mail, "--smtp-port", str(mail_server.port)).code == 0
    hook = shop.run("channel", "add", "hook", "--webhook", "-", "--json", typed=f"{web_server.url}/s3cret\n")
    assert hook.json["where"] == web_server.url
    assert "s3cret" not in hook.out + hook.err + shop.run("channel", "list").out

    assert "has taken it" in shop.run("channel", "test", "people").out
    assert mail_server.mails[0]["to"] == "ada@example.org, bob@example.org"
    dead = ("--smtp-port", str(free_port()))
    assert shop.run("channel", "add", "dead", *mail, *dead, "--events", "failure,overdue").code == 0
    refused = shop.run("channel", "test", "dead", "--json")
    assert (refused.code, refused.error["code"]) == (1, "not-delivered")
    listed = {c["name"]: c for c in shop.run("channel", "list", "--json").json["channels"]}
    assert listed["dead"]["events"] == ["failure", "overdue"]
    assert "cannot be reached" in listed["dead"]["problem"]

    assert shop.run("channel", "change", "dead", "--pause").out.endswith("hears of: nothing: it is paused.\n")
    mended = shop.run("channel", "change", "dead", "--resume", "--name", "alive", "--smtp-port", str(mail_server.port))
    assert "alive (ada@example.org, bob@example.org by" in mended.out
    assert shop.run("channel", "test", "alive").code == 0
    assert shop.run("channel", "change", "hook", "--url", "-", typed=f"{web_server.url}/0ther\n").code == 0
    assert shop.run("channel", "test", "hook").code == 0
    assert web_server.calls[-1].path == "/0ther"
    assert shop.run("channel", "change", "alive", "--name", "dead").code == 0
    assert shop.run("channel", "remove", "dead", "--yes").code == 0
    assert shop.run("channel", "remove", "dead", "--yes").code == 4
    assert (
        shop.run("channel", "add", "both", "--webhook", "https://a.example", "--heartbeat", "https://b.example").code
        == 2
    )
    assert "suspicious-change" in shop.run("channel", "events").out


def test_status_and_alerts_on_the_terminal(shop: Terminal) -> None:
    empty = shop.run("status")
    assert (empty.code, empty.out) == (1, "never  There is no backup yet.\n")
    assert shop.run("backup", "create", "-q").code == 0
    assert shop.run("status").code == 0

    with psycopg.connect(shop.settings["RXBACKUP_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("SET rxbackup.actor = 'system'")
        conn.execute(
            "INSERT INTO rxbackup.alerts (kind, message, severity) VALUES ('radar', 'Rows are gone.', 'critical')"
        )
    status = shop.run("status", "--json")
    assert status.code == 1
    (alert,) = status.json["alerts"]
    assert "Rows are gone." in shop.run("alert", "list").out
    assert shop.run("alert", "expect", alert["id"][:8]).out == "Over: Data may be lost.\n"
    assert shop.run("alert", "expect", alert["id"]).code == 4
    assert shop.run("alert", "list").out == "Nothing wants a person.\n"
    assert alert["id"][:8] in shop.run("alert", "list", "--all").out
    assert shop.run("status").code == 0
