from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from rxbackup.errors import NotDelivered, NotFound, Refused, UsageError
from rxbackup.notify.letter import Said
from rxbackup.operations import channels, measures
from rxbackup.operations._telling.announcing import announce
from rxbackup.operations.views.channels import ChannelChange, NewChannel
from tests.support.installation import CONSOLE, Installation
from tests.support.receivers import MailServer, WebServer, free_port, mail_server, web_server

__all__ = ["mail_server", "web_server"]

FAILED = Said("Backup failed: Nightly", "The disk is full.", tone="bad", hint="Free some space.")


def _mail(port: int, name: str = "people", **more: object) -> NewChannel:
    fixed = {"to": ("ada@example.org",), "host": "127.0.0.1", "port": port, "security": "none"}
    return NewChannel(name, "email", **{**fixed, **more})  # type: ignore[arg-type]


def _hook(url: str, name: str = "hook", **more: object) -> NewChannel:
    return NewChannel(name, "webhook", url=SecretStr(url), **more)  # type: ignore[arg-type]


def _tell(installation: Installation, once: str, event: str = "failure", said: Said = FAILED) -> int:
    with installation.services.system.session("system") as session:
        return announce(installation.services, session, event, said, once=once)


def _send(installation: Installation) -> int:
    return channels.send_messages(installation.services, CONSOLE)


def test_every_channel_that_listens_is_told_once(
    installation: Installation, mail_server: MailServer, web_server: WebServer
) -> None:
    channels.add_channel(installation.services, CONSOLE, _mail(mail_server.port))
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url, "deaf", events=("restore",)))

    assert _tell(installation, "run 1") == 2
    assert _tell(installation, "run 1", "recovered") == 0
    assert _send(installation) == 2
    assert _send(installation) == 0

    (mail,) = mail_server.mails
    assert mail["subject"].startswith("Backup failed: Nightly · ")
    (call,) = web_server.calls
    assert json.loads(call.body)["event"] == "failure"
    assert {m.state for m in channels.recent_messages(installation.services, CONSOLE)} == {"sent"}


def test_a_dead_mail_server_loses_nothing_and_keeps_nobody_waiting(
    installation: Installation, web_server: WebServer
) -> None:
    port = free_port()
    channels.add_channel(installation.services, CONSOLE, _mail(port))
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    _tell(installation, "run 1")
    _tell(installation, "run 2")

    assert _send(installation) == 2
    assert len(web_server.calls) == 2
    view = next(c for c in channels.list_channels(installation.services, CONSOLE) if c.name == "people")
    assert (view.waiting, view.last_sent_at) == (2, None)
    assert "cannot be reached" in view.problem

    assert _send(installation) == 0  # not before its time
    for _ in range(30):
        installation.clock.forward(hours=4)
        _send(installation)
    waiting = [m for m in channels.recent_messages(installation.services, CONSOLE) if m.channel == "people"]
    assert {m.state for m in waiting} == {"waiting"}
    assert max(m.attempts for m in waiting) > 10

    for _ in range(12):
        installation.clock.forward(hours=5)
        _send(installation)
    assert {m.state for m in channels.recent_messages(installation.services, CONSOLE) if m.channel == "people"} == {
        "given up"
    }


def test_what_waited_arrives_in_order_once_the_server_is_back(
    installation: Installation, web_server: WebServer
) -> None:
    web_server.status = 503
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    for number in range(3):
        _tell(installation, f"run {number}", said=Said(f"Number {number}", "…"))
        installation.clock.forward(seconds=1)
    assert _send(installation) == 0
    assert len(web_server.calls) == 1

    web_server.status = 204
    installation.clock.forward(minutes=2)
    assert _send(installation) == 3
    said = [json.loads(call.body)["subject"].split(" · ")[0] for call in web_server.calls[1:]]
    assert said == ["Number 0", "Number 1", "Number 2"]
    assert channels.list_channels(installation.services, CONSOLE)[0].problem == ""


def test_a_message_whose_sender_died_is_sent_by_another(installation: Installation, web_server: WebServer) -> None:
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    _tell(installation, "run 1")
    installation.system_sql("UPDATE rxbackup.messages SET attempts = 1, next_try_at = now() + interval '5 minutes'")
    assert _send(installation) == 0
    installation.clock.forward(minutes=6)
    assert _send(installation) == 1


