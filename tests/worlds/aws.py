"""AWS in this process, empty for each test: by moto, but for the table, which is in memory (table_service.py).

Its clients are the product's own, made once for all tests. Making a client costs more than most tests do; so what a
test hangs onto one, it hangs on by `listen`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from moto import mock_aws
from moto.core import models
from moto.core.botocore_stubber import BotocoreStubber

from shared.messaging import clients
from tests.worlds import template
from tests.worlds.memory_table import MemoryTable
from tests.worlds.table_service import TableService

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "dunlin-test"

type Handler = Callable[..., Any]

_LISTENING: list[tuple[Any, str, Handler]] = []
_ONE_AT_A_TIME, _ANSWER = RLock(), BotocoreStubber.__call__
_TABLES = TableService()


def _answered(stubber: BotocoreStubber, event_name: str, request: Any, **kwargs: Any) -> Any:
    """Answer one call after the other: neither kind of tables is made for threads."""
    with _ONE_AT_A_TIME:
        return (stubber.enabled and _TABLES.answer(request)) or _ANSWER(stubber, event_name, request, **kwargs)


@contextmanager
def empty_aws() -> Iterator[None]:
    """An account with nothing in it; afterwards, nobody listens to the clients any more."""
    with (
        # moto would also stand in the way of the `requests` library, method by method and service by service.
        patch.object(models, "RESPONSES_METHODS", []),
        patch.object(BotocoreStubber, "__call__", _answered),
        mock_aws(),
    ):
        try:
            yield
        finally:
            _TABLES.forget()
            while _LISTENING:
                client, event, handler = _LISTENING.pop()
                client.meta.events.unregister(event, handler)


def memory_table(name: str = TABLE) -> MemoryTable:
    """The table in memory itself, to see what is written to it."""
    return _TABLES.tables[name]


def listen(client: Any, event: str, handler: Handler) -> None:
    """Hear a client's event, "before-call.dynamodb" for instance, until the test ends."""
    client.meta.events.register(event, handler)
    _LISTENING.append((client, event, handler))


def forget_clients() -> None:
    """Have clients made anew, which ask the environment where AWS is."""
    clients._session.cache_clear()  # noqa: SLF001 - the product never needs this
    clients._client.cache_clear()  # noqa: SLF001 - the same


def create_table(name: str = TABLE, *, moto: bool = False) -> "DynamoDBClient":
    """Create the table with the keys and indexes that template.yaml gives it; answers a client that knows it.

    moto: it is one of moto's, and not in memory.
    """
    client = clients.dynamodb()
    if not moto and os.environ.get("DYNAMODB") != "moto":
        _TABLES.tables[name] = MemoryTable()
        return client
    properties = template.source()["Resources"]["Table"]["Properties"]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=properties["AttributeDefinitions"],
        KeySchema=properties["KeySchema"],
        GlobalSecondaryIndexes=properties["GlobalSecondaryIndexes"],
    )
    return client
