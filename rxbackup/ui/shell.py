"""The frame around every page: navigation, account, notices about the connection and the session."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors  # type: ignore[import-untyped]

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.readouts import focus_keeper, here_in_view, shortcuts
from rxbackup.ui.session import SessionState

_SECTIONS = (
    (
        "Admin",
        (
            ("Overview", addresses.OVERVIEW, "layout-dashboard"),
            ("Backup Management", addresses.BACKUPS, "database-backup"),
            ("Schedules", addresses.SCHEDULES, "calendar-clock"),
            ("Activity", addresses.ACTIVITY, "history"),
            ("Stores", addresses.STORES, "hard-drive"),
            ("Notifications", addresses.NOTIFICATIONS, "bell"),
        ),
    ),
)


def page_frame(*content: rx.Component, here: str, keys: dict[str, str] | None = None) -> rx.Component:
    """A page for people who are signed in.

    Args:
        content: what stands in the main landmark; it brings the one `h1`.
        here: the address in the navigation that this page belongs to.
        keys: keyboard shortcuts, key → CSS selector.
    """
    return rx.el.div(
        _sidebar(here),
        rx.el.div(
            _topbar(),
            rx.el.main(*content, id="main", class_name="rx-main", tab_index=-1),
            class_name="rx-column",
        ),
        shortcuts(keys=keys) if keys else rx.fragment(),
        focus_keeper(),
        here_in_view(),
        _session_ended(),
        class_name="rx-frame",
    )


def plain_frame(*content: rx.Component, title: Any, text: Any = "") -> rx.Component:
    """A page for people who are not signed in yet: one card in the middle."""
    return rx.el.div(
        rx.el.header(_brand(), _colour_mode(), class_name="rx-plain-bar"),
        rx.el.main(
            rx.el.div(
                rx.el.h1(title, class_name="rx-title"),
                rx.el.p(text, class_name="rx-soft") if text else rx.fragment(),
                *content,
                class_name="rx-plain-card",
            ),
            id="main",
            class_name="rx-plain-main",
        ),
        class_name="rx-plain",
    )


def toaster() -> rx.Component:
    """Where toasts appear. They confirm; they never carry the only copy of a message."""
    return rx.toast.provider(position="bottom-right", close_button=True, visible_toasts=3, rich_colors=False)


def connection_notice() -> rx.Component:
    """Said while the browser cannot reach the server; it goes by itself."""
    notice = rx.cond(
        has_connection_errors,
        rx.el.div(
            rx.icon("wifi-off", size=16, aria_hidden="true"),
            rx.el.span("Connection lost. Trying again; what you see may be old."),
            class_name="rx-connection rx-tone-warn",
        ),
        rx.fragment(),
    )
    # Reflex puts the whole page into the outermost element: that must not be the live region.
    return rx.fragment(rx.el.div(notice, role="status", custom_attrs={"aria-live": "polite"}))


def _brand() -> rx.Component:
    return rx.el.a(
        rx.el.img(src="/favicon.svg", alt="", width="24", height="24"),
        rx.el.span("rxbackup"),
        href=addresses.HOME,
        class_name="rx-brand",
    )


def _sidebar(here: str) -> rx.Component:
    # Everything on a page stands in a landmark, the way past the navigation too.
    return rx.el.nav(
        rx.el.a("Skip to content", href="#main", class_name="rx-skip"),
        _brand(),
        rx.el.div(*[_section(name, links, here) for name, links in _SECTIONS], class_name="rx-nav"),
        aria_label="Main",
        class_name="rx-sidebar",
    )


def _section(name: str, links: tuple[tuple[str, str, str], ...], here: str) -> rx.Component:
    label_id = f"nav-{name.lower()}"
    items = [
        rx.el.li(
            rx.link(
                rx.icon(icon, size=16, aria_hidden="true"),
                rx.el.span(label),
                href=address,
                underline="none",
                class_name="rx-nav-link",
                custom_attrs={"aria-current": "page"} if address == here else {},
            )
        )
        for label, address, icon in links
    ]
    return rx.el.div(
        rx.el.p(name, id=label_id, class_name="rx-nav-section"),
        rx.el.ul(*items, custom_attrs={"aria-labelledby": label_id}),
    )


def _topbar() -> rx.Component:
    return rx.el.header(_colour_mode(), _account(), class_name="rx-topbar")


def _colour_mode() -> rx.Component:
    return rx.color_mode_cond(
        icon_button("moon", "Switch to dark colours", on_click=rx.toggle_color_mode),
        icon_button("sun", "Switch to light colours", on_click=rx.toggle_color_mode),
    )


def _account() -> rx.Component:
    return rx.cond(
        SessionState.email != "",
        rx.dropdown_menu.root(
            rx.dropdown_menu.trigger(
                rx.el.button(
                    rx.el.span(SessionState.email[0].upper(), class_name="rx-avatar", aria_hidden="true"),
                    rx.el.span("Account of ", class_name="rx-hidden"),
                    rx.el.span(SessionState.email, class_name="rx-account-email"),
                    rx.icon("chevron-down", size=14, aria_hidden="true"),
                    type="button",
                    class_name="rx-button rx-button-bare",
                )
            ),
            rx.dropdown_menu.content(
                rx.el.div(
                    rx.el.p(SessionState.email, class_name="rx-strong"),
                    rx.el.p("Signed in as ", SessionState.role, class_name="rx-soft"),
                    class_name="rx-menu-head",
                ),
                rx.dropdown_menu.separator(),
                rx.dropdown_menu.item(
                    rx.icon("log-out", size=16, aria_hidden="true"), "Sign out", on_select=SessionState.sign_out
                ),
                align="end",
                class_name="rx-menu",
            ),
            modal=False,
        ),
        rx.el.span(class_name="rx-bone rx-bone-disc", aria_hidden="true"),
    )


def _session_ended() -> rx.Component:
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title("Your session has ended", custom_attrs={"as": "h2"}),
            rx.alert_dialog.description("Sign in again to go on. Backups that are running go on by themselves."),
            rx.el.div(
                button(
                    "Sign in again",
                    look="primary",
                    on_click=rx.call_script(
                        f"location.assign('{addresses.SIGN_IN}?next=' + encodeURIComponent(location.pathname))"
                    ),
                ),
                class_name="rx-dialog-actions",
            ),
            class_name="rx-dialog",
        ),
        open=SessionState.ended,
    )
