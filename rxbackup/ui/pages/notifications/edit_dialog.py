"""Add and edit a channel: how it goes at the left, what it hears of at the right."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, option, select, text_field, tick
from rxbackup.ui.components.notices import failure
from rxbackup.ui.components.passwords import password_input
from rxbackup.ui.pages.notifications.draft import EVENT, NO_MORE
from rxbackup.ui.pages.notifications.editing import EditState
from rxbackup.ui.pages.notifications.happenings import GROUPS

_KINDS = (
    ("email", "E-mail", "Through a mail server (SMTP)."),
    ("webhook", "Web hook", "JSON, posted to an address."),
    ("heartbeat", "Heartbeat", "Called after each good backup."),
    ("apprise", "Another service", "Slack, Teams, Telegram, ntfy …"),
)
_SECURITIES = [
    ("starttls", "STARTTLS (port 587)"),
    ("tls", "TLS at once (port 465)"),
    ("none", "Nothing (port 25)"),
]
_EXAMPLES = (
    ("Slack", "slack://TokenA/TokenB/TokenC"),
    ("Teams", "workflows://host:443/workflow/signature"),
    ("Discord", "discord://webhook_id/webhook_token"),
    ("Telegram", "tgram://bot_token/chat_id"),
    ("ntfy", "ntfys://ntfy.example.org/topic"),
)
_PLAIN: dict[str, Any] = {"auto_complete": "off", "spell_check": False}
_IS_NEW = EditState.channel == ""
_UNCHANGED = "Unchanged"


def edit_dialog() -> rx.Component:
    """The form. What is typed stays in the browser until it is sent; secrets never come back from there."""
    return dialog(
        rx.el.form(
            rx.cond(_IS_NEW, _kinds(), rx.fragment()),
            rx.el.div(
                rx.el.div(
                    text_field(
                        "Name",
                        name="name",
                        default_value=EditState.filled.name,
                        placeholder="For instance on-call",
                        required=True,
                        max_length=63,
                        error=_wrong("name"),
                        **_PLAIN,
                    ),
                    rx.match(
                        EditState.kind,
                        ("email", _mail_fields()),
                        ("webhook", _hook_fields()),
                        ("heartbeat", _heartbeat_fields()),
                        _service_fields(),
                    ),
                    class_name="rx-edit-fields",
                ),
                rx.el.div(
                    rx.cond(EditState.kind == "heartbeat", _heard_by_heartbeat(), _events()),
                    class_name="rx-edit-aside",
                ),
                class_name="rx-edit rx-channel",
            ),
            failure(EditState.error, EditState.hint),
            actions(
                button(
                    rx.cond(_IS_NEW, "Add channel", "Save changes"),
                    look="primary",
                    type="submit",
                    disabled=EditState.sending,
                ),
                on_cancel=EditState.set_open(False),
            ),
            on_submit=EditState.submit,
        ),
        title=rx.cond(_IS_NEW, "Add channel", rx.fragment("Edit “", EditState.channel, "”")),
        text=rx.match(
            EditState.kind,
            ("email", "Messages go by e-mail, as plain text and HTML."),
            ("webhook", "Messages are posted as JSON: id, event, subject and text."),
            ("heartbeat", "A service is called after each good backup, and raises the alarm when nobody calls."),
            "Messages go to one of more than a hundred services, by an address of Apprise.",
        ),
        is_open=EditState.is_open,
        on_open_change=EditState.set_open,
        broad=True,
    )


def _wrong(name: str) -> Any:
    return EditState.wrong.get(name, "")


def _kinds() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Kind", class_name="rx-label"),
        *[
            option("kind", kind, title, text, default_checked=kind == _KINDS[0][0], on_change=EditState.choose_kind)
            for kind, title, text in _KINDS
        ],
        class_name="rx-fieldset rx-options rx-kinds",
    )


def _mail_fields() -> rx.Component:
    filled = EditState.filled
    return rx.fragment(
        text_field(
            "To",
            name="to",
            default_value=filled.readers,
            placeholder="ada@example.org, bob@example.org",
            note="Several with commas between them.",
            error=_wrong("to"),
            required=True,
            input_mode="email",
            **_PLAIN,
        ),
        rx.el.div(
            text_field(
                "Mail server",
                name="host",
                default_value=filled.host,
                placeholder="mail.example.org",
                error=_wrong("host"),
                required=True,
                **_PLAIN,
            ),
            field(
                "Secured by",
                select(
                    "Secured by",
                    _SECURITIES,
                    labelled=True,
                    id="security",
                    name="security",
                    default_value=filled.security,
                ),
                field_id="security",
                error=_wrong("security"),
            ),
            text_field(
                "Port",
                name="port",
                default_value=filled.port,
                placeholder="The usual one",
                input_mode="numeric",
                error=_wrong("port"),
                **_PLAIN,
            ),
            text_field(
                "From",
                name="sender",
                default_value=filled.sender,
                placeholder="The first reader",
                input_mode="email",
                error=_wrong("sender"),
                **_PLAIN,
            ),
            text_field(
                "User name",
                name="username",
                default_value=filled.username,
                placeholder="None",
                error=_wrong("username"),
                **_PLAIN,
            ),
            _secret("Password", "password", kept=filled.has_password, none="None"),
            class_name="rx-columns",
        ),
        _sealed("The password is"),
    )


def _hook_fields() -> rx.Component:
    filled = EditState.filled
    return rx.fragment(
        _url("Address", "https://example.org/hook/…"),
        _secret("Key to sign with", "signing_key", kept=filled.has_signing_key, none="Optional"),
        rx.cond(filled.has_signing_key, tick("Sign no more", name=NO_MORE), rx.fragment()),
        rx.el.p(
            "With a key, the header X-Rxbackup-Signature holds the HMAC-SHA256 of the body. ",
            class_name="rx-field-note",
        ),
        _sealed("Address and key are"),
    )


def _heartbeat_fields() -> rx.Component:
    return rx.fragment(_url("Address to call", "https://hc.example.org/ping/…"), _sealed("The address is"))


def _service_fields() -> rx.Component:
    examples = [
        rx.el.div(rx.el.dt(name), rx.el.dd(rx.el.code(url)), class_name="rx-example") for name, url in _EXAMPLES
    ]
    return rx.fragment(
        _url("Address of the service", "slack://TokenA/TokenB/TokenC"),
        rx.el.div(
            rx.el.p("Examples", class_name="rx-label"),
            rx.el.dl(*examples, class_name="rx-examples"),
            rx.el.p(
                "The hooks that Slack and Discord hand out (https://…) can be pasted as they are.",
                class_name="rx-field-note",
            ),
            class_name="rx-lines",
        ),
        _sealed("The address is"),
    )


def _url(label: str, example: str) -> rx.Component:
    """The address, which may hold a secret: asked for when it is new, kept as it is when it is left empty."""
    return text_field(
        label,
        name="url",
        placeholder=rx.cond(_IS_NEW, example, _UNCHANGED),
        required=_IS_NEW,
        error=_wrong("url"),
        **_PLAIN,
    )


def _secret(label: str, name: str, *, kept: Any, none: str) -> rx.Component:
    control = password_input(name, auto_complete="new-password", placeholder=rx.cond(kept, _UNCHANGED, none))
    return field(label, control, field_id=name, error=_wrong(name))


def _sealed(what: str) -> rx.Component:
    one = what.endswith("is")
    kept = f" Leave {'it' if one else 'one'} empty to keep what there is."
    return rx.el.p(
        f"{what} stored encrypted, and never shown again.",
        rx.cond(_IS_NEW, "", kept),
        class_name="rx-field-note",
    )


def _events() -> rx.Component:
    groups = [
        rx.el.fieldset(
            rx.el.legend(heading, class_name="rx-label"),
            rx.el.div(
                *[
                    tick(words, name=f"{EVENT}{name}", default_checked=EditState.filled.events.contains(name))
                    for name, words, _ in events
                ],
                class_name="rx-ticks",
            ),
            class_name="rx-fieldset",
        )
        for heading, events in GROUPS
    ]
    wrong = _wrong("events")
    return rx.el.div(
        rx.el.h3("What it hears of", class_name="rx-part"),
        *groups,
        rx.cond(wrong != "", rx.el.p(wrong, class_name="rx-field-error", role="alert"), rx.fragment()),
        rx.el.p("A problem that stays open is told again once a day.", class_name="rx-field-note"),
        id="events",
        tab_index=-1,
        class_name="rx-heard",
    )


def _heard_by_heartbeat() -> rx.Component:
    return rx.el.div(
        rx.el.h3("What it hears of", class_name="rx-part"),
        rx.el.p("Every good backup, and nothing else.", class_name="rx-soft"),
        rx.el.p(
            "The service on the other side tells people when the call does not come: also when this server is gone. "
            "Add another channel for the rest.",
            class_name="rx-soft",
        ),
        class_name="rx-heard",
    )
