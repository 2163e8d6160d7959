"""`/metrics` for Prometheus. docs/monitoring.md tells what each number means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rxbackup import __version__
from rxbackup.api.identity import OpenServices, Who, scraped
from rxbackup.operations.measures import read_measures
from rxbackup.operations.views.measures import LatestBackup, Measures

router = APIRouter(tags=["monitoring"])


@router.get("/metrics", response_class=Response)
@scraped
def metrics(request: Request, services: OpenServices, actor: Who) -> Response:
    """Numbers for Prometheus: freshness, runs, stores, alerts. Signed in, or with the token of the settings."""
    registry = CollectorRegistry()
    registry.register(_Moment(read_measures(services, actor)))
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"content-type": kind, "cache-control": "no-store"})


class _Moment(Collector):
    """The numbers of one moment: everything is in the database, nothing in this process."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        yield _gauge("rxbackup_info", "The release that answers.", ("version",), [((__version__,), 1)])
        yield from self._freshness()
        yield from self._runs()
        yield from self._stores()
        m = self._measures
        yield _gauge("rxbackup_backups", "Backups in the catalogue.", ("state",), [((s,), n) for s, n in m.backups])
        yield _gauge(
            "rxbackup_alerts_open",
            "Alerts that want a person.",
            ("kind", "severity"),
            [((kind, severity), count) for kind, severity, count in m.alerts],
        )
        yield _gauge("rxbackup_messages", "Messages of the outbox.", ("state",), [((s,), n) for s, n in m.messages])
        if m.scheduler_at is not None:
            yield _gauge(
                "rxbackup_scheduler_last_run_timestamp_seconds",
                "When the scheduler's duties last ran to their end.",
                (),
                [((), m.scheduler_at.timestamp())],
            )
        if m.latest is not None:
            yield from _latest(m.latest)

    def _freshness(self) -> Iterator[Metric]:
        views = self._measures.freshness
        for name, meaning, values in (
            ("last_good", "The instant whose rows the newest good backup holds.", [v.last_good_at for v in views]),
            ("last_proven", "When a backup was last proven to be whole.", [v.last_proven_at for v in views]),
            ("next_due", "When the next backup is due.", [v.next_due_at for v in views]),
            ("late_from", "From when on the schedule counts as late.", [v.late_from for v in views]),
        ):
            yield _gauge(
                f"rxbackup_{name}_timestamp_seconds",
                f"{meaning} An empty label schedule stands for all backups together.",
                ("schedule",),
                [((v.schedule,), at.timestamp()) for v, at in zip(views, values, strict=True) if at is not None],
            )
        yield _gauge(
            "rxbackup_late",
            "1 where no good backup came in time.",
            ("schedule",),
            # A schedule that has not been due yet is not late.
            [((v.schedule,), v.state == "late" or (v.state == "never" and not v.schedule)) for v in views],
        )
        yield _gauge(
            "rxbackup_schedule_active",
            "0 for a schedule that is paused.",
            ("schedule",),
            [((v.schedule,), v.state != "paused") for v in views if v.schedule],
        )

    def _runs(self) -> Iterator[Metric]:
        runs = self._measures.runs
        ended = [run for run in runs if run.state not in {"queued", "running"}]
        count = CounterMetricFamily("rxbackup_runs", "Runs that have ended.", labels=("kind", "state"))
        seconds = CounterMetricFamily(
            "rxbackup_run_seconds", "What runs took that have ended.", labels=("kind", "state")
        )
        for run in ended:
            count.add_metric((run.kind, run.state), run.count)
            seconds.add_metric((run.kind, run.state), run.seconds)
        yield count
        yield seconds
        yield _gauge(
            "rxbackup_runs_active",
            "Runs that wait or are under way.",
            ("kind", "state"),
            [((run.kind, run.state), run.count) for run in runs if run not in ended],
        )

    def _stores(self) -> Iterator[Metric]:
        stores = self._measures.stores
        for name, meaning, values in (
            ("stored", "What backups take there.", [s.stored_bytes for s in stores]),
            ("waiting", "What nobody needs any more and will be freed.", [s.waiting_bytes for s in stores]),
            ("free", "Free on the disk beneath, where somebody can say.", [s.free_bytes for s in stores]),
            ("capacity", "The size of the disk beneath.", [s.capacity_bytes for s in stores]),
        ):
            samples = [((s.name,), value) for s, value in zip(stores, values, strict=True) if value is not None]
            yield _gauge(f"rxbackup_store_{name}_bytes", meaning, ("store",), samples)
        counts = [((s.name,), s.backups) for s in stores]
        yield _gauge("rxbackup_store_backups", "Backups that rest there, copies included.", ("store",), counts)
        failing = [((s.name,), s.state == "failing") for s in stores]
        yield _gauge("rxbackup_store_failing", "1 where the last test of the store failed.", ("store",), failing)


def _latest(latest: LatestBackup) -> Iterator[Metric]:
    for name, meaning, value in (
        ("rows", "Rows of the newest good backup.", latest.rows),
        ("tables", "Tables of the newest good backup.", latest.tables),
        ("raw_bytes", "The rows of the newest good backup as text.", latest.raw_bytes),
        ("stored_bytes", "What the newest good backup added to its store.", latest.stored_bytes),
        ("seconds", "What the newest good backup took.", latest.seconds),
        ("segments", "Segments of the newest good backup.", latest.segments_total),
        ("segments_read", "Segments of it that had to be read.", latest.segments_read),
    ):
        yield _gauge(f"rxbackup_latest_backup_{name}", meaning, (), [((), value)])


def _gauge(
    name: str, meaning: str, labels: tuple[str, ...], samples: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, value in samples:
        family.add_metric(values, float(value))
    return family
