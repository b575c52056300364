"""A table restored to a point in time: what was sent since is replayed into it from the logs, and doesn't go again."""
# ruff: noqa: F811 - the fixtures of other tests are asked for by their names

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.errors import CommandError
from cli.main import app
from shared.domain.records.book import Change
from shared.domain.records.notice import moved
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.notices import Notices
from shared.storage.stops import NotReplayedError, Stops
from tests.integration.test_cli import CloudFormation
from tests.integration.test_permissions import Way, queued, stack, way  # noqa: F401 - fixtures
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import DOCUMENT, ChannelStack
from tests.worlds.examples import NOW, account, bill
from tests.worlds.wiring import wired

FUNCTION = {Channel.EMAIL: "send-email", Channel.SMS: "send-sms", Channel.PRINT: "render-print"}
BEFORE = datetime.now(UTC) - timedelta(hours=1)


pytestmark = pytest.mark.moto  # the table in memory is restored by nobody


@pytest.fixture(autouse=True)
def _deployed(stack: ChannelStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack named dunlin-test, with its outputs and the channels' logs."""
    outputs = {"TableName": TABLE, "PrintBucket": "dunlin-print"}
    monkeypatch.setattr("cli.stack.cloudformation", lambda: CloudFormation({"dunlin-test": outputs}))
    for function in FUNCTION.values():
        clients.logs().create_log_group(logGroupName=f"/aws/lambda/dunlin-test-{function}")


def stops() -> Stops:
    return Stops(ChannelGates(clients.dynamodb(), TABLE))


def logged(way: Way, records: list[logging.LogRecord]) -> None:
    """What a channel's function logged lies in its log, as it writes it."""
    group = f"/aws/lambda/dunlin-test-{FUNCTION[way.channel]}"
    told = [way.handler.logger.registered_formatter.format(record) for record in records]
    at = int(datetime.now(UTC).timestamp() * 1000)
    logs = clients.logs()
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    events = [{"timestamp": at, "message": line} for line in ["START RequestId", *told]]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


def snapshot(stack: ChannelStack) -> list[dict[str, Any]]:
    return stack.dynamodb.scan(TableName=TABLE)["Items"]


def restore(stack: ChannelStack, items: list[dict[str, Any]]) -> None:
    """The table as it was."""
    for item in snapshot(stack):
        stack.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in items:
        stack.dynamodb.put_item(TableName=TABLE, Item=item)


def replay() -> dict[str, int]:
    arguments = ["restore", "replay", "--stack", "dunlin-test", "--since", f"{BEFORE:%Y-%m-%dT%H:%M:%S%z}", "--json"]
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, typer.Exit | SystemExit):
        raise result.exception
    found: dict[str, int] = json.loads(result.stdout)
    return found


def electronic(way: Way) -> None:
    if not way.channel.electronic:
        pytest.skip("a letter goes by its manifest")


@pytest.mark.parametrize("planned", [True, False], ids=["planned before", "planned since"])
def test_what_went_since_does_not_go_again(
    way: Way, stack: ChannelStack, caplog: pytest.LogCaptureFixture, *, planned: bool
) -> None:
    electronic(way)
    stack.given(*([queued(way)] if planned else []))
    old = snapshot(stack)
    if not planned:
        stack.books.commit(Change(account=stack.book().account, notices=(queued(way),)))
    caplog.clear()
    assert stack.handle() == []
    assert len(stack.asked(way.sends_by)) == 1
    logged(way, caplog.records)
    restore(stack, old)
    stops().stop(NOW, "restore")
    assert replay() == {"marked": 1, "known": 0, "accountsGone": 0}
    stops().go()
    row = stack.row()
    assert (row.status, row.attempt, row.lease_until) == (NoticeStatus.SENT, 1, None)
    assert row.bills == queued(way).bills
    assert stack.handle() == []
    assert stack.asked(way.sends_by) == []
    stops().stop(NOW, "again")
    assert replay() == {"marked": 0, "known": 1, "accountsGone": 0}


def test_what_was_claimed_and_of_which_no_answer_is_known_waits_for_a_person(
    way: Way, stack: ChannelStack, caplog: pytest.LogCaptureFixture
) -> None:
    electronic(way)
    stack.given(queued(way))
    old = snapshot(stack)
    caplog.clear()
    assert stack.handle() == []
    logged(way, [record for record in caplog.records if record.getMessage() == "notice claimed"])
    restore(stack, old)
    stops().stop(NOW, "restore")
    assert replay()["marked"] == 1
    assert (stack.row().status, stack.row().lease_until) == (NoticeStatus.UNKNOWN, None)


def test_a_claim_that_the_provider_did_not_take_is_not_taken_for_sent(
    way: Way, stack: ChannelStack, caplog: pytest.LogCaptureFixture
) -> None:
    electronic(way)
    stack.given(queued(way))
    old = snapshot(stack)

    def refuse(operation: str) -> None:
        if operation == way.sends_by:
            raise ClientError({"Error": {"Code": way.stopped, "Message": ""}}, operation)

    stack.fail = refuse
    caplog.clear()
    assert stack.handle() == []
    logged(way, caplog.records)
    restore(stack, old)
    stops().stop(NOW, "restore")
    assert replay() == {"marked": 0, "known": 0, "accountsGone": 0}
    assert stack.row().status is NoticeStatus.QUEUED


def test_nothing_is_replayed_while_something_may_go(way: Way, stack: ChannelStack) -> None:
    with pytest.raises(CommandError):
        replay()


