"""The scheduler: one sweep collects, dispatches, and says when the next is worth while."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from functions.scheduler import handler, sweep
from functions.scheduler.sweep import LEASE, Sweep, SweepReport
from shared.domain.book import AccountBook, Change
from shared.domain.delivery import Unanswered, answered
from shared.domain.dunning import plan
from shared.domain.inheritance import PartnerDefaults
from shared.domain.notice import Notice, moved
from shared.domain.policy import DunningSettings
from shared.domain.reconciliation import RECONCILE_AFTER
from shared.domain.words import Channel, NoticeStatus
from shared.messaging.channel_queues import ChannelQueues, Receipt
from shared.storage import inheritance, replanning
from shared.storage.account_books import AccountBooks
from shared.storage.due_index import DueIndex
from shared.storage.inheritance import Inheritance
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.replanning import Replanning
from tests.conftest import TABLE
from tests.examples import NOW, account, bill, notice, organization

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

EVENT = json.loads((Path(__file__).resolve().parents[2] / "events/scheduler.json").read_text())
END_OF_DAY = NOW.replace(hour=22, minute=55)


@dataclass
class Stack:
    """The scheduler's surroundings in this process."""

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    urls: dict[Channel, str]

    @property
    def books(self) -> AccountBooks:
        return AccountBooks(self.dynamodb, TABLE)

    def sweep(self, now: datetime = NOW, **changes: Any) -> SweepReport:
        ports: dict[str, Any] = {
            "due_index": DueIndex(self.dynamodb, TABLE),
            "books": self.books,
            "notices": Notices(self.dynamodb, TABLE),
            "organizations": Organizations(self.dynamodb, TABLE),
            "replanning": Replanning(self.dynamodb, TABLE),
            "inheritance": Inheritance(self.dynamodb, TABLE),
            "queues": ChannelQueues(self.sqs, self.urls),
        }
        return Sweep(now=now, as_of=now, **(ports | changes)).run()

    def book(self, account_id: str = "G-1") -> AccountBook:
        found = self.books.load("org_1", account_id)
        assert found is not None
        return found

    def notices(self) -> dict[Channel, Notice]:
        return {row.channel: row for row in self.book().notices}

    def messages(self, channel: Channel) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.urls[channel], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def stack(dynamodb: "DynamoDBClient") -> Stack:
    sqs = boto3.client("sqs")
    urls = {channel: sqs.create_queue(QueueName=channel)["QueueUrl"] for channel in Channel}
    Organizations(dynamodb, TABLE).create(organization())
    made = Stack(dynamodb, sqs, urls)
    made.books.commit(Change(account=account(planning_at=NOW), bills=(bill(),)))
    return made


def test_a_due_account_gets_its_notices_and_rests_until_the_next_step(stack: Stack) -> None:
    report = stack.sweep()
    assert report.collected == 1
    assert {row.status for row in stack.notices().values()} <= {NoticeStatus.SCHEDULED, NoticeStatus.WILL_NOT_SEND}
    planning_at = stack.book().account.planning_at
    assert planning_at is not None
    assert planning_at > NOW + timedelta(days=7)


def test_a_sweep_names_the_next_instant_at_which_something_is_due(stack: Stack) -> None:
    report = stack.sweep()
    scheduled = [row.scheduled_for for row in stack.notices().values() if row.status is NoticeStatus.SCHEDULED]
    assert report.next_due_at == min(scheduled)


def test_a_notice_whose_time_has_come_is_queued_by_ids_alone(stack: Stack) -> None:
    stack.sweep()
    report = stack.sweep(END_OF_DAY)
    queued = [row for row in stack.notices().values() if row.status is NoticeStatus.QUEUED]
    assert report.dispatched == len(queued) > 0
    for row in queued:
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
    stack.sweep(END_OF_DAY + LEASE)
    assert len(stack.messages(Channel.EMAIL)) == 1


@pytest.mark.parametrize(
    ("channel", "then"), [(Channel.EMAIL, NoticeStatus.UNKNOWN), (Channel.PRINT, NoticeStatus.QUEUED)]
)
def test_a_worker_that_died_while_sending_leaves_unknown_except_for_letters_which_are_written_once(
    stack: Stack, channel: Channel, then: NoticeStatus
) -> None:
    sending = moved(notice(channel=channel), NoticeStatus.SENDING, NOW, "x", attempt=1, lease_until=NOW + LEASE)
    read = stack.book()
    stack.books.commit(Change(account=replace(read.account, planning_at=None), notices=(sending,)))
    stack.sweep(NOW + LEASE)
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
    return [(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], line["channel"]) for line in told]


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


def test_a_notice_that_nobody_takes_is_counted_from_the_fifth_lease_on_and_still_queued(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.books.commit(Change(account=replace(stack.book().account, planning_at=None), notices=(notice(),)))
    for lease in range(7):
        assert stack.sweep(NOW + lease * LEASE).dispatched == 1
    assert counted(capsys) == [("NoticeStuck", "email")] * 2


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
    stack.sweep(NOW + LEASE)
    assert len(stack.messages(Channel.EMAIL)) == 1


class RefusingSqs:
    """SQS when it refuses each message for a reason of its own."""

    def __init__(self, code: str) -> None:
        self.code = code

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
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

    monkeypatch.setattr(sweep, "plan", plan_or_fail)
    stack.books.commit(Change(account=account(account_id="G-2", planning_at=NOW), bills=(bill("S-9"),)))
    stack.sweep()
    assert stack.book("G-2").notices
    assert stack.book("G-1").account.planning_at == NOW + sweep.SET_ASIDE


def test_an_idle_sweep_costs_one_query_a_shard(stack: Stack) -> None:
    stack.sweep()
    calls: Counter[str] = Counter()
    stack.dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: calls.update([model.name]))
    stack.sweep()
    assert calls == {"Query": 4}


