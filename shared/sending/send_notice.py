"""Sending one notice, the same for every channel: judge again, claim, one call to the provider, record.

A notice is never claimed twice for one call, and never called for without a claim, so a message that the queue brings
twice, or brings to two consumers at once, does nothing the second time. Three calls to the table a notice: the
account's book, the claim, the record.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_bytes
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger

from shared.domain.account.contacts import PATIENT
from shared.domain.account.number_stops import NumberStop, heed_stop
from shared.domain.account.reconciliation import sent_once_more
from shared.domain.account.worklist import clear, cleared_by
from shared.domain.delivery.claim_records import ClaimRecord, claim_records, number_to_heed
from shared.domain.delivery.kept_messages import KeptMessage, PreparedMessage
from shared.domain.delivery.links import issue_link
from shared.domain.delivery.orders import (
    NotComposedError,
    Order,
    ProviderAnswer,
    Rejected,
    TemplateFailedError,
    answered,
    answered_late,
    claimed,
    deferred,
    failure,
    held_back,
    may_be_taken,
    refused,
    uncomposable,
)
from shared.domain.delivery.restoring import LoggedClaim
from shared.domain.delivery.samples import sample_of
from shared.domain.dunning.decision import Defer, Refuse, Send
from shared.domain.dunning.judging import judge
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.own_template import OwnTemplate, template_in_use
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import SYSTEM_DEFAULT_TEMPLATE, Organization
from shared.domain.records.statement import Patient
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import NoticeStatus
from shared.messaging.metrics import count
from shared.sending.known_organizations import KnownOrganizations, OrganizationReader
from shared.sending.patients import patient_of
from shared.sending.permits import Gate, Turn
from shared.storage.account_books import ConcurrentChangeError
from shared.storage.races import BusyError, LostRaceError, until_won

if TYPE_CHECKING:
    from shared.contracts.messages import SampleMessage

logger = Logger(child=True)


class Books(Protocol):
    """Account books, as storage has them."""

    def load(self, org_id: str, account_id: str) -> AccountBook | None:
        """Read a book."""

    def commit(self, change: Change) -> Account:
        """Apply a change or raise ConcurrentChangeError."""

    def change(self, org_id: str, account_id: str, decide: Callable[[AccountBook], Change | None]) -> AccountBook:
        """Decide and apply, again when somebody else was quicker."""


class Rows(Protocol):
    """The ledger's rows, as storage has them."""

    def load(self, org_id: str, account_id: str, notice_id: str) -> Notice | None:
        """Read a row."""

    def claim(
        self,
        before: Notice,
        after: Notice,
        account: Account,
        links: tuple[PaymentLink, ...],
        records: tuple[ClaimRecord, ...] = (),
        texted_number: str = "",
    ) -> bool:
        """Take a notice for sending, and store its claim records. False: something changed, or the number said STOP."""

    def move(self, before: Notice, after: Notice) -> bool:
        """Write a row's next state. False: somebody else moved it."""


class NumberReader(Protocol):
    """Phone numbers, as storage has them."""

    def stop(self, number_hash: str) -> NumberStop | None:
        """What a number last said."""

    def attach(self, number_hash: str, org_id: str, account_id: str, recipient: str) -> None:
        """Have texts from a number find an account."""


class TemplateReader(Protocol):
    """Own templates, as storage has them."""

    def get(self, org_id: str, place: str) -> OwnTemplate | None:
        """Read a template as it is."""


class Sender(Protocol):
    """A channel: it makes a message of an order, and gives it to the provider when asked to."""

    def prepare(self, order: Order) -> Callable[[], ProviderAnswer]:
        """Make the message. What is answered sends it: one call to the provider, which never raises its errors."""