def test_a_letter_is_replayed_only_when_a_manifest_lists_it(
    way: Way, stack: ChannelStack, caplog: pytest.LogCaptureFixture
) -> None:
    if way.channel.electronic:
        pytest.skip("about letters")
    stack.given(queued(way))
    old = snapshot(stack)
    caplog.clear()
    assert stack.handle() == []
    logged(way, caplog.records)
    restore(stack, old)
    stops().stop(NOW, "restore")
    assert replay()["marked"] == 0
    manifest = json.dumps({"letters": [{"notificationId": "ntc_1"}]}).encode()
    clients.s3().put_object(Bucket="dunlin-print", Key="batches/org_1/2026-03-02.manifest", Body=manifest)
    assert replay()["marked"] == 1
    assert stack.row().status is NoticeStatus.SENT


# --- a table that was restored knows it ------------------------------------------------------------------------------

RESTORED = "dunlin-restored"


@dataclass(frozen=True)
class Restore:
    """The procedure of docs/runbook.md, played: the stack sends, is restored, and has the restored table from then on.

    already: what was sent before the instant; since: what was sent after it. All of it is told by the channel's log.
    """

    stack: ChannelStack
    way: Way
    monkeypatch: pytest.MonkeyPatch
    already: str = "G-1"
    since: str = "G-2"

    def played(self, caplog: pytest.LogCaptureFixture) -> None:
        for account_id in (self.already, self.since):
            self.stack.given(queued(self.way, account_id=account_id), who=account(account_id=account_id))
        assert self.sends(self.already) > 0
        self.stack.dynamodb.restore_table_to_point_in_time(
            SourceTableName=TABLE, TargetTableName=RESTORED, UseLatestRestorableTime=True
        )
        caplog.clear()
        assert self.sends(self.since) > 0
        logged(self.way, caplog.records)
        self.brought_to_the_restored_table()

    def brought_to_the_restored_table(self) -> None:
        wired(self.monkeypatch, self.way.handler.ports, TABLE_NAME=RESTORED)
        outputs = {"TableName": RESTORED, "PrintBucket": "dunlin-print"}
        self.monkeypatch.setattr("cli.stack.cloudformation", lambda: CloudFormation({"dunlin-test": outputs}))

    def sends(self, account_id: str) -> int:
        """How many messages a queue's message for an account's notice makes go."""
        assert self.stack.handle(self.stack.message(accountId=account_id)) == []
        return len(self.stack.asked(self.way.sends_by))

    def queued_again(self) -> None:
        """What the sweeps after a replay would queue: all that waits by the restored ledger."""
        notices = Notices(self.stack.dynamodb, RESTORED)
        for account_id in (self.already, self.since):
            row = notices.load("org_1", account_id, "ntc_1")
            assert row is not None
            if row.status is NoticeStatus.SCHEDULED:
                notices.move(row, moved(row, NoticeStatus.QUEUED, NOW, "scheduler", lease_until=NOW))


@pytest.fixture
def restored(
    way: Way, stack: ChannelStack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Restore:
    made = Restore(stack, way, monkeypatch)
    made.played(caplog)
    return made


def command(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--stack", "dunlin-test", "--json"])
    if result.exception and not isinstance(result.exception, typer.Exit | SystemExit):
        raise result.exception
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_nothing_goes_from_a_restored_table_although_nobody_stopped_it(restored: Restore) -> None:
    assert restored.sends(restored.since) == 0
    assert set(Stops(ChannelGates(clients.dynamodb(), RESTORED)).all()) == set(Channel)


def test_a_restored_table_is_let_go_only_when_what_was_sent_since_is_replayed(restored: Restore) -> None:
    electronic(restored.way)
    with pytest.raises(CommandError, match="replay"):
        command("go")
    command("stop", "--reason", "restore")
    with pytest.raises(CommandError, match="replay"):
        command("go")
    assert restored.sends(restored.since) == 0
    assert replay() == {"marked": 1, "known": 0, "accountsGone": 0}
    assert command("stop", "--reason", "still")["stopped"]["email"]["reason"] == "restore"
    assert command("go")["stopped"] == {}


def test_the_procedure_played_sends_nothing_twice(restored: Restore) -> None:
    electronic(restored.way)
    restored.sends(restored.since)
    replay()
    command("go")
    restored.queued_again()
    assert restored.sends(restored.already) == restored.sends(restored.since) == 0
    other = Restore(restored.stack, restored.way, restored.monkeypatch, already="G-8", since="G-9")
    books = AccountBooks(restored.stack.dynamodb, RESTORED)
    new = queued(restored.way, account_id="G-9")
    books.commit(Change(account=account(account_id="G-9"), bills=(bill(document=DOCUMENT),), notices=(new,)))
    assert other.sends("G-9") == 1, "what is new goes"


def test_a_stop_goes_along_into_a_table_of_the_old_name(restored: Restore) -> None:
    """A restored table is restored once more, under the name that the stack knows: it isn't let go unreplayed."""
    command("stop", "--reason", "restore")
    stack = restored.stack
    items = stack.dynamodb.scan(TableName=RESTORED)["Items"]
    restore(stack, items)
    with pytest.raises(NotReplayedError):
        stops().go()


def test_a_replay_that_begins_after_the_instant_of_the_restore_is_refused(
    restored: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.BEFORE", datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(CommandError, match="restored to"):
        replay()
    assert restored.sends(restored.since) == 0
