"""Races: whoever reads, decides and writes may find that somebody else was quicker, and then begins again.

Every write says what must still be as it was read, so a lost race has written nothing.
"""

from collections.abc import Callable
from contextlib import suppress

TRIES = 8
"""How often something is read and decided anew before others are let through: one of two always wins, so many rounds
in a row are only lost where very many write at once."""


class LostRaceError(Exception):
    """Somebody else was quicker: read again and decide again. Nothing was written."""


class BusyError(Exception):
    """Others were quicker every time. Nothing was written; a later try may do better."""


def until_won[R](attempt: Callable[[], R]) -> R:
    """What an attempt answers that isn't lost to a race; each begins again at the reading.

    Raises BusyError after TRIES lost races, and whatever else an attempt raises.
    """
    for _ in range(TRIES):
        with suppress(LostRaceError):
            return attempt()
    raise BusyError
