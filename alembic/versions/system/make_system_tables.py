"""Make rxbackup's own tables, and let nobody see a row who does not say who he is.

Row-level security is enabled and forced on every table from the start: without an actor there are no rows, and only
admins and the app itself (`system`) find any. The actor is the setting `rxbackup.actor`, set for one transaction.
"""

from __future__ import annotations

from alembic import op

revision = "make_system_tables"
down_revision = None
branch_labels = ("rxbackup",)
depends_on = None

_TABLES = """
CREATE TABLE rxbackup.accounts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    role text DEFAULT 'admin' NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_sign_in_at timestamptz,
    failed_attempts integer DEFAULT 0 NOT NULL,
    locked_until timestamptz,
    CONSTRAINT pk_accounts PRIMARY KEY (id),
    CONSTRAINT ck_accounts_email CHECK (email = lower(email) AND position('@' in email) > 1),
    CONSTRAINT ck_accounts_role CHECK (role IN ('admin', 'operator', 'viewer')),
    CONSTRAINT ck_accounts_failed_attempts CHECK (failed_attempts >= 0),
    CONSTRAINT uq_accounts_email UNIQUE (email)
);

CREATE TABLE rxbackup.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    token_hash bytea NOT NULL,
    email text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_seen_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    ip text,
    user_agent text,
    revoked_at timestamptz,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_email FOREIGN KEY (email)
        REFERENCES rxbackup.accounts (email) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_sessions_email ON rxbackup.sessions (email);
CREATE INDEX ix_sessions_expires_at ON rxbackup.sessions (expires_at);

CREATE TABLE rxbackup.settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT pk_settings PRIMARY KEY (key)
);

CREATE TABLE rxbackup.stores (
    name varchar(63) NOT NULL,
    kind text NOT NULL,
    settings jsonb DEFAULT '{}' NOT NULL,
    secrets bytea,
    vault_id uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    created_by varchar(255) NOT NULL,
    CONSTRAINT pk_stores PRIMARY KEY (name),
    CONSTRAINT ck_stores_kind CHECK (kind IN ('database', 'local', 's3'))
);

CREATE TABLE rxbackup.objects (
    name text COLLATE "C" NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_objects PRIMARY KEY (name)
);

CREATE TABLE rxbackup.schedules (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name varchar(255) NOT NULL,
    description text,
    cadence jsonb NOT NULL,
    zone text DEFAULT 'UTC' NOT NULL,
    groups jsonb,
    store varchar(63) NOT NULL,
    copy_to jsonb DEFAULT '[]' NOT NULL,
    retention jsonb DEFAULT '{}' NOT NULL,
    active boolean DEFAULT true NOT NULL,
    next_due_at timestamptz,
    last_due_at timestamptz,
    created_by varchar(255) NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (id),
    CONSTRAINT uq_schedules_name UNIQUE (name),
    CONSTRAINT fk_schedules_store FOREIGN KEY (store)
        REFERENCES rxbackup.stores (name)
);
CREATE INDEX ix_schedules_next_due_at ON rxbackup.schedules (next_due_at);
CREATE INDEX ix_schedules_store ON rxbackup.schedules (store);

CREATE TABLE rxbackup.occurrences (
    schedule_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    claimed_at timestamptz DEFAULT now() NOT NULL,
    claimed_by text,
    job_id uuid,
    missed integer DEFAULT 0 NOT NULL,
    CONSTRAINT pk_occurrences PRIMARY KEY (schedule_id, due_at),
    CONSTRAINT fk_occurrences_schedule_id FOREIGN KEY (schedule_id)
        REFERENCES rxbackup.schedules (id) ON DELETE CASCADE
);
CREATE INDEX ix_occurrences_job_id ON rxbackup.occurrences (job_id);

CREATE TABLE rxbackup.backups (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name varchar(255) NOT NULL,
    description text,
    timestamp timestamptz DEFAULT now() NOT NULL,
    version varchar(50) DEFAULT '1.0.0' NOT NULL,
    metadata jsonb DEFAULT '{}' NOT NULL,
    backup_data jsonb,
    created_by varchar(255) NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    state text DEFAULT 'running' NOT NULL,
    error jsonb,
    finished_at timestamptz,
    rows bigint,
    tables integer,
    raw_bytes bigint,
    stored_bytes bigint,
    segments_total integer,
    segments_read integer,
    seconds double precision,
    pinned boolean DEFAULT false NOT NULL,
    expires_at timestamptz,
    verified_level text,
    verified_at timestamptz,
    schedule_id uuid,
    store varchar(63) NOT NULL,
    base_id uuid,
    trigger text DEFAULT 'manual' NOT NULL,
    job_id uuid,
    CONSTRAINT pk_backups PRIMARY KEY (id),
    CONSTRAINT ck_backups_state CHECK (state IN ('running', 'complete', 'failed', 'interrupted', 'deleting')),
    CONSTRAINT ck_backups_trigger CHECK (trigger IN ('manual', 'schedule', 'safety', 'import')),
    CONSTRAINT ck_backups_verified_level CHECK (verified_level IN ('stored', 'readable', 'decrypted', 'restored')),
    CONSTRAINT ck_backups_complete_has_manifest CHECK (state <> 'complete' OR backup_data IS NOT NULL),
    CONSTRAINT fk_backups_schedule_id FOREIGN KEY (schedule_id)
        REFERENCES rxbackup.schedules (id) ON DELETE SET NULL,
    CONSTRAINT fk_backups_store FOREIGN KEY (store)
        REFERENCES rxbackup.stores (name),
    CONSTRAINT fk_backups_base_id FOREIGN KEY (base_id)
        REFERENCES rxbackup.backups (id) ON DELETE SET NULL
);
CREATE INDEX ix_backups_base_id ON rxbackup.backups (base_id);
CREATE INDEX ix_backups_created_by ON rxbackup.backups (created_by);
CREATE INDEX ix_backups_expires_at ON rxbackup.backups (expires_at);
CREATE INDEX ix_backups_job_id ON rxbackup.backups (job_id);
CREATE INDEX ix_backups_metadata ON rxbackup.backups USING gin (metadata);
CREATE INDEX ix_backups_schedule_id ON rxbackup.backups (schedule_id);
CREATE INDEX ix_backups_state ON rxbackup.backups (state);
CREATE INDEX ix_backups_store ON rxbackup.backups (store);
CREATE INDEX ix_backups_timestamp ON rxbackup.backups (timestamp);

CREATE TABLE rxbackup.chunks (
    store varchar(63) NOT NULL,
    id bytea NOT NULL,
    generation integer DEFAULT 0 NOT NULL,
    plain_bytes bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    codec text NOT NULL,
    anchor bytea,
    object_name text COLLATE "C",
    state text DEFAULT 'live' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_chunks PRIMARY KEY (store, id),
    CONSTRAINT ck_chunks_state CHECK (state IN ('live', 'tombstone')),
    CONSTRAINT fk_chunks_store FOREIGN KEY (store)
        REFERENCES rxbackup.stores (name),
    CONSTRAINT fk_chunks_object_name FOREIGN KEY (object_name)
        REFERENCES rxbackup.objects (name) ON DELETE RESTRICT
);
CREATE INDEX ix_chunks_object_name ON rxbackup.chunks (object_name);

CREATE TABLE rxbackup.backup_chunks (
    backup_id uuid NOT NULL,
    store varchar(63) NOT NULL,
    chunk_id bytea NOT NULL,
    CONSTRAINT pk_backup_chunks PRIMARY KEY (backup_id, store, chunk_id),
    CONSTRAINT fk_backup_chunks_store_chunk_id FOREIGN KEY (store, chunk_id)
        REFERENCES rxbackup.chunks (store, id) ON DELETE RESTRICT,
    CONSTRAINT fk_backup_chunks_backup_id FOREIGN KEY (backup_id)
        REFERENCES rxbackup.backups (id) ON DELETE CASCADE
);
CREATE INDEX ix_backup_chunks_store_chunk_id ON rxbackup.backup_chunks (store, chunk_id);

CREATE TABLE rxbackup.copies (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    backup_id uuid NOT NULL,
    store varchar(63) NOT NULL,
    state text DEFAULT 'pending' NOT NULL,
    error jsonb,
    stored_bytes bigint,
    created_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_copies PRIMARY KEY (id),
    CONSTRAINT uq_copies_backup_id_store UNIQUE (backup_id, store),
    CONSTRAINT ck_copies_state CHECK (state IN ('pending', 'running', 'complete', 'failed')),
    CONSTRAINT fk_copies_backup_id FOREIGN KEY (backup_id)
        REFERENCES rxbackup.backups (id) ON DELETE CASCADE,
    CONSTRAINT fk_copies_store FOREIGN KEY (store)
        REFERENCES rxbackup.stores (name)
);
CREATE INDEX ix_copies_store ON rxbackup.copies (store);

CREATE TABLE rxbackup.jobs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    parameters jsonb DEFAULT '{}' NOT NULL,
    state text DEFAULT 'queued' NOT NULL,
    progress jsonb DEFAULT '{}' NOT NULL,
    result jsonb,
    error jsonb,
    queue_id bigint,
    worker text,
    cancel_requested boolean DEFAULT false NOT NULL,
    commit_xid text,
    created_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    heartbeat_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_jobs PRIMARY KEY (id),
    CONSTRAINT ck_jobs_state CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted'))
);
CREATE INDEX ix_jobs_created_at ON rxbackup.jobs (created_at);
CREATE INDEX ix_jobs_state ON rxbackup.jobs (state);

CREATE TABLE rxbackup.download_links (
    token_hash bytea NOT NULL,
    backup_id uuid NOT NULL,
    format text NOT NULL,
    email text NOT NULL,
    session_id uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_download_links PRIMARY KEY (token_hash),
    CONSTRAINT ck_download_links_format CHECK (format IN ('json', 'sql', 'archive')),
    CONSTRAINT fk_download_links_backup_id FOREIGN KEY (backup_id)
        REFERENCES rxbackup.backups (id) ON DELETE CASCADE,
    CONSTRAINT fk_download_links_session_id FOREIGN KEY (session_id)
        REFERENCES rxbackup.sessions (id) ON DELETE CASCADE
);
CREATE INDEX ix_download_links_backup_id ON rxbackup.download_links (backup_id);
CREATE INDEX ix_download_links_expires_at ON rxbackup.download_links (expires_at);
CREATE INDEX ix_download_links_session_id ON rxbackup.download_links (session_id);

CREATE TABLE rxbackup.audit (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz DEFAULT now() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_type text,
    object_id text,
    details jsonb DEFAULT '{}' NOT NULL,
    previous_hash bytea,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);
CREATE INDEX ix_audit_actor ON rxbackup.audit (actor);
CREATE INDEX ix_audit_at ON rxbackup.audit (at);
CREATE INDEX ix_audit_object_type_object_id ON rxbackup.audit (object_type, object_id);

-- It is there already where this database was protected before it became our own.
CREATE TABLE IF NOT EXISTS rxbackup.watermarks (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    backup_id uuid NOT NULL,
    system_identifier text NOT NULL,
    taken_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_watermarks PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_watermarks_backup_id ON rxbackup.watermarks (backup_id);

CREATE TABLE rxbackup.channels (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name varchar(255) NOT NULL,
    kind text NOT NULL,
    settings jsonb DEFAULT '{}' NOT NULL,
    secrets bytea,
    events jsonb DEFAULT '[]' NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_by varchar(255) NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_channels PRIMARY KEY (id),
    CONSTRAINT ck_channels_kind CHECK (kind IN ('inbox', 'email', 'webhook', 'apprise')),
    CONSTRAINT uq_channels_name UNIQUE (name)
);

-- Sealed bytes do not shrink a second time.
ALTER TABLE rxbackup.objects ALTER COLUMN content SET STORAGE EXTERNAL;
"""

