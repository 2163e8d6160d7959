from __future__ import annotations

import pytest

from tests.support.installation import Installation, admin, installation
from tests.support.schedules import TimeMachine

__all__ = ["admin", "installation", "machine"]


@pytest.fixture
def machine(installation: Installation) -> TimeMachine:
    return TimeMachine(installation)
