"""An operator stops sending, and lets it go: nothing goes meanwhile, nothing is lost, no attempt is used up."""
# ruff: noqa: F811 - the fixtures of other tests are asked for by their names

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.domain.delivery.channel_gate import STOPPED_BY_OPERATOR, STOPPED_FOR
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.channel_gates import ChannelGates
from shared.storage.stops import Stops
from tests.integration.test_permissions import WAYS, Way, queued, stack, way  # noqa: F401 - fixtures
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import EVENTS, ChannelStack
from tests.worlds.examples import NOW, account
from tests.worlds.scheduler_stack import END_OF_DAY, Stack, scheduler_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WHY = "a restore is under way"


@pytest.fixture
def scheduler(dynamodb: "DynamoDBClient") -> Stack:
    made = scheduler_stack(dynamodb)
    made.sweep()
    return made


def stops() -> Stops:
    return Stops(ChannelGates(clients.dynamodb(), TABLE))


# --- the scheduler ------------------------------------------------------------------------------------------------


def test_while_stopped_the_scheduler_plans_but_gives_nothing_to_any_channel(scheduler: Stack) -> None:
    stops().stop(NOW, WHY)
    before = scheduler.notices()
    report = scheduler.sweep(END_OF_DAY)
    assert (report.dispatched, report.failed) == (0, 0)
    assert report.next_due_at == END_OF_DAY + timedelta(minutes=1)
    assert scheduler.notices() == before
    assert all(scheduler.messages(channel) == [] for channel in Channel)
    assert scheduler.ports.set_asides.all() == []


def test_what_was_due_while_stopped_goes_once_it_may(scheduler: Stack) -> None:
    stops().stop(NOW, WHY)
    scheduler.sweep(END_OF_DAY)
    stops().go()
    report = scheduler.sweep(END_OF_DAY + timedelta(minutes=1))
    assert report.dispatched == sum(row.status is NoticeStatus.QUEUED for row in scheduler.notices().values()) > 0


def test_a_stop_that_reached_some_channels_only_holds_for_these(scheduler: Stack) -> None:
    stops().stop(NOW, WHY)
    gates = ChannelGates(clients.dynamodb(), TABLE)
    email = gates.load(Channel.EMAIL)
    gates.save(Channel.EMAIL, email, email.state.__class__())
    scheduler.sweep(END_OF_DAY)
    queued_now = {channel for channel, row in scheduler.notices().items() if row.status is NoticeStatus.QUEUED}
    assert queued_now == {Channel.EMAIL}


def test_while_something_is_held_back_operators_are_warned(
    scheduler: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    def warned(now: datetime) -> bool:
        scheduler.sweep(now)
        return "SendingStopped" in capsys.readouterr().out

    assert not warned(END_OF_DAY - timedelta(days=1))
    stops().stop(NOW, WHY)
    assert warned(END_OF_DAY)


# --- the channels -------------------------------------------------------------------------------------------------


def test_a_stopped_channel_gives_its_provider_nothing_and_puts_off_what_its_queue_brings(
    way: Way, stack: ChannelStack
) -> None:
    stack.given(queued(way))
    stops().stop(NOW, WHY)
    assert stack.handle() == []
    row = stack.row()
    assert stack.asked(way.sends_by) == []
    assert (row.status, row.attempt, row.reason) == (NoticeStatus.SCHEDULED, 0, STOPPED_BY_OPERATOR)
    assert row.scheduled_for >= NOW + STOPPED_FOR
    assert WHY not in str(row)


def test_a_process_that_sent_before_the_stop_sends_nothing_after_it_and_goes_on_when_it_may(
    way: Way, stack: ChannelStack
) -> None:
    stack.given(queued(way))
    assert stack.handle() == []
    assert stack.row().status is NoticeStatus.SENT
    stops().stop(NOW, WHY)
    stack.given(queued(way, account_id="G-2"), who=account(account_id="G-2"))
    assert stack.handle(stack.message(accountId="G-2")) == []
    assert stack.asked(way.sends_by) == []
    assert stack.row(account_id="G-2").status is NoticeStatus.SCHEDULED
    stops().go()
    stack.given(queued(way, account_id="G-3"), who=account(account_id="G-3"))
    assert stack.handle(stack.message(accountId="G-3")) == []
    assert stack.row(account_id="G-3").status is NoticeStatus.SENT


@pytest.mark.parametrize("way", WAYS[-1:], ids=["render_print"], indirect=True)
def test_no_print_batch_is_closed_while_stopped(way: Way, stack: ChannelStack) -> None:
    stack.given(queued(way))
    assert stack.handle() == []
    stops().stop(NOW, WHY)
    [closing] = json.loads((EVENTS / "render_print_close.json").read_text())["Records"]
    assert stack.handle(closing) == []
    assert stack.asked("PutObject") == []
    stops().go()
    assert stack.handle(closing) == []
    assert stack.asked("PutObject") != []
