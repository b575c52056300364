"""A provider that takes nothing, or not so fast: what many workers of one channel make of it together."""

import json
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from functions.send_email.account_limits import account_limits
from shared.domain.delivery.channel_gate import PAUSES, PROBE, SPREAD, ChannelState, Limits
from shared.domain.delivery.orders import Accepted, Postponed, ProviderAnswer, Unanswered
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging.errors import NO_ANSWER, PROVIDER_STOPPED, QUOTA, SLOWER, STOPPED_AT_PROVIDER
from shared.sending import permits as gate
from shared.storage.channel_gates import NEVER_SEEN, ChannelGates, ChannelStateChangedError
from tests.worlds.aws import TABLE
from tests.worlds.bounds import some
from tests.worlds.examples import NOW
from tests.worlds.gate_world import CLOCK, MINUTE, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOUR = timedelta(hours=1)
ACCEPTED = Accepted(message_id="m-1")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The channels whose pauses were counted for the alarm."""
    channels: list[str] = []
    monkeypatch.setattr(gate, "count", lambda name, channel: channels.append(f"{name} {channel}"))
    return channels


def stopped_until(
    end: timedelta, answer: ProviderAnswer = PROVIDER_STOPPED.answer
) -> Callable[[datetime], ProviderAnswer]:
    return lambda now: answer if now < NOW + end else ACCEPTED


def broken(*operations: str) -> Callable[[str], None]:
    def fail(operation: str) -> None:
        if operation in operations:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, operation)

    return fail


# --- the account is paused -------------------------------------------------------------------------------------------


def test_provider_account_paused_during_1000_notices_none_lost_none_in_the_dlq_no_attempt_used_up(
    counted: list[str],
) -> None:
    world = World()
    names = world.given(1000)
    world.provider.mood = stopped_until(HOUR)
    world.run(HOUR)
    while_paused = len(world.provider.calls)
    assert while_paused <= world.workers + 4
    assert {(row.status, row.attempt) for row in world.rows()} == {(NoticeStatus.SCHEDULED, 0)}
    world.run(HOUR + PAUSES[-1] + PROBE + 2 * SPREAD + MINUTE)
    assert world.failed == []
    assert world.provider.accepted == dict.fromkeys(names, 1)
    assert {(row.status, row.attempt) for row in world.rows()} == {(NoticeStatus.SENT, 1)}
    assert len(world.provider.calls) == while_paused + 1000
    assert counted == ["ChannelPaused email"]


def test_workers_that_are_all_in_a_call_when_the_account_is_paused_make_one_pause(counted: list[str]) -> None:
    world = World(workers=10)
    world.given(100)
    world.dispatch()
    others = iter(world.gates[1:])

    def stopped(_: datetime) -> ProviderAnswer:
        for other in others:
            world.invoke(other)
        return PROVIDER_STOPPED.answer

    world.provider.mood = stopped
    world.invoke(world.gates[0])
    assert len(world.provider.calls) == 10
    assert (world.state.pauses, world.state.paused_until) == (1, NOW + PAUSES[0])
    assert {(row.status, row.attempt) for row in world.rows()} == {(NoticeStatus.SCHEDULED, 0)}
    assert counted == ["ChannelPaused email"]


def test_a_notice_that_waited_says_in_its_history_why() -> None:
    world = World()
    [name] = world.given(1)
    world.provider.mood = stopped_until(MINUTE)
    world.run(timedelta(minutes=20))
    statuses = [(entry.status, entry.reason) for entry in world.row(name).status_history]
    assert (NoticeStatus.SCHEDULED, "sending is stopped at the provider") in statuses
    assert statuses[-1] == (NoticeStatus.SENT, "")


def test_waiting_costs_what_sending_would_however_often_the_pause_is_renewed() -> None:
    """Half-hour pauses would move each of them every half hour; in a line each moves once in the line's length."""
    rate, count, stopped = 0.02, 100, 5 * HOUR
    world = World(limits=Limits(per_second=rate), workers=1)
    names = world.given(count)
    world.provider.mood = stopped_until(stopped)
    world.run(stopped)
    assert len(world.provider.calls) < 2 * stopped / PAUSES[-1] + 3  # not one a notice
    moves = Counter(entry.status for row in world.rows() for entry in row.status_history)[NoticeStatus.QUEUED]
    line = timedelta(seconds=count / rate)
    assert moves <= 1.3 * count * (stopped / line + 1) < 0.6 * count * stopped / PAUSES[-1]
    world.run(stopped + PAUSES[-1] + 1.5 * line + SPREAD)
    assert world.provider.accepted == dict.fromkeys(names, 1)
    assert {row.attempt for row in world.rows()} == {1}


