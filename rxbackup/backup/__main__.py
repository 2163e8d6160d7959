"""A copier process: `python -m rxbackup.backup FD LEADER`. Started by the crew, never by hand."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from rxbackup.backup.copier import serve


def _end_with(leader: int) -> None:
    """End when the leader is killed: while a copier waits for a database or a store, it hears nobody hang up."""
    while os.getppid() == leader:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    # Ctrl-C goes to the whole group; the leader decides, and copiers end when it hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), name="leader watch", daemon=True).start()
    serve(Connection(int(sys.argv[1])))
