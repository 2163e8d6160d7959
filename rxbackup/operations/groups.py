"""Groups and how many rows they hold right now."""

from __future__ import annotations

import threading
import time

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.groups import live
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import GroupCount

__all__ = ["GroupCount", "count_groups"]

_FRESH_SECONDS = 3.0
_counting = threading.Lock()
_counted: dict[str, tuple[float, float, tuple[GroupCount, ...]]] = {}


@requires(Permission.VIEW)
def count_groups(services: Services, actor: Actor) -> tuple[GroupCount, ...]:
    """Live counts: exact below a million rows a table, PostgreSQL's estimate above.

    All who ask at once get one answer: it is remembered for some seconds, longer where counting takes long.
    """
    del actor  # who may view may count; the counts are the same for everybody
    url = services.source_url
    with _counting:
        at, took, counts = _counted.get(url, (0.0, 0.0, ()))
        # Never more than a tenth of the time is spent on counting.
        if at and time.monotonic() - at < max(_FRESH_SECONDS, 10 * took):
            return counts
        began = time.monotonic()
        counts = tuple(
            GroupCount(counted.group.name, counted.group.tables, counted.total.rows, counted.total.estimated)
            for counted in live.count_groups(url)
        )
        _counted[url] = (time.monotonic(), time.monotonic() - began, counts)
        return counts