def test_a_stale_heartbeat_is_given_up(installation: Installation, web_server: WebServer) -> None:
    web_server.status = 500
    new = NewChannel("checks", "heartbeat", url=SecretStr(f"{web_server.url}/ping"))
    assert channels.add_channel(installation.services, CONSOLE, new).events == ("success",)
    _tell(installation, "run 1", "success", Said("Backup is safe", "…", tone="good"))
    _send(installation)
    installation.clock.forward(hours=2)
    _send(installation)
    (message,) = channels.recent_messages(installation.services, CONSOLE)
    assert message.state == "given up"


def test_secrets_are_sealed_and_never_shown(installation: Installation, web_server: WebServer) -> None:
    new = _hook(f"{web_server.url}/t0ken", signing_key=SecretStr("k3y"))
    view = channels.add_channel(installation.services, CONSOLE, new)
    assert view.where == web_server.url
    everything = str(installation.system_sql("SELECT c::text, encode(secrets, 'escape') FROM rxbackup.channels c"))
    everything += str(installation.system_sql("SELECT a::text FROM rxbackup.audit a")) + repr(new) + repr(view)
    assert "t0ken" not in everything
    assert "k3y" not in everything


def test_another_key_says_so(installation: Installation, web_server: WebServer) -> None:
    from rxbackup.errors import KeyTrouble
    from rxbackup.vault.keyring import create_key_file

    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    path = installation.services.settings.key_path
    path.unlink()
    create_key_file(path)
    with pytest.raises(KeyTrouble, match="sealed with another key"):
        channels.try_channel(installation.services, CONSOLE, "hook")
    with pytest.raises(KeyTrouble):
        channels.change_channel(installation.services, CONSOLE, "hook", ChannelChange(url=SecretStr(web_server.url)))
    anew = ChannelChange(url=SecretStr(web_server.url), signing_key=SecretStr(""))
    channels.change_channel(installation.services, CONSOLE, "hook", anew)
    assert channels.try_channel(installation.services, CONSOLE, "hook").problem == ""


def test_a_test_says_what_came_of_it(installation: Installation, mail_server: MailServer) -> None:
    channels.add_channel(installation.services, CONSOLE, _mail(mail_server.port))
    assert channels.try_channel(installation.services, CONSOLE, "people").problem == ""
    assert mail_server.mails[0]["subject"].startswith("Test of the channel people")

    mail_server.answer = "550 no"
    installation.clock.forward(seconds=1)
    with pytest.raises(NotDelivered):
        channels.try_channel(installation.services, CONSOLE, "people")
    (view,) = channels.list_channels(installation.services, CONSOLE)
    assert "refused: no" in view.problem
    assert "send a test" in view.problem_hint
    failed, worked = channels.recent_messages(installation.services, CONSOLE)
    assert (failed.event, failed.state, worked.event, worked.state) == ("test", "given up", "test", "sent")
    assert "refused: no" in failed.problem
    installation.clock.forward(days=1)
    assert _send(installation) == 0  # a test is not tried again by itself
    assert measures.read_measures(installation.services, CONSOLE).messages == ()


def test_what_waits_goes_at_once_when_the_channel_is_mended(
    installation: Installation, mail_server: MailServer
) -> None:
    channels.add_channel(installation.services, CONSOLE, _mail(free_port()))
    _tell(installation, "run 1")
    assert _send(installation) == 0
    change = ChannelChange(name="on-call", port=mail_server.port, to=("ada@example.org", "bob@example.org"))
    view = channels.change_channel(installation.services, CONSOLE, "people", change)
    assert (view.name, view.problem, view.port) == ("on-call", "", mail_server.port)
    assert view.where == f"ada@example.org, bob@example.org by 127.0.0.1:{mail_server.port}"
    assert _send(installation) == 1
    assert mail_server.mails[0]["to"] == "ada@example.org, bob@example.org"


def test_what_waits_goes_at_once_after_a_test_that_worked(installation: Installation, web_server: WebServer) -> None:
    web_server.status = 503
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    _tell(installation, "run 1")
    assert _send(installation) == 0
    web_server.status = 200
    channels.try_channel(installation.services, CONSOLE, "hook")
    assert _send(installation) == 1


