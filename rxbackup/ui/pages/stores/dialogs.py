"""The dialogs that act on stores: add, free up space, bring back the catalogue, remove."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, option, select, text_field, tick
from rxbackup.ui.components.notices import bone, failure, notice
from rxbackup.ui.components.passwords import password_input
from rxbackup.ui.components.readouts import count, size
from rxbackup.ui.components.store_card import check_list
from rxbackup.ui.pages.stores.adding import AddState
from rxbackup.ui.pages.stores.tending import TendState

_STYLES = [("auto", "Find out"), ("virtual", "bucket.example.com"), ("path", "example.com/bucket")]


def dialogs() -> rx.Component:
    """All of them; at most one is open at a time. A page that is loaded anew starts without one."""
    shut = [state.set_open(False) for state in (AddState, TendState)]
    return rx.el.div(add_dialog(), free_dialog(), rebuild_dialog(), remove_dialog(), on_mount=shut)


def add_dialog() -> rx.Component:
    """Add store: nothing is saved before everything that a backup will ask of the place was tried there."""
    kinds = rx.el.fieldset(
        rx.el.legend("Kind", class_name="rx-label"),
        option(
            "kind",
            "local",
            "Folder",
            "A folder on this machine: another disk, or a network share.",
            default_checked=True,
            on_change=AddState.choose_kind,
        ),
        option(
            "kind",
            "s3",
            "S3 bucket",
            "Amazon S3, or anything that speaks it: MinIO, Cloudflare R2, Backblaze B2.",
            on_change=AddState.choose_kind,
        ),
        class_name="rx-fieldset rx-options rx-columns",
    )
    return dialog(
        rx.el.form(
            kinds,
            text_field(
                "Name",
                name="store_name",
                required=True,
                max_length=63,
                auto_complete="off",
                note="What this store is called everywhere, for instance offsite.",
            ),
            rx.cond(AddState.kind == "s3", _bucket_fields(), _folder_fields()),
            tick("Take it over from an installation that is gone, with its backups", name="take_over"),
            failure(AddState.error, AddState.hint),
            rx.cond(
                AddState.sending | (AddState.checks.length() > 0),
                rx.el.div(
                    check_list(AddState.checks, label="What was tested"),
                    rx.cond(
                        AddState.sending,
                        rx.el.p(
                            rx.icon("loader-circle", size=16, aria_hidden="true", class_name="rx-spin"),
                            "Testing and saving",
                            class_name="rx-row rx-soft",
                        ),
                        rx.fragment(),
                    ),
                    class_name="rx-ticks rx-checks-frame",
                    custom_attrs={"aria-live": "polite"},
                ),
                rx.fragment(),
            ),
            actions(
                button(
                    rx.cond(AddState.sending, "Testing", "Test and save"),
                    look="primary",
                    type="submit",
                    disabled=AddState.sending,
                ),
                on_cancel=AddState.set_open(False),
            ),
            on_submit=AddState.submit,
        ),
        title="Add store",
        text="It is saved once everything that a backup needs was tried there and worked.",
        is_open=AddState.is_open,
        on_open_change=AddState.set_open,
        wide=True,
    )


def _folder_fields() -> rx.Component:
    return text_field(
        "Folder",
        name="path",
        required=True,
        placeholder="/mnt/backups",
        auto_complete="off",
        spell_check=False,
        note="The whole path, on the machine that rxbackup runs on.",
    )


def _bucket_fields() -> rx.Component:
    plain = {"auto_complete": "off", "spell_check": False}
    return rx.fragment(
        rx.el.div(
            text_field("Bucket", name="bucket", required=True, **plain),
            text_field("Folder in the bucket", name="prefix", placeholder="Optional", **plain),
            text_field("Endpoint", name="endpoint", placeholder="Empty for Amazon S3", **plain),
            text_field("Region", name="region", placeholder="eu-central-1", **plain),
            text_field("Access key", name="access_key", required=True, **plain),
            field("Secret key", password_input("secret_key", required=True), field_id="secret_key"),
            class_name="rx-columns",
        ),
        rx.el.p(
            "The keys are stored encrypted, and never shown again. They need to read, write, list and delete here.",
            class_name="rx-field-note",
        ),
        tick("The endpoint has no TLS (http://)", name="allow_http"),
        rx.el.details(
            rx.el.summary("More"),
            rx.el.div(
                field("Session token", password_input("session_token"), field_id="session_token"),
                field(
                    "Address of the bucket",
                    select("Address of the bucket", _STYLES, labelled=True, id="style", name="style"),
                    field_id="style",
                ),
                class_name="rx-columns",
            ),
            class_name="rx-details",
        ),
    )


def free_dialog() -> rx.Component:
    """Free up space: first what it would do, then do it."""
    plan = TendState.plan
    nothing = (plan.bytes == 0) | (plan.refused != "") | (plan.unknown > 0)
    return dialog(
        failure(TendState.error, TendState.hint),
        rx.cond(
            TendState.planning,
            rx.el.div(
                bone("line"), bone("short"), role="status", aria_busy="true", aria_label="Looking what is needed"
            ),
            rx.cond(TendState.error == "", _plan(), rx.fragment()),
        ),
        actions(
            button(
                rx.cond(nothing, "Free up space", rx.fragment("Free ", size(bytes=plan.bytes))),
                look="primary",
                on_click=TendState.free,
                disabled=TendState.planning | TendState.sending | nothing,
            ),
            on_cancel=TendState.set_open(False),
        ),
        title=rx.fragment("Free up space in “", TendState.store, "”"),
        text="Deletes what no backup needs any more. Backups, and what they lean on, stay whole.",
        is_open=TendState.kind == "free",
        on_open_change=TendState.set_open,
    )


def _plan() -> rx.Component:
    plan = TendState.plan
    unknown = notice(
        "warn",
        rx.fragment(
            "This store holds ",
            count(value=plan.unknown),
            rx.cond(plan.unknown == 1, " backup", " backups"),
            " that the catalogue does not know.",
        ),
        rx.el.p("Nothing is deleted before they are known. Bring back the catalogue first."),
        action=button("Bring back…", on_click=TendState.ask("rebuild", TendState.store)),
    )
    frees = rx.cond(
        plan.bytes > 0,
        rx.el.p("Frees ", rx.el.strong(size(bytes=plan.bytes)), " in ", plan.parts, "."),
        rx.el.p("Nothing to free: every part in it is needed."),
    )
    orphans = rx.el.p(
        size(bytes=plan.orphan_bytes),
        " of it in ",
        plan.orphans,
        " that interrupted work left behind.",
        class_name="rx-soft",
    )
    waiting = rx.el.p(
        size(bytes=plan.waiting_bytes),
        " more ",
        rx.cond(
            plan.waiting_for != "",
            rx.fragment("can go once ", plan.waiting_for, " is done."),
            "wait until what runs now is done.",
        ),
        class_name="rx-soft",
    )
    return rx.fragment(
        rx.cond(plan.refused != "", notice("bad", plan.refused), rx.fragment()),
        rx.cond(plan.unknown > 0, unknown, rx.fragment()),
        rx.cond(
            (plan.refused == "") & (plan.unknown == 0),
            rx.el.div(
                frees,
                rx.cond(plan.orphans != "", orphans, rx.fragment()),
                rx.cond(plan.waiting_bytes > 0, waiting, rx.fragment()),
                class_name="rx-lines",
            ),
            rx.fragment(),
        ),
    )


def rebuild_dialog() -> rx.Component:
    """Bring back the catalogue: what the store holds becomes known here again."""
    return dialog(
        failure(TendState.error, TendState.hint),
        rx.cond(
            TendState.unknown > 0,
            notice(
                "run",
                rx.fragment(
                    "It holds ",
                    count(value=TendState.unknown),
                    rx.cond(TendState.unknown == 1, " backup", " backups"),
                    " that this catalogue does not know.",
                ),
            ),
            rx.fragment(),
        ),
        actions(
            button("Bring back", look="primary", on_click=TendState.rebuild, disabled=TendState.sending),
            on_cancel=TendState.set_open(False),
        ),
        title=rx.fragment("Bring back the catalogue from “", TendState.store, "”"),
        text="Reads which backups the store holds, and lists here those that are missing. The store is not changed.",
        is_open=TendState.kind == "rebuild",
        on_open_change=TendState.set_open,
    )


def remove_dialog() -> rx.Component:
    """Remove: rxbackup forgets the place; what rests there stays."""
    return dialog(
        failure(TendState.error, TendState.hint),
        rx.el.p(
            "rxbackup forgets this place. The files in it stay; adding the store again and bringing back the catalogue "
            "makes them known once more."
        ),
        actions(
            button("Remove store", look="danger", on_click=TendState.remove, disabled=TendState.sending),
            on_cancel=TendState.set_open(False),
            cancel="Keep it",
        ),
        title="Remove this store?",
        text=rx.fragment("“", TendState.store, "”"),
        is_open=TendState.kind == "remove",
        on_open_change=TendState.set_open,
        danger=True,
    )
