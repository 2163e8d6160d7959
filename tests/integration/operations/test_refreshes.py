"""Materialized views that a restore left stale are named, and refreshed when somebody asks."""

from __future__ import annotations

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import Refused
from rxbackup.operations import backups, jobs, previews, refreshes, restores
from rxbackup.operations.views import NewBackup, NewRestore
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import Installation

VIEWS = """
CREATE MATERIALIZED VIEW public.sums AS
  SELECT customer_id, sum(total) AS total FROM public.orders GROUP BY customer_id;
CREATE UNIQUE INDEX ON public.sums (customer_id);
CREATE MATERIALIZED VIEW public.grand AS SELECT sum(total) AS total FROM public.sums;
CREATE MATERIALIZED VIEW public.other AS SELECT count(*) FROM public.notes
"""
STALE = ("public.sums", "public.grand")


def test_stale_views_are_refreshed_in_order(installation: Installation, admin: Actor) -> None:
    services = installation.services
    installation.sql(VIEWS)
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.orders")
    for name in STALE:
        installation.sql(f"REFRESH MATERIALIZED VIEW {name}")
    new = NewRestore(backup.id, tables=("public.orders",), confirm_name="First")
    assert previews.perform_preview(services, admin, new).stale_views == STALE
    done = restores.perform_restore(services, admin, new)
    assert done.stale_views == STALE
    assert installation.sql("SELECT total FROM public.grand") == [(None,)]

    job = refreshes.request_refresh(services, admin, done.job)
    perform_job(services, job.id, "refresh")

    view = jobs.show_job(services, admin, job.id)
    assert (view.state, view.message) == ("succeeded", "2 materialized views refreshed.")
    assert view.result["refreshed"] == list(STALE)
    assert installation.sql("SELECT total FROM public.grand") == [(125250,)]


def test_a_view_that_fails_keeps_no_other_from_being_refreshed(installation: Installation, admin: Actor) -> None:
    services = installation.services
    installation.sql(VIEWS)
    installation.sql(
        "CREATE MATERIALIZED VIEW public.broken AS SELECT 1 / (count(*) - 500) AS n FROM public.orders WITH NO DATA"
    )
    installation.sql("DELETE FROM public.orders WHERE id = 1")
    installation.sql("REFRESH MATERIALIZED VIEW public.broken")
    installation.sql("INSERT INTO public.orders (customer_id, total) VALUES (1, 1)")
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    done = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))

    refreshed = refreshes.perform_refresh(services, admin, done.job)

    assert set(refreshed.refreshed) == {"public.sums", "public.grand", "public.other"}
    assert "division by zero" in refreshed.left["public.broken"]
    with pytest.raises(Refused, match="no finished restore"):
        refreshes.perform_refresh(services, admin, refreshed.job)
