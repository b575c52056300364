"""A table restored to a point in time: what was sent since is replayed into it from the logs, and doesn't go again."""
# ruff: noqa: F811 - the fixtures of other tests are asked for by their names

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.errors import CommandError
from cli.main import app
from shared.domain.records.book import Change
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.channel_gates import ChannelGates
from shared.storage.stops import Stops
from tests.integration.test_cli import CloudFormation
from tests.integration.test_permissions import Way, queued, stack, way  # noqa: F401 - fixtures
from tests.worlds.aws import TABLE
from tests.worlds.channel_stack import ChannelStack
from tests.worlds.examples import NOW

FUNCTION = {Channel.EMAIL: "send-email", Channel.SMS: "send-sms", Channel.PRINT: "render-print"}
BEFORE = datetime.now(UTC) - timedelta(hours=1)


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
