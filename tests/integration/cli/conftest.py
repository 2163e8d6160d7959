from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.installation import SHOP
from tests.support.terminal import Terminal, terminal


@pytest.fixture
def shop(system_database: str, tmp_path: Path) -> Terminal:
    with psycopg.connect(system_database, autocommit=True) as conn:
        conn.execute(SHOP)
    return terminal(system_database, tmp_path)
