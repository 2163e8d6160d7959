"""Let schedules say more, backups wait in a trash, and people hear of what happens."""

from __future__ import annotations

from alembic import op

revision = "add_trash_alerts_and_messages"
down_revision = "add_pruning_copies_and_origins"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE rxbackup.schedules
    ADD COLUMN full_every integer,
    ADD COLUMN jitter_minutes integer DEFAULT 0 NOT NULL,
    ADD COLUMN paused_because text,
    ADD CONSTRAINT ck_schedules_full_every CHECK (full_every > 0),
    ADD CONSTRAINT ck_schedules_jitter_minutes CHECK (jitter_minutes BETWEEN 0 AND 720);

ALTER TABLE rxbackup.occurrences
    ADD COLUMN state text DEFAULT 'claimed' NOT NULL,
    ADD COLUMN message text,
    ADD CONSTRAINT ck_occurrences_state
        CHECK (state IN ('claimed', 'queued', 'done', 'failed', 'missed', 'skipped'));

ALTER TABLE rxbackup.backups
    ADD COLUMN trashed_at timestamptz,
    ADD COLUMN trashed_by varchar(255),
    ADD COLUMN trash_until timestamptz,
    ADD CONSTRAINT ck_backups_trash CHECK ((trashed_at IS NULL) = (trash_until IS NULL));
CREATE INDEX ix_backups_trash_until ON rxbackup.backups (trash_until);

CREATE TABLE rxbackup.alerts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    about text DEFAULT '' NOT NULL,
    severity text DEFAULT 'warning' NOT NULL,
    message text NOT NULL,
    hint text DEFAULT '' NOT NULL,
    details jsonb DEFAULT '{}' NOT NULL,
    raised_at timestamptz DEFAULT now() NOT NULL,
    reminded_at timestamptz,
    solved_at timestamptz,
    solved_by varchar(255),
    CONSTRAINT pk_alerts PRIMARY KEY (id),
    CONSTRAINT ck_alerts_severity CHECK (severity IN ('notice', 'warning', 'critical'))
);
CREATE UNIQUE INDEX ix_alerts_open ON rxbackup.alerts (kind, about) WHERE solved_at IS NULL;
CREATE INDEX ix_alerts_raised_at ON rxbackup.alerts (raised_at);

ALTER TABLE rxbackup.channels
    ADD COLUMN last_sent_at timestamptz,
    ADD COLUMN last_problem text,
    DROP CONSTRAINT ck_channels_kind,
    ADD CONSTRAINT ck_channels_kind CHECK (kind IN ('email', 'webhook', 'apprise', 'heartbeat'));

CREATE TABLE rxbackup.messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    channel_id uuid NOT NULL,
    event text NOT NULL,
    once text,
    subject text NOT NULL,
    body text NOT NULL,
    html text DEFAULT '' NOT NULL,
    state text DEFAULT 'waiting' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamptz DEFAULT now() NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    sent_at timestamptz,
    problem text,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT uq_messages_channel_id UNIQUE (channel_id, once),
    CONSTRAINT ck_messages_state CHECK (state IN ('waiting', 'sent', 'given up')),
    CONSTRAINT fk_messages_channel_id FOREIGN KEY (channel_id)
        REFERENCES rxbackup.channels (id) ON DELETE CASCADE
);
CREATE INDEX ix_messages_next_try_at ON rxbackup.messages (next_try_at) WHERE state = 'waiting';

CREATE TABLE rxbackup.store_sizes (
    store varchar(63) NOT NULL,
    day date NOT NULL,
    stored_bytes bigint NOT NULL,
    backups integer NOT NULL,
    free_bytes bigint,
    CONSTRAINT pk_store_sizes PRIMARY KEY (store, day),
    CONSTRAINT fk_store_sizes_store FOREIGN KEY (store) REFERENCES rxbackup.stores (name) ON DELETE CASCADE
);

DO $$
DECLARE
    guarded name;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['alerts', 'messages', 'store_sizes'] LOOP
        EXECUTE format('ALTER TABLE rxbackup.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
        EXECUTE format('CREATE POLICY admins ON rxbackup.%I USING ((SELECT rxbackup.acts_as_admin()))', guarded);
    END LOOP;
END
$$;
"""

_DOWN = """
DROP TABLE rxbackup.store_sizes, rxbackup.messages, rxbackup.alerts;
DELETE FROM rxbackup.channels WHERE kind = 'heartbeat';
ALTER TABLE rxbackup.channels
    DROP COLUMN last_sent_at,
    DROP COLUMN last_problem,
    DROP CONSTRAINT ck_channels_kind,
    ADD CONSTRAINT ck_channels_kind CHECK (kind IN ('inbox', 'email', 'webhook', 'apprise'));
ALTER TABLE rxbackup.backups DROP COLUMN trashed_at, DROP COLUMN trashed_by, DROP COLUMN trash_until;
ALTER TABLE rxbackup.occurrences DROP COLUMN state, DROP COLUMN message;
ALTER TABLE rxbackup.schedules DROP COLUMN full_every, DROP COLUMN jitter_minutes, DROP COLUMN paused_because;
"""


def upgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_UP)


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_DOWN)