_WHO = """
CREATE FUNCTION rxbackup.current_actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    -- After a transaction that set it, the setting is empty rather than unknown.
    SELECT nullif(pg_catalog.current_setting('rxbackup.actor', true), '')
$$;

CREATE FUNCTION rxbackup.is_admin(email text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked CONSTANT text := lower(email);
    actor CONSTANT text := current_setting('rxbackup.actor', true);
    account_role text;
    answer boolean := false;
BEGIN
    -- The owner's own policies hold in here too, and they ask this function: so ask as the app itself.
    PERFORM set_config('rxbackup.actor', 'system', true);
    SELECT a.role INTO account_role FROM rxbackup.accounts a WHERE a.email = asked AND a.active;
    IF account_role IS NOT NULL THEN
        IF EXISTS (SELECT FROM rxbackup.settings s WHERE s.key = 'bundled_application' AND s.value = 'true')
            AND to_regclass('public.users') IS NOT NULL
        THEN
            EXECUTE 'SELECT EXISTS (SELECT FROM public.users u'
                || ' WHERE lower(u.email) = $1 AND u.active AND u.role::text = ''admin'')'
                INTO answer USING asked;
        ELSE
            answer := account_role = 'admin';
        END IF;
    END IF;
    PERFORM set_config('rxbackup.actor', coalesce(actor, ''), true);
    RETURN answer;
END
$$;

CREATE FUNCTION rxbackup.acts_as_admin() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN rxbackup.current_actor() IS NULL THEN false
        WHEN rxbackup.current_actor() = 'system' THEN true
        ELSE rxbackup.is_admin(rxbackup.current_actor())
    END
$$;

REVOKE ALL ON FUNCTION rxbackup.is_admin(text) FROM PUBLIC;
"""

