"""Whoever loses a race begins again at the reading, and gives up when others are quicker every time."""

import pytest

from shared.storage.races import TRIES, BusyError, LostRaceError, until_won


class QuickerError(LostRaceError):
    """One of storage's own."""


def attempts(lost: int) -> tuple[list[int], int]:
    """How often an attempt was made that loses some races first, and what it answered."""
    made = list[int]()

    def attempt() -> int:
        made.append(len(made))
        if len(made) <= lost:
            raise QuickerError
        return made[-1]

    return made, until_won(attempt)


@pytest.mark.parametrize("lost", [0, 1, TRIES - 1])
def test_the_attempt_that_nobody_was_quicker_than_counts(lost: int) -> None:
    assert attempts(lost) == (list(range(lost + 1)), lost)


def test_others_are_let_through_when_they_are_quicker_every_time() -> None:
    with pytest.raises(BusyError):
        attempts(TRIES)


def test_what_breaks_is_not_tried_again() -> None:
    """Nor is an attempt whose own part gave up: it may have done something by then."""
    made = list[object]()

    def attempt() -> None:
        made.append(None)
        raise BusyError if len(made) == 1 else LostRaceError

    with pytest.raises(BusyError):
        until_won(attempt)
    assert len(made) == 1
