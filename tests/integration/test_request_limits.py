"""How many requests a partner may make: counted together over processes, and refused with how long to wait."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.ingest.ports import ports as ingest_ports
from functions.manage.handler import lambda_handler
from shared.storage import keys, request_permits
from shared.storage.request_permits import BLOCK, UNCOUNTED, RequestPermits
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW
from tests.worlds.ingest_api import BUCKET, Partner
from tests.worlds.manage_api import CONTEXT, ORGANIZATION, OWN, event
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST = 40
LATER = timedelta(seconds=request_permits.WINDOW_SECONDS)


@pytest.fixture(autouse=True)
def table(manage_table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """The table, with a limit that is soon reached."""
    monkeypatch.setattr(request_permits, "MOST_REQUESTS", MOST)
    return manage_table


def ask(at: datetime = NOW, path: str = ORGANIZATION) -> dict[str, Any]:
    """A request that came to the gateway at a time."""
    request = event("GET", path, {}, None, OWN, {})
    request["requestContext"]["requestTimeEpoch"] = int(at.timestamp() * 1000)
    return lambda_handler(request, CONTEXT)


def passed(permits: RequestPermits, requests: int, partner_id: str = "prt_1", at: datetime = NOW) -> int:
    return sum(permits.seconds_to_wait(partner_id, at) == 0 for _ in range(requests))


def test_a_partner_beyond_its_limit_is_told_how_long_to_wait_and_then_goes_on() -> None:
    answers = [ask(NOW + timedelta(seconds=3)) for _ in range(MOST + UNCOUNTED + 5)]
    assert [answer["statusCode"] for answer in answers] == [200] * (MOST + UNCOUNTED) + [429] * 5
    refused = answers[-1]["multiValueHeaders"]
    assert refused["Retry-After"] == ["7"]
    assert refused["Content-Type"] == ["application/problem+json"]
    assert ask(NOW + LATER)["statusCode"] == 200


def test_processes_share_the_limit_and_partners_do_not(table: "DynamoDBClient") -> None:
    processes = [RequestPermits(table, TABLE) for _ in range(3)]
    let = sum(passed(process, 1) for _ in range(100) for process in processes)
    assert let == MOST + 3 * UNCOUNTED
    assert passed(RequestPermits(table, TABLE), 20, "prt_2") == 20


def test_ordinary_traffic_writes_nothing_and_much_of_it_a_write_a_block(table: "DynamoDBClient") -> None:
    permits = RequestPermits(table, TABLE)
    passed(permits, UNCOUNTED)
    assert "Item" not in table.get_item(TableName=TABLE, Key=_count())
    passed(permits, BLOCK + 1)
    assert table.get_item(TableName=TABLE, Key=_count())["Item"]["taken"]["N"] == str(2 * BLOCK)


def _count() -> Any:
    return {"pk": {"S": keys.requests("prt_1")}, "sk": {"S": keys.ROOT}}


def test_a_late_request_of_a_window_that_is_over_passes_and_begins_nothing_anew(table: "DynamoDBClient") -> None:
    assert passed(RequestPermits(table, TABLE), MOST + UNCOUNTED, at=NOW + LATER) == MOST + UNCOUNTED
    assert passed(RequestPermits(table, TABLE), UNCOUNTED + 1) == UNCOUNTED + 1
    assert passed(RequestPermits(table, TABLE), UNCOUNTED + 1, at=NOW + LATER) == UNCOUNTED


def test_statements_count_like_all_other_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    statuses = [Partner().get("/v1/ingestions").status for _ in range(MOST + UNCOUNTED)]
    assert set(statuses) == {200}
    assert Partner().send(statement()).status == 429
