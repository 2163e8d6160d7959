"""Let chunks wait before they go, copies and stores say how they are, and backups say where they came from."""

from __future__ import annotations

from alembic import op

revision = "add_pruning_copies_and_origins"
down_revision = "make_system_tables"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE rxbackup.chunks
    ADD COLUMN retired_at timestamptz,
    ADD COLUMN retired_beside uuid[] DEFAULT '{}' NOT NULL,
    ALTER COLUMN plain_bytes DROP NOT NULL,
    ALTER COLUMN codec DROP NOT NULL;
CREATE INDEX ix_chunks_retired_at ON rxbackup.chunks (store, retired_at) WHERE state = 'tombstone';

ALTER TABLE rxbackup.copies
    ADD COLUMN job_id uuid,
    ADD COLUMN verified_level text,
    ADD COLUMN verified_at timestamptz,
    DROP CONSTRAINT ck_copies_state,
    ADD CONSTRAINT ck_copies_state CHECK (state IN ('pending', 'running', 'complete', 'failed', 'deleting')),
    ADD CONSTRAINT ck_copies_verified_level CHECK (verified_level IN ('stored', 'readable', 'decrypted', 'restored'));

ALTER TABLE rxbackup.stores ADD COLUMN probe jsonb, ADD COLUMN probed_at timestamptz;

ALTER TABLE rxbackup.backups ADD COLUMN origin jsonb;

-- A backup needs the anchors of its differences as much as its own chunks.
INSERT INTO rxbackup.backup_chunks (backup_id, store, chunk_id)
SELECT DISTINCT l.backup_id, l.store, c.anchor
FROM rxbackup.backup_chunks l JOIN rxbackup.chunks c ON c.store = l.store AND c.id = l.chunk_id
WHERE c.anchor IS NOT NULL
ON CONFLICT DO NOTHING;
"""

_DOWN = """
ALTER TABLE rxbackup.backups DROP COLUMN origin;
ALTER TABLE rxbackup.stores DROP COLUMN probe, DROP COLUMN probed_at;
UPDATE rxbackup.copies SET state = 'failed' WHERE state = 'deleting';
ALTER TABLE rxbackup.copies
    DROP COLUMN job_id,
    DROP COLUMN verified_level,
    DROP COLUMN verified_at,
    DROP CONSTRAINT ck_copies_state,
    ADD CONSTRAINT ck_copies_state CHECK (state IN ('pending', 'running', 'complete', 'failed'));
DROP INDEX rxbackup.ix_chunks_retired_at;
UPDATE rxbackup.chunks SET plain_bytes = coalesce(plain_bytes, 0), codec = coalesce(codec, '');
ALTER TABLE rxbackup.chunks
    DROP COLUMN retired_at,
    DROP COLUMN retired_beside,
    ALTER COLUMN plain_bytes SET NOT NULL,
    ALTER COLUMN codec SET NOT NULL;
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_UP)


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_DOWN)
