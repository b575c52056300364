"""Whether a channel may send, and how fast: the rules, without a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.delivery.channel_gate import (
    NO_RESPONSE,
    PAUSES,
    PROBE,
    QUOTA_USED_UP,
    RATE_LIMITED,
    REFRESHED,
    SPREAD,
    WAITING_PER_SECOND,
    ChannelState,
    Granted,
    Held,
    Limits,
    PermitRequest,
    after_probe,
    decide_permits,
    limits_are_old,
    limits_learned,
    limits_requested,
    pause,
)
from shared.domain.delivery.orders import Accepted, Postponed, ProviderAnswer, Rejected, Unanswered, answered, held_back
from shared.domain.vocabulary.spreading import spread
from shared.domain.vocabulary.words import NoticeStatus
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, notice

CLOCK = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
"""Real time; nothing here may mix it up with NOW."""

OPEN = ChannelState()
STOP = Postponed(reason="sending is stopped at the provider", pause=PAUSES[0], spread=SPREAD, stops_channel=True)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def request_for(notices: int = 10, max_wait: float = 8, now: datetime = NOW, clock: datetime = CLOCK) -> PermitRequest:
    return PermitRequest(notices=notices, max_wait=max_wait * SECOND, now=now, clock=clock)


def granted(outcome: Granted | Held) -> Granted:
    assert isinstance(outcome, Granted)
    return outcome


def held(outcome: Granted | Held) -> Held:
    assert isinstance(outcome, Held)
    return outcome


# --- pauses ----------------------------------------------------------------------------------------------------


def test_a_channel_that_was_never_stopped_sends() -> None:
    state, outcome = decide_permits(OPEN, request_for(), None)
    assert granted(outcome).starts == (CLOCK,) * 10
    assert state == OPEN


def test_a_paused_channel_sends_nothing_and_notices_come_back_at_instants_of_their_own() -> None:
    paused = pause(OPEN, STOP, NOW)
    state, outcome = decide_permits(paused, request_for(now=NOW + MINUTE), None)
    assert state == paused
    assert held(outcome).reason == STOP.reason
    instants = [held(outcome).instant(f"ntc_{n}") for n in range(200)]
    assert min(instants) >= NOW + PAUSES[0]
    assert max(instants) < NOW + PAUSES[0] + SPREAD
    assert len({instant.replace(second=0, microsecond=0) for instant in instants}) >= 5


def test_those_that_come_up_while_a_channel_with_a_rate_is_paused_stand_in_a_line() -> None:
    """One behind the other, as fast as they could be sent; and no faster than WAITING_PER_SECOND, whatever the rate."""
    for rate, gap in ((0.1, 10 * SECOND), (1_000.0, SECOND / WAITING_PER_SECOND)):
        state, over = pause(OPEN, STOP, NOW), NOW + PAUSES[0]
        state, first = decide_permits(state, request_for(40), Limits(per_second=rate))
        state, second = decide_permits(state, request_for(40), Limits(per_second=rate))
        assert held(first) == Held(until=over, reason=STOP.reason, over=max(40 * gap, SPREAD))
        assert held(second) == Held(until=over + 40 * gap, reason=STOP.reason, over=max(40 * gap, SPREAD))
        renewed = pause(state, STOP, over)
        _, third = decide_permits(renewed, request_for(40, now=over), Limits(per_second=rate))
        assert held(third).until == max(over + 80 * gap, over + PAUSES[1])


def test_each_pause_in_a_row_is_longer_up_to_half_an_hour() -> None:
    state, now, lengths = OPEN, NOW, []
    for _ in range(5):
        state = pause(state, STOP, now)
        assert state.paused_until is not None
        lengths.append(state.paused_until - now)
        now = state.paused_until
    assert [length // MINUTE for length in lengths] == [5, 15, 30, 30, 30]


def test_a_used_up_daily_quota_pauses_for_an_hour_at_a_time() -> None:
    state = pause(OPEN, QUOTA_USED_UP, NOW)
    assert state.paused_until == NOW + timedelta(hours=1)


def test_ten_workers_that_hear_of_the_same_stop_make_one_pause() -> None:
    first = pause(OPEN, STOP, NOW)
    assert pause(first, STOP, NOW + 10 * SECOND) == first


def test_when_a_pause_is_over_one_notice_probes_and_all_others_wait() -> None:
    over = NOW + PAUSES[0]
    probing, outcome = decide_permits(pause(OPEN, STOP, NOW), request_for(now=over), None)
    assert granted(outcome) == Granted(starts=(CLOCK,), probe=True)
    again, other = decide_permits(probing, request_for(now=over + SECOND), None)
    assert again == probing
    assert held(other) == Held(until=over + PROBE, reason=STOP.reason, over=SPREAD)


def test_a_probe_that_nobody_hears_of_again_is_followed_by_another() -> None:
    over = NOW + PAUSES[0]
    probing, _ = decide_permits(pause(OPEN, STOP, NOW), request_for(now=over), None)
    _, outcome = decide_permits(probing, request_for(now=over + PROBE), None)
    assert granted(outcome).probe


@pytest.mark.parametrize("answer", [Accepted(message_id="m-1"), Rejected(reason="the provider refused the message")])
def test_a_probe_that_the_provider_dealt_with_opens_the_channel_and_forgets_the_pauses(answer: ProviderAnswer) -> None:
    over = NOW + PAUSES[0]
    probing, _ = decide_permits(pause(OPEN, STOP, NOW), request_for(now=over), None)
    assert after_probe(probing, answer, over) == OPEN


def test_a_probe_that_is_refused_too_makes_the_next_pause_longer() -> None:
    over = NOW + PAUSES[0]
    probing, _ = decide_permits(pause(OPEN, STOP, NOW), request_for(now=over), None)
    after = after_probe(probing, STOP, over)
    assert (after.paused_until, after.probe_until) == (over + PAUSES[1], None)


@pytest.mark.parametrize(
    "answer",
    [
        Unanswered(reason="the provider may have it"),
        Postponed(reason="the provider could not be reached", pause=2 * MINUTE),
    ],
)
def test_a_probe_that_shows_nothing_leaves_the_channel_paused_for_as_long_as_before(answer: ProviderAnswer) -> None:
    over = NOW + PAUSES[0]
    probing, _ = decide_permits(pause(OPEN, STOP, NOW), request_for(now=over), None)
    after = after_probe(probing, answer, over)
    assert (after.paused_until, after.pauses, after.probe_until) == (over + PAUSES[0], 1, None)


def test_pauses_go_by_the_products_time_whatever_the_clock_says() -> None:
    paused = pause(OPEN, STOP, NOW)
    _, outcome = decide_permits(paused, request_for(now=NOW, clock=CLOCK + timedelta(days=3)), None)
    assert isinstance(outcome, Held)


def test_a_provider_that_doesnt_answer_stops_the_channel_like_one_that_says_so() -> None:
    assert pause(OPEN, NO_RESPONSE, NOW).paused_until == NOW + PAUSES[0]


# --- the rate ----------------------------------------------------------------------------------------------------


def test_an_idle_bucket_holds_one_seconds_worth_and_then_goes_on_at_the_rate() -> None:
    _, outcome = decide_permits(OPEN, request_for(notices=6), Limits(per_second=4))
    waits = [max(start - CLOCK, timedelta(0)).total_seconds() for start in granted(outcome).starts]
    assert waits == [0, 0, 0, 0, 0.25, 0.5]


def test_however_slow_the_rate_one_may_go_at_once() -> None:
    _, outcome = decide_permits(OPEN, request_for(notices=3), Limits(per_second=0.2))
    assert [(start - CLOCK).total_seconds() for start in granted(outcome).starts] == [0, 5]


def test_what_would_wait_too_long_is_not_granted() -> None:
    _, outcome = decide_permits(OPEN, request_for(notices=10, max_wait=2), Limits(per_second=1))
    assert len(granted(outcome).starts) == 3


def test_what_is_granted_nothing_comes_back_when_the_bucket_says_and_at_its_rate() -> None:
    limits = Limits(per_second=1)
    state, _ = decide_permits(OPEN, request_for(notices=10, max_wait=9), limits)
    first, one = decide_permits(state, request_for(notices=30, max_wait=2), limits)
    assert held(one) == Held(until=NOW + 10 * SECOND, reason=RATE_LIMITED, over=30 * SECOND)
    _, two = decide_permits(first, request_for(notices=30, max_wait=2), limits)
    assert held(two).until == NOW + 40 * SECOND


def test_the_rate_that_the_provider_told_counts_not_the_usual_one() -> None:
    state = limits_learned(OPEN, Limits(per_second=2), NOW)
    _, outcome = decide_permits(state, request_for(notices=3), Limits(per_second=100))
    assert granted(outcome).starts[-1] == CLOCK + SECOND / 2


@given(
    rate=st.floats(0.5, 60),
    asks=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 10), st.floats(0, 8)), min_size=1, max_size=40),
)
def test_no_stretch_of_time_has_more_permissions_than_rate_times_time_and_a_burst(
    rate: float, asks: list[tuple[float, int, float]]
) -> None:
    state, clock, used = OPEN, CLOCK, list[datetime]()
    for gap, notices, max_wait in asks:
        clock += gap * SECOND
        state, outcome = decide_permits(state, request_for(notices, max_wait, clock=clock), Limits(per_second=rate))
        if isinstance(outcome, Granted):
            used += [max(start, clock) for start in outcome.starts]
    used.sort()
    burst = max(1.0, rate)
    for first, since in enumerate(some(used)):
        for last in range(first, len(used)):
            seconds = (used[last] - since).total_seconds()
            assert last - first + 1 <= rate * seconds + burst + 1e-3


# --- what the provider tells of its limits --------------------------------------------------------------------------


def test_limits_are_asked_for_at_first_and_every_quarter_of_an_hour() -> None:
    assert limits_are_old(OPEN, CLOCK)
    asked = limits_requested(OPEN, CLOCK)
    assert not limits_are_old(asked, CLOCK + REFRESHED - SECOND)
    assert limits_are_old(asked, CLOCK + REFRESHED)


def test_what_is_left_of_the_day_is_counted_down_and_then_the_channel_pauses_without_a_call() -> None:
    state = limits_learned(OPEN, Limits(per_second=100, left_today=12), NOW)
    state, one = decide_permits(state, request_for(notices=10), None)
    state, two = decide_permits(state, request_for(notices=10), None)
    state, three = decide_permits(state, request_for(notices=10), None)
    assert (len(granted(one).starts), len(granted(two).starts)) == (10, 2)
    assert held(three).reason == QUOTA_USED_UP.reason
    assert state.paused_until == NOW + timedelta(hours=1)


def test_a_day_that_is_used_up_pauses_the_channel_as_soon_as_it_is_known() -> None:
    state = limits_learned(OPEN, Limits(per_second=14, left_today=0), NOW)
    assert (state.paused_until, state.reason) == (NOW + timedelta(hours=1), QUOTA_USED_UP.reason)


def test_a_provider_that_says_it_is_stopped_pauses_the_channel() -> None:
    assert limits_learned(OPEN, STOP, NOW).paused_until == NOW + PAUSES[0]


def test_limits_that_cant_be_renewed_keep_the_rate_and_no_longer_count_the_day() -> None:
    known = limits_learned(OPEN, Limits(per_second=3, left_today=5), NOW)
    assert limits_learned(known, None, NOW).limits == Limits(per_second=3)
    assert limits_learned(OPEN, None, NOW) == OPEN


def test_after_a_days_quota_the_probe_goes_only_once_the_provider_has_some_left() -> None:
    state = limits_learned(OPEN, Limits(per_second=14, left_today=0), NOW)
    over = NOW + timedelta(hours=1)
    still_none = limits_learned(state, Limits(per_second=14, left_today=0), over)
    _, outcome = decide_permits(still_none, request_for(now=over), None)
    assert held(outcome).until == over + timedelta(hours=1)
    _, outcome = decide_permits(
        limits_learned(state, Limits(per_second=14, left_today=9), over), request_for(now=over), None
    )
    assert granted(outcome).probe


def test_a_probe_that_went_after_a_days_quota_shows_that_the_count_of_the_day_was_wrong() -> None:
    """The worker that was to read it anew died; nobody else asks for a quarter of an hour."""
    over = NOW + timedelta(hours=1)
    used_up = limits_learned(OPEN, Limits(per_second=14, left_today=0), NOW)
    probing, _ = decide_permits(used_up, request_for(now=over), None)
    _, outcome = decide_permits(after_probe(probing, Accepted(message_id="m-1"), over), request_for(now=over), None)
    assert len(granted(outcome).starts) == 10


def test_a_probe_that_went_leaves_the_count_of_a_day_that_has_some_left() -> None:
    over = NOW + PAUSES[0]
    paused = pause(limits_learned(OPEN, Limits(per_second=14, left_today=9), NOW), STOP, NOW)
    probing, _ = decide_permits(paused, request_for(now=over), None)
    _, outcome = decide_permits(after_probe(probing, Accepted(message_id="m-1"), over), request_for(now=over), None)
    assert len(granted(outcome).starts) == 9


# --- rows --------------------------------------------------------------------------------------------------------


def test_a_notices_place_in_a_stretch_is_always_the_same_and_inside_it() -> None:
    places = {spread(f"ntc_{n}", MINUTE) for n in range(100)}
    assert len(places) == 100
    assert all(timedelta(0) <= place < MINUTE for place in some(places))
    assert spread("ntc_1", MINUTE) == spread("ntc_1", MINUTE)


def test_two_throttled_notices_come_back_apart_and_use_up_no_attempt() -> None:
    slower = Postponed(reason="the provider asks to go slower", pause=MINUTE, spread=3 * MINUTE)
    sending = notice(status=NoticeStatus.SENDING, attempt=1)
    one, two = (answered(replace(sending, notice_id=name), slower, NOW) for name in ("ntc_1", "ntc_2"))
    assert one.scheduled_for != two.scheduled_for
    assert all(NOW + MINUTE <= row.scheduled_for < NOW + 4 * MINUTE for row in (one, two))
    assert (one.status, one.attempt, one.reason) == (NoticeStatus.SCHEDULED, 0, slower.reason)


def test_a_notice_held_back_waits_in_the_ledger_and_says_why() -> None:
    queued = notice(status=NoticeStatus.QUEUED, attempt=1, lease_until=NOW + MINUTE, possible_duplicate=True)
    row = held_back(queued, NOW + 9 * MINUTE, "sending is stopped at the provider", NOW)
    assert (row.status, row.scheduled_for, row.reason) == (
        NoticeStatus.SCHEDULED,
        NOW + 9 * MINUTE,
        "sending is stopped at the provider",
    )
    assert (row.attempt, row.lease_until, row.possible_duplicate) == (1, None, True)
