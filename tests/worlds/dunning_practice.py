"""A practice through time: several guarantors, and a scheduler and channels that act as the real ones do.

It stands on the domain alone. What DynamoDB, SQS and the providers do is told by its methods: a sweep plans and queues,
a channel takes what is queued, a provider answers or doesn't. Time passes only when it is told to.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum

from shared.domain.account.account_changes import change_account
from shared.domain.account.bill_status import StatusRefusedError, set_status
from shared.domain.account.contacts import GUARANTOR, number_hash
from shared.domain.account.number_stops import NumberStop, heed_stop
from shared.domain.account.queue_actions import ActionRefusedError, QueueAction, act
from shared.domain.account.reconciliation import lease_ended
from shared.domain.account.worklist import clear
from shared.domain.calendar.send_window import local_date
from shared.domain.delivery.orders import (
    Accepted,
    Postponed,
    ProviderAnswer,
    Rejected,
    Unanswered,
    answered,
    claimed,
    deferred,
    failure,
    may_be_taken,
    refused,
)
from shared.domain.delivery.settlement import DeliveryOutcome, settle
from shared.domain.dunning import judge, plan, with_notices
from shared.domain.dunning.decision import Defer, Plan, Refuse, Send
from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.lifetime import active_bills
from shared.domain.intake.moving import depart
from shared.domain.intake.receive import receive_statement
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, Notice, moved
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Guarantor, OptOuts, Patient, Statement
from shared.domain.texting.inbound_texts import TextMeaning
from shared.domain.texting.text_consent import ReceivedText, restart_texts, stop_texts
from shared.domain.vocabulary.words import BillStatus, BillType, Channel, NoticeStatus, NotificationType

QUEUE_LEASE = timedelta(minutes=15)
"""How long a channel may take with a queued notice before it is queued again, as functions/scheduler has it."""

SECOND = timedelta(seconds=1)

MOST_RUNS = 5000
"""More than any two months have use for."""


class Weather(Enum):
    """What becomes of the next messages of a channel."""

    FINE = "accepted"
    REFUSED = "rejected, though not for its address"
    BAD_ADDRESS = "rejected for its address"
    BUSY = "postponed"
    SILENT = "no answer"
    CRASH = "the channel dies after the call"
    LOST = "the queue's message is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """One call to a provider that took the message, or may have: of which notice, when, saying what."""

    account_id: str
    notice_id: str
    channel: Channel
    at: datetime
    kind: NotificationType
    level: int
    bills: tuple[BillLevel, ...]
    name: str = ""


@dataclass(slots=True)
class Practice:
    """One organization, its guarantors' books, and the world around them.

    look_at_plan sees each plan that the scheduler makes; look_at_send each message just before a provider gets it.
    """

    organization: Organization
    now: datetime
    books: dict[str, AccountBook] = field(default_factory=dict)
    weather: dict[Channel, Weather] = field(default_factory=lambda: dict.fromkeys(Channel, Weather.FINE))
    went: list[Went] = field(default_factory=list)
    look_at_plan: Callable[[AccountBook, AccountBook, Plan], None] = lambda _before, _after, _plan: None
    look_at_send: Callable[[AccountBook, Notice, Send], None] = lambda _book, _notice, _send: None
    files: int = 0
    received: int = 0
    stops: dict[str, NumberStop] = field(default_factory=dict)
    texted: set[tuple[str, str]] = field(default_factory=set)

    @property
    def today(self) -> date:
        """The organization's calendar day."""
        return local_date(self.now, self.organization.zone)

    def apply(self, change: Change | None) -> bool:
        """Write a change, as one transaction; False: there is none."""
        if change is None:
            return False
        account = replace(change.account, version=change.account.version + 1)
        known = self.books.get(account.account_id) or AccountBook(account=account)
        self.books[account.account_id] = known.after(replace(change, account=account))
        return True

    # --- what happens to accounts ------------------------------------------------------------------------------

    def statement(
        self,
        statement: Statement,
        bill_type: BillType,
        time_zones: tuple[str, ...] = ("America/New_York",),
    ) -> Received:
        """A partner's statement comes, perhaps for another guarantor than before."""
        self.files += 1
        delivery = IntakeContext(
            organization=self.organization, bill_type=bill_type, ingestion_id=f"ing-{self.files}", now=self.now
        )
        number = number_hash(statement.guarantor.mobile_phone)
        arrival = Arrival(
            statement=statement,
            document=_document(statement),
            time_zones=time_zones,
            number_stop=self.stops.get(number),
        )
        others = (book for account_id, book in self.books.items() if account_id != statement.account_id)
        leaving = (
            depart(book, _taken(book, arrival, delivery), statement.guarantor, statement.account_id, delivery)
            for book in others
        )
        departures = [departure for departure in leaving if departure]
        received = receive_statement(self.books.get(statement.account_id), arrival, delivery, departures)
        if self.apply(received.change):
            for departure in departures:
                self.apply(departure.left)
            stopped = self.books[statement.account_id].account.stopped_numbers
            self.texted |= {(statement.account_id, each) for each in stopped}
        return received

    def number_says(self, phone: str, meaning: TextMeaning) -> None:
        """A number texts STOP or START: that is kept under the number, and done to the accounts that texted it."""
        self.files += 1
        number, stopped = number_hash(phone), meaning is TextMeaning.STOP
        self.stops[number] = NumberStop(number=number, stopped=stopped, wording=meaning, said_at=self.now)
        text = ReceivedText(text_id=f"text-{self.files}", number=number, said_at=self.now)
        act_on = stop_texts if stopped else restart_texts
        for account_id, known in sorted(self.texted):
            if known == number:
                self.apply(act_on(self.books[account_id], text, {GUARANTOR}, meaning, self.now))

    def payment(self, account_id: str, amount: int, statement_id: str = "", method: str = "cash") -> None:
        """Money comes in, or goes back; for a bill it is posted where that is by now, as the API finds it."""
        self.files += 1
        named = self.books[account_id].bill(statement_id)
        if named and named.moved_to:
            account_id = named.moved_to
        received = PaymentReceived(
            payment_id=f"pay-{self.files}",
            amount=amount,
            method=method,
            received_on=self.today,
            statement_id=statement_id,
        )
        if self.apply(post_payment(self.books[account_id], self.organization, received, self.now, "test")):
            self.received += amount

    def change_account(self, account_id: str, change: Callable[[Account], Account]) -> None:
        """A person changes an account."""
        book = self.books[account_id]
        self.apply(change_account(book, change(book.account), self.now, "staff"))
        self.heeds_stops(account_id)

    def heeds_stops(self, account_id: str) -> None:
        """An account learns what its guarantor's number said to others."""
        book = self.books[account_id]
        number = number_hash(book.account.guarantor.mobile_phone)
        if self.apply(heed_stop(book, self.stops.get(number), self.now)):
            self.texted.add((account_id, number))

    def set_status(self, account_id: str, statement_id: str, status: BillStatus) -> None:
        """A person sets a bill's status, if that is allowed."""
        with suppress(StatusRefusedError):
            self.apply(set_status(self.books[account_id], statement_id, status, "by hand", self.now, "staff"))

    def act(self, account_id: str, notice_id: str, action: QueueAction, *, opt_out: bool) -> bool:
        """A person acts on the queue, if that is possible."""
        try:
            return self.apply(act(self.books[account_id], notice_id, action, self.now, "staff", opt_out=opt_out))
        except ActionRefusedError:
            return False

    def event(self, account_id: str, notice_id: str, outcome: DeliveryOutcome) -> None:
        """A provider tells what became of a message."""
        self.apply(settle(self.books[account_id], notice_id, outcome, "msg", self.now, self.organization))

    def configure(self, organization: Organization) -> None:
        """The organization is changed; its accounts with bills that are due are marked to be planned anew."""
        self.organization = organization
        for account_id, book in self.books.items():
            if any(bill.status is BillStatus.DUE for bill in book.bills):
                self.books[account_id] = replace(book, account=replace(book.account, planning_at=self.now))

    # --- the clockwork -------------------------------------------------------------------------------------------

    def run(self) -> None:
        """One run of the scheduler, then of the channels; and once more for what a refusal asked for."""
        for _ in range(3):
            self.sweep()
            self.take_queues()

    def sweep(self) -> None:
        """Plan the accounts whose time has come, and queue the notices whose time has come."""
        for account_id in sorted(self.books):
            planning_at = self.books[account_id].account.planning_at
            if planning_at and planning_at <= self.now:
                self._plan(account_id)
            for notice in self.books[account_id].notices:
                self._queue(account_id, notice)

    def _plan(self, account_id: str) -> None:
        book = self.books[account_id]
        planned = plan(book, self.organization, self.now)
        self.books[account_id] = book.after(planned.change(book.account))
        self.look_at_plan(book, self.books[account_id], planned)

    def _queue(self, account_id: str, notice: Notice) -> None:
        lease_until = self.now + QUEUE_LEASE
        if notice.status is NoticeStatus.SCHEDULED and notice.scheduled_for <= self.now:
            self._write(account_id, moved(notice, NoticeStatus.QUEUED, self.now, "scheduler", lease_until=lease_until))
        elif notice.lease_until is not None and notice.lease_until <= self.now:
            self._write(account_id, lease_ended(notice, self.now, lease_until))

    def _write(self, account_id: str, notice: Notice) -> None:
        self.books[account_id] = with_notices(self.books[account_id], (notice,))

    def take_queues(self) -> None:
        """Each channel takes what is queued for it. A message is lost, or a consumer dies over it, once."""
        for account_id in sorted(self.books):
            for notice in self.notices(account_id, NoticeStatus.QUEUED):
                weather = self.weather[notice.channel]
                if weather is not Weather.LOST:
                    self.deliver(account_id, notice)
                if weather in {Weather.LOST, Weather.CRASH}:
                    self.weather[notice.channel] = Weather.FINE

    def notices(self, account_id: str, *statuses: NoticeStatus) -> list[Notice]:
        """The notices of an account in some statuses, the earliest first."""
        found = [notice for notice in self.books[account_id].notices if notice.status in statuses]
        return sorted(found, key=lambda notice: (notice.scheduled_for, notice.notice_id))

    def deliver(self, account_id: str, notice: Notice) -> None:
        """One consumer with one message, as shared/sending/send_notice.py does it."""
        book = self.books[account_id]
        if not may_be_taken(notice, self.now):
            return
        match judge(notice, book, self.organization, self.now):
            case Refuse() as verdict:
                again = replace(book.account, planning_at=self.now)
                self.apply(Change(account=again, notices=(refused(notice, verdict, self.now),)))
            case Defer() as verdict:
                self._write(account_id, deferred(notice, verdict, self.now))
            case Send() as verdict:
                self._give(account_id, notice, verdict)

    def _give(self, account_id: str, notice: Notice, verdict: Send) -> None:
        weather = self.weather[notice.channel]
        if weather is Weather.SILENT and not notice.channel.electronic:
            weather = Weather.BUSY  # a store that doesn't answer is asked again: a letter is written at most once
        number = number_hash(verdict.contact.destination)
        if notice.channel is Channel.SMS:
            self.texted.add((account_id, number))
            stop = self.stops.get(number)
            if stop and stop.stopped:
                # The claim fails, the account learns why, and the notice is judged again.
                self.apply(heed_stop(self.books[account_id], stop, self.now))
                return
        taken = claimed(notice, verdict, "", self.now)
        self.look_at_send(self.books[account_id], notice, verdict)
        self._write(account_id, taken)
        if weather in {Weather.FINE, Weather.SILENT, Weather.CRASH}:
            self.went.append(
                Went(
                    account_id=account_id,
                    notice_id=notice.notice_id,
                    channel=notice.channel,
                    at=self.now,
                    kind=verdict.notification_type,
                    level=verdict.level,
                    bills=verdict.bills,
                    name=self.books[account_id].account.guarantor.first_name,
                )
            )
        answer = ANSWERS.get(weather)
        if isinstance(answer, Rejected):
            self.apply(failure(self.books[account_id], taken, answer, self.now, self.organization))
        elif answer is not None:
            self._write(account_id, answered(taken, answer, self.now))
            self.apply(clear(self.books[account_id], taken.notice_id, self.now))

    def next_due(self) -> datetime | None:
        """The earliest instant at which there is something to do."""
        return min(self._due(), default=None)

    def _due(self) -> Iterator[datetime]:
        for book in self.books.values():
            if book.account.planning_at:
                yield book.account.planning_at
            for notice in book.notices:
                if notice.status is NoticeStatus.SCHEDULED:
                    yield notice.scheduled_for
                elif notice.lease_until:
                    yield notice.lease_until

    def run_until(self, end: datetime) -> None:
        """Run at every instant at which there is something to do, up to an end."""
        for _ in range(MOST_RUNS):
            self.run()
            due = self.next_due()
            if due is None or due > end:
                self.now = max(self.now, end)
                return
            self.now = max(due, self.now + SECOND)
        raise AssertionError("the scheduler always finds something more to do")


