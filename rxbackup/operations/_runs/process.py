"""Which process is this, and is that one still alive?"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import psutil


def this_process() -> str:
    """A name for this process that no other process has: host, process namespace, number, start."""
    return _name_of(os.getpid())


def is_known_dead(name: str | None) -> bool:
    """Whether the process of that name is certainly gone.

    Only processes that this one could see are judged: same host, same process namespace. False means "do not know".
    """
    if not name or name.count("|") != 3:  # noqa: PLR2004 - four parts
        return False
    host, space, number, _start = name.split("|")
    if (host, space) != _place() or not number.isdigit():
        return False
    return _name_of(int(number)) != name


def _name_of(pid: int) -> str:
    host, space = _place()
    return f"{host}|{space}|{pid}|{_start_of(pid)}"


def _start_of(pid: int) -> str:
    """When the process started, in a unit that does not move when somebody sets the clock; "" if there is none."""
    try:
        # The command's name, in brackets, may hold anything; the 22nd field counts from behind it (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except (OSError, IndexError):
        return ""
    try:
        return f"{psutil.Process(pid).create_time():.0f}"
    except psutil.Error:
        return ""


@cache
def _place() -> tuple[str, str]:
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = "-"
    return socket.gethostname(), space
