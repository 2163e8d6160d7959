"""Hypothesis on a busy machine: a slow example is no failure.

`RXBACKUP_TEST_EXAMPLES=2000` looks harder (the tests' own settings variables survive the cleaning of the environment).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "rxbackup",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("RXBACKUP_TEST_EXAMPLES", "100")),
)
settings.load_profile("rxbackup")
