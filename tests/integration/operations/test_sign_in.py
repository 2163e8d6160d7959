"""Coming in."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import (
    PermissionDenied,
    Refused,
    RxbackupError,
    SignInFailed,
    TooManyAttempts,
    UsageError,
)
from rxbackup.operations import accounts, backups, sign_in
from tests.support.installation import ADMIN, CONSOLE, PASSWORD, Installation


def _actions(installation: Installation) -> list[str]:
    with installation.services.system.session("system") as session:
        assert audit.verify_chain(session).ok
        return [entry.action for entry in audit.read_entries(session, limit=200)][::-1]


def _together(count: int, work: Callable[[int], object]) -> list[object]:
    outcomes: list[object] = [None] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            outcomes[number] = work(number)
        except RxbackupError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_first_admin_comes_in_by_a_link_that_works_once(installation: Installation) -> None:
    services = installation.services
    assert sign_in.setup_pending(services)
    token = sign_in.issue_setup_token(services)
    assert token is not None
    for wrong in ("", "x", token[:-1]):
        with pytest.raises(PermissionDenied):
            sign_in.setup_first_admin(services, wrong, ADMIN, PASSWORD)
    with pytest.raises(UsageError):
        sign_in.setup_first_admin(services, token, ADMIN, "too short")
    assert sign_in.setup_first_admin(services, token, " Ada@Example.ORG", PASSWORD) == Actor(ADMIN, "admin")
    assert not sign_in.setup_pending(services)
    assert sign_in.issue_setup_token(services) is None
    with pytest.raises(Refused):
        sign_in.setup_first_admin(services, token, "eve@example.org", PASSWORD)
    assert token not in str(installation.system_sql("SELECT value FROM rxbackup.settings"))


def test_setup_links_expire_and_replace_each_other(installation: Installation) -> None:
    services = installation.services
    old, new = sign_in.issue_setup_token(services), sign_in.issue_setup_token(services)
    assert old is not None
    assert new is not None
    with pytest.raises(PermissionDenied):
        sign_in.setup_first_admin(services, old, ADMIN, PASSWORD)
    installation.clock.forward(minutes=61)
    with pytest.raises(PermissionDenied):
        sign_in.setup_first_admin(services, new, ADMIN, PASSWORD)


def test_of_fifty_claims_exactly_one_becomes_admin(installation: Installation) -> None:
    services = installation.services
    token = sign_in.issue_setup_token(services)
    assert token is not None
    outcomes = _together(
        50, lambda n: sign_in.setup_first_admin(services, token, f"admin{n}@example.org", "lovelace counts 1843")
    )
    assert sum(isinstance(outcome, Actor) for outcome in outcomes) == 1
    assert installation.system_sql("SELECT count(*) FROM rxbackup.accounts") == [(1,)]
    assert _actions(installation).count("account.created") == 1


def test_a_session_lives_until_it_is_ended(installation: Installation, admin: Actor) -> None:
    services = installation.services
    signed = sign_in.sign_in(services, "ADA@example.org ", PASSWORD, ip="127.0.0.1", user_agent="x" * 5000)
    actor = sign_in.identify(services, signed.token)
    assert actor is not None
    assert (actor.email, actor.role, actor.session_id) == (ADMIN, "admin", signed.actor.session_id)
    assert backups.list_backups(services, actor).total == 0
    stored = str(installation.system_sql("SELECT * FROM rxbackup.sessions"))
    assert signed.token not in stored
    sign_in.sign_out(services, signed.token)
    assert sign_in.identify(services, signed.token) is None
    sign_in.sign_out(services, signed.token)
    assert _actions(installation)[-2:] == ["signed_in", "signed_out"]
    del admin


def test_sessions_end_by_idleness_and_by_age(installation: Installation, admin: Actor) -> None:
    services = installation.services
    idle = sign_in.sign_in(services, ADMIN, PASSWORD).token
    installation.clock.forward(minutes=59)
    assert sign_in.identify(services, idle, touch=False) is not None
    installation.clock.forward(minutes=2)
    assert sign_in.identify(services, idle) is None

    busy = sign_in.sign_in(services, ADMIN, PASSWORD).token
    for _ in range(14):
        installation.clock.forward(minutes=50)
        assert sign_in.identify(services, busy) is not None
    installation.clock.forward(minutes=21)
    assert sign_in.identify(services, busy) is None
    assert sign_in.purge_sessions(services, Actor.system()) == 2
    del admin


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rxbackup.sessions SET revoked_at = now()",
        "UPDATE rxbackup.accounts SET active = false",
        "DELETE FROM rxbackup.accounts",
    ],
)
def test_what_is_taken_away_is_gone_within_seconds(installation: Installation, admin: Actor, change: str) -> None:
    services = installation.services
    token = sign_in.sign_in(services, ADMIN, PASSWORD).token
    assert sign_in.identify(services, token) is not None
    installation.system_sql(change)
    installation.clock.forward(seconds=2.1)
    assert sign_in.identify(services, token) is None
    del admin


def test_a_lost_role_leaves_no_permission(installation: Installation, admin: Actor) -> None:
    services = installation.services
    token = sign_in.sign_in(services, ADMIN, PASSWORD).token
    installation.system_sql("UPDATE rxbackup.accounts SET role = 'viewer'")
    installation.clock.forward(seconds=2.1)
    actor = sign_in.identify(services, token)
    assert actor is not None
    with pytest.raises(PermissionDenied):
        backups.delete_backup(services, actor, "any")
    assert _actions(installation)[-1] == "refused"
    del admin


@pytest.mark.parametrize("token", [None, "", "nonsense", "x" * 100_000, "\ud800", "' OR 1=1 --"])
def test_odd_tokens_are_nobodys(installation: Installation, token: str | None) -> None:
    assert sign_in.identify(installation.services, token) is None


def test_unknown_wrong_and_disabled_get_the_same_answer(installation: Installation, admin: Actor) -> None:
    services = installation.services
    accounts.create_admin(services, CONSOLE, "gone@example.org", PASSWORD)
    installation.system_sql("UPDATE rxbackup.accounts SET active = false WHERE email = 'gone@example.org'")
    answers = set()
    for email, password in ((ADMIN, "wrong password"), ("who@example.org", PASSWORD), ("gone@example.org", PASSWORD)):
        with pytest.raises(SignInFailed) as failed:
            sign_in.sign_in(services, email, password)
        answers.add((failed.value.message, failed.value.hint))
    assert len(answers) == 1
    assert _actions(installation)[-3:] == ["sign_in.failed"] * 3
    del admin


@pytest.mark.parametrize("email", [ADMIN, "stranger@example.org"])
def test_guessing_is_braked_for_everybody_alike_and_never_for_good(
    installation: Installation, admin: Actor, email: str
) -> None:
    services = installation.services
    email = email if email == ADMIN else f"{installation.services.system_url[-30:]}@example.org".replace("/", "-")
    for _ in range(5):
        with pytest.raises(SignInFailed):
            sign_in.sign_in(services, email, "wrong password")
    with pytest.raises(TooManyAttempts, match="1 seconds"):
        sign_in.sign_in(services, email, PASSWORD)
    installation.clock.forward(seconds=1.5)
    with pytest.raises(SignInFailed):
        sign_in.sign_in(services, email, "wrong password")
    with pytest.raises(TooManyAttempts, match="2 seconds"):
        sign_in.sign_in(services, email, PASSWORD)
    installation.clock.forward(minutes=15)
    if email == ADMIN:
        sign_in.sign_in(services, email, PASSWORD)
        assert installation.system_sql("SELECT failed_attempts, locked_until FROM rxbackup.accounts") == [(0, None)]
    del admin


def test_many_guesses_at_once_are_many_guesses(installation: Installation, admin: Actor) -> None:
    outcomes = _together(40, lambda n: sign_in.sign_in(installation.services, ADMIN, f"wrong password {n}"))
    assert sum(isinstance(outcome, SignInFailed) for outcome in outcomes) <= 6
    assert all(isinstance(outcome, SignInFailed | TooManyAttempts) for outcome in outcomes)
    del admin


def test_ten_sessions_are_enough(installation: Installation, admin: Actor) -> None:
    services = installation.services
    tokens = []
    for _ in range(12):
        tokens.append(sign_in.sign_in(services, ADMIN, PASSWORD).token)
        installation.clock.forward(seconds=1)
    alive = [sign_in.identify(services, token) is not None for token in tokens]
    assert alive == [False] * 2 + [True] * 10
    del admin


def test_a_new_password_ends_every_session(installation: Installation, admin: Actor) -> None:
    services = installation.services
    token = sign_in.sign_in(services, ADMIN, PASSWORD).token
    accounts.create_admin(services, CONSOLE, ADMIN, "another long secret")
    assert sign_in.identify(services, token) is None
    with pytest.raises(SignInFailed):
        sign_in.sign_in(services, ADMIN, PASSWORD)
    sign_in.sign_in(services, ADMIN, "another long secret")
    del admin


def test_the_trail_shows_what_was_changed_in_it(installation: Installation, admin: Actor) -> None:
    import psycopg

    from tests.support.postgres import admin_url

    sign_in.sign_in(installation.services, ADMIN, PASSWORD)
    with psycopg.connect(admin_url(installation.services.system_url), autocommit=True) as conn:
        conn.execute("ALTER TABLE rxbackup.audit DISABLE TRIGGER ALL")
        conn.execute(
            "UPDATE rxbackup.audit SET actor = 'eve@example.org' WHERE id = (SELECT min(id) FROM rxbackup.audit)"
        )
    with installation.services.system.session("system") as session:
        report = audit.verify_chain(session)
        assert (report.ok, report.broken_at) == (False, audit.read_entries(session)[-1].id)
    del admin


def test_entries_written_at_once_are_one_chain(installation: Installation) -> None:
    def write(number: int) -> None:
        with installation.services.system.session("system") as session:
            audit.append(
                session, actor="a\0b", action="test", details={"n": number, "odd": ["\ud800", 1.5, None, True]}
            )

    _together(20, write)
    assert _actions(installation) == ["test"] * 20
