"""A copier process: `python -m rxbackup.backup FD`. Started by the crew, never by hand."""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection

from rxbackup.backup.copier import serve

if __name__ == "__main__":
    # Ctrl-C goes to the whole group; the leader decides, and copiers end when it hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))
