"""How many examples a property is shown: as many as its test says, or as many as MATCHCLF_EXAMPLES says."""

import math
import os

from hypothesis import HealthCheck, settings


def examples(number: int, at_once: int = 1) -> settings:
    """Settings for a test that is the same each time, however slow the machine; ``at_once`` are in one draw."""
    return settings(
        max_examples=math.ceil(int(os.environ.get("MATCHCLF_EXAMPLES", number)) / at_once),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
