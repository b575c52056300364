"""The scheduler: one sweep collects, dispatches, and says when the next is worth while."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import pytest

from functions.scheduler import collect, handler, invocation
from functions.scheduler.dispatch import QUEUE_LEASE
from functions.scheduler.ports import ports
from functions.scheduler.sweep import Sweep
from shared.domain.account.reconciliation import RECONCILE_AFTER, STUCK_AFTER
from shared.domain.account.setting_aside import FIRST_PAUSE
from shared.domain.delivery.orders import Postponed, Unanswered, answered
from shared.domain.dunning import plan
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging.channel_queues import ChannelQueues, Receipt
from shared.storage.account_books import AccountBooks
from shared.storage.due_index import AT_ONCE, Due
from shared.storage.notices import Notices
from shared.storage.set_asides import SetAsides
from tests.worlds.aws import TABLE, listen
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, bill, notice
from tests.worlds.lambda_context import lambda_context
from tests.worlds.scheduler_stack import END_OF_DAY, Stack, scheduler_stack
from tests.worlds.wiring import INGEST, NO_WEBHOOKS, wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVENT = json.loads((Path(__file__).resolve().parents[2] / "events/scheduler.json").read_text())


@pytest.fixture
def stack(dynamodb: "DynamoDBClient") -> Stack:
    return scheduler_stack(dynamodb)


def test_a_due_account_gets_its_notices_and_rests_until_the_next_step(stack: Stack) -> None:
    report = stack.sweep()
    assert report.collected == 1
    assert {row.status for row in stack.notices().values()} <= {NoticeStatus.SCHEDULED, NoticeStatus.WILL_NOT_SEND}
    planning_at = stack.book().account.planning_at
    assert planning_at is not None
    assert planning_at > NOW + timedelta(days=7)


def ages(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """How long the oldest thing had been due, by each sweep that said so."""
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"OldestDue"' in line]
    return [age for line in told for age in line["OldestDue"]]


def test_a_sweep_measures_once_since_when_the_oldest_thing_is_due(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(1, 4):
        stack.books.commit(Change(account=account(account_id=f"Y-{n}", planning_at=NOW + timedelta(minutes=n))))
    stack.sweep(NOW + timedelta(hours=2))
    assert ages(capsys) == [7200.0]
    stack.sweep(NOW + timedelta(hours=2))
    assert ages(capsys) == []


def test_what_is_due_before_all_else_makes_nothing_look_old(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The last page of a large change is due at once, which is a time long ago."""
    page = account(account_id="Y-1", planning_at=AT_ONCE)
    stack.books.commit(Change(account=page))
    stack.sweep(NOW + timedelta(minutes=5))
    assert ages(capsys) == [300.0]


def test_a_sweep_names_the_next_instant_at_which_something_is_due(stack: Stack) -> None:
    report = stack.sweep()
    scheduled = [row.scheduled_for for row in stack.notices().values() if row.status is NoticeStatus.SCHEDULED]
    assert report.next_due_at == min(scheduled)


def test_a_notice_whose_time_has_come_is_queued_by_ids_alone(stack: Stack) -> None:
    stack.sweep()
    report = stack.sweep(END_OF_DAY)
    queued = [row for row in stack.notices().values() if row.status is NoticeStatus.QUEUED]
    assert report.dispatched == len(queued) > 0
    for row in some(queued):
        [message] = stack.messages(row.channel)
        assert message == {
            "orgId": "org_1",
            "accountId": "G-1",
            "noticeId": row.notice_id,
            "asOf": "2026-03-02T22:55:00Z",
        }


def test_sweeping_twice_changes_nothing(stack: Stack) -> None:
    stack.sweep()
    stack.sweep(END_OF_DAY)
    before = stack.book()
    report = stack.sweep(END_OF_DAY)
    assert (report.collected, report.dispatched) == (0, 0)
    assert stack.book() == before


def test_a_late_run_finds_what_was_due_all_along(stack: Stack) -> None:
    report = stack.sweep(NOW + timedelta(days=9))
    assert report.collected == 1


def test_for_each_kind_of_thing_that_may_be_due_there_is_something_to_do_about_it(stack: Stack) -> None:
    assert set(Sweep(stack.ports, now=NOW, as_of=None).work) == set(get_args(Due.__value__))


