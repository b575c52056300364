"""What a notice and a statement cost, counted with the functions' own handlers: calls to the table, and write units.

Counts are exact, so each is held by a test: a new write, index entry or read fails one of these. Why they are what they
are is in docs/decisions/0044-what-a-notice-costs.md.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from functions.delivery_events import handler as delivery_events
from functions.delivery_events.ports import ports as delivery_events_ports
from functions.ingest.ports import ports as ingest_ports
from functions.send_email import handler as send_email
from shared.contracts.email_tags import ATTEMPT_TAG, NOTICE_TAG, ORGANIZATION_TAG
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import Channel, NoticeStatus
from shared.messaging import clients
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE, memory_table
from tests.worlds.bounds import some
from tests.worlds.channel_stack import DOCUMENT, ChannelStack, channel_stack
from tests.worlds.examples import NOW, account, bill, organization
from tests.worlds.ingest_api import BUCKET, Partner, results
from tests.worlds.lambda_context import lambda_context
from tests.worlds.scheduler_stack import END_OF_DAY, Stack, scheduler_stack
from tests.worlds.statement_examples import EVENTS, SAMPLE, statement
from tests.worlds.wiring import wired
from tests.worlds.write_units import WriteUnits, write_units

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACCOUNT = {
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 100.0, "SentLast24Hours": 20.0},
}
REPORT = json.loads((EVENTS / "delivery_events_email.json").read_text())
EMAIL = "N#email", "A#@", "L#", "T#@", "H#@"
"""What is written because of an email, but for what many share: the gate, the leases of shards."""

type Told = Callable[[str, object], None]


@dataclass
class Post:
    """A practice whose accounts get an email each: the scheduler, the email channel and the provider's events."""

    scheduler: Stack
    channel: ChannelStack

    def owe(self, number: int) -> None:
        """So many accounts are due, each with a bill."""
        books, who = self.scheduler.books, account().guarantor
        rests = replace(self.scheduler.book().account, planning_at=None)
        books.commit(Change(account=rests))
        for n in range(number):
            name = f"G-{n + 100}"
            guarantor = replace(who, guarantor_id=name, mobile_phone="", address=None)
            new = account(account_id=name, guarantor=guarantor, planning_at=NOW)
            books.commit(Change(account=new, bills=(bill(f"S-{n + 100}", document=DOCUMENT),)))

    def planned(self) -> WriteUnits:
        with write_units(memory_table()) as counted:
            self.scheduler.sweep()
        return counted

    def queued(self) -> WriteUnits:
        with write_units(memory_table()) as counted:
            self.scheduler.sweep(END_OF_DAY)
        return counted

    def messages(self) -> list[dict[str, Any]]:
        """All that the email queue holds."""
        found = list[dict[str, Any]]()
        while more := self.scheduler.messages(Channel.EMAIL):
            found += more
        return found

    def sent(self, batch: int) -> WriteUnits:
        """What is queued is sent, so many in each invocation."""
        records = [self.channel.message(**message) for message in self.messages()]
        with write_units(memory_table()) as counted:
            for first in range(0, len(records), batch):
                assert self.channel.handle(*records[first : first + batch]) == []
        return counted

    def reported(self, kind: str) -> WriteUnits:
        """The provider tells the same of each email that went."""
        events = [_report(row, kind) for row in self.rows()]
        with write_units(memory_table()) as counted:
            for event in events:
                delivery_events.lambda_handler(event, lambda_context())
        return counted

    def rows(self) -> list[Notice]:
        """The emails of the accounts."""
        keys = [pk.split("#", 2)[2] for pk, sk in memory_table().items if pk.startswith("A#") and sk == "@"]
        books = [self.scheduler.book(name) for name in keys if name != "G-1"]
        return [row for book in books for row in book.notices if row.channel is Channel.EMAIL]