def invoked(stack: Stack, monkeypatch: pytest.MonkeyPatch, *, simulated: bool) -> dict[str, Any]:
    for name, value in {
        "TABLE_NAME": TABLE,
        "EMAIL_QUEUE_URL": stack.urls[Channel.EMAIL],
        "SMS_QUEUE_URL": stack.urls[Channel.SMS],
        "PRINT_QUEUE_URL": stack.urls[Channel.PRINT],
        "ALLOW_SIMULATED_TIME": str(simulated).lower(),
    }.items():
        monkeypatch.setenv(name, value)
    handler.dependencies.cache_clear()
    answer: dict[str, Any] = handler.lambda_handler(EVENT, cast("LambdaContext", Context()))
    return answer


class Context:
    """What Lambda tells an invocation about itself."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "test"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


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


PAGE = 5
"""Bills that a replanning takes at once, in these tests."""


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replanning, "PAGE", PAGE)


def settings_changed(stack: Stack, now: datetime = NOW) -> None:
    """Save the organization with other settings, and have its accounts planned anew."""
    organizations = Organizations(stack.dynamodb, TABLE)
    current = organizations.get("org_1")
    assert current is not None
    paperless = replace(current.dunning, configuration_id="paperless-30")
    assert organizations.save(replace(current, dunning=paperless), replan_at=now)


def many_accounts(stack: Stack, count: int) -> list[str]:
    account_ids = [f"M-{n:03}" for n in range(count)]
    for account_id in account_ids:
        stack.books.commit(Change(account=account(account_id=account_id), bills=(bill(f"S-{account_id}"),)))
    return account_ids


@pytest.mark.usefixtures("small_pages")
def test_a_change_of_settings_replans_every_open_account_by_pages_in_the_background(stack: Stack) -> None:
    stack.sweep()
    account_ids = many_accounts(stack, 8)
    settings_changed(stack)
    report = stack.sweep()
    assert report.collected == 9
    assert {row.status for row in stack.notices().values() if row.channel is Channel.PRINT} == {NoticeStatus.CANCELLED}
    for account_id in account_ids:
        assert {row.channel for row in stack.book(account_id).notices} == {Channel.EMAIL, Channel.SMS}
    assert stack.sweep().collected == 0


@pytest.mark.usefixtures("small_pages")
def test_a_replanning_that_is_cut_off_goes_on_where_it_was(stack: Stack) -> None:
    account_ids = many_accounts(stack, 8)
    settings_changed(stack)
    first = Replanning(stack.dynamodb, TABLE).advance("org_1", NOW)
    assert first == PAGE
    stack.sweep(time_is_up=lambda: True)
    stack.sweep()
    assert all(stack.book(account_id).notices for account_id in account_ids)


@pytest.mark.usefixtures("small_pages")
def test_settings_changed_during_a_replanning_begin_it_anew(stack: Stack) -> None:
    many_accounts(stack, 8)
    settings_changed(stack)
    job = Replanning(stack.dynamodb, TABLE)
    job.advance("org_1", NOW)
    settings_changed(stack)
    assert sum(job.advance("org_1", NOW) for _ in range(2)) == 9


def test_an_account_is_never_planned_by_settings_older_than_those_it_was_marked_for(stack: Stack) -> None:
    stack.sweep()
    settings_changed(stack)
    Replanning(stack.dynamodb, TABLE).advance("org_1", NOW)
    stale = Organizations(stack.dynamodb, TABLE).get("org_1")
    assert stale is not None
    knows_the_old = {"org_1": replace(stale, version=1, dunning=organization().dunning)}
    stack.sweep(_known=knows_the_old)
    assert stack.notices()[Channel.PRINT].status is NoticeStatus.CANCELLED


def test_replanning_notifies_nobody_twice(stack: Stack) -> None:
    stack.sweep()
    stack.sweep(END_OF_DAY)
    before = stack.notices()
    settings_changed(stack, END_OF_DAY)
    stack.sweep(END_OF_DAY)
    assert {channel: row.status for channel, row in stack.notices().items()} == {
        channel: row.status for channel, row in before.items()
    }


def test_changed_defaults_of_a_partner_replan_the_accounts_of_its_organizations_in_one_sweep(stack: Stack) -> None:
    stack.sweep()
    paperless = DunningSettings(configuration_id="paperless-30")
    defaults = PartnerDefaults(partner_id="prt_1", dunning=paperless, overrides=frozenset({"configuration_id"}))
    assert PartnersDefaults(stack.dynamodb, TABLE).save(defaults, NOW)
    report = stack.sweep()
    assert report.collected == 1
    assert stack.notices()[Channel.PRINT].status is NoticeStatus.CANCELLED
    assert report.next_due_at != NOW


def test_defaults_that_change_nothing_for_anybody_are_still_passed_on_to_the_last_organization(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inheritance, "PAGE", 1)
    organizations = Organizations(stack.dynamodb, TABLE)
    for n in range(4):
        own = {"dunning_overrides": frozenset({"minimum_print"}), "org_id": f"org_own_{n}", "client_id": f"OWN-{n}"}
        organizations.create(organization(name=f"A {n}", **own))
    defaults = PartnerDefaults(
        partner_id="prt_1", dunning=DunningSettings(minimum_print=9_00), overrides=frozenset({"minimum_print"})
    )
    assert PartnersDefaults(stack.dynamodb, TABLE).save(defaults, NOW)
    stack.sweep()
    last = organizations.get("org_1")
    assert last is not None
    assert last.dunning.minimum_print == 9_00
