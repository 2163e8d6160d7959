"""What every test gets: a clean environment, the shared fixtures, and the marks that belong to its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.support.postgres", "tests.support.s3_servers"]

_HERE = Path(__file__).parent
_MARKS = {
    "integration": (pytest.mark.integration,),
    "migration": (pytest.mark.integration,),
    "fault": (pytest.mark.fault, pytest.mark.integration),
    "e2e": (pytest.mark.e2e,),
}

# The settings of the person at this machine are not the tests' settings.
for _name in [name for name in os.environ if name.startswith("RXBACKUP_") and not name.startswith("RXBACKUP_TEST_")]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_HERE).parts[0] if item.path.is_relative_to(_HERE) else ""
        for mark in _MARKS.get(folder, ()):
            item.add_marker(mark)
