"""How long something that is due and fails is left alone, so that it holds up nothing else."""

from datetime import timedelta

from shared.domain.vocabulary.spreading import spread

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)

PAUSE_SPREAD = 4
"""A pause is up to a quarter longer, by the id, so that what failed together isn't tried again together."""

WARNED_OF_AT = 3
"""At this failure in a row operators are warned, once: what fails for some minutes rings for nobody, and what fails
for ever doesn't ring for ever."""


def set_aside_for(failures: int, item_id: str) -> timedelta:
    """How long something is set aside that has now failed so often in a row (docs/rules.md#what-fails-is-set-aside).

    Doubled from FIRST_PAUSE to LONGEST_PAUSE, and up to a quarter longer, always the same for the same id.
    """
    pause = FIRST_PAUSE
    for _ in range(1, failures):
        pause = min(2 * pause, LONGEST_PAUSE)
        if pause == LONGEST_PAUSE:
            break
    return pause + spread(item_id, pause / PAUSE_SPREAD)
