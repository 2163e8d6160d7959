"""From the engine's plan and rehearsal to the view of them, to plain values for a job's row, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rxbackup.operations._restores.planning import Planned
from rxbackup.operations._restores.reporting import change_of
from rxbackup.operations.views import (
    BackupView,
    ChoiceView,
    ConsequenceView,
    DriftView,
    FieldView,
    GroupPreview,
    ProblemView,
    RestorePreview,
    SampleRow,
    TableChange,
    TablePreview,
)
from rxbackup.postgres.sampling import RowSample
from rxbackup.restore.consequences import Consequence
from rxbackup.restore.plan import TargetTable
from rxbackup.restore.report import RestoreReport, TableResult

_NAMES = 60
"""Characters that a field takes in plain values beside its own."""


def preview_of(view: BackupView, planned: Planned, rehearsed: RestoreReport | None = None) -> RestorePreview:
    """The view of a plan, with the rows of its rehearsal if there was one."""
    plan = planned.plan
    results = rehearsed.tables if rehearsed else {}
    tables = tuple(_table(target, results.get(target.name)) for target in plan.targets)
    return RestorePreview(
        backup=view,
        tables=tables,
        groups=tuple(_group(name, tables) for name in dict.fromkeys(t.group for t in tables)),
        problems=tuple(ProblemView(p.message, p.hint, p.kind, tuple(p.tables)) for p in plan.problems),
        warnings=(*planned.warnings, *plan.warnings),
        allowed=plan.allowed and not (rehearsed and rehearsed.consequences),
        fingerprint=plan.fingerprint,
        mode=plan.mode,
        is_exact=rehearsed is not None,
        consequences=tuple(_consequence(each) for each in rehearsed.consequences) if rehearsed else (),
        drift=tuple(DriftView(d.table, d.column, d.kind, d.consequence, d.blocks) for d in plan.drift),
        stale_views=tuple(view.qualified for view in plan.stale_views),
        kept_account=planned.kept_account,
    )


def document_of(preview: RestorePreview) -> dict[str, Any]:
    """A preview as plain values. The backup is left out: its row may change."""
    document = dataclasses.asdict(preview)
    del document["backup"]
    return document


def with_fewer_samples(preview: RestorePreview, *, characters: int) -> RestorePreview:
    """The preview with only so many sample rows that they fit; every table that has some keeps one while it can."""
    room = characters
    kept: dict[str, list[SampleRow]] = {table.name: [] for table in preview.tables}
    for place in range(max((len(table.samples) for table in preview.tables), default=0)):
        for table in preview.tables:
            if place < len(table.samples):
                room -= _length(table.samples[place])
                if room >= 0:
                    kept[table.name].append(table.samples[place])
    tables = tuple(dataclasses.replace(table, samples=tuple(kept[table.name])) for table in preview.tables)
    return dataclasses.replace(preview, tables=tables)


def _length(row: SampleRow) -> int:
    return sum(_NAMES + len(f.column) + len(f.before or "") + len(f.after or "") for f in row.fields)


def preview_from(document: Mapping[str, Any], backup: BackupView) -> RestorePreview:
    """The preview that `document_of` made plain, also of an earlier release: what is missing has its default."""
    known = {field.name for field in dataclasses.fields(RestorePreview)}
    values = {name: value for name, value in document.items() if name in known}
    return RestorePreview(
        **{
            **values,
            "backup": backup,
            "tables": tuple(_table_from(each) for each in values["tables"]),
            "groups": tuple(GroupPreview(**each) for each in values["groups"]),
            "problems": tuple(_problem_from(each) for each in values["problems"]),
            "warnings": tuple(values["warnings"]),
            "consequences": tuple(_consequence_from(each) for each in values.get("consequences", ())),
            "drift": tuple(DriftView(**each) for each in values.get("drift", ())),
            "stale_views": tuple(values.get("stale_views", ())),
        }
    )


def _table(target: TargetTable, result: TableResult | None) -> TablePreview:
    touched, total = (result.segments if result else None) or (None, None)
    return TablePreview(
        name=target.name,
        group=target.group,
        backup_rows=target.backup_rows,
        live_rows=target.live_rows.rows if target.live_rows else 0,
        live_rows_estimated=bool(target.live_rows and target.live_rows.estimated),
        change=change_of(result) if result else None,
        segments_touched=touched,
        segments_total=total,
        samples=tuple(_sample(each) for each in result.samples) if result else (),
    )


def _sample(sample: RowSample) -> SampleRow:
    return SampleRow(sample.change, tuple(FieldView(f.column, f.before, f.after, f.differs) for f in sample.fields))


def _consequence(found: Consequence) -> ConsequenceView:
    choices = tuple(ChoiceView(c.kind, c.value, c.label) for c in found.choices)
    return ConsequenceView(found.kind, found.table, found.other, found.rows, found.message, choices, found.hint)


def _group(name: str, tables: tuple[TablePreview, ...]) -> GroupPreview:
    own = [t for t in tables if t.group == name]
    return GroupPreview(name, sum(t.backup_rows for t in own), sum(t.live_rows for t in own), len(own))


def _table_from(document: Mapping[str, Any]) -> TablePreview:
    change = document.get("change")
    samples = tuple(
        SampleRow(each["change"], tuple(FieldView(**field) for field in each["fields"]))
        for each in document.get("samples", ())
    )
    return TablePreview(**{**document, "change": TableChange(**change) if change else None, "samples": samples})


def _problem_from(document: Mapping[str, Any]) -> ProblemView:
    return ProblemView(**{**document, "tables": tuple(document.get("tables", ()))})


def _consequence_from(document: Mapping[str, Any]) -> ConsequenceView:
    return ConsequenceView(**{**document, "choices": tuple(ChoiceView(**each) for each in document["choices"])})
