"""A practice with families in it: statements come, the clockwork runs, messages go, people text back and pay."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from functions.delivery_events.clock import Clock
from functions.delivery_events.inbound_texts import InboundTexts
from functions.delivery_events.text_answers import TextAnswers
from functions.payment_link.visits import Desk, LinkVisit
from shared.contracts.text_events import InboundText
from shared.domain.delivery.orders import Accepted, Order, ProviderAnswer
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.paying.patient_requests import WantedPayment
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import DunningSettings
from shared.domain.records.task import Task
from shared.domain.vocabulary.words import Channel
from shared.sending.send_notice import NoticeSender
from shared.storage import items
from shared.storage.account_books import AccountBooks
from shared.storage.links import Links
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from tests.worlds.aws import TABLE
from tests.worlds.cases import CasePractice, case_practice
from tests.worlds.examples import NOW
from tests.worlds.sending_world import OpenGate
from tests.worlds.text_provider import TextTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PHONE = "+15185550142"
A_WHILE = timedelta(hours=6, minutes=45)
"""How long after the plan messages go: within the hours of the day, which spread them."""
TEXTS = DunningSettings(configuration_id="text-first")


@dataclass
class Outbox:
    """The providers: what they took, by channel, to whom."""

    sent: list[tuple[Channel, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        def send() -> ProviderAnswer:
            self.sent.append((order.notice.channel, order.contact.destination or order.contact.name))
            self.links.append(order.link.token)
            return Accepted(message_id=f"m-{len(self.sent)}")

        return send


@dataclass
class Families:
    """The practice, what went out of it, and the desk behind its payment pages."""

    practice: CasePractice
    outbox: Outbox = field(default_factory=Outbox)

    @property
    def stores(self) -> tuple["DynamoDBClient", str]:
        return self.practice.dynamodb, TABLE

    @property
    def books(self) -> AccountBooks:
        return AccountBooks(*self.stores)

    @property
    def desk(self) -> Desk:
        return Desk(self.books, Links(*self.stores), Organizations(*self.stores))

    def takes(self, *statements: dict[str, Any], at: datetime = NOW, **header: Any) -> list[dict[str, Any]]:
        """Send statements; what became of each."""
        rows: list[dict[str, Any]] = self.practice.send(*statements, at=at, **header).body["statements"]
        return rows

    def account(self, account_id: str) -> AccountBook:
        return self.practice.book(account_id)

    def has(self, account_id: str) -> bool:
        return self.books.load("org_1", account_id) is not None

    def goes_out(self, *account_ids: str, at: datetime = NOW) -> list[tuple[Channel, str]]:
        """The clockwork runs, and what is due about these accounts goes; answers what went now, to whom."""
        before = len(self.outbox.sent)
        self.practice.plan(at)
        numbers = Numbers(*self.stores)
        for account_id in account_ids:
            for row in self.account(account_id).notices:
                parts = self.books, Notices(*self.stores), Organizations(*self.stores), self.outbox, OpenGate()
                own = numbers if row.channel is Channel.SMS else None
                NoticeSender(*parts, numbers=own).deliver("org_1", account_id, row.notice_id, at + A_WHILE)
        return self.outbox.sent[before:]

    def refusals(self, account_id: str) -> dict[Channel, str]:
        """Why channels aren't used, by the account's rows."""
        return {row.channel: row.reason for row in self.account(account_id).notices if row.reason}

    def hears(self, body: str, number: str = PHONE, at: datetime = NOW) -> None:
        """Somebody texts the practice."""
        books, organizations = self.books, Organizations(*self.stores)
        answers = TextAnswers(organizations, self._provider, self_managed=False)
        inbound = InboundTexts(books, Numbers(*self.stores), answers, Clock(simulated=False))
        text = {"originationNumber": number, "messageBody": body, "inboundMessageId": f"in-{at.isoformat()}-{body}"}
        inbound.receive(InboundText.model_validate(text), at, at)

    def _provider(self) -> Any:
        """Stands for the text provider's client."""
        return TextTable(self.practice.dynamodb)

    def link(self, account_id: str, statement_id: str = "", at: datetime = NOW) -> str:
        """A link to an account, or to one of its bills; its secret."""
        lives = timedelta(days=30)
        owner: dict[str, Any] = {"org_id": "org_1", "account_id": account_id, "statement_id": statement_id}
        issued = new_payment_link(**owner, now=at, lives=lives, random=token_bytes, sent_to="a***")
        self.books.commit(Change(account=self.account(account_id).account, links=(issued.link,)))
        return issued.token

    def visit(self, token: str, at: datetime = NOW) -> LinkVisit:
        found = self.desk.visit(token, at)
        assert found is not None
        return found

    def checkout(self, token: str, amount: int | None = None, statement_id: str = "", at: datetime = NOW) -> str:
        """Somebody goes to the processor; the reference."""
        return self.desk.begin_checkout(
            self.visit(token, at), WantedPayment(amount=amount, statement_id=statement_id), at
        ).checkout.reference

    def approves(self, reference: str, amount: int, at: datetime = NOW) -> None:
        """The processor took the money."""
        self.desk.completed("org_1", reference, amount, at)

    def balances(self) -> dict[tuple[str, str], int]:
        """What is owed on each bill that can be paid, by its account."""
        return {
            (book.account.account_id, bill.statement_id): bill.balance
            for book in self._all()
            for bill in book.bills
            if bill.payable
        }

    def money(self) -> int:
        """All money in all ledgers: what each posting moved, summed up."""
        return sum(payment.amount for book in self._all() for payment in book.payments)

    def tasks(self) -> list[Task]:
        """The tasks of the practice's staff."""
        found = self.practice.dynamodb.query(
            TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "W#org_1"}}
        )
        return [items.task_of(item) for item in found["Items"]]

    def _all(self) -> list[AccountBook]:
        pages = self.practice.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        keys = [item["pk"]["S"] for page in pages for item in page["Items"] if item["sk"]["S"] == "@"]
        names = [key.split("#", 2)[2] for key in keys if key.startswith("A#")]
        return [self.account(name) for name in names]


def families(dynamodb: "DynamoDBClient", **settings: Any) -> Families:
    """Open the practice; `settings` change the organization."""
    return Families(case_practice(dynamodb, **{"dunning": TEXTS, **settings}))
