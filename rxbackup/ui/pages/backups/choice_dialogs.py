"""The small dialogs about one backup: delete, verify, copy."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, option
from rxbackup.ui.components.notices import bone, failure
from rxbackup.ui.components.passwords import password_input
from rxbackup.ui.components.readouts import count, size
from rxbackup.ui.pages.backups.choosing import ChoiceState
from rxbackup.ui.pages.backups.downloading import DownloadState


def delete_dialog() -> rx.Component:
    """Delete: says what goes, what stays, and until when it can be had back."""
    freed = rx.fragment(
        " removes it from ",
        ChoiceState.places,
        rx.cond(
            ChoiceState.frees_bytes > 0,
            rx.fragment(" and frees ", rx.el.strong(size(bytes=ChoiceState.frees_bytes)), ". "),
            rx.fragment(" and frees nothing: other backups need every part of it. "),
        ),
    )
    days = rx.el.strong(count(value=ChoiceState.trash_days), rx.cond(ChoiceState.trash_days == 1, " day", " days"))
    frees = rx.cond(
        ChoiceState.known,
        rx.cond(
            ChoiceState.complete,
            rx.el.p(
                "It waits in the trash for ",
                days,
                " and can be had back from there. After that, rxbackup",
                freed,
                "Your database and all other backups stay whole.",
            ),
            rx.el.p(
                "It never became complete, so there is nothing to have back: deleting",
                freed,
                "Your database and all other backups stay whole.",
            ),
        ),
        rx.cond(ChoiceState.error == "", _bones("Working out what that frees"), rx.fragment()),
    )
    return dialog(
        failure(ChoiceState.error, ChoiceState.hint),
        frees,
        actions(
            button(
                rx.cond(ChoiceState.complete, "Move to trash", "Delete backup"),
                look="danger",
                on_click=ChoiceState.delete,
            ),
            on_cancel=ChoiceState.set_open(False),
            cancel="Keep it",
        ),
        title="Delete this backup?",
        text=rx.fragment("“", ChoiceState.name, "”"),
        is_open=ChoiceState.kind == "delete",
        on_open_change=ChoiceState.set_open,
        danger=True,
    )


def check_dialog() -> rx.Component:
    """Verify: how thoroughly?"""
    return dialog(
        rx.el.form(
            failure(ChoiceState.error, ChoiceState.hint),
            rx.el.fieldset(
                rx.el.legend("How thoroughly", class_name="rx-hidden"),
                option(
                    "level",
                    "structure",
                    "All parts are there",
                    "Looks for every part and its size, and opens none. Proves: readable. Takes a few seconds.",
                ),
                option(
                    "level",
                    "contents",
                    "Contents",
                    _lasting(
                        "Opens and decrypts every part and counts its rows. Proves: decrypted. Takes ",
                        ChoiceState.opening_takes,
                    ),
                    default_checked=True,
                ),
                option(
                    "level",
                    "drill",
                    "Restore drill",
                    _lasting(
                        "Restores it into a scratch place beside your data, compares every table with what was "
                        "written, and removes the scratch again. Proves: restored. Takes ",
                        ChoiceState.restoring_takes,
                    ),
                ),
                class_name="rx-fieldset rx-options",
            ),
            actions(
                button("Verify", look="primary", type="submit", disabled=ChoiceState.sending),
                on_cancel=ChoiceState.set_open(False),
            ),
            on_submit=ChoiceState.check,
        ),
        title="Verify this backup",
        text=rx.fragment("“", ChoiceState.name, "” is only read; your tables are not touched."),
        is_open=ChoiceState.kind == "check",
        on_open_change=ChoiceState.set_open,
    )


def _lasting(words: str, span: Any) -> rx.Component:
    return rx.fragment(words, rx.cond(span != "", span, "a while"), ".")


def copy_dialog() -> rx.Component:
    """Copy to…: which further store?"""
    choices = rx.el.fieldset(
        rx.el.legend("Copy to", class_name="rx-hidden"),
        rx.foreach(
            ChoiceState.targets,
            lambda store, number: rx.el.label(
                rx.el.input(type="radio", name="target", value=store.name, default_checked=number == 0),
                rx.el.span(
                    rx.el.span(store.name, class_name="rx-strong"),
                    rx.cond(store.same_server, rx.el.span(" · same server", class_name="rx-soft"), rx.fragment()),
                    rx.el.br(),
                    rx.el.span(store.where, class_name="rx-soft rx-wrap"),
                ),
                key=store.name,
                class_name="rx-option",
            ),
        ),
        class_name="rx-fieldset rx-options",
    )
    none_left = rx.el.p(
        "It rests in every store already. ",
        rx.link("Add a store", href=addresses.STORES, underline="always"),
        " to keep it in one more place.",
    )
    return dialog(
        rx.el.form(
            failure(ChoiceState.error, ChoiceState.hint),
            rx.cond(
                ChoiceState.known,
                rx.cond(ChoiceState.targets.length() > 0, choices, none_left),
                rx.cond(ChoiceState.error == "", _bones("Looking where it rests"), rx.fragment()),
            ),
            actions(
                button(
                    "Copy",
                    look="primary",
                    type="submit",
                    disabled=ChoiceState.sending | (ChoiceState.targets.length() == 0),
                ),
                on_cancel=ChoiceState.set_open(False),
            ),
            on_submit=ChoiceState.copy,
        ),
        title="Copy this backup",
        text=rx.fragment("“", ChoiceState.name, "” is copied as it is, still encrypted."),
        is_open=ChoiceState.kind == "copy",
        on_open_change=ChoiceState.set_open,
    )


def _bones(label: str) -> rx.Component:
    return rx.el.div(bone("line"), bone("short"), role="status", aria_busy="true", aria_label=label)


def download_dialog() -> rx.Component:
    """Download: as what, and for an archive a passphrase if it is to leave the reach of the key."""
    formats = (
        ("json", "JSON", "All rows, for people and programs to read. It can be imported again. Not encrypted."),
        ("sql", "SQL", "A script that psql runs against an empty copy of the database. Not encrypted."),
        ("archive", "Archive", "The backup as it is, encrypted, in one file. The smallest; made to be imported."),
    )
    chosen = DownloadState.format
    secret = rx.el.div(
        field(
            "Passphrase",
            password_input("passphrase", auto_complete="new-password"),
            field_id="passphrase",
            note="Optional. Another installation, without your key, opens the archive with it.",
        ),
        field(
            "The same again",
            password_input("passphrase_again", auto_complete="new-password"),
            field_id="passphrase_again",
        ),
        class_name="rx-columns",
    )
    return dialog(
        rx.el.form(
            failure(DownloadState.error, DownloadState.hint),
            rx.el.fieldset(
                rx.el.legend("Download as", class_name="rx-hidden"),
                *[
                    option(
                        "format",
                        value,
                        title,
                        text,
                        default_checked=value == "json",
                        on_change=DownloadState.choose_format(value),
                    )
                    for value, title, text in formats
                ],
                class_name="rx-fieldset rx-options",
            ),
            rx.cond(chosen == "archive", secret, rx.fragment()),
            actions(
                button("Download", look="primary", type="submit", disabled=DownloadState.sending),
                on_cancel=DownloadState.set_open(False),
            ),
            on_submit=DownloadState.submit,
        ),
        title="Download this backup",
        text=rx.fragment("“", DownloadState.name, "”"),
        is_open=DownloadState.is_open,
        on_open_change=DownloadState.set_open,
    )