def _report(row: Notice, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(json.dumps(REPORT))
    told = json.loads(event["Records"][0]["Sns"]["Message"])
    told["eventType"] = kind
    told["mail"]["messageId"] = row.provider_message_id
    told["mail"]["tags"] |= {
        NOTICE_TAG: [row.notice_id],
        ORGANIZATION_TAG: [row.org_id],
        ATTEMPT_TAG: [str(row.attempt)],
    }
    event["Records"][0]["Sns"]["Message"] = json.dumps(told)
    return event


@pytest.fixture
def post(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Post:
    clients.ses().create_email_identity(EmailIdentity="billing@dunlin.example")
    channel = channel_stack(send_email, "send_email", dynamodb, monkeypatch)
    channel.answers["GetAccount"] = ACCOUNT
    wired(monkeypatch, delivery_events_ports, TABLE_NAME=TABLE, ALLOW_SIMULATED_TIME="true")
    return Post(scheduler_stack(dynamodb), channel)


def statuses(post: Post) -> set[NoticeStatus]:
    return {row.status for row in some(post.rows())}


# --- a notice ------------------------------------------------------------------------------------------------------


def test_a_due_account_comes_to_a_queued_notice_in_three_calls(post: Post, record_property: Told) -> None:
    """The book, its plan, the notice's move; and what whole pages share."""
    post.owe(400)
    calls = (post.planned().calls + post.queued().calls).total() / 400
    assert statuses(post) == {NoticeStatus.QUEUED}
    record_property("due account to queued notice: calls", calls)
    assert calls <= 3.2


def test_an_email_costs_this_many_write_units_from_plan_to_delivered(post: Post, record_property: Told) -> None:
    post.owe(20)
    plan, queue, send = post.planned(), post.queued(), post.sent(10)
    accepted, delivered = post.reported("Send"), post.reported("Delivery")
    assert statuses(post) == {NoticeStatus.DELIVERED}
    steps = {
        step: counted.of(*EMAIL) / 20
        for step, counted in {
            "plan": plan,
            "queue": queue,
            "send": send,
            "accept": accepted,
            "deliver": delivered,
        }.items()
    }
    record_property("email from plan to delivered: write units", sum(steps.values()))
    assert steps == {"plan": 9, "queue": 4, "send": 14, "accept": 0, "deliver": 2}


def test_a_notice_that_comes_alone_costs_the_three_calls_and_the_gates(post: Post, record_property: Told) -> None:
    post.owe(20)
    post.planned(), post.queued()
    counted = post.sent(1)
    assert statuses(post) == {NoticeStatus.SENT}
    # Of them all: the organization is read once, and so are the provider's limits, by who writes that down.
    record_property("send, alone: calls to the table", (counted.calls.total() - 2) / 20)
    assert counted.calls == {
        "query": 20,
        "update_item": 20 + 1,
        "transact_write_items": 20,
        "put_item": 20,
        "get_item": 1,
    }


# --- a statement ---------------------------------------------------------------------------------------------------


@pytest.fixture
def partner(dynamodb: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> Partner:
    wired(monkeypatch, ingest_ports, TABLE_NAME=TABLE, DROP_BUCKET=BUCKET, ALLOW_SIMULATED_TIME="true")
    Organizations(dynamodb, TABLE).create(organization())
    return Partner()


def new_statements(number: int) -> list[dict[str, Any]]:
    """New ones of ten lines, each of a guarantor of its own."""
    charge = SAMPLE["statements"][0]["patients"][0]["visits"][0]["charges"][0]
    lines = [charge | {"code": f"9921{n}", "balance": f"{n}.{n}0"} for n in range(10)]
    visit = {"patients__0__visits__0__charges": lines}
    return [statement(f"S-{n:04}", guarantor__guarantorId=f"G-{n}", **visit) for n in range(number)]


def test_a_new_statement_with_its_account_costs_this_many_write_units(partner: Partner, record_property: Told) -> None:
    with write_units(memory_table()) as counted:
        assert set(results(partner.send(*new_statements(100)))) == {"Created"}
    units = {item: count / 100 for item, count in counted.by_item.items() if item.startswith(("A#", "B#", "F#", "S#"))}
    record_property("new statement with its account: write units", sum(units.values()))
    own = {"A#@ base": 2, "A#@ due": 1, "A#@ organization": 1, "A#@ statement": 1, "B# base": 2, "B# statement": 1}
    found_by = {"F# base": 14, "F# organization": 7}
    assert units == own | {"S#@ base": 2} | found_by


def test_statements_that_come_again_unchanged_write_nothing_but_what_became_of_them(
    partner: Partner, record_property: Told
) -> None:
    partner.send(*new_statements(100))
    with write_units(memory_table()) as counted:
        again = replace(partner, at=later(NOW)).send(*new_statements(100))
    assert set(results(again)) == {"Ignored"}
    of_accounts = sum(units for item, units in counted.by_item.items() if not item.startswith(("I#", "R#", "Q#")))
    record_property("identical statement: write units", of_accounts)
    assert of_accounts == 0


def later(moment: datetime) -> datetime:
    return moment.replace(hour=moment.hour + 1)