class CrashError(BaseException):
    """The process died: nothing catches that."""


class DeadQueues(ChannelQueues):
    """Queues before which the process dies."""

    def send(self, channel: Channel, messages: Any) -> Receipt:
        raise CrashError


def test_a_crash_between_marking_and_queueing_is_made_good_when_the_lease_ends(stack: Stack) -> None:
    stack.sweep()
    with pytest.raises(CrashError):
        stack.sweep(END_OF_DAY, queues=DeadQueues(stack.sqs, stack.urls))
    assert stack.messages(Channel.EMAIL) == []
    stack.sweep(END_OF_DAY + QUEUE_LEASE)
    assert len(stack.messages(Channel.EMAIL)) == 1


@pytest.mark.parametrize(
    ("channel", "then"), [(Channel.EMAIL, NoticeStatus.UNKNOWN), (Channel.PRINT, NoticeStatus.QUEUED)]
)
def test_a_worker_that_died_while_sending_leaves_unknown_except_for_letters_which_are_written_once(
    stack: Stack, channel: Channel, then: NoticeStatus
) -> None:
    sending = moved(notice(channel=channel), NoticeStatus.SENDING, NOW, "x", attempt=1, lease_until=NOW + QUEUE_LEASE)
    read = stack.book()
    stack.books.commit(Change(account=replace(read.account, planning_at=None), notices=(sending,)))
    stack.sweep(NOW + QUEUE_LEASE)
    assert stack.notices()[channel].status is then


def unknown(stack: Stack, **changes: Any) -> Notice:
    """Store a row of which nobody knows whether it went; the account itself rests."""
    sending = moved(notice(**changes), NoticeStatus.SENDING, NOW, "x", attempt=1)
    row = answered(sending, Unanswered(reason="no answer"), NOW)
    read = stack.book()
    stack.books.commit(Change(account=replace(read.account, planning_at=None), notices=(row,)))
    return row


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """What was counted for operators: names and channels."""
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    metrics = [(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0], line) for line in told]
    return [(metric["Name"], line["channel"]) for metric, line in metrics if metric["Unit"] == "Count"]


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_what_may_have_gone_is_queued_once_more_after_its_wait_and_marked(stack: Stack, channel: Channel) -> None:
    row = unknown(stack, channel=channel)
    wait = RECONCILE_AFTER[channel]
    early = stack.sweep(NOW + wait - timedelta(seconds=1))
    assert (early.dispatched, early.next_due_at) == (0, NOW + wait)
    assert stack.sweep(NOW + wait).dispatched == 1
    after = stack.notices()[channel]
    assert (after.status, after.possible_duplicate) == (NoticeStatus.QUEUED, True)
    assert [message["noticeId"] for message in stack.messages(channel)] == [row.notice_id]


def test_a_notice_that_was_marked_before_waits_for_a_person_and_for_no_sweep(stack: Stack) -> None:
    unknown(stack, possible_duplicate=True)
    report = stack.sweep(NOW + timedelta(days=9))
    assert (report.dispatched, report.next_due_at) == (0, None)
    assert stack.notices()[Channel.EMAIL].status is NoticeStatus.UNKNOWN


def test_a_notice_that_becomes_unknown_is_counted(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    sending = moved(notice(), NoticeStatus.SENDING, NOW, "x", attempt=1, lease_until=NOW)
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=(sending,)))
    stack.sweep()
    assert counted(capsys) == [("NoticeUnknown", "email")]
    stack.sweep(NOW + timedelta(hours=1))
    assert counted(capsys) == []


