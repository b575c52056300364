"""Fixtures of the tests that reach the table through a function."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient

from functions.ingest.ports import ports as ingest_ports
from functions.manage.ports import ports as manage_ports
from functions.payment_link import frame, sandbox
from functions.payment_link.ports import ports as payment_link_ports
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.messaging.service_models import OPERATIONS
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations
from tests.worlds import permissions
from tests.worlds.aws import TABLE
from tests.worlds.cases import CasePractice, case_practice
from tests.worlds.clinic import BASE, KEY, PROCESSOR, Clinic, open_clinic
from tests.worlds.examples import organization
from tests.worlds.ingest_api import BUCKET
from tests.worlds.stripe_clinic import STRIPE, StripeClinic, simulated_stripe, store_secrets
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FOLDER = Path(__file__).parent
CALLED = pytest.StashKey[set[tuple[str, permissions.Call]]]()
"""What the functions called in all tests so far."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What no test calls is known after all of them: who asks that runs last, and only where all of them run."""
    asking = [item for item in items if item.get_closest_marker("after_all")]
    items[:] = [item for item in items if item not in asking]
    chosen = config.option.keyword or config.option.markexpr or any("::" in argument for argument in config.args)
    here = {item.path for item in items if item.path.parent == FOLDER} | {item.path for item in asking}
    if chosen or here != set(FOLDER.glob("test_*.py")):
        config.hook.pytest_deselected(items=asking)
    else:
        items += asking


@pytest.fixture
def called(request: pytest.FixtureRequest) -> set[tuple[str, permissions.Call]]:
    """Each call that a function made in any test so far, with the function's name."""
    return request.config.stash.setdefault(CALLED, set())


@pytest.fixture(autouse=True)
def _within_its_role(called: set[tuple[str, permissions.Call]], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No function makes a call that its role in template.yaml doesn't allow, or that the artifacts have no model of.

    Here both would pass: the local AWS knows no roles, and botocore has all models.
    """
    unknown = set[str]()
    make, refused = BaseClient._make_api_call, set[str]()  # type: ignore[attr-defined] # noqa: SLF001 - botocore's one way out

    def watched(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        function = permissions.calling()
        if function is not None:
            service = client.meta.service_model.service_name
            calls = set(permissions.needed(service, operation, parameters))
            unknown.update({f"{service}.{operation}"} if operation not in OPERATIONS[service] else ())
            called.update((function, call) for call in calls)
            refused.update(f"{function}: {call}" for call in calls if not permissions.permits(function, call))
        return make(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", watched)
    yield
    assert not unknown, f"not in the trimmed models, shared/messaging/service_models.py: {sorted(unknown)}"
    assert not refused, f"not allowed by the role in template.yaml: {sorted(refused)}"


@pytest.fixture
def manage_table(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """The product's table, which the function's settings name, with one organization of OWN in it."""
    monkeypatch.delenv("SANDBOX_PROCESSOR_URL", raising=False)
    wired(monkeypatch, manage_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true", WEBHOOK_KEY="alias/aws/ssm")
    Organizations(dynamodb, TABLE).create(organization())
    return dynamodb


@pytest.fixture
def manage_books(manage_table: "DynamoDBClient") -> AccountBooks:
    """The account books of that table."""
    return AccountBooks(manage_table, TABLE)


@pytest.fixture
def ended_checkouts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The checkouts that the simulated processor was asked to end; nobody is asked."""
    ended = list[str]()

    def expire(_processor: str, session: str, _key: str) -> bool:
        ended.append(session)
        return True

    monkeypatch.setattr(sandbox, "expire", expire)
    return ended


@pytest.fixture
def clinic(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch, ended_checkouts: list[str]) -> Clinic:
    """A practice that takes payments through the simulated processor, which isn't there."""
    assert not ended_checkouts
    settings = {"TABLE_NAME": TABLE, "PUBLIC_BASE_URL": BASE, "ALLOW_SIMULATED_TIME": "true"}
    sandbox = {"SANDBOX_PROCESSOR_URL": PROCESSOR, "SANDBOX_PROCESSOR_KEY": KEY}
    wired(monkeypatch, payment_link_ports, **settings, **sandbox)
    return open_clinic(dynamodb, organization(payments=PaymentSettings(processor=Processor.SANDBOX)))


@pytest.fixture
def practice(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> CasePractice:
    """A practice that the cases of tests/cases are played at."""
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    return case_practice(dynamodb)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the payment pages log."""
    written = StringIO()
    monkeypatch.setattr(frame.logger.registered_handler, "stream", written)
    return written


@pytest.fixture
def stripe_clinic(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeClinic]:
    """A practice that takes payments through a simulated Stripe, over HTTP."""
    with simulated_stripe() as server:
        store_secrets(server)
        settings = {"TABLE_NAME": TABLE, "PUBLIC_BASE_URL": BASE, "ALLOW_SIMULATED_TIME": "true"}
        wired(monkeypatch, payment_link_ports, **settings, STRIPE_API_URL=server.url)
        yield StripeClinic(open_clinic(dynamodb, organization(payments=STRIPE)), server)
