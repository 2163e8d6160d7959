"""What was read, in the manifest's words."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from rxbackup.backup.leaning import Base
from rxbackup.backup.plan import BackupPlan, PlannedTable
from rxbackup.postgres.connecting import translated
from rxbackup.postgres.consistent_read import ConsistentRead
from rxbackup.postgres.introspection import Catalogue
from rxbackup.postgres.introspection import Sequence as PgSequence
from rxbackup.postgres.sequences import read_standings
from rxbackup.vault.manifest import ColumnEntry, SegmentEntry, SequenceEntry, ServerFacts, TableEntry


def server_facts(read: ConsistentRead) -> ServerFacts:
    """Say where the rows came from."""
    server = read.server
    return ServerFacts(
        system_identifier=server.system_identifier,
        version_num=server.version_num,
        version=server.version,
        database=server.database,
        database_oid=server.database_oid,
        encoding=server.encoding,
        collation=server.collation,
        lc_monetary=server.lc_monetary,
    )


def table_entry(
    catalogue: Catalogue, planned: PlannedTable, segments: list[SegmentEntry], *, segments_read: int
) -> TableEntry:
    """Describe a table and the segments it came in."""
    table = planned.table
    root = catalogue.by_oid[table.root]
    return TableEntry(
        schema=table.schema,
        name=table.name,
        oid=table.oid,
        relfilenode=table.relfilenode,
        root=root.qualified if root.oid != table.oid else None,
        group=planned.group,
        columns=[
            ColumnEntry(
                name=c.name,
                type=c.type,
                not_null=c.not_null,
                identity=c.identity,
                generated=c.generated,
                collation=c.collation,
                number=c.number,
            )
            for c in table.columns
        ],
        primary_key=list(table.primary_key),
        blocks=table.blocks,
        rows=sum(s.rows for s in segments),
        raw_bytes=sum(s.raw_bytes for s in segments),
        segments=segments,
        segments_read=segments_read,
    )


def sequence_entries(read: ConsistentRead, plan: BackupPlan, *, everything: bool) -> list[SequenceEntry]:
    """Read the sequences of the planned tables, and with everything also those that no column draws from."""
    roots = {t.table.root for t in plan.tables} | {t.table.oid for t in plan.tables}
    wanted = [
        s for s in read.catalogue.sequences if (s.owner is None and everything) or (s.owner and s.owner[0] in roots)
    ]
    standings = read_standings(read.conn, wanted)
    return [
        SequenceEntry(
            schema=s.schema,
            name=s.name,
            last_value=standings[s.oid].last_value,
            is_called=standings[s.oid].is_called,
            increment=s.increment,
            minimum=s.minimum,
            maximum=s.maximum,
            start=s.start,
            cycle=s.cycle,
            owner=_owner(read.catalogue, s),
        )
        for s in wanted
    ]


def _owner(catalogue: Catalogue, sequence: PgSequence) -> dict[str, str] | None:
    if sequence.owner is None:
        return None
    table = catalogue.by_oid[sequence.owner[0]]
    return {"schema": table.schema, "table": table.name, "column": sequence.owner[1]}


def warnings_of(read: ConsistentRead) -> list[str]:
    """Say what this backup does not hold."""
    warnings = [f"Not in the backup: {name}. Its rows live elsewhere." for name in read.catalogue.left_out]
    with translated("looking for large objects"):
        row = read.conn.execute("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata").fetchone()
    if row and row[0]:
        warnings.append(f"Not in the backup: {row[0]} large objects. Only the numbers that refer to them are kept.")
    return warnings


def healing_warnings(base: Base | None, stored: AbstractSet[str]) -> list[str]:
    """Say what was missing in the store, and what became of it.

    Args:
        stored: ids of the chunks that this backup put into the store or found there, whole.
    """
    if base is None or not base.lost:
        return []
    lost = {chunk for chunk in base.manifest.chunk_ids() if base.is_lost(chunk)}
    gone = len(lost - stored)
    said = f"Missing in the store: {len(base.lost)} of the chunks of {base.manifest.name}."
    if gone:
        said += (
            f" The rows of {gone} of them have changed since, or are not in this backup: earlier backups cannot be "
            "restored whole. The rest was read again and stored anew. Verify those, and look who deletes there."
        )
        return [said]
    return [f"{said} All rows were read again and stored anew. Look who deletes there."]
