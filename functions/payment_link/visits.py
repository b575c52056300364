"""Patients at the desk: from the secret in a link to the account behind it, and what they ask for there."""

from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from secrets import token_bytes

from shared.domain.intake.identity import same_person
from shared.domain.paying.link_access import Standing, Verification, standing, verify
from shared.domain.paying.link_secrets import secret_hash, well_formed
from shared.domain.paying.moved_bills import MovedBill, as_if_here, complete_moved_checkout, moved_at
from shared.domain.paying.moved_money import NO_MONEY
from shared.domain.paying.objections import Said, object_to, remind_on
from shared.domain.paying.patient_requests import (
    OUR_REFERENCE,
    MoneyTaken,
    WantedPayment,
    begin_checkout,
    bind_session,
    decline_checkout,
    new_reference,
    open_bills,
    payment_id_of,
    renew,
    replaced_checkouts,
    terms_of,
)
from shared.domain.paying.payments import link_scope
from shared.domain.paying.posting import standing_bill
from shared.domain.paying.processor_events import ProcessorEvent, noted, settle_takebacks, with_unposted
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.texting import channel_choices
from shared.domain.texting.channel_choices import Agreement
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.words import Channel
from shared.messaging.metrics import tally
from shared.storage.account_books import AccountBooks, NoSuchAccountError
from shared.storage.links import Links
from shared.storage.organizations import Organizations
from shared.storage.races import until_won

MOST_RECEIPTS = 12
"""How many receipts a page leads to: the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkVisit:
    """Somebody at a payment link: its account, and the secret by which they came."""

    token: str
    organization: Organization
    book: AccountBook
    link: PaymentLink

    @property
    def bills(self) -> list[Bill]:
        """The bills behind the link that can be paid, oldest first."""
        return open_bills(self.book, self.link, self.organization)

    @property
    def total(self) -> Cents:
        """The sum of what can be paid."""
        return sum(bill.balance for bill in self.bills)

    @property
    def on_its_way(self) -> Cents:
        """What a bank is asked for already, through this link."""
        own = (checkout for checkout in self.book.checkouts if checkout.link_id == self.link.link_id)
        return sum(checkout.amount for checkout in own if checkout.pending_at)

    @property
    def recipient(self) -> str:
        """The recipient whose channels may be chosen here."""
        return channel_choices.recipient_of(self.book, self.link, self.organization)

    @property
    def emails_on(self) -> bool:
        """Whether that recipient isn't opted out of emails."""
        return channel_choices.gets_emails(self.book, self.recipient)

    @property
    def receipts(self) -> list[Payment]:
        """The payments that this link may show receipts of, the latest first: those for nothing but its bills."""
        own = {statement_id for bill in link_scope(self.book, self.link) for statement_id in bill.statement_ids}
        came = (each for each in self.book.payments if each.amount > 0 and not each.reverses)
        paid = (each for each in came if each.method not in NO_MONEY and own.issuperset(each.statement_ids))
        shown = (each for each in paid if not self.link.statement_id or each.statement_ids)
        return sorted(shown, key=lambda payment: (payment.posted_at, payment.payment_id), reverse=True)[:MOST_RECEIPTS]

    def checkout(self, reference: str) -> Checkout | None:
        """The way to the processor of this reference that began at this link; without one, the latest."""
        own = [checkout for checkout in self.book.checkouts if checkout.link_id == self.link.link_id]
        named = [checkout for checkout in own if checkout.reference == reference]
        return max(named or own, key=lambda checkout: checkout.created_at, default=None)

    def day_of(self, moment: datetime) -> date:
        """The organization's calendar day of a moment."""
        return moment.astimezone(self.organization.zone).date()

    def today(self, now: datetime) -> date:
        """The organization's calendar day."""
        return self.day_of(now)


