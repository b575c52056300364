"""One deployed stack for all end-to-end tests, on a free port, stopped at the end."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.stack.watch import LocalStack

PROJECT = Path(__file__).resolve().parents[2]
ALL_SCOPES = "statements:write,read,manage,send,payments:write"


@dataclass
class Partner:
    """A partner's developer at work, at a simulated time that the test moves."""

    stack: LocalStack
    http: httpx.Client
    now: datetime = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
    organizations: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Call the API at this time."""
        asked = {
            "Dunlin-As-Of": self.now.isoformat(),
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return self.http.request(method, path, content=content, headers=asked)

    def organization(self, client_id: str, **members: Any) -> str:
        """Create an organization in New York that takes simulated payments; answers its id."""
        body = {
            "name": f"Practice {client_id}",
            "shortName": "Northside",
            "clientId": client_id,
            "timeZone": "America/New_York",
            "phone": "+15185550100",
            "address": {"line1": "1 Elm Street", "city": "Albany", "state": "NY", "postalCode": "12207"},
            "payments": {"processor": "sandbox"},
        }
        answer = self.call("POST", "/v1/organizations", body | members)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["orgId"])

    def sweep_until(self, end: datetime) -> None:
        """Let the scheduler run at each instant at which something is due, until `end`."""
        while True:
            report = self.stack.advance(self.now)
            self.stack.settle()
            if report.next_due_at is None or report.next_due_at > end:
                self.now = end
                return
            self.now = max(report.next_due_at, self.now)

    def days_go_by(self, days: int) -> None:
        """Let days go by, the scheduler running all the time."""
        self.sweep_until(self.now + timedelta(days=days))

    def notices(self, org_id: str, **query: str) -> list[dict[str, Any]]:
        """The organization's notification queue."""
        answer = self.http.get(f"/v1/organizations/{org_id}/notifications", params={"limit": 100, **query})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def local_stack(*words: str) -> None:
    """Run `python -m local.stack.stack`, as the Makefile does."""
    command = [sys.executable, "-m", "local.stack.stack", *words]
    outcome = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Deploy the unmodified template to a local AWS of its own."""
    state = tmp_path_factory.mktemp("local")
    local_stack("start", "--port", "0", "--state-dir", str(state))
    try:
        yield LocalStack.load(state / "stack.json")
    finally:
        local_stack("stop", "--state-dir", str(state))


@pytest.fixture(autouse=True)
def _at_the_local_aws(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)


def dunlin(stack: LocalStack, *words: str) -> Any:
    """Run the operators' command and answer what it printed as JSON."""
    command = [str(PROJECT / ".venv/bin/dunlin"), *words, "--stack", stack.name, "--json"]
    environment = {**os.environ, **stack.environment}
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)


@pytest.fixture
def new_partner(stack: LocalStack) -> Iterator[Callable[[], Partner]]:
    """Make partners, each with a key for everything."""
    clients: list[httpx.Client] = []

    def make(scopes: str = ALL_SCOPES) -> Partner:
        partner_id = dunlin(stack, "partner", "create", "--name", "Example Billing")["partnerId"]
        key = dunlin(stack, "key", "create", "--partner", partner_id, "--scopes", scopes)["key"]
        clients.append(httpx.Client(base_url=stack.api_url, headers={"Authorization": f"Bearer {key}"}, timeout=60))
        return Partner(stack, clients[-1])

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def partner(new_partner: Callable[[], Partner]) -> Partner:
    return new_partner()


def statement(statement_id: str, client_id: str, **members: Any) -> dict[str, Any]:
    """A valid statement of a made-up family."""
    address = {"line1": "12 Juniper Way", "city": "Albany", "state": "NY", "postalCode": "12207"}
    charge = {
        "date": "2026-02-01",
        "code": "99213",
        "description": "Office visit",
        "billed": "120.00",
        "insurancePaid": "30.00",
        "adjustment": "15.40",
        "patientPaid": "0.00",
        "balance": "74.60",
    }
    body = {
        "statementId": statement_id,
        "clientId": client_id,
        "totalBilled": "120.00",
        "totalBalance": "74.60",
        "guarantor": {
            "guarantorId": f"G-{statement_id}",
            "firstName": "Ada",
            "lastName": "Example",
            "email": f"ada.{statement_id.lower()}@example.com",
            "mobilePhone": "5185550123",
            "dateOfBirth": "1980-02-29",
            "address": address,
        },
        "patients": [
            {
                "accountId": f"P-{statement_id}",
                "firstName": "Ben",
                "lastName": "Example",
                "dateOfBirth": "2015-06-07",
                "visits": [{"date": "2026-02-01", "provider": {"name": "Dr. Grace Sample"}, "charges": [charge]}],
            }
        ],
    }
    return body | members


def link_in(text: str) -> str:
    """The payment link in a message."""
    found = re.search(r"http\S+/pay/\S+", text)
    assert found
    return found.group()


class Form:
    """A page's form as a browser without script sends it."""

    def __init__(self, page: httpx.Response, action: str) -> None:
        """Find the form whose action ends with a word, and what its hidden fields carry."""
        for found in re.finditer(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page.text, re.DOTALL):
            self.action, inside = found.group(1).replace("&amp;", "&"), found.group(2)
            if self.action.split("?")[0].endswith(action):
                break
        else:
            pytest.fail(f"no form for {action} on the page")
        hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", inside)
        self.fields = {
            re.search(r"name=\"([^\"]*)\"", tag).group(1): re.search(r"value=\"([^\"]*)\"", tag).group(1)  # type: ignore[union-attr]  # an input has both
            for tag in hidden
        }
        self.page = page

    def send(self, browser: httpx.Client, **answers: str) -> httpx.Response:
        """Send it, with what a person fills in."""
        return browser.post(self.page.url.join(self.action), data={**self.fields, **answers})