ANSWERS: dict[Weather, ProviderAnswer] = {
    Weather.FINE: Accepted(message_id="msg"),
    Weather.REFUSED: Rejected(reason="refused"),
    Weather.BAD_ADDRESS: Rejected(reason="no such address", undeliverable=True),
    Weather.BUSY: Postponed(reason="too many", pause=timedelta(hours=1)),
    Weather.SILENT: Unanswered(reason="no answer"),
}


def a_statement(  # noqa: PLR0913 - keywords only, one for each thing that a statement says
    statement_id: str,
    guarantor: Guarantor,
    balance: int,
    *,
    dated: date | None = None,
    dunning_status: str = "",
    reset_bill: bool = False,
    opt_outs: OptOuts | None = None,
    message: str = "",
) -> Statement:
    """A statement of 100.00 billed, for the one patient of a guarantor."""
    patient = Patient(account_id=f"P-{guarantor.guarantor_id}", first_name="Canary", last_name="Patient")
    return Statement(
        statement_id=statement_id,
        client_id="client-1",
        statement_date=dated,
        total_billed=100_00,
        total_balance=balance,
        message=message,
        dunning_status=dunning_status,
        reset_bill=reset_bill,
        opt_outs=opt_outs,
        guarantor=guarantor,
        patients=(patient,),
    )


def _document(statement: Statement) -> bytes:
    """The members that a test may ask about by a pointer, and whatever else makes documents differ."""
    members = {
        "statementId": statement.statement_id,
        "totalBalance": statement.total_balance,
        "statementMessage": statement.message,
        "everything": repr(statement),
    }
    return json.dumps(members).encode()


def _taken(book: AccountBook, arrival: Arrival, delivery: IntakeContext) -> list[str]:
    """The bills that a statement for another account takes along."""
    own = [arrival.statement.statement_id]
    if delivery.bill_type is BillType.LIFETIME:
        own += [bill.statement_id for bill in active_bills(book, arrival.statement)]
    return own