_GUARD = """
DO $$
DECLARE
    guarded name;
BEGIN
    FOR guarded IN SELECT relname FROM pg_class WHERE relnamespace = 'rxbackup'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE rxbackup.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
        CASE guarded
            WHEN 'audit' THEN  -- no policy for UPDATE or DELETE: there are no rows for those
                CREATE POLICY admins_read ON rxbackup.audit FOR SELECT
                    USING ((SELECT rxbackup.acts_as_admin()));
                CREATE POLICY admins_append ON rxbackup.audit FOR INSERT
                    WITH CHECK ((SELECT rxbackup.acts_as_admin()));
            WHEN 'watermarks' THEN  -- this one lives in databases that know no accounts, too
                DROP POLICY IF EXISTS any_actor ON rxbackup.watermarks;
                CREATE POLICY any_actor ON rxbackup.watermarks
                    USING (nullif(current_setting('rxbackup.actor', true), '') IS NOT NULL);
            WHEN 'alembic_version' THEN  -- guarded already where the bundled application came first
                DROP POLICY IF EXISTS migrations ON rxbackup.alembic_version;
                CREATE POLICY migrations ON rxbackup.alembic_version
                    USING (current_setting('rxbackup.actor', true) = 'system');
            ELSE
                EXECUTE format('CREATE POLICY admins ON rxbackup.%I USING ((SELECT rxbackup.acts_as_admin()))', guarded);
        END CASE;
    END LOOP;
END
$$;
"""

_TRIGGERS = """
CREATE FUNCTION rxbackup.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever appended to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rxbackup.audit
    FOR EACH ROW EXECUTE FUNCTION rxbackup.refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON rxbackup.audit
    FOR EACH STATEMENT EXECUTE FUNCTION rxbackup.refuse_change();

CREATE FUNCTION rxbackup.announce_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('rxbackup_jobs', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE ON rxbackup.jobs
    FOR EACH ROW EXECUTE FUNCTION rxbackup.announce_job();
"""


def upgrade() -> None:
    for script in (_TABLES, _WHO, _GUARD, _TRIGGERS):
        op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    raise NotImplementedError("Going back from the first tables means losing every backup in them: drop the schema.")
