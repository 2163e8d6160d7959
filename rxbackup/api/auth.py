"""Signing in and out. Only here is the session cookie given and taken back."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData

from rxbackup.api.identity import OpenServices, public
from rxbackup.errors import UsageError
from rxbackup.operations import sign_in as operations
from rxbackup.operations.services import Services
from rxbackup.operations.sign_in import SignedIn
from rxbackup.serving import cookies
from rxbackup.serving.origins import is_secure

router = APIRouter(prefix="/auth", tags=["sign-in"])

_FORM = "application/x-www-form-urlencoded"


class Credentials(BaseModel):
    """Email and password, as typed."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    email: Annotated[str, Field(min_length=1, max_length=320)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


class FirstAdmin(Credentials):
    """The first admin, with the token of the one-time link."""

    token: Annotated[str, Field(min_length=1, max_length=256)]


_Model = TypeVar("_Model", bound=Credentials)


class Signed(BaseModel):
    """Who is signed in now."""

    email: str
    role: str


async def _sent(request: Request) -> dict[str, Any]:
    """The body, as JSON or as a form."""
    if request.headers.get("content-type", "").startswith(_FORM):
        form: FormData = await request.form()
        return {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise UsageError("The request is neither JSON nor a form.") from error
    if not isinstance(body, dict):
        raise UsageError("The request must be a JSON object.")
    return body


Sent = Annotated[dict[str, Any], Depends(_sent)]


@router.post("/sign-in", openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}}})
@public
def sign_in(request: Request, services: OpenServices, sent: Sent) -> Response:
    """Begin a session: JSON or form with `email` and `password`. The session is in a cookie that no script reads."""
    typed = _checked(Credentials, sent)
    return _begin(request, services, typed)


@router.post("/setup")
@public
def setup(request: Request, services: OpenServices, sent: Sent) -> Response:
    """Create the first admin with the token of the one-time link, and sign in."""
    typed = _checked(FirstAdmin, sent)
    operations.setup_first_admin(services, typed.token, typed.email, typed.password)
    return _begin(request, services, typed)


@router.post("/sign-out")
@public
def sign_out(request: Request, services: OpenServices) -> Response:
    """End the session, whatever state it is in."""
    operations.sign_out(services, cookies.session_token(request.headers.get("cookie")))
    answer = Response(status_code=204, headers={"cache-control": "no-store", "clear-site-data": '"cache"'})
    for header in cookies.take_back():
        answer.headers.append("set-cookie", header)
    return answer


def _checked(model: type[_Model], sent: dict[str, Any]) -> _Model:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        fields = sorted({str(one["loc"][0]) for one in error.errors(include_input=False)})
        raise UsageError(f"Fill in: {', '.join(fields)}.") from None


def _begin(request: Request, services: Services, typed: Credentials) -> Response:
    """Sign in, hand out the cookie, end the session that the browser had before."""
    before = cookies.session_token(request.headers.get("cookie"))
    signed = operations.sign_in(
        services,
        typed.email,
        typed.password,
        ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
    )
    if before is not None:
        operations.sign_out(services, before)
    answer = _welcome(request, signed)
    own = [services.settings.public_url] if services.settings.public_url else []
    secure = is_secure(request.headers, scheme=request.url.scheme, own=own)
    seconds = max(1, int((signed.expires_at - services.clock()).total_seconds()))
    answer.headers.append("set-cookie", cookies.give(signed.token, secure=secure, seconds=seconds))
    answer.headers["cache-control"] = "no-store"
    return answer


def _welcome(request: Request, signed: SignedIn) -> Response:
    if request.headers.get("content-type", "").startswith(_FORM):
        return RedirectResponse("/", status_code=303)
    return JSONResponse(Signed(email=signed.actor.email, role=str(signed.actor.role)).model_dump())
