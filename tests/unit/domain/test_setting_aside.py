"""How long something that fails is left alone."""

from datetime import timedelta

import pytest

from shared.domain.account.setting_aside import FIRST_PAUSE, LONGEST_PAUSE, set_aside_for

IDS = [f"A#org_1#G-{n}|@" for n in range(50)]


@pytest.mark.parametrize(
    ("failures", "pause"),
    [(1, FIRST_PAUSE), (2, 2 * FIRST_PAUSE), (3, 4 * FIRST_PAUSE), (7, 64 * FIRST_PAUSE), (8, LONGEST_PAUSE)],
)
def test_each_failure_doubles_the_pause_up_to_the_longest(failures: int, pause: timedelta) -> None:
    pauses = [set_aside_for(failures, item_id) for item_id in IDS]
    assert all(pause <= each <= pause * 1.25 for each in pauses)


def test_something_that_fails_for_ever_is_still_tried_every_some_hours() -> None:
    assert set_aside_for(10_000, "x") <= LONGEST_PAUSE * 1.25


def test_what_failed_together_is_not_tried_again_together() -> None:
    assert len({set_aside_for(1, item_id) for item_id in IDS}) == len(IDS)
    assert set_aside_for(1, IDS[0]) == set_aside_for(1, IDS[0])
