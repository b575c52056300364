"""The table in memory, on which the model of delivery runs, answers the product's calls as DynamoDB does (by moto)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.records.statement import OptOuts
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.aws import create_table
from tests.worlds.delivery_actors import Fate
from tests.worlds.delivery_desk import Billed
from tests.worlds.delivery_functions import prepare
from tests.worlds.delivery_providers import Mood
from tests.worlds.delivery_world import World
from tests.worlds.dunning_world import at
from tests.worlds.examples import organization
from tests.worlds.ledger import TABLE
from tests.worlds.memory_table import MemoryTable
from tests.worlds.table_expressions import NotInTheFakeError, condition, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ANSWERED = ("Item", "Items", "LastEvaluatedKey", "Responses", "UnprocessedKeys", "UnprocessedItems", "Attributes")
EMPTY: tuple[Any, ...] = ({}, [], None)


@dataclass
class Both:
    """A client of both tables, which asks each the same and compares what they answer."""

    memory: MemoryTable
    moto: Any
    compared: int = 0

    @property
    def exceptions(self) -> Any:
        return self.memory.exceptions

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            # The table in memory comes first: there the function is held until it is its turn.
            try:
                answer = getattr(self.memory, operation)(**request)
            except ClientError as error:
                self.compare(operation, request, told(error))
                raise
            self.compare(operation, request, said(answer))
            return answer

        return call

    def get_paginator(self, operation: str) -> Any:
        def paginate(**request: Any) -> Iterator[Any]:
            ours = list(self.memory.get_paginator(operation).paginate(**request))
            theirs = self.moto.get_paginator(operation).paginate(**request)
            self.compared += 1
            assert items_of(ours) == items_of(theirs), request
            return iter(ours)

        return SimpleNamespace(paginate=paginate)

    def compare(self, operation: str, request: Any, ours: Any) -> None:
        try:
            theirs = said(getattr(self.moto, operation)(**request))
        except ClientError as error:
            theirs = told(error)
        self.compared += 1
        assert ours == theirs, (operation, request)


def items_of(pages: Any) -> list[Any]:
    return [item for page in pages for item in page["Items"]]


def said(answer: Any) -> Any:
    return {name: answer[name] for name in ANSWERED if answer.get(name) not in EMPTY}


def told(error: ClientError) -> Any:
    reasons: Any = error.response.get("CancellationReasons", [])
    return error.response["Error"]["Code"], [reason["Code"] for reason in reasons]


def test_the_table_in_memory_answers_a_history_of_the_products_calls_as_dynamodb_does(
    dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(monkeypatch)
    create_table(TABLE, moto=True)
    clients = list[Both]()

    def both(table: MemoryTable) -> Any:
        clients.append(Both(table, dynamodb))
        return clients[0]

    world = World(organization(), at("2026-03-02 09:00"), client=both)
    for account in ("G-1", "G-2"):
        world.go_on(world.desk(account, Billed(1, 40_00), "first"))
    for hours in (0, 8):
        world.pass_time(world.now + timedelta(hours=hours))
        world.go_on(world.sweep())
    world.providers.moods[Channel.SMS] = Mood.ACCEPTS_SILENTLY
    world.providers.moods[Channel.EMAIL] = Mood.PAUSED
    race_for_every_message(world)
    world.change_setting("drop_to_paper_on_opt_out")
    world.go_on(world.desk("G-1", {"opt_outs": OptOuts(email=True)}, "choice"))
    world.go_on(world.desk("G-2", 1_00, "payment"))
    world.come_to_rest(events_late=True)
    world.pass_time(world.now + timedelta(days=30))
    world.providers.outcomes[Channel.EMAIL] = (DeliveryOutcome.BOUNCED,)
    world.come_to_rest(events_late=False)
    assert clients[0].compared > 300
    moved = {change.status for row in world.notices() for change in row.status_history}
    assert {NoticeStatus.SENDING, NoticeStatus.UNKNOWN, NoticeStatus.DELIVERED} <= moved


@pytest.mark.parametrize(
    ("operation", "request_of"),
    [
        ("batch_get_item", lambda keys: {"RequestItems": {TABLE: {"Keys": keys}}}),
        (
            "transact_write_items",
            lambda keys: {"TransactItems": [{"Put": {"TableName": TABLE, "Item": key}} for key in keys]},
        ),
    ],
)
def test_a_call_takes_as_many_items_as_dynamodb_does_and_no_more(
    dynamodb: "DynamoDBClient", operation: str, request_of: Callable[[list[Any]], Any]
) -> None:
    create_table(TABLE, moto=True)
    for table in (MemoryTable(), dynamodb):
        getattr(table, operation)(**request_of(some_keys(100)))
        with pytest.raises(ClientError):
            getattr(table, operation)(**request_of(some_keys(101)))


def test_no_more_than_25_items_are_written_one_by_one() -> None:
    """A limit that moto doesn't know."""
    table = MemoryTable()
    table.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": key}} for key in some_keys(25)]})
    with pytest.raises(ClientError):
        table.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": key}} for key in some_keys(26)]})


def some_keys(count: int) -> list[Any]:
    return [{"pk": {"S": "a"}, "sk": {"S": f"{n:03}"}} for n in range(count)]


def race_for_every_message(world: World) -> None:
    """Two consumers at once take each message, so that conditions fail, and one dies, so that leases end."""
    for message in world.queues.waiting():
        first, second = world.consume([message], "consumer 1"), world.consume([message], "consumer 2")
        for _ in range(12):
            for actor in (first, second):
                if actor.running:
                    world.go_on(actor, 1)
    with suppress(IndexError):
        world.go_on(world.consume(world.queues.messages[-1:]), 0, Fate.DEATH)


@pytest.mark.parametrize(
    "expression", ["size(body) > :n", "a IN (:b)", "attribute_type(a, :t)", "a = :b extra", "a ? b"]
)
def test_a_condition_that_the_table_in_memory_does_not_know_is_refused(expression: str) -> None:
    with pytest.raises(NotInTheFakeError):
        condition(expression)


@pytest.mark.parametrize("expression", ["DELETE a :b", "SET a = list_append(a, :b)", "a = :b"])
def test_an_update_that_the_table_in_memory_does_not_know_is_refused(expression: str) -> None:
    with pytest.raises(NotInTheFakeError):
        update(expression)
