"""The one table of the system schema that a database store needs, with its role and policies, and nothing else."""

from __future__ import annotations

import psycopg

from tests.support.postgres import admin_url

_ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rxbackup_app') THEN
            CREATE ROLE rxbackup_app NOLOGIN NOBYPASSRLS;
        END IF;
    END $$
"""
_TABLE = """
    CREATE SCHEMA IF NOT EXISTS rxbackup;
    CREATE TABLE rxbackup.objects (
        name text COLLATE "C" PRIMARY KEY,
        content bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    ALTER TABLE rxbackup.objects ALTER COLUMN content SET STORAGE EXTERNAL;
    ALTER TABLE rxbackup.objects ENABLE ROW LEVEL SECURITY;
    ALTER TABLE rxbackup.objects FORCE ROW LEVEL SECURITY;
    CREATE POLICY named_actors_only ON rxbackup.objects
        USING (current_user = 'rxbackup_app' AND current_setting('rxbackup.actor', true) <> '');
    GRANT USAGE ON SCHEMA rxbackup TO rxbackup_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON rxbackup.objects TO rxbackup_app;
"""


def make_objects_table(url: str) -> None:
    """Make the table in this database; its policy lets only the role `rxbackup_app` with an actor in."""
    owner = psycopg.conninfo.conninfo_to_dict(url)["user"]
    with psycopg.connect(admin_url(url), autocommit=True) as connection:
        connection.execute(_ROLE)
        connection.execute(_TABLE)
        connection.execute(psycopg.sql.SQL("GRANT rxbackup_app TO {}").format(psycopg.sql.Identifier(str(owner))))
