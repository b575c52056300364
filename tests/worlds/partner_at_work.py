"""A partner's developer, who calls the API of a deployed stack as time goes by."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from local.stack.watch import LocalStack


@dataclass
class Partner:
    """Calls with a key of theirs, at a simulated time that the test moves."""

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
