"""Errors as problem documents (RFC 9457): one shape for everything that goes wrong."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from rxbackup.errors import RxbackupError

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong.

    Attributes:
        type: stable, for machines: `urn:rxbackup:problem:backup-not-found`.
        title: the kind of problem in a few words.
        status: the HTTP status.
        detail: what happened in this case, for people.
        hint: what to do next.
    """

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""


def problem(status: int, detail: str, *, code: str = "", hint: str = "") -> JSONResponse:
    """A problem document as an answer."""
    title = HTTPStatus(status).phrase
    kind = f"urn:rxbackup:problem:{code}" if code else "about:blank"
    body = Problem(type=kind, title=title, status=status, detail=detail, hint=hint)
    return JSONResponse(
        body.model_dump(), status, media_type="application/problem+json", headers={"cache-control": "no-store"}
    )


def _ours(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RxbackupError)  # noqa: S101 - registered for nothing else
    return problem(error.http_status, error.message, code=error.code, hint=error.hint)


def _http(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    answer = problem(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Name the fields, never their values: one of them may be a password."""
    del request
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    wrong = "; ".join(f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors())
    hint = "/api/docs lists the fields."
    return problem(400, wrong or "The request makes no sense as it stands.", code="usage-error", hint=hint)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    number = secrets.token_hex(4)
    logger.error("Unexpected error %s at %s", number, request.scope.get("route"), exc_info=error)
    detail = f"Something went wrong inside rxbackup. The log of the server has the details under {number}."
    return problem(500, detail, code="internal")


def answer_with_problems(api: FastAPI) -> None:
    """Register the translations."""
    api.add_exception_handler(RxbackupError, _ours)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(Exception, _unexpected)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document",
        "model": Problem,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""For the OpenAPI document: what every route may answer."""
