"""Files that are uploaded to be imported: streamed to a spool file, bounded all the way, never held in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import SecretStr
from starlette.requests import ClientDisconnect

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.errors import Busy, NotSignedIn, UsageError
from rxbackup.intake.spool import Spool
from rxbackup.operations import imports, sign_in
from rxbackup.operations.services import Services
from rxbackup.operations.views import JobView
from rxbackup.serving.cookies import session_token

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

_UPLOADS_EACH = 2
_UPLOADS_TOGETHER = 8
_SILENCE_SECONDS = 60.0
_PIECE_BYTES = 1 << 20

_uploading: dict[str, int] = {}
_counting = threading.Lock()


@router.put(
    "/imports",
    status_code=202,
    tags=["backups"],
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {"schema": {"format": "binary"}}}}},
)
async def import_file(
    request: Request,
    response: Response,
    services: OpenServices,
    actor: Who,
    *,
    file_name: Annotated[str, Query(max_length=4096, description="How the file is called; for people")] = "file",
    name: Annotated[str | None, Query(max_length=255, description="Name of the backup; its own if left out")] = None,
    store: Annotated[str, Query(max_length=63, description="Where it shall rest")] = "database",
    x_rxb_passphrase: Annotated[
        str | None, Header(max_length=8192, description="Passphrase of an archive, percent-encoded UTF-8")
    ] = None,
) -> JobView:
    """Take in an archive or a JSON document: the body is the file as it is. Follow the job at `Location`."""
    passphrase = SecretStr(unquote(x_rxb_passphrase)) if x_rxb_passphrase else None
    with _slot(actor):
        spool = await asyncio.to_thread(imports.receive_file, services, actor, announced=_announced(request))
        # Closing it may wait for the disk, but only for a moment: an unlink or nothing.
        with spool:
            await _receive(request, spool)
            await asyncio.to_thread(_still_signed_in, request)
            job = await asyncio.to_thread(
                _queue, services, actor, spool, file_name=file_name, name=name, store=store, passphrase=passphrase
            )
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return job


def _queue(
    services: Services,
    actor: Actor,
    spool: Spool,
    *,
    file_name: str,
    name: str | None,
    store: str,
    passphrase: SecretStr | None,
) -> JobView:
    job = imports.request_import(services, actor, spool.path, file_name, name=name, store=store, passphrase=passphrase)
    spool.keep()
    return job


async def _receive(request: Request, spool: Spool) -> None:
    waiting = bytearray()
    try:
        async for piece in _pieces(request):
            waiting += piece
            if len(waiting) >= _PIECE_BYTES:
                await asyncio.to_thread(spool.write, waiting)
                waiting = bytearray()
    except ClientDisconnect:
        raise UsageError("The upload was cut off.", hint="Send the file again.") from None
    except TimeoutError:
        raise UsageError(f"Nothing came for {_SILENCE_SECONDS:.0f} seconds.", hint="Send the file again.") from None
    await asyncio.to_thread(spool.write, waiting)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream().__aiter__()
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), _SILENCE_SECONDS)
        except StopAsyncIteration:
            return


def _still_signed_in(request: Request) -> None:
    # An upload may take hours; a session that was ended meanwhile must not leave a job behind.
    if sign_in.identify(wiring.current(), session_token(request.headers.get("cookie"))) is None:
        raise NotSignedIn


def _announced(request: Request) -> int | None:
    text = request.headers.get("content-length")
    return int(text) if text is not None and text.isdecimal() else None


@contextmanager
def _slot(actor: Actor) -> Iterator[None]:
    with _counting:
        if _uploading.get(actor.email, 0) >= _UPLOADS_EACH or sum(_uploading.values()) >= _UPLOADS_TOGETHER:
            raise Busy("Other files are being uploaded.", hint="Wait until they are there, then try again.")
        _uploading[actor.email] = _uploading.get(actor.email, 0) + 1
    try:
        yield
    finally:
        with _counting:
            _uploading[actor.email] -= 1
            if not _uploading[actor.email]:
                del _uploading[actor.email]
