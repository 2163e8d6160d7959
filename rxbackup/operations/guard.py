"""May she? Asked before every operation, in one place."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotSignedIn, PermissionDenied, RxbackupError
from rxbackup.operations.services import Services

_P = ParamSpec("_P")
_R = TypeVar("_R")
_F = TypeVar("_F", bound=Callable[..., object])
_Operation = Callable[Concatenate[Services, Actor, _P], _R]

_logger = logging.getLogger(__name__)

REQUIRES = "__rxbackup_requires__"
"""The attribute that carries an operation's permission; None for one that is open to all."""


def requires(permission: Permission) -> Callable[[_Operation[_P, _R]], _Operation[_P, _R]]:
    """Let an operation run only for actors whose role allows `permission`; write every refusal to the audit trail."""

    def guard(operation: _Operation[_P, _R]) -> _Operation[_P, _R]:
        @functools.wraps(operation)
        def guarded(services: Services, actor: Actor, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            _check(services, cast("Actor | None", actor), permission, operation.__name__)
            return operation(services, actor, *args, **kwargs)

        setattr(guarded, REQUIRES, permission)
        return guarded

    return guard


def open_to_all(operation: _F) -> _F:
    """Say aloud that an operation asks nobody who they are: signing in, health."""
    setattr(operation, REQUIRES, None)
    return operation


def _check(services: Services, actor: Actor | None, permission: Permission, operation: str) -> None:
    if actor is None:
        raise NotSignedIn
    if actor.may(permission):
        return
    _remember_refusal(services, actor, permission, operation)
    raise PermissionDenied(f"{actor.email} may not {permission.value}.")


def _remember_refusal(services: Services, actor: Actor, permission: Permission, operation: str) -> None:
    try:
        with services.system.session("system") as session:
            audit.append(
                session,
                actor=actor.email,
                action="refused",
                details={"operation": operation, "permission": permission.value, "door": actor.door},
            )
    except RxbackupError:
        # The refusal stands even when it cannot be written down.
        _logger.warning("A refusal could not be written to the audit trail", exc_info=True)