def test_secrets_that_are_not_given_stay(
    installation: Installation, mail_server: MailServer, web_server: WebServer
) -> None:
    signed_in = _mail(mail_server.port, username="rx", password=SecretStr("right horse"))
    assert channels.add_channel(installation.services, CONSOLE, signed_in).has_password
    change = ChannelChange(to=("bob@example.org",), sender="rx@example.org")
    assert channels.change_channel(installation.services, CONSOLE, "people", change).has_password
    channels.try_channel(installation.services, CONSOLE, "people")
    assert mail_server.mails[0]["from"] == "rx@example.org"

    hook = _hook(f"{web_server.url}/t0ken", signing_key=SecretStr("k3y"))
    channels.add_channel(installation.services, CONSOLE, hook)
    change = ChannelChange(signing_key=SecretStr(""))
    assert not channels.change_channel(installation.services, CONSOLE, "hook", change).has_signing_key
    channels.try_channel(installation.services, CONSOLE, "hook")
    assert web_server.calls[0].path == "/t0ken"
    assert "X-Rxbackup-Signature" not in web_server.calls[0].headers


def test_a_kept_password_goes_to_no_other_server(installation: Installation, mail_server: MailServer) -> None:
    signed_in = _mail(mail_server.port, username="rx", password=SecretStr("right horse"))
    channels.add_channel(installation.services, CONSOLE, signed_in)
    elsewhere = ChannelChange(host="localhost")
    with pytest.raises(UsageError, match="no other mail server") as caught:
        channels.change_channel(installation.services, CONSOLE, "people", elsewhere)
    assert caught.value.field == "password"
    again = ChannelChange(host="localhost", password=SecretStr("right horse"))
    channels.change_channel(installation.services, CONSOLE, "people", again)
    nobody = ChannelChange(host="127.0.0.1", username="")
    assert not channels.change_channel(installation.services, CONSOLE, "people", nobody).has_password


def test_a_channel_cannot_take_the_name_of_another(installation: Installation) -> None:
    channels.add_channel(installation.services, CONSOLE, _mail(25))
    channels.add_channel(installation.services, CONSOLE, _mail(25, "others"))
    with pytest.raises(Refused, match="named others already"):
        channels.change_channel(installation.services, CONSOLE, "people", ChannelChange(name=" others "))
    channels.change_channel(installation.services, CONSOLE, "people", ChannelChange(name="people"))


def test_a_resting_channel_hears_nothing_and_a_removed_one_is_gone(
    installation: Installation, web_server: WebServer
) -> None:
    channels.add_channel(installation.services, CONSOLE, _hook(web_server.url))
    channels.change_channel(installation.services, CONSOLE, "hook", ChannelChange(active=False))
    assert _tell(installation, "run 1") == 0
    awake = ChannelChange(active=True, events=("undo", "failure"))
    channels.change_channel(installation.services, CONSOLE, "hook", awake)
    assert _tell(installation, "run 1") == 1
    channels.remove_channel(installation.services, CONSOLE, "hook")
    assert _send(installation) == 0
    with pytest.raises(NotFound):
        channels.remove_channel(installation.services, CONSOLE, "hook")


@pytest.mark.parametrize(
    "new",
    [
        NewChannel("", "email"),
        NewChannel("x", "pigeon"),
        NewChannel("x", "email", to=("ada@example.org",)),
        _mail(25, to=()),
        _mail(25, to=("nobody",)),
        _mail(25, to=("a@b.org\nBcc: c@d.org",)),
        _mail(25, host="mail.example.org", username="rx", password=SecretStr("x")),
        _mail(25, password=SecretStr("x")),
        _mail(70000),
        _mail(25, security="hope"),
        NewChannel("x", "webhook"),
        _hook("file:///etc/passwd"),
        _hook("https://"),
        _hook("https://example.org/a b"),
        _hook("https://example.org", events=("gossip",)),
        _hook("https://example.org", events=()),
        NewChannel("x", "heartbeat", url=SecretStr("https://example.org"), events=("failure",)),
        NewChannel("x", "apprise", url=SecretStr("nosuch://x")),
    ],
)
def test_what_cannot_be_meant_is_refused(installation: Installation, new: NewChannel) -> None:
    with pytest.raises(UsageError):
        channels.add_channel(installation.services, CONSOLE, new)
    assert channels.list_channels(installation.services, CONSOLE) == ()


def test_a_name_is_given_once(installation: Installation) -> None:
    channels.add_channel(installation.services, CONSOLE, _mail(25))
    with pytest.raises(Refused):
        channels.add_channel(installation.services, CONSOLE, _mail(25))


def test_row_security_hides_channels_from_strangers(installation: Installation) -> None:
    channels.add_channel(installation.services, CONSOLE, _mail(25))
    with installation.services.system.session("nobody@example.org") as session:
        from sqlmodel import select

        from rxbackup.tables.system import Channel

        assert session.exec(select(Channel.name)).all() == []
    with installation.services.system.session("nobody@example.org") as session:
        assert announce(installation.services, session, "failure", FAILED, once="x") == 0