@dataclass(slots=True)
class NoticeSender:
    """Sends the notices of one invocation.

    gate: says whether and when its channel may send. expected: how many notices the invocation brings, for which the
    gate is asked at once. random: for the secrets of links. numbers: where messages go to phone numbers.
    templates: those that organizations wrote. `patient_of` finds the patient of a bill, who is in its document.
    known_organizations: what the process has read before; None: nothing.
    """

    books: Books
    notices: Rows
    organizations: OrganizationReader
    sender: Sender
    gate: Gate
    expected: int = 1
    random: RandomBytes = token_bytes
    numbers: NumberReader | None = None
    templates: TemplateReader | None = None
    patient_of: Callable[[Bill], Patient] = patient_of
    known_organizations: KnownOrganizations | None = None
    _templates: dict[tuple[str, str], OwnTemplate | None] = field(default_factory=dict)
    _stored: set[ClaimRecord] = field(default_factory=set)
    _turn: Turn | None = None

    def deliver(self, org_id: str, account_id: str, notice_id: str, now: datetime) -> Notice | None:
        """Send a notice if it may be sent, and answer its row as it is left.

        None: there is nothing to do, because the notice isn't there, isn't due, or is somebody else's work already.
        It is judged again when its account changes under it. Raises BusyError when that never rests (the queue brings
        the notice once more), and whatever storage raises; a notice given to the provider is never given again.
        """

        def attempt() -> Notice | None:
            book = self.books.load(org_id, account_id)
            notice = book.notice(notice_id) if book else None
            if book is None or notice is None or not may_be_taken(notice, now):
                return None
            organization = self._organization(book, now)
            if organization is None:
                return None
            left = self._try(notice, book, organization, now)
            if left is None:
                raise LostRaceError
            return left

        return until_won(attempt)

    def send_sample(self, message: "SampleMessage", now: datetime) -> str:
        """Send an organization's test contact a made-up message, and answer what became of it, for the log.

        It isn't a notice: nothing is stored, so one that the queue brings twice is sent twice. A closed or stopped
        channel sends none; nobody waits for it, so it isn't kept.
        """
        organization = self.organizations.get(message.org_id)
        if organization is None:
            return "no such organization"
        what = message.channel, message.notification_type, message.language
        sample = sample_of(organization, message.sample_id, *what, now)
        if isinstance(sample, Reason):
            return sample
        made = self._composed(sample.notice, sample.verdict, sample.book, organization, now)
        self._turn = self._turn or self.gate.turn(self.expected)
        held = self._turn.admit(now)
        if held is not None:
            return held.reason
        answer = made.send()
        self._turn.record(answer, now)
        return type(answer).__name__

    def _organization(self, book: AccountBook, now: datetime) -> Organization | None:
        self.known_organizations = self.known_organizations or KnownOrganizations(self.organizations)
        account = book.account
        return self.known_organizations.known(account.org_id, account.settings_version, now)

    def _patient(self, notice: Notice, book: AccountBook) -> Patient | None:
        bill = book.bill(notice.statement_ids[0]) if notice.send_to == PATIENT and notice.bills else None
        return self.patient_of(bill) if bill else None

    def _try(self, notice: Notice, book: AccountBook, organization: Organization, now: datetime) -> Notice | None:
        """Judge and act on the verdict; None: something changed meanwhile, so nothing was done.

        The message is made before the claim: what can't be made must not look as if the provider might have it.
        """
        try:
            made = self._make(notice, book, organization, now)
        except NotComposedError as error:
            return self._replan(book, uncomposable(notice, str(error.reason), now), now)
        except Exception as error:  # noqa: BLE001 - whatever a template or document does wrong is shown, not lost
            after = uncomposable(notice, f"could not be composed ({type(error).__name__})", now)
            return self._replan(book, after, now)
        if not isinstance(made, _Message):
            return self._hold_back(notice, made, book, now)
        self._turn = self._turn or self.gate.turn(self.expected)
        held = self._turn.admit(now)
        if held is not None:
            waits = held_back(notice, held.instant(notice.notice_id), held.reason, now)
            return waits if self.notices.move(notice, waits) else None
        taken = made.order.notice
        new = tuple(fact for fact in (*claim_records(made.order), *made.kept) if fact not in self._stored)
        number = number_to_heed(made.order)
        if not self.notices.claim(notice, taken, book.account, (made.order.link.link,), new, number):
            self._heed_stop(taken, number, now)
            return None
        self._stored.update(new)
        if sent_once_more(taken):
            count("PossibleDuplicate", channel=taken.channel, org_id=taken.org_id)
        # Before the provider has it: after a restore of the table this line is all that knows of the claim.
        logger.info("notice claimed", extra={"claim": LoggedClaim.of(taken, now).facts})
        answer = made.send()
        try:
            return self._record(made.order, answer, now)
        finally:
            self._turn.record(answer, now)

    def _heed_stop(self, notice: Notice, number: str, now: datetime) -> None:
        """Have the account know of a STOP, where that is why a text couldn't be claimed; then it is judged again."""
        stop = self.numbers.stop(number) if self.numbers and number else None
        if self.numbers is None or stop is None or not stop.stopped:
            return
        self.numbers.attach(number, notice.org_id, notice.account_id, notice.send_to)
        self.books.change(notice.org_id, notice.account_id, lambda book: heed_stop(book, stop, now, notice.send_to))

    def _make(
        self, notice: Notice, book: AccountBook, organization: Organization, now: datetime
    ) -> "_Message | Refuse | Defer":
        verdict = judge(notice, book, organization, now, self._patient(notice, book))
        if not isinstance(verdict, Send):
            return verdict
        return self._composed(notice, verdict, book, organization, now)

    def _composed(
        self, notice: Notice, verdict: Send, book: AccountBook, organization: Organization, now: datetime
    ) -> "_Message":
        """The message of a notice that may be sent, by its organization's own template or the system's."""
        link = issue_link(notice, verdict, book, organization, now, self.random)
        own = self._own_template(notice, verdict, book, organization)

        def message(template: OwnTemplate | None) -> _Message:
            said = replace(verdict, template_id=template.template_id if template else SYSTEM_DEFAULT_TEMPLATE)
            order = Order(
                notice=claimed(notice, said, link.link.link_id, now),
                book=book,
                organization=organization,
                contact=verdict.contact,
                link=link,
                now=now,
                template=template,
            )
            return _Message(order, self.sender.prepare(order))

        try:
            return message(own)
        except TemplateFailedError as error:
            # A notice is worth more than its wording (docs/rules.md#own-template).
            facts = {"notice_id": notice.notice_id, "template_id": own.template_id if own else "", "why": str(error)}
            logger.warning("own template failed", extra=facts)
            count("TemplateFailed", channel=notice.channel, org_id=notice.org_id)
            return message(None)

    def _own_template(
        self, notice: Notice, verdict: Send, book: AccountBook, organization: Organization
    ) -> OwnTemplate | None:
        """The organization's own template that a notice is written with, read once in an invocation."""
        language, kind = book.account.guarantor.language, verdict.notification_type
        place = template_in_use(organization, verdict.template_id, kind, notice.channel, language)
        if place is None or self.templates is None:
            return None
        name = organization.org_id, place
        if name not in self._templates:
            self._templates[name] = self.templates.get(*name)
        return self._templates[name]

    def _hold_back(self, notice: Notice, verdict: Refuse | Defer, book: AccountBook, now: datetime) -> Notice | None:
        if isinstance(verdict, Refuse) and notice.notification_type.dunning:
            return self._replan(book, refused(notice, verdict, now), now)
        after = deferred(notice, verdict, now) if isinstance(verdict, Defer) else refused(notice, verdict, now)
        return after if self.notices.move(notice, after) else None

    def _replan(self, book: AccountBook, after: Notice, now: datetime) -> Notice | None:
        """Close a notice and have its account planned again, in one transaction: others may have waited for it."""
        try:
            self.books.commit(Change(account=replace(book.account, planning_at=now), notices=(after,)))
        except ConcurrentChangeError:
            return None
        return after

    def _record(self, order: Order, answer: ProviderAnswer, now: datetime) -> Notice:
        taken, after = order.notice, answered(order.notice, answer, now)
        account = taken.org_id, taken.account_id
        if isinstance(answer, Rejected):
            self.books.change(*account, lambda book: failure(book, taken, answer, now, order.organization))
        elif not self.notices.move(taken, after):
            self._record_late(taken, answer, now)
        elif after.status is NoticeStatus.UNKNOWN:
            count("NoticeUnknown", channel=after.channel, org_id=after.org_id)
        elif cleared_by(order.book, after, now):
            # Looked for in the book as it was judged, so that a notice without errors before it costs no call more.
            self.books.change(*account, lambda book: clear(book, taken.notice_id, now))
        return after

    def _record_late(self, taken: Notice, answer: ProviderAnswer, now: datetime) -> None:
        """Record what is known in a row whose lease ended meanwhile, whatever has become of it since.

        Or write it once more, where another's transaction at the row only was in the way. Again when the row moves
        between reading and writing: it might be about to be sent a second time.
        """

        def attempt() -> None:
            current = self.notices.load(taken.org_id, taken.account_id, taken.notice_id)
            after = answered_late(current, taken, answer, now) if current else None
            if current and after and not self.notices.move(current, after):
                raise LostRaceError

        with suppress(BusyError):
            until_won(attempt)


@dataclass(frozen=True, slots=True)
class _Message:
    order: Order
    send: Callable[[], ProviderAnswer]

    @property
    def kept(self) -> tuple[KeptMessage, ...]:
        return (self.send.kept,) if isinstance(self.send, PreparedMessage) else ()
