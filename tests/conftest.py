"""Fixtures that all tests may use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.worlds.aws import create_table, empty_aws
from tests.worlds.properties import load_profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

load_profile()


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach an AWS account, whatever the machine's own settings are."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Dunlin")


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS in this process."""
    with empty_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> "DynamoDBClient":
    """A client whose account has the product's table, named TABLE."""
    return create_table()
