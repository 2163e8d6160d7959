"""The values operations hand to doors: frozen, plain, free of rows and of secrets."""

from __future__ import annotations

from rxbackup.operations.backup_views import (
    BackupDetail,
    BackupPage,
    BackupQuery,
    BackupView,
    ErrorView,
    GroupView,
    JobView,
    NewBackup,
    TableView,
)
from rxbackup.operations.installation_views import (
    AccountView,
    Check,
    Download,
    DownloadLink,
    Finding,
    GroupCount,
    KeyView,
    Readiness,
)
from rxbackup.operations.proof_views import ProofView, VerifyView
from rxbackup.operations.prune_views import PruneView
from rxbackup.operations.restore_views import (
    GroupPreview,
    NewRestore,
    ProblemView,
    RestorePreview,
    RestoreView,
    TableChange,
    TablePreview,
    UndoView,
)
from rxbackup.operations.store_views import (
    CopyView,
    NewStore,
    PlaceView,
    ProbeCheck,
    ProbeView,
    RebuildView,
    StoreView,
)

__all__ = [
    "AccountView",
    "BackupDetail",
    "BackupPage",
    "BackupQuery",
    "BackupView",
    "Check",
    "CopyView",
    "Download",
    "DownloadLink",
    "ErrorView",
    "Finding",
    "GroupCount",
    "GroupPreview",
    "GroupView",
    "JobView",
    "KeyView",
    "NewBackup",
    "NewRestore",
    "NewStore",
    "PlaceView",
    "ProbeCheck",
    "ProbeView",
    "ProblemView",
    "ProofView",
    "PruneView",
    "Readiness",
    "RebuildView",
    "RestorePreview",
    "RestoreView",
    "StoreView",
    "TableChange",
    "TablePreview",
    "TableView",
    "UndoView",
    "VerifyView",
]
