"""How often a property is tried: in a plain run some times, by `make properties`, which takes a night's time, many."""

import os

from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "properties"


def tried(plain: int, thorough: int, steps: int = 50) -> settings:
    """The settings of a property: how many examples in either run, and of how many steps where it is a history."""
    return settings(
        max_examples=thorough if THOROUGH else plain,
        stateful_step_count=steps,
        derandomize=not THOROUGH,  # the same examples in each plain run: what it finds is what was changed
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )


def load_profile() -> None:
    """Let properties that say nothing else be tried as often as the cheap ones can be."""
    settings.register_profile("dunlin", tried(plain=50, thorough=5_000))
    settings.load_profile("dunlin")
