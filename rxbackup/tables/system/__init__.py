"""rxbackup's own tables. Operations turn these rows into values of their own; a row never leaves a session."""

from rxbackup.tables.system.accounts import Account, UserSession
from rxbackup.tables.system.alerts import Alert, StoreSize
from rxbackup.tables.system.audit import AuditEntry
from rxbackup.tables.system.backups import Backup
from rxbackup.tables.system.channels import Channel, Message
from rxbackup.tables.system.downloads import DownloadLink
from rxbackup.tables.system.installation import Setting, Watermark
from rxbackup.tables.system.jobs import Job
from rxbackup.tables.system.schedules import Occurrence, Schedule
from rxbackup.tables.system.stores import BackupChunk, BackupCopy, Chunk, Store, StoreObject

__all__ = [
    "Account",
    "Alert",
    "AuditEntry",
    "Backup",
    "BackupChunk",
    "BackupCopy",
    "Channel",
    "Chunk",
    "DownloadLink",
    "Job",
    "Message",
    "Occurrence",
    "Schedule",
    "Setting",
    "Store",
    "StoreObject",
    "StoreSize",
    "UserSession",
    "Watermark",
]