def test_a_paused_channel_costs_a_batch_one_call_to_the_table_and_none_to_the_provider() -> None:
    """One more where another worker changed the state since this one last saw it."""
    world = World()
    world.given(1)
    world.provider.mood = stopped_until(HOUR)
    world.dispatch()
    world.work()
    world.given(20, since=1)
    world.dispatch()
    world.provider.calls.clear()
    for worker, calls in ((world.gates[1], 2), (world.gates[1], 1), (world.process(), 2)):
        world.dispatch()
        world.table_calls.clear()
        world.invoke(worker, most=6)
        assert 1 <= world.table_calls.total() <= calls
    assert world.provider.calls == []


def test_a_new_process_knows_of_the_pause_from_the_table_alone() -> None:
    world = World(workers=1)
    world.given(1)
    world.provider.mood = stopped_until(HOUR)
    world.run(MINUTE)
    world.gates = [world.process()]
    world.given(30, since=1)
    world.provider.calls.clear()
    world.run(2 * MINUTE)
    assert world.provider.calls == []


def test_a_process_that_saw_the_channel_paused_believes_the_table_that_it_is_open() -> None:
    world = World(workers=2)
    world.given(1)
    world.provider.mood = stopped_until(MINUTE)
    world.run(MINUTE)
    paused, other = world.gates
    state = other.gates.load(Channel.EMAIL)
    other.gates.save(Channel.EMAIL, state, ChannelState())
    [name] = world.given(1, since=1)
    world.dispatch()
    world.invoke(paused)
    assert world.row(name).status is NoticeStatus.SENT


def test_when_a_pause_is_over_only_one_of_two_racing_workers_probes() -> None:
    world = World(workers=2)
    world.given(1)
    world.provider.mood = stopped_until(HOUR)
    world.run(MINUTE)
    world.elapsed = PAUSES[0]
    world.given(20, since=1)
    world.dispatch()
    world.provider.calls.clear()
    first, second = world.gates

    def overtaken(operation: str) -> None:
        if operation == "update_item":
            world.fault = lambda _: None
            world.invoke(second)

    world.fault = overtaken
    world.invoke(first)
    assert len(world.provider.calls) == 1
    assert world.state.paused_until == NOW + PAUSES[0] + PAUSES[1]


def test_a_probe_whose_worker_dies_is_made_by_another_when_its_time_is_over() -> None:
    world = World()
    world.given(1)
    world.provider.mood = stopped_until(MINUTE)
    world.run(MINUTE)
    world.elapsed = PAUSES[0]
    probing = world.process().turn(1)
    assert probing.admit(world.now) is None
    names = world.given(10, since=1)
    world.run(PAUSES[0] + PROBE)
    assert world.provider.accepted.total() == 0
    world.run(PAUSES[0] + PROBE + 2 * SPREAD)
    assert {world.row(name).status for name in names} == {NoticeStatus.SENT}


def test_a_probe_whose_message_cannot_be_made_is_made_with_the_next_notice() -> None:
    world = World(workers=1)
    world.given(1)
    world.provider.mood = stopped_until(MINUTE)
    world.run(MINUTE)
    world.elapsed = PAUSES[0]
    broken_one, *names = world.given(3, since=1)
    world.provider.uncomposable = {broken_one}
    world.dispatch()
    world.work()
    assert world.row(broken_one).status is NoticeStatus.DELIVERY_ERROR
    assert {world.row(name).status for name in names} == {NoticeStatus.SENT}