def test_a_notice_that_nobody_takes_is_counted_once_at_the_fifth_lease_and_still_queued(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, so that the alarm falls silent, and rings for the next."""
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=(notice(),)))
    for lease in range(7):
        assert stack.sweep(NOW + lease * QUEUE_LEASE).dispatched == 1
    assert counted(capsys) == [("NoticeStuck", "email")]


def test_a_poisoned_notice_is_queued_ever_more_rarely(stack: Stack) -> None:
    """A message on which its function fails each time is a dead letter each time: with one lease, 96 a day."""
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=(notice(),)))
    quarters, day = 24 * 4, timedelta(days=1)
    days = [[stack.sweep(NOW + each * day + n * QUEUE_LEASE).dispatched for n in range(quarters)] for each in range(3)]
    assert days[0][:7] == [1] * 7, "an hour and a half as often as ever"
    assert [sum(each) for each in days][1:] == [1, 1]
    assert sum(days[0]) <= 12


def test_a_notice_that_its_provider_never_takes_is_counted_from_the_fifth_time_on(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    row = notice()
    for _ in range(STUCK_AFTER):
        sent = moved(row, NoticeStatus.SENDING, NOW, "x", attempt=1)
        row = answered(sent, Postponed(reason="the provider could not be reached", pause=timedelta(0)), NOW)
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=(row,)))
    assert stack.sweep().dispatched == 1
    assert counted(capsys) == [("NoticeStuck", "email")]


class QueueThatIsGone(ChannelQueues):
    """Emails' queue can't be reached."""

    def send(self, channel: Channel, messages: Any) -> Receipt:
        if channel is Channel.EMAIL:
            raise ConnectionError("ada@example.com")
        return super().send(channel, messages)


def test_a_queue_that_cannot_be_reached_holds_no_other_channel_up_and_loses_nothing(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    rows = (notice(), notice(notice_id="ntc_2", channel=Channel.SMS))
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=rows))
    assert stack.sweep(queues=QueueThatIsGone(stack.sqs, stack.urls)).dispatched == 1
    assert len(stack.messages(Channel.SMS)) == 1
    (told,) = caplog.records
    assert vars(told)["notice_ids"] == ["ntc_1"]
    assert "ada@example.com" not in str(vars(told))
    stack.sweep(NOW + QUEUE_LEASE)
    assert len(stack.messages(Channel.EMAIL)) == 1


class RefusingSqs:
    """SQS when it refuses each message for a reason of its own."""

    def __init__(self, code: str) -> None:
        self.code = code

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - the service's own spelling
        assert QueueUrl
        return {"Failed": [{"Id": entry["Id"], "SenderFault": True, "Code": self.code} for entry in Entries]}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InvalidMessageContents", NoticeStatus.QUEUEING_ERROR),
        ("AWS.SimpleQueueService.InvalidMessageContents", NoticeStatus.QUEUEING_ERROR),
        ("InternalError", NoticeStatus.QUEUED),
        ("KmsAccessDenied", NoticeStatus.QUEUED),
    ],
)
def test_only_a_message_that_no_queue_will_ever_take_is_left_to_people(
    stack: Stack, code: str, status: NoticeStatus
) -> None:
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=(notice(),)))
    report = stack.sweep(queues=ChannelQueues(cast("Any", RefusingSqs(code)), stack.urls))
    after = stack.notices()[Channel.EMAIL]
    assert (report.dispatched, after.status) == (0, status)
    assert (after.lease_until is None) is (status is NoticeStatus.QUEUEING_ERROR)


def test_an_account_that_cannot_be_planned_is_set_aside_and_holds_nobody_up(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan_or_fail(book: AccountBook, *rest: Any) -> Any:
        if book.account.account_id == "G-1":
            raise ValueError("a fault in a rule")
        return plan(book, *rest)

    monkeypatch.setattr(collect, "plan", plan_or_fail)
    stack.books.commit(Change(account=account(account_id="G-2", planning_at=NOW), bills=(bill("S-9"),)))
    stack.sweep()
    assert stack.book("G-2").notices
    aside = stack.book("G-1").account.planning_at
    assert aside is not None
    assert NOW + FIRST_PAUSE <= aside < NOW + FIRST_PAUSE * 1.25


def unreadable() -> Notice:
    raise ValueError("ada@example.com")


class BrokenRows(Notices):
    """Rows, one of which can't be read."""

    def read_together(self, ids: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Callable[[], Notice]]:
        return {ids: unreadable if ids[2] == "ntc_1" else row for ids, row in super().read_together(ids).items()}


class RowsReadAlone(Notices):
    """Rows that can't be read together."""

    def read_together(self, ids: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Callable[[], Notice]]:
        raise ConnectionError(*ids)


class BrokenBooks(AccountBooks):
    """Books, one of which can't be read."""

    def load(self, org_id: str, account_id: str) -> AccountBook | None:
        if account_id == "G-1":
            raise ValueError("ada@example.com")
        return AccountBooks.load(self, org_id, account_id)


def test_what_fails_by_itself_is_set_aside_is_reported_by_its_ids_and_holds_nothing_else_up(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    rows = (notice(account_id="G-2"), notice(account_id="G-2", notice_id="ntc_2", channel=Channel.SMS))
    stack.books.commit(Change(account=account(account_id="G-2"), notices=rows))
    stack.books.commit(Change(account=account(account_id="G-3", planning_at=NOW), bills=(bill("S-9"),)))
    table = stack.dynamodb, TABLE
    report = stack.sweep(notices=BrokenRows(*table), books=BrokenBooks(*table))
    assert (report.collected, report.dispatched, report.failed) == (1, 1, 0)
    assert report.next_due_at is not None
    assert report.next_due_at >= NOW + FIRST_PAUSE
    assert [message["noticeId"] for message in stack.messages(Channel.SMS)] == ["ntc_2"]
    told = [vars(record) for record in caplog.records if record.getMessage() == "due item failed"]
    assert {(one["account_id"], one.get("notice_id"), one["error"]) for one in told} == {
        ("G-1", None, "ValueError"),
        ("G-2", "ntc_1", "ValueError"),
    }
    assert "ada@example.com" not in str(told)
    assert stack.sweep(NOW + 2 * FIRST_PAUSE).failed == 0
    assert [message["noticeId"] for message in stack.messages(Channel.EMAIL)] == ["ntc_1"]


def test_notices_that_cannot_be_read_together_are_read_alone(stack: Stack) -> None:
    rows = (notice(), notice(notice_id="ntc_2", channel=Channel.SMS))
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=rows))
    assert stack.sweep(notices=RowsReadAlone(stack.dynamodb, TABLE)).dispatched == 2


