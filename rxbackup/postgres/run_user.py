"""Who runs the embedded PostgreSQL: ourselves, or, as PostgreSQL refuses root, a system user with no other purpose."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rxbackup.errors import Refused

SYSTEM_USER = "rxbackup-db"


@dataclass(frozen=True, slots=True)
class RunUser:
    """The operating system's user that owns the cluster and runs its processes.

    Attributes:
        uid: its number.
        gid: its own group.
        is_other: whether it is not the user of this process, who then is root.
    """

    uid: int
    gid: int
    is_other: bool

    def run(self, command: list[str], *, given: bytes = b"", timeout: float) -> subprocess.CompletedProcess[bytes]:
        """Run a program as this user, from `/`, with a bare environment; its output is captured, never inherited."""
        identity: dict[str, object] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # noqa: S603 - no shell, our own arguments
            command,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            cwd="/",  # the folder we stand in may be closed to that user
            timeout=timeout,
            check=False,
            **identity,
        )

    def own(self, path: Path) -> None:
        """Make this user the owner of a file or a folder that we created."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose_run_user(cluster: Path) -> RunUser:
    """The owner of an existing cluster; ourselves for a new one, or the system user if we are root.

    Raises Refused if the cluster is somebody else's and we are not root.
    """
    me = os.geteuid()
    owner = cluster.stat() if cluster.exists() else None
    if owner is not None and me not in (owner.st_uid, 0):
        raise Refused(
            f"{cluster} belongs to user {owner.st_uid}, and this is user {me}.",
            hint=f"Run rxbackup as user {owner.st_uid} or as root, or set RXBACKUP_DATA_DIR to another folder.",
        )
    if me != 0:
        return RunUser(uid=me, gid=os.getegid(), is_other=False)
    if owner is not None and owner.st_uid != 0:
        return RunUser(uid=owner.st_uid, gid=owner.st_gid, is_other=True)
    entry = _system_user()
    return RunUser(uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    _create_system_user()
    for name in (SYSTEM_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Refused(
        "PostgreSQL does not run as root, and there is no other user to run it.",
        hint=f"Create a system user named {SYSTEM_USER}, or start rxbackup as an ordinary user.",
    )


def _create_system_user() -> None:
    """Create the user with whatever tool there is; without one the caller falls back to `nobody`."""
    search = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    commands = [
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"],
        ["adduser", "-S", "-D", "-H"],  # busybox
    ]
    for name, *options in commands:
        tool = shutil.which(name, path=search)
        if tool is None:
            continue
        shell = "/usr/sbin/nologin" if Path("/usr/sbin/nologin").exists() else "/sbin/nologin"
        done = subprocess.run(  # noqa: S603 - a fixed command
            [tool, *options, "-s", shell, SYSTEM_USER], capture_output=True, check=False, timeout=30
        )
        if done.returncode == 0:
            return
