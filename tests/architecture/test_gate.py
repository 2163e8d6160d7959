"""Every way into the operations says who may come."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import rxbackup.operations
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.errors import NotSignedIn, PermissionDenied
from rxbackup.operations.guard import REQUIRES

# What is no way in: pure words, the guard itself, values.
NO_OPERATIONS = {f"rxbackup.operations.{name}" for name in ("guard", "services", "views", "wording")}
PURE = {"default_name"}
OPEN = {
    "setup_pending",
    "issue_setup_token",
    "check_setup_token",
    "setup_first_admin",
    "sign_in",
    "sign_out",
    "identify",
    "forget_identity",
    "readiness",
}


def _operations() -> Iterator[tuple[str, object]]:
    for module in pkgutil.iter_modules(rxbackup.operations.__path__, "rxbackup.operations."):
        if module.name in NO_OPERATIONS or module.name.rpartition(".")[2].startswith("_"):
            continue
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if inspect.isfunction(value) and value.__module__ == module.name and not name.startswith("_"):
                yield name, value


OPERATIONS = dict(_operations())


def test_every_operation_is_guarded() -> None:
    assert len(OPERATIONS) > 25
    unguarded = [name for name, value in OPERATIONS.items() if not hasattr(value, REQUIRES) and name not in PURE]
    assert unguarded == []


def test_only_these_are_open_to_all() -> None:
    assert {name for name, value in OPERATIONS.items() if getattr(value, REQUIRES, "-") is None} == OPEN


class _Closed:
    """Services that fail as soon as anybody touches them: a refusal must come before that."""

    class system:  # noqa: N801 - stands for an attribute
        @staticmethod
        def session(actor: str) -> object:
            raise PermissionDenied(actor)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OPEN - PURE))
def test_who_has_no_permission_gets_nothing(name: str) -> None:
    operation = OPERATIONS[name]
    assert isinstance(getattr(operation, REQUIRES), Permission)
    for actor in (Actor("nobody@example.org", "none"), Actor("odd@example.org", "emperor")):
        with pytest.raises(PermissionDenied):
            operation(_Closed, actor)  # type: ignore[operator]
    with pytest.raises(NotSignedIn):
        operation(_Closed, None)  # type: ignore[operator]


def test_every_operation_is_documented() -> None:
    assert [name for name, value in OPERATIONS.items() if not inspect.getdoc(value)] == []


def test_views_are_frozen_and_hold_no_secrets() -> None:
    from rxbackup.operations import views

    rooms = [importlib.import_module(f"{views.__name__}.{m.name}") for m in pkgutil.iter_modules(views.__path__)]
    found = {name: value for room in (views, *rooms) for name, value in vars(room).items()}
    assert len(found) > 60
    for name, value in found.items():
        if dataclasses.is_dataclass(value) and isinstance(value, type):
            assert value.__dataclass_params__.frozen, name
            # What somebody hands in is wrapped, and not printed.
            fields = {f.name for f in dataclasses.fields(value) if f.repr or "SecretStr" not in str(f.type)}
            assert not fields & {"password", "password_hash", "token", "secret", "secrets", "key"}, name
