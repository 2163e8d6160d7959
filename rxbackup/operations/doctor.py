"""What is wrong with this installation, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import RxbackupError
from rxbackup.groups.live import read_groups
from rxbackup.operations._telling.alerting import CRITICAL
from rxbackup.operations.accounts import first_admin_email
from rxbackup.operations.alerts import list_alerts
from rxbackup.operations.channels import list_channels
from rxbackup.operations.guard import requires
from rxbackup.operations.health import readiness
from rxbackup.operations.jobs import active_jobs
from rxbackup.operations.keys import check_key
from rxbackup.operations.services import Services
from rxbackup.operations.stores import list_stores
from rxbackup.operations.views import Finding
from rxbackup.operations.wording import counted, size
from rxbackup.postgres.connecting import connect, translated
from rxbackup.restore.plan import listed
from rxbackup.tables.system import Backup

__all__ = ["Finding", "diagnose"]

_OLDEST = 14
_NEWEST = 18
_STALE = timedelta(days=2)
_LITTLE_SPACE = 1_000_000_000
_SUBJECTS = {"database": "rxbackup's own database", "tables": "rxbackup's own tables", "scheduler": "Scheduler"}
"""What `/readyz` looks at, in words that tell it from the protected database."""
_Look = Callable[[Services, Actor], list[Finding]]


@requires(Permission.ADMINISTER)
def diagnose(services: Services, actor: Actor) -> list[Finding]:
    """Look at everything that commonly goes wrong; findings in the order in which to read them."""
    looks: list[tuple[str, _Look]] = [
        ("Protected database", _look_at_source),
        ("rxbackup's own tables", _look_at_system),
        ("Encryption key", _look_at_key),
        ("Stores", _look_at_stores),
        ("Backups", _look_at_backups),
        ("Runs", _look_at_jobs),
        ("Alerts", _look_at_alerts),
        ("Channels", _look_at_channels),
        ("Accounts", _look_at_accounts),
        ("Audit trail", _look_at_audit),
    ]
    findings: list[Finding] = []
    for subject, look in looks:
        try:
            findings += look(services, actor)
        except RxbackupError as error:
            findings.append(Finding("error", subject, error.message, error.hint))
    return findings


def _look_at_source(services: Services, actor: Actor) -> list[Finding]:
    del actor
    subject = "Protected database"
    with (
        connect(services.source_url, application_name="rxbackup doctor") as conn,
        translated("looking at the database"),
    ):
        row = conn.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000, "
            "current_database(), rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
        ).fetchone()
    version, major, database, is_superuser = row or ("", 0, "", False)
    groups = read_groups(services.source_url)
    tables = sum(len(g.tables) for g in groups)
    held = f"{counted(tables, 'table')} in {counted(len(groups), 'group')}"
    findings = [Finding("ok", subject, f"{database} on PostgreSQL {version}: {held}.")]
    if not _OLDEST <= major <= _NEWEST:
        findings.append(
            Finding("warning", "PostgreSQL", f"Version {major} is not tested.", f"Use {_OLDEST} to {_NEWEST}.")
        )
    if is_superuser:
        findings.append(
            Finding(
                "warning",
                "Login",
                "rxbackup logs in as a superuser.",
                "A role that owns the tables is enough, and can do less harm.",
            )
        )
    if not tables:
        nothing = f"{database} on PostgreSQL {version} has no tables to back up."
        findings[0] = Finding("warning", subject, nothing, "Check RXBACKUP_DATABASE_URL.")
    return findings


def _look_at_system(services: Services, actor: Actor) -> list[Finding]:
    subject = "rxbackup's own tables"
    with services.system.session(actor.identity) as session:
        role, bypass = (
            session.connection()
            .execute(text("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
            .one()
        )
    findings = []
    if role != "rxbackup_app":
        weak = "nothing holds row-level security" if bypass else "only FORCE ROW LEVEL SECURITY holds"
        findings.append(
            Finding(
                "error" if bypass else "warning",
                subject,
                f"The role rxbackup_app is missing, so {weak} for {role}.",
                "Let a superuser run: CREATE ROLE rxbackup_app NOLOGIN; GRANT rxbackup_app TO the login; then migrate.",
            )
        )
    for name, check in readiness(services).checks.items():
        if name == "protected database":
            continue  # looked at more closely above
        # The scheduler is part of `serve`; from a terminal it may rightly not run.
        if check.ok:
            findings.append(Finding("ok", _SUBJECTS[name], check.text))
        elif name == "scheduler":
            findings.append(Finding("warning", _SUBJECTS[name], check.text, "Start `rxbackup serve`."))
        else:
            findings.append(Finding("error", _SUBJECTS[name], check.text, "See what PostgreSQL's log says."))
    return findings


def _look_at_key(services: Services, actor: Actor) -> list[Finding]:
    key = check_key(services, actor)
    opens = f"opens {', '.join(key.vaults)}" if key.vaults else "no vault exists yet"
    return [Finding("ok", "Encryption key", f"Key {key.key_id} from {key.source}; {opens}.")]


def _look_at_stores(services: Services, actor: Actor) -> list[Finding]:
    findings = []
    stores = list_stores(services, actor)
    elsewhere = any(store.backups and not store.same_server for store in stores)
    for store in stores:
        level, hint, note = "ok", "", ""
        if store.note and store.backups and not elsewhere:
            level, note = "warning", store.note
            hint = "Keep copies elsewhere too: `rxbackup store add` a place, and `rxbackup backup copy` them there."
        if store.state == "failing":
            level, note = "error", f"Its last test failed: {store.problem}"
            hint = f"Mend it, then run `rxbackup store test {store.name}`."
        held = f"{counted(store.backups, 'backup')}, {size(store.stored_bytes)}"
        message = f"{store.where}: {held}. {note}"
        findings.append(Finding(level, f"Store {store.name}", message.strip(), hint))  # type: ignore[arg-type]
    folder = services.settings.data_dir
    if folder.exists():
        free = shutil.disk_usage(folder).free
        if free < _LITTLE_SPACE:
            findings.append(
                Finding("warning", "Disk", f"Only {free // 1_000_000} MB are free at {folder}.", "Free some space.")
            )
    return findings


def _look_at_backups(services: Services, actor: Actor) -> list[Finding]:
    subject = "Backups"
    with services.system.session(actor.identity) as session:
        there = (col(Backup.state) == "complete", col(Backup.trashed_at).is_(None))
        newest = session.exec(select(func.max(Backup.timestamp)).where(*there)).one()
        damaged = _damaged(session)
    findings = []
    if damaged:
        hint = "Take a new backup, verify the others, then delete what is damaged."
        findings.append(Finding("error", "Damaged backups", f"{listed(damaged)}.", hint))
    if newest is None:
        findings.append(Finding("warning", subject, "There is no backup yet.", "Run `rxbackup backup create`."))
    elif services.clock() - newest > _STALE:
        findings.append(
            Finding("warning", subject, f"The newest backup is of {newest:%Y-%m-%d %H:%M} UTC.", "Take one now.")
        )
    else:
        findings.append(Finding("ok", subject, f"The newest backup is of {newest:%Y-%m-%d %H:%M} UTC."))
    return findings


def _damaged(session: Session) -> list[str]:
    statement = select(Backup.name).where(col(Backup.state) == "complete", col(Backup.error).is_not(None))
    return list(session.exec(statement))


def _look_at_jobs(services: Services, actor: Actor) -> list[Finding]:
    waiting = [
        job
        for job in active_jobs(services, actor)
        if job.state == "queued" and services.clock() - job.created_at > timedelta(minutes=2)
    ]
    if waiting:
        hint = "Start `rxbackup serve` or `rxbackup worker`."
        return [Finding("warning", "Runs", f"{counted(len(waiting), 'run')} waiting for a worker.", hint)]
    return [Finding("ok", "Runs", "No run waits in vain.")]


def _look_at_alerts(services: Services, actor: Actor) -> list[Finding]:
    alerts = list_alerts(services, actor)
    if not alerts:
        return [Finding("ok", "Alerts", "Nothing wants a person.")]
    return [
        Finding("error" if alert.severity == CRITICAL else "warning", alert.title, alert.message, alert.hint)
        for alert in alerts
    ]


def _look_at_channels(services: Services, actor: Actor) -> list[Finding]:
    channels = [channel for channel in list_channels(services, actor) if channel.active]
    failing = [
        Finding("error", f"Channel {channel.name}", channel.problem, f"Try it: `rxbackup channel test {channel.name}`.")
        for channel in channels
        if channel.problem
    ]
    if failing:
        return failing
    if not any(channel.kind != "heartbeat" for channel in channels):
        hint = "Add a channel: `rxbackup channel add`."
        return [Finding("warning", "Channels", "Nobody would hear of a backup that fails, or does not happen.", hint)]
    return [
        Finding(
            "ok", "Channels", f"{counted(len(channels), 'channel')} {'hear' if len(channels) > 1 else 'hears'} of it."
        )
    ]


def _look_at_accounts(services: Services, actor: Actor) -> list[Finding]:
    email = first_admin_email(services, actor)
    if email is None:
        hint = "Open the link that `rxbackup serve` prints, or run `rxbackup admin create EMAIL`."
        return [Finding("warning", "Accounts", "There is no admin yet.", hint)]
    return [Finding("ok", "Accounts", f"The first admin is {email}.")]


def _look_at_audit(services: Services, actor: Actor) -> list[Finding]:
    with services.system.session(actor.identity) as session:
        report = audit.verify_chain(session)
    if report.ok:
        return [Finding("ok", "Audit trail", f"{counted(report.entries, 'entry', 'entries')}, unbroken.")]
    hint = "Somebody changed or removed entries. Keep a copy of the database and find out who could."
    return [Finding("error", "Audit trail", f"It is broken at entry {report.broken_at}.", hint)]
