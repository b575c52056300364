"""Fixtures that all tests may use."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worlds.aws import create_table, empty_aws
from tests.worlds.properties import load_profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FUNCTIONS = sorted(path.name for path in (Path(__file__).resolve().parents[1] / "functions").iterdir() if path.is_dir())
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


@pytest.fixture(autouse=True)
def _no_ports_of_another_test() -> Iterator[None]:
    """A function keeps its ports as long as its process lives, and they know this test's settings and AWS."""
    yield
    for name in FUNCTIONS:
        module = sys.modules.get(f"functions.{name}.ports")
        if module:
            module.ports.cache_clear()


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS in this process."""
    with empty_aws():
        yield


@pytest.fixture
def dynamodb(aws: None, request: pytest.FixtureRequest) -> "DynamoDBClient":
    """A client whose account has the product's table, named TABLE: in memory, or by moto where a test is marked so."""
    return create_table(moto=request.node.get_closest_marker("moto") is not None)
