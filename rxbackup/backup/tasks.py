"""From a plan to what copiers are asked to do."""

from __future__ import annotations

from rxbackup.backup.copier import EarlierSegment, SegmentTask
from rxbackup.backup.leaning import Base, segment_at
from rxbackup.backup.plan import BackupPlan, PlannedTable, Segment


def tasks_of(plan: BackupPlan, base: Base | None) -> list[SegmentTask]:
    """One task a segment, in the plan's order, each with what the base has at its place."""
    return [
        SegmentTask(
            table=i,
            position=position,
            schema=planned.table.schema,
            name=planned.table.name,
            columns=tuple(c.name for c in planned.table.copied_columns),
            first_block=segment.first_block,
            end_block=segment.end_block,
            earlier=_earlier(planned, segment, base),
        )
        for i, planned in enumerate(plan.tables)
        for position, segment in enumerate(planned.segments)
    ]


def _earlier(planned: PlannedTable, segment: Segment, base: Base | None) -> EarlierSegment | None:
    then = segment_at(planned.earlier, segment.first_block)
    if then is None or base is None or planned.earlier is None:
        return None
    if any(map(base.is_lost, then.chunks)):
        # Read again. Without anchors what comes back is kept whole: others may lean on it, or count on it being whole.
        return None
    # A range that ended elsewhere cannot be compared; its chunks still resemble.
    comparable = then.end_block == segment.end_block and base.may_be_clean(planned.table, planned.earlier)
    return EarlierSegment(then.rows, then.raw_bytes, tuple(then.chunks), base.horizon if comparable else None)
