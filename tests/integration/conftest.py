"""Fixtures of the tests that reach the table through a function."""

from io import StringIO
from typing import TYPE_CHECKING

import pytest

from functions.manage.ports import ports as manage_ports
from functions.payment_link import frame
from functions.payment_link.ports import ports as payment_link_ports
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.clinic import BASE, KEY, PROCESSOR, Clinic, open_clinic
from tests.worlds.examples import organization
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def manage_table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """The product's table, which the function's settings name, with one organization of OWN in it."""
    monkeypatch.delenv("SANDBOX_PROCESSOR_URL", raising=False)
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true")
    Organizations(dynamodb, TABLE).create(organization())
    return dynamodb


@pytest.fixture
def manage_books(manage_table: "DynamoDBClient") -> AccountBooks:
    """The account books of that table."""
    return AccountBooks(manage_table, TABLE)


@pytest.fixture
def clinic(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """A practice that takes payments through the simulated processor."""
    settings = {"TABLE_NAME": TABLE, "PUBLIC_BASE_URL": BASE, "ALLOW_SIMULATED_TIME": "true"}
    sandbox = {"SANDBOX_PROCESSOR_URL": PROCESSOR, "SANDBOX_PROCESSOR_KEY": KEY}
    wired(monkeypatch, payment_link_ports, **settings, **sandbox)
    return open_clinic(dynamodb, organization(payments=PaymentSettings(processor=Processor.SANDBOX)))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the payment pages log."""
    written = StringIO()
    monkeypatch.setattr(frame.logger.registered_handler, "stream", written)
    return written
