"""What a patient behind a payment link may ask for: to pay, and to get a new link."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.account.contacts import GUARANTOR, contact_refusal, opted_out
from shared.domain.paying.link_secrets import new_secret
from shared.domain.paying.payments import PaymentReceived, link_scope, post_payment
from shared.domain.paying.posting import oldest_first
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, Notice, new_notice, scheduled
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.policy import Organization, PaymentSettings
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.randomness import RandomBytes
from shared.domain.vocabulary.words import Channel, NotificationType, Processor

OUR_REFERENCE = re.compile(r"dln_[A-Za-z0-9]{22}")
"""The shape of a checkout's reference, by which money is known as paid through one of our checkouts."""

RENEWAL_PAUSE = timedelta(minutes=10)
STRIPE_LEAST: Cents = 50
"""Stripe takes no payment in US dollars below this."""

SESSION_LIVES = timedelta(hours=24)
"""How long a session may be paid at Stripe."""

MOST_RENEWALS = 5
"""How many new links one old link may ask for: scanners press every button that they find."""


class AmountProblem(StrEnum):
    """Why an amount can't be paid."""

    NOT_POSITIVE = "notPositive"
    MORE_THAN_BILL = "moreThanBill"
    MORE_THAN_SUM = "moreThanSum"
    NO_SUCH_BILL = "noSuchBill"
    NOTHING_OPEN = "nothingOpen"
    LESS_THAN_LEAST = "lessThanLeast"


@dataclass
class AmountError(Exception):
    """An amount can't be paid; `most` is what could be, in cents. least: the smallest that the processor takes."""

    problem: AmountProblem
    most: Cents = 0
    least: Cents = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorTerms:
    """Who takes the money of a checkout, and the least that it takes at once, in cents."""

    processor: Processor = Processor.SANDBOX
    least: Cents = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyTaken:
    """What a processor took for a checkout: cents, by which method."""

    amount: Cents
    method: str = "card"


SANDBOX_TERMS = ProcessorTerms()


def terms_of(payments: PaymentSettings) -> ProcessorTerms:
    """The terms of an organization's processor."""
    stripe = payments.processor is Processor.STRIPE
    return ProcessorTerms(processor=payments.processor, least=STRIPE_LEAST if stripe else 1)


def open_bills(book: AccountBook, link: PaymentLink, organization: Organization) -> list[Bill]:
    """The bills behind a link that can be paid, in the order in which money goes to them."""
    return oldest_first((bill for bill in link_scope(book, link) if bill.payable), organization)


def new_reference(random: RandomBytes) -> str:
    """A reference for a checkout, to be known again when money comes for it."""
    return f"dln_{new_secret(random)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPayment:
    """What a patient wants to pay: cents, None: all that is owed; of one bill, or all behind the link (empty)."""

    amount: Cents | None
    statement_id: str = ""


def begin_checkout(
    book: AccountBook,
    link: PaymentLink,
    wanted: WantedPayment,
    reference: str,
    now: datetime,
    terms: ProcessorTerms = SANDBOX_TERMS,
) -> Checkout:
    """A way to the processor for an amount, for one bill or for all behind the link.

    Raises AmountError. A later look at the same balance may find it paid: then the surplus becomes credit.
    """
    bills = {bill.statement_id: bill for bill in link_scope(book, link) if bill.payable}
    if not bills:
        raise AmountError(AmountProblem.NOTHING_OPEN)
    statement_id = wanted.statement_id
    if statement_id and statement_id not in bills:
        raise AmountError(AmountProblem.NO_SUCH_BILL)
    most = bills[statement_id].balance if statement_id else sum(bill.balance for bill in bills.values())
    amount = _checked(most if wanted.amount is None else wanted.amount, most, terms, one_bill=bool(statement_id))
    return Checkout(
        reference=reference,
        org_id=link.org_id,
        account_id=link.account_id,
        link_id=link.link_id,
        statement_id=statement_id or link.statement_id,
        amount=amount,
        created_at=now,
        processor=terms.processor,
    )


def _checked(amount: Cents, most: Cents, terms: ProcessorTerms, *, one_bill: bool) -> Cents:
    if amount <= 0:
        raise AmountError(AmountProblem.NOT_POSITIVE, most)
    if amount > most:
        raise AmountError(AmountProblem.MORE_THAN_BILL if one_bill else AmountProblem.MORE_THAN_SUM, most)
    if amount < terms.least:
        raise AmountError(AmountProblem.LESS_THAN_LEAST, most, terms.least)
    return amount


