"""What one account's ledger adds to its organization's reports, by day of the organization's calendar.

It is always worked out from the whole ledger, and names nobody. An organization's figures are the sum of what its
accounts add, so they are right however often, late or twice an account is looked at (docs/rules.md#rolled-up).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from shared.domain.account.consents import consents
from shared.domain.paying.account_ledger import replaced
from shared.domain.paying.moved_money import NO_MONEY
from shared.domain.paying.posting import standing_bill
from shared.domain.paying.reversals import ONLINE_PAYMENT
from shared.domain.records.bill import BILL_CANCELLED, Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.policy import Organization
from shared.domain.reporting import figures
from shared.domain.reporting.attribution import notice_before
from shared.domain.reporting.postings import PostingLine, net_postings, posting_lines
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, ConsentSource, NoticeStatus

type Figures = dict[str, int]
"""Counts and cents by the keys of `figures`; none is 0."""

TAKEN = frozenset(
    {
        NoticeStatus.SENT,
        NoticeStatus.DELIVERED,
        NoticeStatus.UNKNOWN,
        NoticeStatus.UNDELIVERABLE_CAN_RETRY,
        NoticeStatus.UNDELIVERABLE_PERMANENT,
    }
)
"""What a sending becomes that the provider took, or may have taken; it costs, whatever becomes of it."""

OPENED_EVENT = "PaymentLinkOpened"

UPDATES = frozenset({"BillUpdated", "BillAmended", "BillReopened", BILL_CANCELLED})
"""The events by which a bill's history tells of a further statement, where the partner is their actor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What an account adds: figures by day, what it owes by the day that the bills age from, its postings by day.

    Days are ISO 8601, because that is how they are stored and sorted.
    """

    days: dict[str, Figures] = field(default_factory=dict)
    owed: Figures = field(default_factory=dict)
    postings: dict[str, tuple[PostingLine, ...]] = field(default_factory=dict)


def account_facts(book: AccountBook, organization: Organization) -> AccountFacts:
    """All that an account adds to the reports of its organization."""
    ledger = _Ledger(book, organization)
    standing = [bill for bill in book.bills if not replaced(bill)]
    for bill in standing:
        ledger.note_statements(bill)
    for notice in book.notices:
        ledger.note_notice(notice)
    ledger.note_history()
    postings = net_postings(book)
    for posting in postings:
        ledger.note_money(posting)
    lines = defaultdict[str, list[PostingLine]](list)
    for posting in postings:
        lines[ledger.day(posting.posted_at).isoformat()] += posting_lines(posting, book)
    return AccountFacts(
        days={day: found for day, counted in ledger.days.items() if (found := _not_zero(counted))},
        owed=_not_zero(_owed(standing)),
        postings={day: tuple(found) for day, found in lines.items()},
    )


def _not_zero(counted: Mapping[str, int]) -> Figures:
    return {key: counted[key] for key in sorted(counted) if counted[key]}


def _owed(bills: Iterable[Bill]) -> Counter[str]:
    owed = Counter[str]()
    for bill in bills:
        if bill.payable:
            day = bill.effective_created_date.isoformat()
            owed[figures.figure(day, figures.COUNT)] += 1
            owed[figures.figure(day, figures.CENTS)] += bill.balance
    return owed


class _Ledger:
    """Counts what stands in one account's ledger."""

    def __init__(self, book: AccountBook, organization: Organization) -> None:
        self._book, self._zone = book, organization.zone
        self.days = defaultdict[str, Counter[str]](Counter)

    def day(self, at: datetime) -> date:
        """The day of an instant on the organization's calendar."""
        return at.astimezone(self._zone).date()

    def _count(self, at: datetime, *parts: object, n: int = 1) -> None:
        self.days[self.day(at).isoformat()][figures.figure(*parts)] += n

    def note_statements(self, bill: Bill) -> None:
        """The statements of a bill, and what was billed by it: what was paid of it and what is owed still."""
        self._count(bill.created_at, figures.STATEMENTS_RECEIVED, figures.CREATED)
        for entry in bill.history:
            if entry.event in UPDATES and entry.actor == Actor.PARTNER:
                self._count(entry.at, figures.STATEMENTS_RECEIVED, figures.UPDATED)
        owed = 0 if bill.status is BillStatus.CANCELLED else max(bill.balance, 0)
        self._count(bill.created_at, figures.BILLED, n=owed + max(bill.paid, 0))

    def note_notice(self, notice: Notice) -> None:
        """Each status that a notice came into, and each time that a provider took it."""
        for entry in notice.status_history:
            kind = notice.notification_type
            self._count(entry.at, figures.NOTICE_MOVES, notice.channel, kind, entry.level, entry.status)
        for before, entry in pairwise(notice.status_history):
            if before.status is NoticeStatus.SENDING and entry.status in TAKEN:
                self._count(entry.at, figures.SENDINGS, notice.channel)
        avoided = [entry for entry in notice.status_history if entry.reason == Reason.ELECTRONIC_AVAILABLE]
        if avoided and notice.channel is Channel.PRINT and notice.status is NoticeStatus.WILL_NOT_SEND:
            self._count(avoided[0].at, figures.LETTERS_AVOIDED)

    def note_history(self) -> None:
        """The account's own events: links opened, opt-outs and complaints."""
        for event in self._book.history:
            if event.event == OPENED_EVENT:
                self._count(event.at, figures.LINKS_OPENED)
        for consent in consents(self._book):
            if not consent.given:
                complaint = consent.source == ConsentSource.COMPLAINT
                self._count(consent.at, figures.COMPLAINTS if complaint else figures.OPT_OUTS_MADE, consent.channel)

    def note_money(self, posting: Payment) -> None:
        """A posting: through what it came, for which notice it counts, and when after the bill it paid it did."""
        if posting.method not in NO_MONEY and posting.amount:
            origin = self._book.payment(posting.reverses) or posting
            online = bool(origin.link_id) or origin.payment_id.startswith(ONLINE_PAYMENT)
            way = figures.PAID_ONLINE if online else figures.AT_THE_DESK
            self._count(posting.posted_at, figures.MONEY, way, n=posting.amount)
        if posting.method not in NO_MONEY and posting.amount > 0:
            asked = notice_before(self._book, posting)
            step = (asked.channel, asked.notification_type, asked.level) if asked else ("", "", "")
            self._count(posting.posted_at, figures.PAYMENTS, *step, figures.COUNT)
            self._count(posting.posted_at, figures.PAYMENTS, *step, figures.CENTS, n=posting.amount)
        for share in posting.allocations:
            bill = standing_bill(self._book, share.statement_id)
            if bill:
                after = max((self.day(posting.posted_at) - self.day(bill.created_at)).days, 0)
                self._count(bill.created_at, figures.COLLECTED, after, n=share.amount)