@dataclass(frozen=True, slots=True)
class CheckoutBegun:
    """A new way to the processor, and those that it takes the place of, which must end at the processor too."""

    checkout: Checkout
    replaced: tuple[Checkout, ...]


class UnknownReferenceError(LookupError):
    """A reference of our shape that no checkout has: not yet, or never."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What patients and processors may ask for, over the stores that it needs. random: for secrets and references."""

    books: AccountBooks
    links: Links
    organizations: Organizations
    random: RandomBytes = token_bytes

    def visit(self, token: str, now: datetime) -> LinkVisit | None:
        """The visit that a token or bill code opens; None: unknown, malformed or revoked, which must look alike."""
        owner = self.links.by_secret_hash(secret_hash(token)) if well_formed(token) else None
        book = self.books.load(owner.org_id, owner.account_id) if owner else None
        organization = self.organizations.get(owner.org_id) if owner else None
        if owner is None or book is None or organization is None:
            return None
        link = book.link(owner.link_id)
        if link is None or standing(link, now) is Standing.REVOKED:
            return None
        return LinkVisit(token=token, organization=organization, book=self._seen(book, link), link=link)

    def answer(self, visit: LinkVisit, given: date | str, now: datetime) -> tuple[LinkVisit, Verification]:
        """Judge an answer and count it; the visit as it is afterwards."""

        def decide(book: AccountBook) -> tuple[Change | None, Verification]:
            link = book.link(visit.link.link_id) or visit.link
            judged = verify(self._seen(book, link), link, given, now, self.random)
            return judged.change, judged

        book, judged = self.books.decide(visit.link.org_id, visit.link.account_id, decide)
        return replace(visit, book=self._seen(book, judged.link), link=judged.link), judged

    def begin_checkout(self, visit: LinkVisit, wanted: WantedPayment, now: datetime) -> CheckoutBegun:
        """Store a way to the processor in the place of the link's earlier ones.

        Raises AmountError when the amount can't be paid as things stand now.
        """
        reference = new_reference(self.random)

        def decide(book: AccountBook) -> tuple[Change, CheckoutBegun]:
            link = book.link(visit.link.link_id) or visit.link
            terms = terms_of(visit.organization.payments)
            begun = begin_checkout(self._seen(book, link), link, wanted, reference, now, terms)
            replaced = replaced_checkouts(book, begun, now)
            return Change(account=book.account, checkouts=(*replaced, begun)), CheckoutBegun(begun, replaced)

        return self.books.decide(visit.link.org_id, visit.link.account_id, decide).result

    def renew(self, visit: LinkVisit, now: datetime) -> None:
        """Have a new link sent, if there is an address on file and it wasn't just done."""
        self._change(visit, lambda book: renew(book, book.link(visit.link.link_id) or visit.link, now))

    def unsubscribe(self, visit: LinkVisit, now: datetime, agreed: Agreement) -> LinkVisit:
        """Opt the link's recipient out of email; the visit as it is afterwards."""
        return self._change(visit, lambda book: channel_choices.unsubscribe(book, now, agreed, visit.recipient))

    def resubscribe(self, visit: LinkVisit, now: datetime, agreed: Agreement) -> LinkVisit:
        """Opt the link's recipient in to email again; the visit as it is afterwards."""
        return self._change(visit, lambda book: channel_choices.resubscribe(book, now, agreed, visit.recipient))

    def choose(
        self, visit: LinkVisit, wanted: AbstractSet[Channel], now: datetime, agreed: Agreement, *, may_opt_in: bool
    ) -> LinkVisit:
        """Opt in to the wanted channels alone, as `channel_choices.choose` says; the visit as it is afterwards."""
        return self._change(
            visit, lambda book: channel_choices.choose(book, wanted, now, agreed, may_opt_in=may_opt_in)
        )

    def object_to(self, visit: LinkVisit, said: Said, now: datetime) -> None:
        """Take down what is said against a bill, once. Raises TooManyObjectionsError."""
        self._pause(visit, lambda book, others, link: object_to(book, others, link, said, now))

    def remind_on(self, visit: LinkVisit, day: date, now: datetime) -> None:
        """Have reminders wait until a day."""
        self._pause(visit, lambda book, others, link: remind_on([book, *others], link, day, now))

    def completed(self, org_id: str, reference: str, amount: Cents, now: datetime) -> None:
        """Post what the simulated processor took. Raises UnknownReferenceError as `record` does."""
        self.record(org_id, reference, ProcessorEvent(event_id=f"paid-{reference}", at=now, paid=amount), now)

    def record(self, org_id: str, reference: str, event: ProcessorEvent, now: datetime) -> None:
        """Note what a processor says of a checkout, and post what follows, to the bills where they are by now.

        Raises UnknownReferenceError for a reference of our shape that isn't this organization's.
        """
        organization = self.organizations.get(org_id)
        account_id = self._account_of(org_id, reference)
        if organization is None:
            raise UnknownReferenceError

        def attempt() -> bool:
            book = self.books.load(org_id, account_id)
            if book is None:
                raise NoSuchAccountError
            changes = self._what_follows(book, organization, reference, event, now)
            if changes:
                others = {change.account.account_id for change in changes} - {account_id}
                read = [book, *filter(None, (self.books.load(org_id, other) for other in others))]
                self.books.commit_together(changes, read)
            return any(
                each.payment_id == payment_id_of(reference)
                for each in chain.from_iterable(change.payments for change in changes)
            )

        if until_won(attempt) and event.paid:
            tally("Payments", taken="online")

    def declined(self, org_id: str, reference: str, now: datetime) -> None:
        """Note that the processor took nothing. Raises UnknownReferenceError as `record` does."""
        account_id = self._account_of(org_id, reference)
        self.books.change(org_id, account_id, lambda book: decline_checkout(book, reference, now))

    def bind_session(self, checkout: Checkout, session_id: str, over: Collection[str]) -> Checkout:
        """Note by which session a checkout is paid; the checkout as it is by then, maybe replaced by a later one."""
        book = self.books.change(
            checkout.org_id,
            checkout.account_id,
            lambda book: bind_session(book, checkout.reference, session_id, over),
        )
        return book.checkout(checkout.reference) or checkout

    def _what_follows(
        self, book: AccountBook, organization: Organization, reference: str, event: ProcessorEvent, now: datetime
    ) -> list[Change]:
        """The changes, all or none of them, by which the accounts say what an event and those before it say."""
        before = book.checkout(reference)
        if before is None:
            raise UnknownReferenceError
        after = noted(before, event, now)
        changes, own = dict[str, Change](), book.account.account_id
        if after != before:
            changes[own] = Change(account=book.account, checkouts=(after,))
        if event.paid and not before.completed_at:
            gone = self._gone(book, lambda stub: _was_asked_for(stub, before))
            taken = MoneyTaken(amount=event.paid, method=event.method)
            known = book.after(changes[own])
            posted = complete_moved_checkout(known, gone, organization, reference, taken, now)
            changes |= {change.account.account_id: change for change in posted}
        here = book.after(changes[own]) if own in changes else book
        checkout = here.checkout(reference) or after
        taken_back, left = settle_takebacks(self._holding(here, changes, reference), organization, checkout, now)
        for account_id, change in taken_back.items():
            changes[account_id] = changes[account_id].then(change) if account_id in changes else change
        whole = changes.get(own) or Change(account=book.account)
        with_task = with_unposted(whole, checkout, left, event, now)
        return list(({**changes, own: with_task} if with_task is not whole else changes).values())

    def _holding(self, own: AccountBook, changes: Mapping[str, Change], reference: str) -> list[AccountBook]:
        """The accounts that have a checkout's payment, the payer's first: it goes with a bill to another account."""
        payment_id = payment_id_of(reference)
        books, found = {own.account.account_id}, [own]
        for book in found:
            payment = book.payment(payment_id)
            bills = [book.bill(name) for name in payment.statement_ids] if payment else []
            for account_id in (bill.moved_to for bill in bills if bill and bill.moved_to):
                there = None if account_id in books else self.books.load(own.account.org_id, account_id)
                books.add(account_id)
                if there is not None:
                    found.append(there.after(changes[account_id]) if account_id in changes else there)
        return found

    def _pause(
        self, visit: LinkVisit, decide: Callable[[AccountBook, list[AccountBook], PaymentLink], list[Change]]
    ) -> None:
        """Change a link's account, and those that bills of it went to since, all or none."""
        org_id, account_id = visit.link.org_id, visit.link.account_id

        def attempt() -> None:
            book = self.books.load(org_id, account_id)
            if book is None:
                raise NoSuchAccountError
            link = book.link(visit.link.link_id) or visit.link
            others = {each.book.account.account_id: each.book for each in self._followed(book, link)}
            changes = decide(book, list(others.values()), link)
            if changes:
                self.books.commit_together(changes, [book, *others.values()])

        until_won(attempt)

    def _seen(self, book: AccountBook, link: PaymentLink) -> AccountBook:
        """The account as whoever has a link may see it: with bills that went to another account since it was sent."""
        return as_if_here(book, self._followed(book, link))

    def _followed(self, book: AccountBook, link: PaymentLink) -> list[MovedBill]:
        """The bills behind a link that went to another account since it was sent.

        A link for one bill leads to that bill wherever it is; one for the account follows the same person only.
        """
        gone = self._gone(book, lambda stub: _was_sent(stub, link))
        return [
            each
            for each in gone
            if link.statement_id or same_person(book.account.guarantor, each.book.account.guarantor)
        ]

    def _gone(self, book: AccountBook, asked_for: Callable[[Bill], bool]) -> list[MovedBill]:
        """Bills of an account that are in others by now, wherever they went."""
        books = {book.account.account_id: book}
        found = list[MovedBill]()
        for stub in book.bills:
            account_id = stub.moved_to if stub.moved_to and asked_for(stub) else ""
            while account_id:
                there = books.get(account_id) or self.books.load(book.account.org_id, account_id)
                if there is None:
                    break
                books[account_id] = there
                bill = there.bill(stub.statement_id)
                account_id = bill.moved_to if bill else ""
                stands = standing_bill(there, stub.statement_id)
                if not account_id and stands:
                    found.append(MovedBill(stub=stub, book=there, there=stands))
        return found

    def _account_of(self, org_id: str, reference: str) -> str:
        owner = self.links.by_reference(reference) if OUR_REFERENCE.fullmatch(reference) else None
        if owner is None or owner.org_id != org_id:
            raise UnknownReferenceError
        return owner.account_id

    def _change(self, visit: LinkVisit, decide: Callable[[AccountBook], Change | None]) -> LinkVisit:
        """Change the account behind a visit; the visit as it is afterwards."""
        book = self.books.change(visit.link.org_id, visit.link.account_id, decide)
        link = book.link(visit.link.link_id) or visit.link
        return replace(visit, book=self._seen(book, link), link=link)


def _was_sent(stub: Bill, link: PaymentLink) -> bool:
    """Whether a link was sent about a bill that has gone since."""
    if link.statement_id:
        return stub.statement_id == link.statement_id
    return _went_since(stub, link.created_at)


def _was_asked_for(stub: Bill, checkout: Checkout | None) -> bool:
    """Whether a checkout was about a bill that has gone since."""
    if checkout is None or checkout.statement_id:
        return checkout is not None and stub.statement_id == checkout.statement_id
    return _went_since(stub, checkout.created_at)


def _went_since(stub: Bill, moment: datetime) -> bool:
    at = moved_at(stub)
    return at is not None and at >= moment
