"""Is it alive, and can it work? For whatever watches the app; open to all, without versions or names."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rxbackup import wiring
from rxbackup.api.identity import public
from rxbackup.errors import RxbackupError
from rxbackup.operations import health

router = APIRouter(tags=["health"])


@router.get("/healthz")
@public
async def healthz() -> dict[str, bool]:
    """The process answers."""
    return {"ok": True}


@router.get("/readyz")
@public
def readyz() -> JSONResponse:
    """Database, schema and scheduler: 200 if the instance can do its work, 503 with the reasons if not."""
    try:
        ready = health.readiness(wiring.current())
    except RxbackupError as error:
        return _answer(ok=False, checks={"database": {"ok": False, "text": error.message}})
    except RuntimeError:
        return _answer(ok=False, checks={"start": {"ok": False, "text": "The app is starting."}})
    return _answer(ok=ready.ok, checks={name: dataclasses.asdict(check) for name, check in ready.checks.items()})


def _answer(*, ok: bool, checks: dict[str, Any]) -> JSONResponse:
    return JSONResponse({"ok": ok, "checks": checks}, 200 if ok else 503, headers={"cache-control": "no-store"})
