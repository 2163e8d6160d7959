"""How far an export has come."""

from __future__ import annotations

from rxbackup.progress import Progress, ProgressSink
from rxbackup.vault.manifest import Manifest, SegmentEntry


class Tally:
    """Counts what was written and tells the watcher after every segment and table."""

    def __init__(self, stage: str, manifest: Manifest, on_progress: ProgressSink) -> None:
        self._stage = stage
        self._manifest = manifest
        self._on_progress = on_progress
        self._rows = self._bytes = self._tables = 0

    def segment_done(self, segment: SegmentEntry) -> None:
        """Another segment is written."""
        self._rows += segment.rows
        self._bytes += segment.raw_bytes
        self._tell()

    def table_done(self) -> None:
        """Another table is written."""
        self._tables += 1
        self._tell()

    def _tell(self) -> None:
        totals = self._manifest.totals
        self._on_progress(
            Progress(
                self._stage,
                rows_done=self._rows,
                rows_total=totals.rows,
                bytes_done=self._bytes,
                bytes_total=totals.raw_bytes,
                tables_done=self._tables,
                tables_total=len(self._manifest.tables),
            )
        )
