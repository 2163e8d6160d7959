"""Would a restore lock out the person who asks for it?

In the bundled application an admin is an active row of `public.users` with role admin. A restore may take that
row away, if the person asks that her own row be replaced too.
"""

from __future__ import annotations

from rxbackup.access.actor import Actor, Door
from rxbackup.operations._people import is_bundled
from rxbackup.operations.services import Services
from rxbackup.postgres.copy_format import split_row
from rxbackup.restore.plan import RestorePlan
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

USERS = "public.users"


def lockout_warning(
    services: Services, actor: Actor, plan: RestorePlan, vault: Vault, manifest: Manifest
) -> str | None:
    """The warning, or None where nobody is locked out."""
    if actor.door in {Door.CONSOLE, Door.SYSTEM} or USERS not in {t.name for t in plan.targets}:
        return None
    with services.system.session("system") as session:
        if not is_bundled(session):
            return None
    if plan.mode == "missing":
        return None
    is_admin = is_admin_in(manifest, vault, actor.email)
    if is_admin or (is_admin is None and plan.mode == "changed"):
        return None
    return (
        f"In this backup {actor.email} is no admin of the application: after the restore you are signed out. "
        "`rxbackup admin create` on the server lets you in again; or skip the group Users."
    )


def is_admin_in(manifest: Manifest, vault: Vault, email: str) -> bool | None:
    """Whether the backup calls this person an active admin; None if it does not know the person."""
    entry = next((t for t in manifest.tables if t.qualified == USERS), None)
    if entry is None:
        return True
    names = [column.name for column in entry.copied_columns]
    if not {"email", "role"} <= set(names):
        return True
    at_email, at_role = names.index("email"), names.index("role")
    at_active = names.index("active") if "active" in names else None
    wanted = email.encode()
    for segment in entry.segments:
        rows = b"".join(vault.get_chunk(chunk) for chunk in segment.chunks)
        if wanted not in rows.lower():
            continue
        for line in rows.split(b"\n"):
            if wanted in line.lower():
                fields = split_row(line)
                if (fields[at_email] or b"").lower() == wanted:
                    return fields[at_role] == b"admin" and (at_active is None or fields[at_active] == b"t")
    return None
