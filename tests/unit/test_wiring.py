from __future__ import annotations

import pytest
from pydantic import SecretStr

from rxbackup.errors import UsageError
from rxbackup.settings import Settings
from rxbackup.wiring import read_settings
from rxbackup.wiring.databases import _address
from rxbackup.worker.supervision import child_environment


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:se%40cret@db.example.org:5432/shop?sslmode=require",
        "postgres://db/shop",
        "postgresql:///shop",
        "postgresql://rxbackup@/rxbackup?host=%2Ftmp%2Fx%2Fpostgres.socket&port=5432",
        "postgresql://a,b:5433,[::1]:5434/shop?target_session_attrs=primary",
        "postgresql+psycopg://ada@db/shop",
        "host=db dbname=shop password='a b'",
        "dbname = shop",
        "service=shop",
    ],
)
def test_addresses_that_libpq_reads_pass(url: str) -> None:
    assert _address("X", SecretStr(f" {url}")) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgres//ada:hunter2@db/shop?x=y",
        "postgresql://ada:hunter2@more@db/shop",
        "postgresql://ada:hunter2/more@db/shop",
        "mysql://ada:hunter2@db/shop",
        "postgresql://db:port/shop",
    ],
)
def test_addresses_that_make_no_sense_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        _address("RXBACKUP_DATABASE_URL", SecretStr(url))
    assert "RXBACKUP_DATABASE_URL" in refused.value.message
    assert "hunter2" not in refused.value.message + refused.value.hint


def test_settings_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RXBACKUP_PROCESSES", "hunter2")
    with pytest.raises(UsageError, match="RXBACKUP_PROCESSES") as refused:
        read_settings()
    assert "hunter2" not in refused.value.message
    monkeypatch.setenv("RXBACKUP_METRICS_TOKEN", "hunter2")
    with pytest.raises(UsageError, match="RXBACKUP_METRICS_TOKEN: 16 characters at least are needed"):
        read_settings()


def test_a_child_reads_the_settings_of_its_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("RXBACKUP_SYSTEM_URL", "postgresql://other")
    ours = Settings(
        database_url=SecretStr("postgresql://db/shop"),
        system_url=None,
        data_dir=tmp_path,
        key=SecretStr("00" * 32),
        processes=3,
        session_idle_minutes=7,
    )
    for name, value in child_environment(ours).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RXBACKUP_SYSTEM_URL")
    assert "RXBACKUP_SYSTEM_URL" not in child_environment(ours)
    assert Settings() == ours
