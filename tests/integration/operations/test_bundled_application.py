"""The bundled application decides who is an admin, and a restore may change its mind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psycopg
import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import PermissionDenied, PlanRefused
from rxbackup.operations import accounts, backups, doctor, groups, previews, restores, sign_in, stores
from rxbackup.operations.views import NewBackup, NewRestore
from tests.support.installation import ADMIN, CONSOLE, PASSWORD, Installation, build


@pytest.fixture
def company(bundled_database: str, tmp_path: Path) -> Installation:
    return build(bundled_database, bundled_database, tmp_path)


def test_the_first_admin_becomes_an_admin_of_the_application(company: Installation) -> None:
    services = company.services
    token = sign_in.issue_setup_token(services)
    assert token is not None
    sign_in.setup_first_admin(services, token, ADMIN, PASSWORD)
    assert company.sql("SELECT role::text, active FROM public.users WHERE email = %s", ADMIN) == [("admin", True)]
    signed = sign_in.sign_in(services, ADMIN, PASSWORD)
    assert signed.actor.role == "admin"
    company.sql("UPDATE public.users SET role = 'employee' WHERE email = %s", ADMIN)
    company.clock.forward(seconds=3)
    actor = sign_in.identify(services, signed.token)
    assert actor is not None
    assert actor.role == "none"
    with pytest.raises(PermissionDenied):
        backups.list_backups(services, actor)
    with pytest.raises(PermissionDenied):
        sign_in.sign_in(services, ADMIN, PASSWORD)
    accounts.create_admin(services, CONSOLE, ADMIN, PASSWORD)
    assert sign_in.sign_in(services, ADMIN, PASSWORD).actor.role == "admin"


def test_the_seven_groups_are_counted_and_backed_up(company: Installation) -> None:
    counts = groups.count_groups(company.services, CONSOLE)
    assert [c.name for c in counts] == [
        "Assets", "Users", "Departments", "Issues", "Requests", "Notifications", "Preferences"
    ]  # fmt: skip
    assert all(c.rows > 0 for c in counts)
    backup = backups.perform_backup(company.services, CONSOLE, NewBackup("All"))
    assert backup.rows == sum(c.rows for c in counts)
    assert set(backup.groups) == {c.name for c in counts}


def test_who_would_be_locked_out_is_told_before(company: Installation) -> None:
    services = company.services
    backup = backups.perform_backup(services, CONSOLE, NewBackup("Before Ada"))
    accounts.create_admin(services, CONSOLE, ADMIN, PASSWORD)
    ada = Actor(ADMIN, "admin")
    kept = restores.preview_restore(services, ada, NewRestore(backup.id))
    assert (kept.kept_account, any(ADMIN in warning for warning in kept.warnings)) == (ADMIN, False)
    replaced = restores.preview_restore(services, ada, NewRestore(backup.id, replace_own_account=True))
    assert (replaced.kept_account, any(ADMIN in warning for warning in replaced.warnings)) == ("", True)
    without = restores.preview_restore(services, ada, NewRestore(backup.id, skip=("Users",)))
    assert (without.kept_account, any(ADMIN in warning for warning in without.warnings)) == ("", False)
    later = backups.perform_backup(services, CONSOLE, NewBackup("With Ada"))
    there = restores.preview_restore(services, ada, NewRestore(later.id, replace_own_account=True))
    assert not any(ADMIN in warning for warning in there.warnings)
    # At the terminal her row is restored like any other, but never taken away.
    assert restores.preview_restore(services, CONSOLE, NewRestore(later.id)).kept_account == ""
    assert restores.preview_restore(services, CONSOLE, NewRestore(backup.id)).kept_account == ADMIN


def _name_of(company: Installation, email: str) -> object:
    return company.sql("SELECT name FROM public.users WHERE email = %s", email)[0][0]


def test_who_restores_keeps_her_own_row_unless_she_says_otherwise(company: Installation) -> None:
    services = company.services
    accounts.create_admin(services, CONSOLE, ADMIN, PASSWORD)
    company.sql("INSERT INTO public.users (email, name, role) VALUES ('bob@example.org', 'Bob', 'admin')")
    backup = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    company.sql("UPDATE public.users SET name = 'Later' WHERE email IN (%s, 'bob@example.org')", ADMIN)
    ada = Actor(ADMIN, "admin")
    new = NewRestore(backup.id, confirm_name="First")
    preview = previews.perform_preview(services, ada, new)
    users = next(table for table in preview.tables if table.name == "public.users")
    assert (preview.kept_account, users.change and users.change.changed) == (ADMIN, 1)
    (sample,) = users.samples
    assert [(f.before, f.after) for f in sample.fields if f.column == "name"] == [("Later", "Bob")]

    restores.perform_restore(services, ada, dataclasses.replace(new, preview=preview.job))
    assert (_name_of(company, ADMIN), _name_of(company, "bob@example.org")) == ("Later", "Bob")

    own = dataclasses.replace(new, replace_own_account=True)
    with pytest.raises(PlanRefused, match="of another choice"):
        restores.perform_restore(services, ada, dataclasses.replace(own, preview=preview.job))
    restores.perform_restore(services, ada, own)
    assert _name_of(company, ADMIN) == "ada"


def test_an_admin_newer_than_the_backup_is_not_locked_out(company: Installation) -> None:
    services = company.services
    backup = backups.perform_backup(services, CONSOLE, NewBackup("Before Ada"))
    accounts.create_admin(services, CONSOLE, ADMIN, PASSWORD)
    for actor in (Actor(ADMIN, "admin"), CONSOLE):
        restores.perform_restore(services, actor, NewRestore(backup.id, confirm_name="Before Ada"))
        assert sign_in.sign_in(services, ADMIN, PASSWORD).actor.role == "admin"
    own = NewRestore(backup.id, confirm_name="Before Ada", replace_own_account=True)
    restores.perform_restore(services, CONSOLE, own)
    assert company.sql("SELECT count(*) FROM public.users WHERE email = %s", ADMIN) == [(0,)]


def test_people_whose_rows_were_changed_sign_in_again(company: Installation) -> None:
    services = company.services
    for email in (ADMIN, "bob@example.org", "cyd@example.org"):
        accounts.create_admin(services, CONSOLE, email, PASSWORD)
    backup = backups.perform_backup(services, CONSOLE, NewBackup("First"))
    tokens = {
        email: sign_in.sign_in(services, email, PASSWORD).token
        for email in (ADMIN, "bob@example.org", "bob@example.org", "cyd@example.org")
    }
    company.sql("UPDATE public.users SET phone = '1' WHERE email <> 'cyd@example.org'")
    own = NewRestore(backup.id, confirm_name="First", replace_own_account=True)

    done = restores.perform_restore(services, Actor(ADMIN, "admin"), own)

    assert done.sessions_ended == 2
    assert {email for email, token in tokens.items() if sign_in.identify(services, token)} == {
        ADMIN,
        "cyd@example.org",
    }


def test_a_store_on_the_same_server_is_called_so(company: Installation) -> None:
    by_name = {s.name: s for s in stores.list_stores(company.services, CONSOLE)}
    assert by_name["database"].same_server
    assert "does not survive" in by_name["database"].note
    assert not by_name["local"].same_server


def test_the_protected_database_may_be_another_one(system_database: str, new_database: object, tmp_path: Path) -> None:
    from rxbackup.tables.watermarks import ensure_watermarks
    from tests.support.installation import SHOP

    source = new_database()  # type: ignore[operator]
    with psycopg.connect(source, autocommit=True) as conn:
        conn.execute(SHOP)
    assert ensure_watermarks(source)
    apart = build(system_database, source, tmp_path)
    before = apart.image()
    backup = backups.perform_backup(apart.services, CONSOLE, NewBackup("First"))
    apart.sql("DELETE FROM public.orders")
    restores.perform_restore(apart.services, CONSOLE, NewRestore(backup.id, confirm_name="First"))
    assert apart.image() == before
    assert [s.same_server for s in stores.list_stores(apart.services, CONSOLE) if s.kind == "database"] == [True]


def test_the_doctor_finds_nothing_wrong_but_what_is_not_set_up(company: Installation) -> None:
    backups.perform_backup(company.services, CONSOLE, NewBackup("First"))
    accounts.create_admin(company.services, CONSOLE, ADMIN, PASSWORD)
    findings = doctor.diagnose(company.services, CONSOLE)
    assert [f for f in findings if f.level == "error"] == []
    assert {f.subject for f in findings if f.level == "warning"} == {"Channels", "Scheduler", "Store database"}