def test_a_sweep_that_leaves_something_undone_is_an_error_that_the_alarm_sees(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(AccountBooks, "load", BrokenBooks.load)
    monkeypatch.setattr(SetAsides, "set_aside", refuse)
    with pytest.raises(invocation.WorkLeftError):
        invoked(stack, monkeypatch, simulated=True)


def test_an_idle_sweep_costs_one_query_a_shard(stack: Stack, record_property: Callable[[str, object], None]) -> None:
    stack.sweep()
    calls: Counter[str] = Counter()
    listen(stack.dynamodb, "before-call.dynamodb", lambda model, **_: calls.update([model.name]))
    stack.sweep()
    record_property("idle sweep: reads", calls.total())
    assert calls == {"Query": 4}


def invoked(stack: Stack, monkeypatch: pytest.MonkeyPatch, *, simulated: bool) -> dict[str, Any]:
    settings = {
        "TABLE_NAME": TABLE,
        "EMAIL_QUEUE_URL": stack.urls[Channel.EMAIL],
        "SMS_QUEUE_URL": stack.urls[Channel.SMS],
        "PRINT_QUEUE_URL": stack.urls[Channel.PRINT],
        "WEBHOOK_QUEUE_URL": NO_WEBHOOKS,
        "INGEST_FUNCTION": INGEST,
        "PRINT_BUCKET": "dunlin-test-print",
        "ALLOW_SIMULATED_TIME": str(simulated).lower(),
    }
    wired(monkeypatch, ports, **settings)
    return dict(handler.lambda_handler(EVENT, lambda_context()))


def test_an_invocation_answers_what_was_done_at_the_time_it_was_given(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = invoked(stack, monkeypatch, simulated=True)
    assert set(answer) == {"collected", "dispatched", "nextDueAt"}
    assert answer["collected"] == 1
    assert datetime.fromisoformat(answer["nextDueAt"]) > datetime.fromisoformat(EVENT["asOf"])


def test_a_stack_without_simulated_time_goes_by_the_clock(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    read = stack.book()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    stack.books.commit(Change(account=replace(read.account, planning_at=tomorrow)))
    monkeypatch.setitem(EVENT, "asOf", (tomorrow + timedelta(days=1)).isoformat())
    assert invoked(stack, monkeypatch, simulated=False)["collected"] == 0
