"""Fixtures of the tests that reach the table through a function."""

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from functions.manage.settings import dependencies
from functions.payment_link import frame
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.clinic import BASE, KEY, PROCESSOR, Clinic, open_clinic
from tests.worlds.examples import organization

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def manage_table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Iterator["DynamoDBClient"]:
    """The product's table, which the function's settings name, with one organization of OWN in it."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("ALLOW_SIMULATED_TIME", "true")
    monkeypatch.delenv("SANDBOX_PROCESSOR_URL", raising=False)
    dependencies.cache_clear()
    Organizations(dynamodb, TABLE).create(organization())
    yield dynamodb
    dependencies.cache_clear()


@pytest.fixture
def manage_books(manage_table: "DynamoDBClient") -> AccountBooks:
    """The account books of that table."""
    return AccountBooks(manage_table, TABLE)


@pytest.fixture
def clinic(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """A practice that takes payments through the simulated processor."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("PUBLIC_BASE_URL", BASE)
    monkeypatch.setenv("ALLOW_SIMULATED_TIME", "true")
    monkeypatch.setenv("SANDBOX_PROCESSOR_URL", PROCESSOR)
    monkeypatch.setenv("SANDBOX_PROCESSOR_KEY", KEY)
    frame.settings.cache_clear()
    frame.dependencies.cache_clear()
    yield open_clinic(dynamodb, organization(payments=PaymentSettings(processor=Processor.SANDBOX)))
    frame.settings.cache_clear()
    frame.dependencies.cache_clear()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the payment pages log."""
    written = StringIO()
    monkeypatch.setattr(frame.logger.registered_handler, "stream", written)
    return written
