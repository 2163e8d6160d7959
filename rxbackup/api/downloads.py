"""Downloads by one-time link, streamed: nothing of a backup is ever written down in clear."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from rxbackup.api.identity import OpenServices, Who
from rxbackup.operations import downloads

router = APIRouter(tags=["downloads"])


@router.get("/dl/{token}", include_in_schema=False)
def download(token: str, services: OpenServices, actor: Who) -> StreamingResponse:
    """Stream a backup. The link works once, for the session that asked for it."""
    found = downloads.open_link(services, actor, token)
    return StreamingResponse(
        found.content,
        media_type=found.media_type,
        headers={
            "content-disposition": attachment(found.file_name),
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


def attachment(file_name: str) -> str:
    """A Content-Disposition header (RFC 6266): an ASCII name for old readers, the true one beside it (RFC 8187).

    Path separators, quotes and control characters never reach the header.
    """
    name = re.sub(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]", "_", file_name).strip(". ") or "backup"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[\"%;\\]", "_", plain).strip(". ") or "backup"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
