"""Practices of a simulated month that differ in one thing each: what is done to them, and what was sent."""

import json
import time as clock
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import httpx
import pytest

from local.stack.watch import LocalStack
from tests.worlds.deployed_stack import new_key
from tests.worlds.partner_at_work import Partner, statement

NEW_YORK = ZoneInfo("America/New_York")

EVERYTHING = ["email", "print", "sms"]

_PATIENCE_SECONDS = 30.0


def statement_of(name: str, **members: Any) -> dict[str, Any]:
    """The statement of a practice's one family."""
    return statement(f"S-{name.upper()}", f"SET-{name.upper()}", **members)


def new_york(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment on the practices' clocks."""
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


@dataclass
class World:
    """A month of practices that differ in one setting each; `seen` is what was answered on the way."""

    stack: LocalStack
    partner: Partner
    orgs: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str, rest: str = "") -> str:
        """An organization's path; {S} and {G} stand for its one statement and account."""
        rest = rest.replace("{S}", f"S-{name.upper()}").replace("{G}", f"G-S-{name.upper()}")
        return f"/v1/organizations/{self.orgs[name]}{rest}"

    def ask(self, method: str, name: str, rest: str = "", body: Any = None) -> Any:
        """Call the API about a practice; answers the JSON."""
        answer = self.partner.call(method, self.path(name, rest), body)
        assert answer.is_success, f"{name}: {answer.text}"
        return answer.json()

    def send(self, *statements: dict[str, Any]) -> dict[str, str]:
        """Send statements; answers the result by statement."""
        answer = self.partner.call("POST", "/v1/statements", {"statements": list(statements)})
        assert answer.status_code == 200, answer.text
        return {row["statementId"]: row["result"] for row in answer.json()["statements"]}

    def pay(self, name: str, amount: str) -> None:
        """Post a payment taken at the desk today."""
        body = {"amount": amount, "method": "cash", "receivedOn": str(self.partner.now.astimezone(NEW_YORK).date())}
        self.ask("POST", name, "/bills/{S}/payments", body)

    def at(self, day: date, hour: int, minute: int = 0) -> None:
        """Let it be then, and the scheduler run until nothing is left to do by then."""
        self.partner.now = new_york(day, hour, minute)
        while True:
            report = self.stack.advance(self.partner.now)
            self.stack.settle()
            if report.next_due_at is None or report.next_due_at > self.partner.now:
                return

    def queue(self, name: str) -> list[dict[str, Any]]:
        """A practice's queue."""
        return self.partner.notices(self.orgs[name])

    def went(self, name: str) -> dict[date, list[str]]:
        """What went, by day, such as `email: Initial (1)`."""
        days: dict[date, list[str]] = {}
        for notice in self.queue(name):
            if notice["sentAt"]:
                day = datetime.fromisoformat(notice["sentAt"]).astimezone(NEW_YORK).date()
                said = f"{notice['channel']}: {notice['notificationType']} ({notice['level']})"
                days[day] = sorted([*days.get(day, []), said])
        return days

    def refused(self, name: str) -> dict[str, str]:
        """Why what didn't go on a channel didn't."""
        stopped = ("WillNotSend", "Cancelled")
        return {notice["channel"]: notice["reason"] for notice in self.queue(name) if notice["status"] in stopped}

    def bill(self, name: str) -> dict[str, Any]:
        """A practice's one bill."""
        found: dict[str, Any] = self.ask("GET", name, "/bills/{S}")
        return found

    def be_silent(self, names: Iterable[str]) -> None:
        """Let these practices have nothing planned any more; the tests that come after use the same stack."""
        for name in names:
            self.ask("PATCH", name, "", {"accountStatus": "Inactive"})
        self.at(self.partner.now.astimezone(NEW_YORK).date(), 17, 50)

    def bounce(self, name: str) -> None:
        """Let the provider say on its topic that the email sent bounced permanently; until that is in the queue."""
        [notice] = [notice for notice in self.queue(name) if notice["channel"] == "email"]
        assert notice["status"] == "Sent", notice
        tags = {"notice_id": [notice["notificationId"]], "org_id": [self.orgs[name]]}
        [mail] = [mail for mail in self.stack.sent_mail() if f"ada.s-{name}@example.com" in mail.to][-1:]
        event = {
            "eventType": "Bounce",
            "mail": {"messageId": mail.message_id, "tags": tags},
            "bounce": {"bounceType": "Permanent", "bouncedRecipients": []},
        }
        at_the_stack: dict[str, Any] = {
            "endpoint_url": self.stack.endpoint,
            "region_name": self.stack.region,
            "aws_access_key_id": self.stack.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.stack.environment["AWS_SECRET_ACCESS_KEY"],
        }
        topic = boto3.client("cloudformation", **at_the_stack).describe_stack_resource(
            StackName=self.stack.name, LogicalResourceId="EmailEventsTopic"
        )["StackResourceDetail"]["PhysicalResourceId"]
        boto3.client("sns", **at_the_stack).publish(TopicArn=topic, Message=json.dumps(event))
        deadline = clock.monotonic() + _PATIENCE_SECONDS
        while clock.monotonic() < deadline:
            if "UndeliverablePermanent" in {row["status"] for row in self.queue(name)}:
                return
            clock.sleep(0.1)
        pytest.fail(f"the provider's event about {name} had no effect")


def all_three(step: str) -> list[str]:
    return [f"{channel}: {step}" for channel in EVERYTHING]


def electronic(step: str) -> list[str]:
    return [f"{channel}: {step}" for channel in EVERYTHING if channel != "print"]


def new_world(stack: LocalStack, client: httpx.Client, now: datetime) -> World:
    """A partner whose practices have their settings, and no statement yet."""
    client.headers["Authorization"] = f"Bearer {new_key(stack)}"
    return World(stack, Partner(stack, client, now))
