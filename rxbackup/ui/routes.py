"""The site map: every page, its address and what is loaded when it opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.pages.activity.page import activity_page
from rxbackup.ui.pages.activity.state import ActivityState
from rxbackup.ui.pages.backups.detail_page import backup_page
from rxbackup.ui.pages.backups.detail_state import DetailState
from rxbackup.ui.pages.backups.listing import BackupsState
from rxbackup.ui.pages.backups.page import backups_page
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.compare.page import compare_page
from rxbackup.ui.pages.compare.state import CompareState
from rxbackup.ui.pages.entry.page import setup_page, sign_in_page
from rxbackup.ui.pages.entry.state import EntryState
from rxbackup.ui.pages.missing import missing_page
from rxbackup.ui.pages.notifications.page import notifications_page
from rxbackup.ui.pages.notifications.state import NotificationsState
from rxbackup.ui.pages.overview.page import overview_page
from rxbackup.ui.pages.overview.state import OverviewState
from rxbackup.ui.pages.restore.page import restore_page
from rxbackup.ui.pages.restore.state import WizardState
from rxbackup.ui.pages.rows.page import rows_page
from rxbackup.ui.pages.rows.state import RowsState
from rxbackup.ui.pages.schedules.page import schedules_page
from rxbackup.ui.pages.schedules.state import SchedulesState
from rxbackup.ui.pages.stores.page import stores_page
from rxbackup.ui.pages.stores.state import StoresState
from rxbackup.ui.pages.trash.page import trash_page
from rxbackup.ui.pages.trash.state import TrashState
from rxbackup.ui.session import SessionState


@dataclass(frozen=True)
class Route:
    """One page.

    Attributes:
        path: its address.
        page: draws it.
        title: what the browser's tab says.
        on_load: events when it opens; loops among them end when it is left.
    """

    path: str
    page: Callable[[], rx.Component]
    title: str
    on_load: tuple[Any, ...] = ()


ROUTES: tuple[Route, ...] = (
    Route(
        addresses.HOME, overview_page, "rxbackup", (SessionState.load, rx.redirect(addresses.OVERVIEW, replace=True))
    ),
    Route(
        addresses.OVERVIEW,
        overview_page,
        "Overview – rxbackup",
        (SessionState.load, WatchState.watch, OverviewState.watch),
    ),
    Route(
        addresses.BACKUPS,
        backups_page,
        "Backup Management – rxbackup",
        (SessionState.load, BackupsState.arrive, WatchState.watch, TrashState.watch),
    ),
    Route(addresses.BACKUP, backup_page, "Backup – rxbackup", (SessionState.load, WatchState.watch, DetailState.watch)),
    Route(addresses.RESTORE, restore_page, "Restore – rxbackup", (SessionState.load, WizardState.arrive)),
    Route(addresses.ROWS, rows_page, "Look inside – rxbackup", (SessionState.load, RowsState.arrive)),
    Route(addresses.COMPARE, compare_page, "Compare – rxbackup", (SessionState.load, CompareState.arrive)),
    Route(
        addresses.STORES,
        stores_page,
        "Stores – rxbackup",
        (SessionState.load, WatchState.watch, StoresState.watch),
    ),
    Route(
        addresses.SCHEDULES,
        schedules_page,
        "Schedules – rxbackup",
        (SessionState.load, WatchState.watch, SchedulesState.watch),
    ),
    Route(
        addresses.NOTIFICATIONS,
        notifications_page,
        "Notifications – rxbackup",
        (SessionState.load, WatchState.watch, NotificationsState.watch),
    ),
    Route(
        addresses.ACTIVITY,
        activity_page,
        "Activity – rxbackup",
        (SessionState.load, ActivityState.arrive, WatchState.watch, ActivityState.watch),
    ),
    Route(addresses.TRASH, trash_page, "Trash – rxbackup", (SessionState.load, WatchState.watch, TrashState.watch)),
    Route(addresses.SIGN_IN, sign_in_page, "Sign in – rxbackup", (EntryState.look,)),
    Route(addresses.SETUP, setup_page, "Create the first admin – rxbackup", (EntryState.look_at_link,)),
    # Reflex shows this one wherever no other fits.
    Route(addresses.MISSING, missing_page, "No such page – rxbackup", (SessionState.load,)),
)