def test_operators_are_told_of_each_pause_by_its_reason_and_of_nobody_who_waits(
    counted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.given(50)
    world.provider.mood = stopped_until(timedelta(minutes=10))
    world.run(timedelta(minutes=40))
    ours = [record for record in caplog.records if record.module == "permits"]
    assert [record.getMessage() for record in ours] == ["channel paused", "channel paused", "channel sends again"]
    assert ours[0].__dict__["reason"] == "sending is stopped at the provider"
    assert counted == ["ChannelPaused email"]
    assert "ntc_" not in str([record.__dict__ for record in ours])


def test_a_provider_that_stops_answering_leaves_three_unknown_and_not_a_thousand() -> None:
    world = World(workers=1)
    world.given(100)
    world.provider.mood = stopped_until(timedelta(minutes=3), NO_ANSWER.answer)
    world.run(3 * MINUTE)
    statuses = [row.status for row in world.rows()]
    assert statuses.count(NoticeStatus.UNKNOWN) == 3
    assert statuses.count(NoticeStatus.SCHEDULED) == 97
    world.run(timedelta(minutes=25))
    assert world.provider.accepted.total() == 97


def test_one_lost_answer_among_others_holds_nobody_up() -> None:
    world = World(workers=1)
    world.given(10)
    answers: Iterator[ProviderAnswer] = iter([Unanswered(reason="?"), Unanswered(reason="?"), ACCEPTED] * 4)
    world.provider.mood = lambda _: next(answers)
    world.run(MINUTE)
    assert len(world.provider.calls) == 10


# --- within one invocation -------------------------------------------------------------------------------------------


def test_a_hold_lasts_no_longer_than_it_says_even_within_an_invocation() -> None:
    world = World(workers=1, limits=Limits(per_second=0.1))
    turn = world.gates[0].turn(2)
    world.slept.append([])
    assert turn.admit(world.now) is None
    turn.record(ACCEPTED, world.now)
    held = turn.admit(world.now)
    assert held is not None
    assert held.until == world.now + timedelta(seconds=10)
    world.elapsed = timedelta(seconds=10)
    assert turn.admit(world.now) is None


def test_permissions_from_before_a_stop_are_void_when_the_pause_is_over() -> None:
    world = World(workers=1)
    turn = world.gates[0].turn(10)
    assert turn.admit(world.now) is None
    turn.record(PROVIDER_STOPPED.answer, world.now)
    assert turn.admit(world.now + PAUSES[0]) is None
    assert world.state.probe_until == world.now + PAUSES[0] + PROBE


def test_what_was_sent_already_is_not_asked_for_again() -> None:
    world = World(workers=1, limits=Limits(per_second=1.0))
    turn = world.gates[0].turn(10)
    world.slept.append([])
    for _ in range(9):
        assert turn.admit(world.now) is None
        turn.record(ACCEPTED, world.now)
    assert turn.admit(world.now) is not None
    assert world.state.free_at is not None
    assert world.state.backlog_until == world.state.free_at + timedelta(seconds=1)


def waiting_at_the_end_of_a_pause(world: World, stopped_for: timedelta, more: int) -> list[str]:
    """The provider stopped the channel, for longer or shorter than its first pause; then more notices came."""
    world.given(1)
    world.provider.mood = stopped_until(stopped_for)
    world.run(MINUTE)
    world.elapsed = PAUSES[0]
    names = world.given(more, since=1)
    world.dispatch()
    world.table_calls.clear()
    return names


def test_after_a_probe_that_went_the_rest_of_the_batch_goes_without_further_ado() -> None:
    world = World(workers=1)
    names = waiting_at_the_end_of_a_pause(world, MINUTE, more=10)
    world.invoke(world.gates[0], most=11)
    assert {world.row(name).status for name in names} == {NoticeStatus.SENT}
    assert world.table_calls == {"update_item": 3}  # the probe, its success, permissions for the rest


def test_after_a_probe_that_didnt_go_the_rest_of_the_batch_waits_without_further_calls() -> None:
    world = World(workers=1)
    names = waiting_at_the_end_of_a_pause(world, HOUR, more=9)
    world.invoke(world.gates[0])
    assert world.table_calls == {"update_item": 2}  # the probe, its failure
    again = [world.row(name).scheduled_for for name in names]
    assert all(NOW + PAUSES[0] + PAUSES[1] <= instant for instant in some(again[1:]))


# --- too fast, or enough for today -----------------------------------------------------------------------------------


def test_a_throttled_notice_comes_back_by_itself_and_holds_nobody_up() -> None:
    world = World(workers=1)
    names = world.given(10)
    answers: Iterator[ProviderAnswer] = iter([SLOWER.answer])
    world.provider.mood = lambda _: next(answers, ACCEPTED)
    world.run(MINUTE)
    assert world.provider.accepted.total() == 9
    world.run(timedelta(minutes=6))
    assert {(world.row(name).status, world.row(name).attempt) for name in names} == {(NoticeStatus.SENT, 1)}
    assert world.failed == []


def test_a_used_up_daily_quota_costs_a_call_an_hour_and_no_notice() -> None:
    world = World()
    world.given(200)
    world.provider.mood = stopped_until(3 * HOUR, QUOTA.answer)
    world.run(3 * HOUR)
    assert len(world.provider.calls) <= world.workers + 2
    world.run(4 * HOUR + 2 * SPREAD + PROBE)
    assert world.provider.accepted.total() == 200
    assert {row.attempt for row in world.rows()} == {1}
    assert world.failed == []


def test_a_quota_that_the_provider_tells_of_is_kept_without_a_single_call_too_many() -> None:
    left = iter([30, 0, 100])
    world = World(ask_limits=lambda: Limits(per_second=1000.0, left_today=next(left)))
    world.given(100)
    world.run(MINUTE)
    assert len(world.provider.calls) == 30
    world.run(2 * HOUR)
    assert len(world.provider.calls) == 30
    world.run(2 * HOUR + 3 * SPREAD + PROBE)
    assert world.provider.accepted.total() == 100


def test_an_account_that_ses_says_is_paused_is_not_tried_with_a_message(counted: list[str]) -> None:
    world = World(ask_limits=lambda: limits_of(Ses(SendingEnabled=False)))
    world.given(30)
    world.run(2 * MINUTE)
    assert world.provider.calls == []
    assert {row.status for row in world.rows()} == {NoticeStatus.SCHEDULED}
    assert counted == ["ChannelPaused email"]


def test_one_worker_asks_for_the_limits_and_again_after_a_quarter_of_an_hour() -> None:
    asked: list[datetime] = []

    def ask() -> Limits:
        asked.append(world.clock)
        return Limits(per_second=1000.0)

    world = World(ask_limits=ask)
    for minute in range(20):
        world.given(40, since=40 * minute)
        world.run(world.elapsed + MINUTE)
    assert [(instant - CLOCK) // MINUTE for instant in asked] == [0, 15]


def test_limits_that_are_not_told_hold_nothing_up() -> None:
    def ask() -> Limits:
        raise TimeoutError

    world = World(ask_limits=ask)
    world.given(50)
    world.run(MINUTE)
    assert world.provider.accepted.total() == 50


def test_a_paused_channel_asks_for_no_limits() -> None:
    asked: list[datetime] = []

    def ask() -> Limits | Postponed:
        asked.append(world.clock)
        return STOPPED_AT_PROVIDER if len(asked) == 1 else Limits(per_second=1000.0)

    world = World(ask_limits=ask)
    world.given(1)
    world.run(MINUTE)
    world.gates[0].gates.save(
        Channel.EMAIL,
        world.gates[0].gates.load(Channel.EMAIL),
        ChannelState(paused_until=NOW + HOUR, pauses=3, limits_read_at=CLOCK),
    )
    for minutes in (5, 20, 40, 60):
        world.given(10, since=minutes)
        world.run(minutes * MINUTE)
    assert len(asked) == 1


@pytest.mark.parametrize("per_second", [1.0, 3.0, 14.0])
def test_at_any_rate_every_notice_goes_once_and_no_invocation_waits_for_more_than_eight_seconds(
    per_second: float,
) -> None:
    world = World(limits=Limits(per_second=per_second))
    names = world.given(150)
    world.run(timedelta(minutes=30))
    assert world.provider.accepted == dict.fromkeys(names, 1)
    assert {row.attempt for row in world.rows()} == {1}
    assert world.failed == []
    assert all(sum(invocation) <= 8 for invocation in some(world.slept))


@pytest.mark.parametrize("per_second", [0.5, 1.0, 3.0, 14.0, 80.0])
def test_four_workers_at_once_never_call_faster_than_rate_times_time_and_a_burst(per_second: float) -> None:
    calls = called_by_four_at_once(per_second, seconds=90, latency=0.0)
    burst = max(per_second, 1)
    left, before = burst, 0.0
    for instant in some(calls):
        left, before = min(left + per_second * (instant - before), burst) - 1, instant
        assert left >= -1e-3
    assert len(calls) >= per_second * 80


def test_four_workers_with_a_slow_provider_are_never_ahead_of_the_rate() -> None:
    calls = called_by_four_at_once(14.0, seconds=90, latency=0.4)
    assert all(number <= 14 * instant + 14 for number, instant in some(enumerate(calls, start=1)))


def called_by_four_at_once(per_second: float, seconds: float, latency: float) -> list[float]:
    """The instants, in seconds, at which four workers with batches of ten call a provider, each by its own watch."""
    world = World(limits=Limits(per_second=per_second))
    watches = [(0.001 * n, n) for n in range(world.workers)]
    turns = [gate.turn(10) for gate in world.gates]
    left, calls = [10] * world.workers, list[float]()
    while watches:
        # Whose watch is furthest behind is next, so that they reach the table in the order of time.
        instant, n = heappop(watches)
        world.elapsed = timedelta(seconds=instant)
        world.slept.append([])
        held = turns[n].admit(world.now)
        if held is None:
            calls.append(world.elapsed.total_seconds())
            turns[n].record(ACCEPTED, world.now)
            left[n] -= 1
        if held is not None or left[n] == 0:
            turns[n], left[n] = world.gates[n].turn(10), 10
        after = world.elapsed.total_seconds() + (latency if held is None else 0.05)
        if after < seconds:
            heappush(watches, (after, n))
    return sorted(calls)


def test_a_batch_of_ten_takes_its_permissions_with_one_call() -> None:
    world = World(limits=Limits(per_second=14.0))
    world.given(20)
    world.dispatch()
    world.invoke(world.gates[0])
    assert world.table_calls == {"update_item": 1}
    world.invoke(world.gates[0])
    assert world.table_calls == {"update_item": 2}


def test_a_channel_without_a_rate_says_once_whose_table_it_is_in_and_only_reads_from_then_on() -> None:
    world = World(limits=None)
    world.given(20)
    world.dispatch()
    world.invoke(world.gates[0])
    assert world.table_calls == {"get_item": 1, "update_item": 1}
    world.invoke(world.gates[0])
    assert world.table_calls == {"get_item": 2, "update_item": 1}
    assert world.provider.accepted.total() == 20


def test_workers_that_are_never_quick_enough_put_their_notices_off_and_fail_nothing() -> None:
    world = World(workers=1)
    names = world.given(5)
    other = world.process()

    def quicker(operation: str) -> None:
        if operation == "update_item":
            world.fault = lambda _: None
            seen = other.gates.load(Channel.EMAIL)
            other.gates.save(
                Channel.EMAIL, seen, ChannelState(free_at=CLOCK - timedelta(days=1, seconds=seen.revision))
            )
            world.fault = quicker

    world.fault = quicker
    world.dispatch()
    world.work()
    assert world.provider.calls == []
    assert {world.row(name).status for name in names} == {NoticeStatus.SCHEDULED}
    world.fault = lambda _: None
    world.run(3 * MINUTE)
    assert world.provider.accepted == dict.fromkeys(names, 1)


# --- the gate's own table fails --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operations", [("update_item",), ("update_item", "get_item")])
def test_a_gate_that_cannot_be_asked_sends_nothing_and_the_queue_brings_the_notice_again(
    operations: tuple[str, ...],
) -> None:
    world = World()
    names = world.given(10)
    world.fault = broken(*operations)
    world.dispatch()
    world.invoke(world.gates[0])
    assert sorted(world.failed) == sorted(names)
    assert world.provider.calls == []
    assert {row.status for row in world.rows()} == {NoticeStatus.QUEUED}
    world.fault = lambda _: None
    world.work()
    assert world.provider.accepted == dict.fromkeys(names, 1)


def test_a_gate_that_cannot_be_told_of_a_stop_holds_the_rest_of_the_batch_and_fails_nothing() -> None:
    world = World()
    world.given(10)
    world.dispatch()

    def stopped(_: datetime) -> ProviderAnswer:
        world.fault = broken("update_item", "get_item")
        return PROVIDER_STOPPED.answer

    world.provider.mood = stopped
    world.invoke(world.gates[0])
    assert len(world.provider.calls) == 1
    assert world.failed == []
    assert {(row.status, row.attempt) for row in world.rows()} == {(NoticeStatus.SCHEDULED, 0)}


# --- the item in the table -------------------------------------------------------------------------------------------


def test_a_state_is_read_back_as_it_was_written(dynamodb: "DynamoDBClient") -> None:
    gates = ChannelGates(dynamodb, TABLE)
    state = ChannelState(
        paused_until=NOW,
        reason="x",
        pauses=2,
        probe_until=NOW,
        free_at=CLOCK,
        backlog_until=CLOCK,
        limits=Limits(per_second=14.0, left_today=7),
        limits_read_at=CLOCK,
    )
    assert gates.load(Channel.SMS) == NEVER_SEEN
    written = gates.save(Channel.SMS, NEVER_SEEN, state)
    assert gates.load(Channel.SMS) == written
    assert written.state == state
    assert gates.load(Channel.EMAIL) == NEVER_SEEN


def test_a_renamed_field_keeps_its_stored_name(dynamodb: "DynamoDBClient") -> None:
    """Functions of an older release read and write the same item while a new one is deployed."""
    ChannelGates(dynamodb, TABLE).save(Channel.SMS, NEVER_SEEN, ChannelState(backlog_until=CLOCK))
    item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "G#sms"}, "sk": {"S": "@"}})["Item"]
    assert json.loads(zlib.decompress(item["body"]["B"])) == {"crowded_until": CLOCK.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_of_two_who_write_the_same_state_one_learns_what_the_other_wrote(dynamodb: "DynamoDBClient") -> None:
    gates = ChannelGates(dynamodb, TABLE)
    first = gates.save(Channel.EMAIL, NEVER_SEEN, ChannelState(pauses=1))
    with pytest.raises(ChannelStateChangedError) as late:
        gates.save(Channel.EMAIL, NEVER_SEEN, ChannelState(pauses=2))
    assert late.value.seen == first
    second = gates.save(Channel.EMAIL, first, ChannelState(pauses=3))
    with pytest.raises(ChannelStateChangedError) as later:
        gates.save(Channel.EMAIL, first, ChannelState(pauses=4))
    assert later.value.seen == second == gates.load(Channel.EMAIL)


def test_a_table_that_fails_is_not_mistaken_for_another_worker(dynamodb: "DynamoDBClient") -> None:
    with pytest.raises(ClientError):
        ChannelGates(dynamodb, "no-such-table").save(Channel.EMAIL, NEVER_SEEN, ChannelState(pauses=1))


# --- what SES tells of the account -----------------------------------------------------------------------------------


class Ses:
    """A client whose account is as a test wants it."""

    def __init__(self, **account: Any) -> None:
        quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 49_990.5}
        self.account = {"SendingEnabled": True, "EnforcementStatus": "HEALTHY", "SendQuota": quota} | account

    def get_account(self) -> Any:
        return self.account


def limits_of(ses: Ses) -> Limits | Postponed:
    return account_limits(cast("Any", ses))


def test_the_limits_are_the_accounts_own() -> None:
    assert limits_of(Ses()) == Limits(per_second=14.0, left_today=9)


@pytest.mark.parametrize(
    ("quota", "limits"),
    [
        ({"Max24HourSend": -1.0, "MaxSendRate": 500.0, "SentLast24Hours": 9.0}, Limits(per_second=500.0)),
        ({"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 201.0}, Limits(per_second=1, left_today=0)),
        ({"Max24HourSend": 200.0, "MaxSendRate": 0.0, "SentLast24Hours": 0.0}, Limits(per_second=1, left_today=200)),
    ],
)
def test_an_account_without_limit_past_it_or_without_a_rate_is_understood(
    quota: dict[str, float], limits: Limits
) -> None:
    assert limits_of(Ses(SendQuota=quota)) == limits


@pytest.mark.parametrize("account", [{"SendingEnabled": False}, {"EnforcementStatus": "SHUTDOWN"}])
def test_an_account_that_may_not_send_stops_the_channel(account: dict[str, Any]) -> None:
    word = limits_of(Ses(**account))
    assert isinstance(word, Postponed)
    assert word.stops_channel
