from __future__ import annotations

import pytest

from rxbackup.access.actor import Actor, Door
from rxbackup.access.roles import Permission, Role, permissions_of


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("admin", set(Permission)),
        ("operator", {Permission.VIEW, Permission.BACK_UP, Permission.VERIFY}),
        ("viewer", {Permission.VIEW}),
        ("none", set()),
        ("", set()),
        ("Admin", set()),
        ("superuser", set()),
    ],
)
def test_roles_may_what_the_table_says_and_unknown_ones_nothing(role: str, may: set[Permission]) -> None:
    assert set(permissions_of(role)) == may


def test_every_role_is_in_the_table() -> None:
    for role in Role:
        permissions_of(role)


def test_only_console_and_app_act_with_the_hosts_rights() -> None:
    assert Actor("ada@example.org", "admin").identity == "ada@example.org"
    assert Actor("ada@example.org", "admin", door=Door.WORKER).identity == "ada@example.org"
    assert Actor.console("Ada@Example.org ").identity == "system"
    assert Actor.console("Ada@Example.org ").email == "ada@example.org"
    assert Actor.system().identity == "system"
