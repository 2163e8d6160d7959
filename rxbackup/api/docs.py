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
    schemas = document.get("components", {}).get("schemas", {})
    parts = [
        _section(path, method, operation, schemas)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    title, about = escape(document["info"]["title"]), escape(document["info"].get("description", ""))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><main><h1>{title}</h1><p>{about}</p>"
        f'<p>For machines: <a href="/api/openapi.json">/api/openapi.json</a></p>{"".join(parts)}</main></html>'
    )


def _section(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    heading = f"<h2><span class=method>{escape(method.upper())}</span> <code>{escape(path)}</code></h2>"
    about = escape(str(operation.get("description") or operation.get("summary", "")))
    return f"<section>{heading}<p>{about}</p>{_fields(operation)}{_body(operation, schemas)}</section>"


def _fields(operation: dict[str, Any]) -> str:
    fields = [
        f"<li><code>{escape(one['name'])}</code> ({escape(one['in'])}) {escape(one.get('description', ''))}</li>"
        for one in operation.get("parameters", [])
    ]
    return f"<ul>{''.join(fields)}</ul>" if fields else ""


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = []
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = _resolved(content.get("schema", {}), schemas)
        if not schema.get("properties"):
            continue  # told in the words above
        about = escape(str(schema.get("description", "")))
        parts.append(f"<p>Body, <code>{escape(kind)}</code>: {about}</p>{_properties(schema, schemas)}")
    return "".join(parts)


def _properties(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The fields of an object, those of objects within it below; nothing for what is no object."""
    needed = schema.get("required", [])
    lines = []
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(given, schemas)
        facts = [_kind_of(inner, schemas), *(["needed"] if name in needed else [])]
        if given.get("default") not in (None, "", [], {}) and not inner.get("properties"):
            facts.append(f"default {given['default']}")
        # What a field is, is said where it stands, or else by the object that it holds.
        about = escape(str(given.get("description") or inner.get("description", "")))
        lines.append(
            f"<li><code>{escape(name)}</code> ({escape(', '.join(facts))}) {about}{_properties(inner, schemas)}</li>"
        )
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _kind_of(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind_of(_resolved(schema.get('items', {}), schemas), schemas)}"
    return str(schema.get("const") or schema.get("type") or "anything")


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What a reference points to; of a value that may also be null, the value."""
    kinds = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if len(kinds) == 1:
        return _resolved(kinds[0], schemas)
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return dict(schemas[name]) if name else schema
