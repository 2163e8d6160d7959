from __future__ import annotations

import psycopg
import pytest

from rxbackup import errors
from rxbackup.postgres.connecting import connect
from tests.support.receivers import free_port


def test_a_server_that_is_away_is_said_in_a_sentence() -> None:
    port = free_port()
    with pytest.raises(errors.DatabaseUnavailable) as away:
        connect(f"postgresql://ada:lovelace@127.0.0.1:{port}/shop", application_name="test")
    assert away.value.message.startswith(
        f'The database cannot be reached: connection to server at "127.0.0.1", port {port}'
    )
    assert "lovelace" not in away.value.message
    assert isinstance(away.value.__cause__, psycopg.OperationalError)
