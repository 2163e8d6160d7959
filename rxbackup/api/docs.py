"""The API's own description: the OpenAPI document, and a page of it that loads nothing from anywhere."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from rxbackup.api.identity import public

router = APIRouter(include_in_schema=False)

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:52rem;margin:2rem auto;padding:0 1rem}
code{font-family:ui-monospace,monospace} section{border-top:1px solid #8884;padding:.75rem 0}
.method{display:inline-block;min-width:3.5rem;font-weight:700} li{margin:.15rem 0}
"""


@router.get("/api/openapi.json")
@public
def openapi(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/api/docs")
@public
def docs(request: Request) -> HTMLResponse:
    """The same for people."""
    return HTMLResponse(render(request.app.openapi()))


def render(document: dict[str, Any]) -> str:
    """The OpenAPI document as one plain page."""
    parts = [
        _section(path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    title, about = escape(document["info"]["title"]), escape(document["info"].get("description", ""))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><main><h1>{title}</h1><p>{about}</p>"
        f'<p>For machines: <a href="/api/openapi.json">/api/openapi.json</a></p>{"".join(parts)}</main></html>'
    )


def _section(path: str, method: str, operation: dict[str, Any]) -> str:
    heading = f"<h2><span class=method>{escape(method.upper())}</span> <code>{escape(path)}</code></h2>"
    about = escape(str(operation.get("description") or operation.get("summary", "")))
    return f"<section>{heading}<p>{about}</p>{_fields(operation)}</section>"


def _fields(operation: dict[str, Any]) -> str:
    fields = [
        f"<li><code>{escape(one['name'])}</code> ({escape(one['in'])}) {escape(one.get('description', ''))}</li>"
        for one in operation.get("parameters", [])
    ]
    return f"<ul>{''.join(fields)}</ul>" if fields else ""