def bind_session(book: AccountBook, reference: str, session_id: str, over: Collection[str]) -> Change | None:
    """Note by which session of the processor a checkout is paid, and which others, by reference, are over there."""
    checkout = book.checkout(reference)
    if checkout is None:
        return None
    ended = (replace(one, over=True) for one in book.checkouts if one.reference in over and not one.over)
    return Change(account=book.account, checkouts=(replace(checkout, session_id=session_id), *ended))


def replaced_checkouts(book: AccountBook, begun: Checkout, now: datetime) -> tuple[Checkout, ...]:
    """The link's earlier checkouts, expired: it has one at a time (docs/rules.md#one-checkout-at-a-time).

    A declined one too, for a patient may try again there. What was paid there all the same is posted. One that was
    expired before is among them until the processor has said that it is over: it may never have been asked.
    """
    return tuple(
        replace(checkout, expired_at=checkout.expired_at or now)
        for checkout in book.checkouts
        if checkout.link_id == begun.link_id and checkout.reference != begun.reference
        if checkout.completed_at is None and (checkout.expired_at is None or _may_be_open(checkout, now))
        # What the bank is asked for can't be ended any more.
        if checkout.pending_at is None
    )


def _may_be_open(checkout: Checkout, now: datetime) -> bool:
    return bool(checkout.session_id) and not checkout.over and now < checkout.created_at + SESSION_LIVES


def payment_id_of(reference: str) -> str:
    """The id of the one payment that a checkout can lead to, however often the processor reports it."""
    return f"pay_{reference}"


def complete_checkout(
    book: AccountBook, organization: Organization, reference: str, taken: MoneyTaken, now: datetime
) -> Change | None:
    """Post what the processor took for a checkout; None: it is posted already."""
    checkout = book.checkout(reference)
    if checkout is None:
        return None
    received = PaymentReceived(
        payment_id=payment_id_of(reference),
        amount=taken.amount,
        method=taken.method,
        received_on=now.astimezone(organization.zone).date(),
        transaction_id=reference,
        statement_id=checkout.statement_id,
        link_id=checkout.link_id,
    )
    change = post_payment(book, organization, received, now, Actor.PROCESSOR)
    done = replace(checkout, completed_at=now, declined_at=None, pending_at=None)
    return replace(change, checkouts=(done,)) if change else None


def decline_checkout(book: AccountBook, reference: str, now: datetime) -> Change | None:
    """Note that the processor took nothing; None: that is known, or money came after all."""
    checkout = book.checkout(reference)
    if checkout is None or checkout.completed_at or checkout.declined_at:
        return None
    return Change(account=book.account, checkouts=(replace(checkout, declined_at=now),))


def renew(book: AccountBook, link: PaymentLink, now: datetime) -> Change | None:
    """Have a new link sent to the address on file; None: nowhere to send it, nothing owed, or asked for too often."""
    owed = [bill for bill in link_scope(book, link) if bill.payable]
    before = [notice for notice in book.notices if notice.notice_id.startswith(_renewal_id(link, ""))]
    too_soon = any(now < notice.created_at + RENEWAL_PAUSE for notice in before)
    asked = book.notice(link.notice_id)
    channel = _renewal_channel(book, asked)
    if not owed or too_soon or len(before) >= MOST_RENEWALS or channel is None:
        return None
    notice = new_notice(
        book.account,
        notice_id=_renewal_id(link, str(len(before) + 1)),
        channel=channel,
        notification_type=NotificationType.PAYMENT_LINK,
        # The new link is about what the old one was: its one bill, or the whole account.
        bills=(BillLevel.of(bill) for bill in owed if link.statement_id),
        send_to=asked.send_to if asked else GUARANTOR,
        now=now,
    )
    event = HistoryEvent(
        at=now, event="PaymentLinkAskedFor", actor=Actor.PATIENT, facts={"paymentLinkId": link.link_id}
    )
    renewed = scheduled(notice, now, Actor.PATIENT, "new link asked for")
    return Change(account=book.account, notices=(renewed,), history=(event,))


def _renewal_id(link: PaymentLink, ordinal: str) -> str:
    return f"rnw_{hashlib.sha256(link.link_id.encode()).hexdigest()[:24]}_{ordinal}"


def _renewal_channel(book: AccountBook, asked: Notice | None) -> Channel | None:
    """The channel of the old link's notice; where that is paper or can't be used, email, else text.

    Someone who opted out of email asks for this one; after STOP no text may be sent whoever asks.
    """
    if asked is not None and asked.send_to != GUARANTOR:
        return asked.channel if asked.channel.electronic else Channel.EMAIL
    preferred = [asked.channel] if asked is not None and asked.channel.electronic else []
    usable = (
        channel
        for channel in (*preferred, Channel.EMAIL, Channel.SMS)
        if not contact_refusal(channel, book.account)
        and not (channel is Channel.SMS and opted_out(channel, book.account))
    )
    return next(usable, None)
