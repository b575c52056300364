"""Fixtures that all tests may use."""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from tests.worlds import template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "dunlin-test"
FUNCTIONS = sorted(path.name for path in (Path(__file__).resolve().parents[1] / "functions").iterdir() if path.is_dir())


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach an AWS account, whatever the machine's own settings are."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Dunlin")


@pytest.fixture(autouse=True)
def _no_ports_of_another_test() -> Iterator[None]:
    """A function keeps its ports as long as its process lives, and they know this test's settings and AWS."""
    yield
    for name in FUNCTIONS:
        module = sys.modules.get(f"functions.{name}.ports")
        if module:
            module.ports.cache_clear()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS in this process. It takes one call at a time, because moto's tables aren't made for threads."""
    lock, answer = RLock(), BotocoreStubber.__call__

    def one_at_a_time(stubber: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:
        with lock:
            return answer(stubber, *args, **kwargs)

    monkeypatch.setattr(BotocoreStubber, "__call__", one_at_a_time)
    with mock_aws():
        yield


def create_table(client: "DynamoDBClient", name: str = TABLE) -> None:
    """Create the table with the keys and indexes that template.yaml gives it."""
    properties = template.source()["Resources"]["Table"]["Properties"]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=properties["AttributeDefinitions"],
        KeySchema=properties["KeySchema"],
        GlobalSecondaryIndexes=properties["GlobalSecondaryIndexes"],
    )


@pytest.fixture
def dynamodb(aws: None) -> "DynamoDBClient":
    """A client whose account has the product's table, named TABLE."""
    client = boto3.client("dynamodb")
    create_table(client)
    return client
