"""Channels on the page: the form and what it describes, and what is said about channels and messages."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup.errors import UsageError
from rxbackup.operations._telling.announcing import EVENTS, USUAL_EVENTS
from rxbackup.operations._telling.new_channel import check_new_channel
from rxbackup.operations.views.channels import ChannelChange, ChannelView, MessageView
from rxbackup.ui.pages.notifications.draft import EVENT, FIELDS, NO_MORE, Filled, filled_from, read_change, read_new
from rxbackup.ui.pages.notifications.happenings import GROUPS, heard
from rxbackup.ui.pages.notifications.rows import channel_card, message_line, nobody_hears

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MAIL = ChannelView(
    "1", "people", "email", "ada@example.org by mail.example.org:465", USUAL_EVENTS, True, "ada@example.org", NOW, NOW,
    "", to=("ada@example.org", "bob@example.org"), sender="rx@example.org", host="mail.example.org", port=465,
    security="tls", username="rx", has_password=True,
)  # fmt: skip
HOOK = replace(MAIL, name="hook", kind="webhook", where="https://example.org", events=("failure",), to=(), port=0)


def as_sent(filled: Filled) -> dict[str, object]:
    """What a browser sends of a form that nobody touched: secrets are empty, only ticked boxes are there."""
    sent: dict[str, object] = {name: value for name, value in asdict(filled).items() if isinstance(value, str)}
    sent |= {"to": sent.pop("readers"), "password": "", "url": "", "signing_key": ""}
    return sent | {f"{EVENT}{name}": "on" for name in filled.events}


@pytest.mark.parametrize("view", [MAIL, HOOK])
def test_a_channel_that_is_opened_and_saved_stays_as_it_was(view: ChannelView) -> None:
    filled = filled_from(view)
    assert read_change(as_sent(filled), view.kind, filled) == ChannelChange()


def test_the_usual_port_follows_how_the_connection_is_secured() -> None:
    filled = filled_from(MAIL)
    assert filled.port == ""
    assert read_change(as_sent(filled) | {"security": "starttls"}, "email", filled).port == 0
    odd = filled_from(replace(MAIL, port=2525))
    assert read_change(as_sent(odd) | {"security": "starttls"}, "email", odd).port is None


def test_only_what_was_changed_is_sent_on() -> None:
    filled = filled_from(MAIL)
    changed = as_sent(filled) | {
        "to": "eve@example.org; ada@example.org",
        "port": "",
        "password": "n3w",
        "security": "starttls",
    }
    changed.pop(f"{EVENT}undo")
    change = read_change(changed, "email", filled)
    assert (change.to, change.port, change.host) == (("eve@example.org", "ada@example.org"), 0, None)
    assert change.events == tuple(name for name in USUAL_EVENTS if name != "undo")
    assert change.password is not None
    assert "n3w" not in repr(change)


def test_a_signing_key_is_taken_away_only_when_asked_to() -> None:
    filled = filled_from(replace(HOOK, has_signing_key=True))
    assert read_change(as_sent(filled), "webhook", filled).signing_key is None
    gone = read_change(as_sent(filled) | {NO_MORE: "on"}, "webhook", filled).signing_key
    assert gone is not None
    assert gone.get_secret_value() == ""


def test_fields_of_other_kinds_are_not_read() -> None:
    form = as_sent(filled_from(MAIL)) | {"url": "https://example.org/t0ken", "password": "x", "signing_key": "k"}
    heartbeat = read_new(form, "heartbeat")
    assert (heartbeat.events, heartbeat.host, heartbeat.password, heartbeat.signing_key) == (None, "", None, None)
    assert read_new(form, "email").url is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"to": ""}, "to"),
        ({"to": "ada"}, "to"),
        ({"host": "mail example"}, "host"),
        ({"port": "70000"}, "port"),
        ({"port": "smtp"}, "port"),
        ({"port": "0"}, "port"),
        ({"sender": "rx"}, "sender"),
        ({"username": "", "password": "x"}, "username"),
        ({"security": "none", "password": "x"}, "security"),
        ({f"{EVENT}{name}": "" for name in EVENTS}, "events"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_new_channel(read_new(as_sent(filled_from(MAIL)) | changed, "email"))
    assert caught.value.field == field
    assert field in FIELDS


@pytest.mark.parametrize("url", ["", "example.org/hook", "https://example.org/a b"])
@pytest.mark.parametrize("kind", ["webhook", "heartbeat", "apprise"])
def test_a_wrong_address_is_said_at_its_field(kind: str, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_new_channel(read_new({"name": "x", "url": url, f"{EVENT}failure": "on"}, kind))
    assert caught.value.field == "url"


@given(
    st.one_of(
        st.none(), st.text(), st.dictionaries(st.text() | st.integers(), st.text() | st.none() | st.lists(st.text()))
    )
)
def test_a_strange_form_is_refused_and_breaks_nothing(form: object) -> None:
    with pytest.raises(UsageError):
        check_new_channel(read_new(form, "email"))


def test_everything_that_can_be_told_has_its_place_on_the_page() -> None:
    assert sorted(name for _, events in GROUPS for name, _, _ in events) == sorted(EVENTS)
    assert all(heard([name]) != name for name in EVENTS)


def test_what_a_channel_hears_of_is_said_in_words() -> None:
    assert heard(USUAL_EVENTS) == "Every problem, recoveries, first backups, restores and undone restores"
    assert heard(["overdue", "failure"]) == "Failures and late backups"
    assert heard(["success"]) == "Every good backup"


def test_a_channel_says_how_it_fares() -> None:
    assert channel_card(MAIL).state == "works"
    assert channel_card(replace(MAIL, last_sent_at=None)).state == "new"
    assert channel_card(replace(MAIL, problem="No.")).state == "failing"
    assert channel_card(replace(MAIL, problem="No.", active=False)).state == "paused"


def test_it_is_noticed_when_nobody_would_hear_of_a_failure() -> None:
    deaf = replace(MAIL, events=("restore",))
    assert nobody_hears([deaf, replace(HOOK, active=False)])
    assert not nobody_hears([deaf, HOOK])
    assert not nobody_hears([replace(MAIL, kind="heartbeat", events=("success",))])
    assert not nobody_hears([])


def test_a_message_that_waits_says_until_when_or_for_what() -> None:
    view = MessageView("7", "people", "failure", "Failed: a · b · shop", "", "waiting", 2, NOW, None, NOW, "No answer.")
    line = message_line(view, set())
    assert (line.subject, line.state, line.tries) == ("Failed: a · b", "waiting", "2 tries")
    assert line.next_at == "2026-11-23T03:00:00+00:00"
    test = replace(view, event="test", state="given up", attempts=1)
    assert (message_line(test, set()).state, message_line(test, {"people"}).next_at) == ("failed", "")
    assert (message_line(view, {"people"}).state, message_line(view, {"people"}).next_at) == ("resting", "")
