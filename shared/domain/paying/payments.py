"""What a payment does: to bills, to what was going to be sent about them, and to the account's credit."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.account.contacts import BILL_TO, GUARANTOR, PATIENT, contact_refusal
from shared.domain.account.stopping import cancel_pending, cancel_requests
from shared.domain.calendar.steps import effective_date_at_level, level_at
from shared.domain.paying.credit import credit_task, credit_tasks, reclaim_credit, use_credit
from shared.domain.paying.moved_money import OUR_METHODS
from shared.domain.paying.posting import PostingNote, credit_on, oldest_first, settled, standing_bill
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, Notice, new_notice, scheduled
from shared.domain.records.payment import Allocation, Payment
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import DunningConfiguration, Organization, PaymentRule
from shared.domain.records.presets import chosen
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, DunningReset, LinkStatus, NotificationType


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceived:
    """Money that came in, or went back, and isn't posted yet.

    payment_id: derived from where the money comes from, so that reporting it twice posts it once.
    amount: cents; negative for money that went back (a refund, void, returned item or chargeback).
    received_on: the day on the organization's calendar. transaction_id: the partner's or processor's own id of it.
    statement_id: the bill that it is for; empty: the oldest first. link_id: the payment link that it came through.
    """

    payment_id: str
    amount: Cents
    method: str
    received_on: date
    transaction_id: str = ""
    statement_id: str = ""
    link_id: str = ""


def post_payment(
    book: AccountBook, organization: Organization, received: PaymentReceived, now: datetime, actor: str
) -> Change | None:
    """Post a payment to an account; None: it is posted already, or there is nothing to post.

    Money goes to the bill that is named, else to the oldest first; what no bill takes becomes credit
    (docs/rules.md#oldest-bill-first, #overpayment and #payment-rule).
    """
    received = _in_their_words(_for_standing_bill(book, received))
    if received.amount == 0 or _posted(book, received):
        return None
    reclaimed = _reclaimed(book, organization, received, now, actor)
    if reclaimed:
        later = post_payment(book.after(reclaimed), organization, received, now, actor)
        return reclaimed.then(later) if later else None
    share_out = _pay if received.amount > 0 else _give_back
    shares = share_out(book, organization, received)
    credit = received.amount - sum(shares.values())
    bills, reset = _changed_bills(book, organization, received, shares, now, actor)
    by_statement = {bill.statement_id: bill for bill in (*book.bills, *bills)}
    payment = Payment(
        payment_id=received.payment_id,
        amount=received.amount,
        method=received.method,
        received_on=received.received_on,
        posted_at=now,
        transaction_id=received.transaction_id,
        allocations=tuple(Allocation(statement_id=name, amount=share) for name, share in shares.items()),
        credit=credit,
        link_id=received.link_id,
        by=actor,
    )
    account = replace(book.account, credit=book.account.credit + credit, planning_at=now)
    after = replace(book, account=account, bills=tuple(by_statement.values()))
    refused = _stopped(after, received, now, actor, everything=reset)
    receipt = _receipt(after, payment, now, actor)
    event = HistoryEvent(
        at=now, event="PaymentReceived", actor=actor, facts={"paymentId": payment.payment_id, "method": payment.method}
    )
    posted = Change(account=account, bills=bills, notices=(*refused, *receipt), payments=(payment,), history=(event,))
    return _with_credit(book, organization, posted, payment, now, actor)


def _with_credit(
    book: AccountBook, organization: Organization, posted: Change, payment: Payment, now: datetime, actor: str
) -> Change:
    """The change with what the money does beyond its bills: credit is used at once, and what is left is a task.

    Who pays more than is owed by a link has most likely paid twice: a person looks at that, whatever was used of it.
    """
    used = use_credit(book.after(posted), organization, now, actor)
    whole = posted.then(used) if used else posted
    after = book.after(whole)
    if payment.link_id and payment.credit > 0:
        tasks = [credit_task(after, payment.payment_id, payment.credit, now)]
    else:
        tasks = list(credit_tasks(book, after, payment.payment_id, now))
    return replace(whole, links=_paid_links(after, payment.link_id), tasks=tuple(tasks))


def exceeds_what_was_paid(book: AccountBook, received: PaymentReceived) -> bool:
    """Whether more would go back than was paid on the named bill and lies in the credit, or came to other bills of it.

    A practice's own books may know of more (a payment update is taken as it is); a person at the desk has erred.
    """
    named = standing_bill(book, received.statement_id)
    if named is None or received.amount >= 0:
        return False
    elsewhere = sum(max(credit_on(book, bill), 0) for bill in book.bills if bill is not named)
    return -received.amount > max(named.paid, 0) + max(book.account.credit, 0) + elsewhere


def link_scope(book: AccountBook, link: PaymentLink) -> tuple[Bill, ...]:
    """The bills that a link is about: one, for a link that staff sent; all of the account, for a notice's."""
    return tuple(bill for bill in book.bills if not link.statement_id or bill.statement_id == link.statement_id)


def _for_standing_bill(book: AccountBook, received: PaymentReceived) -> PaymentReceived:
    """Money for a statement that a later one has replaced (Lifetime) is for that one: the old one is owed no more."""
    standing = standing_bill(book, received.statement_id) if received.statement_id else None
    return replace(received, statement_id=standing.statement_id) if standing else received


def _in_their_words(received: PaymentReceived) -> PaymentReceived:
    """A site or a desk may call a card "credit": that isn't a use of the account's credit, which no money comes by."""
    ours = received.method in OUR_METHODS
    return replace(received, method=f"paid by {received.method}") if ours else received


def _posted(book: AccountBook, received: PaymentReceived) -> bool:
    if book.payment(received.payment_id):
        return True
    if not received.transaction_id:
        return False
    named = book.bill(received.statement_id)
    if named is not None:
        # One check may pay several bills: the partner then names each with the same transaction.
        return received.transaction_id in named.posted_transactions
    return any(payment.transaction_id == received.transaction_id for payment in book.payments)


def _reclaimed(
    book: AccountBook, organization: Organization, received: PaymentReceived, now: datetime, actor: str
) -> Change | None:
    """Credit that comes back from other bills, because the surplus that it came of goes back now."""
    named = book.bill(received.statement_id)
    if named is None or received.amount >= 0:
        return None
    own = max(named.paid - max(credit_on(book, named), 0), 0)
    missing = -received.amount - own - max(book.account.credit, 0)
    return reclaim_credit(book, organization, missing, now, actor)


def _pay(book: AccountBook, organization: Organization, received: PaymentReceived) -> dict[str, Cents]:
    named = book.bill(received.statement_id)
    rest, shares = received.amount, dict[str, Cents]()
    for bill in oldest_first(book.bills if named is None else [named], organization):
        share = min(rest, bill.balance) if bill.payable else 0
        if share:
            shares[bill.statement_id] = share
            rest -= share
    return shares


def _give_back(book: AccountBook, organization: Organization, received: PaymentReceived) -> dict[str, Cents]:
    """Negative shares. What had been overpaid comes out of the credit; bills get back what was paid on them."""
    gone = -received.amount
    named = book.bill(received.statement_id)
    if named is not None:
        from_credit = min(max(book.account.credit, 0), max(0, gone - max(named.paid, 0)))
        return {named.statement_id: from_credit - gone} if gone > from_credit else {}
    gone -= min(max(book.account.credit, 0), gone)
    shares = dict[str, Cents]()
    for bill in reversed(oldest_first((bill for bill in book.bills if bill.paid > 0), organization)):
        share = min(gone, bill.paid)
        if share:
            shares[bill.statement_id] = -share
            gone -= share
    return shares


def _changed_bills(
    book: AccountBook,
    organization: Organization,
    received: PaymentReceived,
    shares: dict[str, Cents],
    now: datetime,
    actor: str,
) -> tuple[tuple[Bill, ...], bool]:
    """The bills in their new state, and whether the payment rule was met on any of them."""
    today = now.astimezone(organization.zone).date()
    rule = organization.dunning.payment_rule
    changed, reset = [], False
    for bill in book.bills:
        share = shares.get(bill.statement_id, 0)
        if share == 0 and not (received.transaction_id and bill.statement_id == received.statement_id):
            continue
        note = PostingNote(payment_id=received.payment_id, method=received.method, now=now, actor=actor)
        transactions = {received.transaction_id} if received.transaction_id else set[str]()
        after = settled(replace(bill, posted_transactions=bill.posted_transactions | transactions), share, note)
        if rule is not None and share > 0 and after.payable and _meets(rule, share, bill.balance):
            aged = chosen(organization.dunning)
            after, reset = _reset(after, rule, aged, today, received.payment_id, now, actor), True
        changed.append(after)
    return tuple(changed), reset


def _meets(rule: PaymentRule, share: Cents, balance: Cents) -> bool:
    """Whether a part payment is enough to reset dunning: at least the amount or share of the balance before it."""
    if rule.minimum_amount is not None and share >= rule.minimum_amount:
        return True
    return rule.minimum_percent is not None and share * 100 >= rule.minimum_percent * balance


def _reset(
    bill: Bill,
    rule: PaymentRule,
    aged: DunningConfiguration,
    today: date,
    payment_id: str,
    now: datetime,
    actor: str,
) -> Bill:
    """Move a bill's aging to the first step, or to the one below the present (docs/rules.md#dunning-reset)."""
    below = level_at(aged, bill.age_on(today)) - 1
    minus_one = rule.dunning_reset is DunningReset.MINUS_ONE and below >= 1
    floor = below if minus_one else 1
    moved_back = replace(
        bill,
        effective_created_date=effective_date_at_level(aged, below, today) if minus_one else today,
        aging_period=f"{today.isoformat()}#{payment_id}",
        level_floor=floor,
        renotify_at=None,
    )
    facts = {"dunningReset": str(rule.dunning_reset), "level": str(floor), "paymentId": payment_id}
    entry = HistoryEvent(at=now, event="AgingReset", actor=actor, reason="payment rule met", facts=facts)
    return replace(moved_back, history=(*moved_back.history, entry))


def _stopped(
    after: AccountBook, received: PaymentReceived, now: datetime, actor: str, *, everything: bool
) -> tuple[Notice, ...]:
    """The pending notices that the money leaves without a cause, or all of dunning's when it met the payment rule."""
    reason = Reason.PAYMENT_MADE if received.amount > 0 else None
    dunning = cancel_pending(after, now, actor, reason, everything=everything)
    return (*dunning, *cancel_requests(after, now, actor, Reason.PAYMENT_MADE))


def _receipt(book: AccountBook, payment: Payment, now: datetime, actor: str) -> tuple[Notice, ...]:
    """The receipt by email for money that came through a link; its id keeps one payment to one receipt."""
    link = book.link(payment.link_id)
    if link is None or payment.amount <= 0:
        return ()
    asked = book.notice(link.notice_id)
    recipient = asked.send_to if asked else GUARANTOR
    if not _has_email(book.account, recipient):
        return ()
    paid = {share.statement_id for share in payment.allocations}
    receipt = new_notice(
        book.account,
        notice_id=f"rcp_{hashlib.sha256(payment.payment_id.encode()).hexdigest()[:24]}",
        channel=Channel.EMAIL,
        notification_type=NotificationType.RECEIPT,
        bills=(BillLevel.of(bill) for bill in book.bills if bill.statement_id in paid),
        payment_id=payment.payment_id,
        send_to=recipient,
        now=now,
    )
    return (scheduled(receipt, now, actor, Reason.PAYMENT_MADE),)


def _has_email(account: Account, recipient: str) -> bool:
    """Whether somebody may be there to get a receipt, which an opt-out from email doesn't stop: they just paid.

    A patient's address stands in the statement's document: the sender looks.
    """
    if recipient == BILL_TO:
        return bool(account.bill_to and account.bill_to.email)
    if recipient == PATIENT:
        return True
    return not contact_refusal(Channel.EMAIL, account)


def _paid_links(book: AccountBook, link_id: str) -> tuple[PaymentLink, ...]:
    """The link that the money came through, Paid when nothing is left of what it is about."""
    return tuple(
        replace(link, status=LinkStatus.PAID)
        for link in book.links
        if link.link_id == link_id and not any(bill.payable for bill in link_scope(book, link))
    )
