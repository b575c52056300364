"""One notice on its way, with its surroundings in memory: book, row, organization, and a provider that answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.domain.delivery.orders import Accepted, Order, ProviderAnswer
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Patient
from shared.domain.vocabulary.words import NoticeStatus
from shared.sending.permits import Turn
from shared.sending.send_notice import NoticeSender
from tests.worlds.examples import NOW, book, notice, organization
from tests.worlds.ledger import Ledger

IDS = "org_1", "G-1", "ntc_1"


def queued(**changes: Any) -> Notice:
    return notice(status=NoticeStatus.QUEUED, lease_until=NOW + timedelta(minutes=15), **changes)


class OpenGate:
    """A gate that always stands open."""

    def turn(self, _notices: int) -> Turn:
        return self

    def admit(self, _now: datetime) -> None:
        return None

    def record(self, _answer: ProviderAnswer, _now: datetime) -> None: ...


@dataclass
class Provider:
    """A channel whose provider gives the answers that a test wants."""

    answers: Iterator[ProviderAnswer] = field(default_factory=lambda: iter([Accepted(message_id="m-1")]))
    orders: list[Order] = field(default_factory=list)
    sent: list[Order] = field(default_factory=list)
    breaks: bool = False

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        if self.breaks:
            raise KeyError("Ada Example")
        self.orders.append(order)

        def send() -> ProviderAnswer:
            self.sent.append(order)
            return next(self.answers)

        return send


@dataclass
class World:
    """One process that sends: `calls` are those to its table, and things may happen just before one of them."""

    ledger: Ledger
    provider: Provider
    calls: list[str] = field(default_factory=list)
    happens: dict[str, Callable[[], object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.others = self.ledger.elsewhere()
        self.ledger.table.at = self._called

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        self.happens.pop(operation, lambda: None)()

    def before(self, operation: str, happens: Callable[[], object]) -> None:
        """Let something happen once, before the next call of this name; it may raise instead of the call."""
        self.happens[operation] = happens

    def sender(self) -> NoticeSender:
        return NoticeSender(
            self.ledger.books, self.ledger.rows, self.ledger.organizations, self.provider, gate=OpenGate()
        )

    def deliver(self, now: Any = NOW, patient: Patient | None = None) -> Notice | None:
        delivery = self.sender()
        if patient is not None:
            delivery.patient_of = lambda _: patient
        return delivery.deliver(*IDS, now)

    def move(self, step: Callable[[Notice], Notice]) -> None:
        """Somebody else moves the row on."""
        row = self.row
        self.others.move(row, step(row))

    @property
    def row(self) -> Notice:
        return self.others.row()

    @property
    def book(self) -> AccountBook:
        return self.others.book()


def world(
    *answers: ProviderAnswer, row: Notice | None = None, practice: Organization | None = None, **changes: Any
) -> World:
    """A practice with one account, whose one notice is queued."""
    ledger = Ledger()
    ledger.organizations.create(practice or organization())
    ledger.open(book(notices=(row or queued(),), **changes))
    return World(ledger, Provider(iter(answers)) if answers else Provider())
