"""How a run that ended badly is told in its row."""

from __future__ import annotations

from rxbackup.errors import Cancelled, Interrupted, RxbackupError


def describe_error(error: BaseException, job_id: str = "") -> dict[str, str]:
    """An error as plain values for a row: what a person may read, never a traceback."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        error = Interrupted("The process was stopped while this ran.")
    if isinstance(error, MemoryError):
        return {
            "code": "out-of-memory",
            "message": "The machine ran out of memory.",
            "hint": "Set RXBACKUP_PROCESSES=1 or give the machine more memory, then try again.",
        }
    if isinstance(error, RxbackupError):
        return {"code": error.code, "message": error.message, "hint": error.hint}
    return {
        "code": "unexpected",
        "message": f"Something unexpected happened ({type(error).__name__}).",
        "hint": f"The log has the details: look for {job_id}." if job_id else "The log has the details.",
    }


def state_after(error: BaseException) -> str:
    """The state of a job that ended with this error."""
    if isinstance(error, Cancelled):
        return "cancelled"
    return "interrupted" if isinstance(error, Interrupted | KeyboardInterrupt | SystemExit) else "failed"
