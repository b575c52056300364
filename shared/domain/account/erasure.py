"""Erasing a person from an account: what has to stay is the money and that notices went, under ids alone.

See docs/decisions/0071-erasure.md for what stays and why.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from shared.domain.account.contacts import number_hash
from shared.domain.records.account import NO_WRONG_ANSWERS, Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.statement import Guarantor
from shared.domain.records.stored import StoredRecord
from shared.domain.records.task import Task, TaskStatus
from shared.domain.records.transitions import ON_THE_CLOCK
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import LinkStatus, NoticeStatus

PERSON_ERASED = "PersonErased"
"""The event that an account's history has of it; its reason is an `ErasureCause`."""

STAFF_PREFIX = "key:"
"""What the actor of staff begins with: the key that they act by."""

NO_GUARANTOR = Guarantor(first_name="", last_name="")

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

DEAD = frozenset({LinkStatus.PAID, LinkStatus.EXPIRED, LinkStatus.SUPERSEDED, LinkStatus.REVOKED})
"""Where a link leads to nothing any more."""


class ErasureCause(StrEnum):
    """Why a person was erased."""

    ON_REQUEST = "on request"
    BY_AGE = "by age"


OWN_WORDS = frozenset(map(str, (*Reason, *ErasureCause)))
"""Reasons that say nothing of a person, whoever gave them."""


class StillNeeded(StrEnum):
    """Why a person can't be erased yet: somebody still has to reach them, or is about to."""

    OWES = "a bill is still owed"
    CREDIT = "the practice owes the account money"
    ON_ITS_WAY = "a message is on its way"
    LETTER_WAITS = "a letter waits for the print shop"
    TASK_OPEN = "a task about the account is open"


def still_needed(
    book: AccountBook, tasks: Iterable[Task] = (), waiting_letters: frozenset[str] = frozenset()
) -> StillNeeded | None:
    """Why the person of an account can't be erased yet; None: nothing is left to be done with them.

    tasks: those about the account. waiting_letters: notices whose letter no manifest lists yet.
    """
    if any(bill.payable for bill in book.bills):
        return StillNeeded.OWES
    if book.credit > 0:
        return StillNeeded.CREDIT
    if any(_on_its_way(notice) for notice in book.notices):
        return StillNeeded.ON_ITS_WAY
    if any(notice.notice_id in waiting_letters for notice in book.notices):
        return StillNeeded.LETTER_WAITS
    return StillNeeded.TASK_OPEN if any(task.status is not TaskStatus.RESOLVED for task in tasks) else None


def _on_its_way(notice: Notice) -> bool:
    """Somebody has still to do something to it. An Unknown one without a lease is left to manual review."""
    waits_for_nobody = notice.status is NoticeStatus.UNKNOWN and notice.lease_until is None
    return notice.status in ON_THE_CLOCK and not waits_for_nobody


def last_activity(book: AccountBook) -> datetime:
    """When something last happened to an account: a statement, a payment, a message, a change."""
    return max(
        (
            *(bill.created_at for bill in book.bills),
            *(event.at for bill in book.bills for event in bill.history),
            *(payment.posted_at for payment in book.payments),
            *(entry.at for notice in book.notices for entry in notice.status_history),
            *(event.at for event in book.history if event.event != PERSON_ERASED),
        ),
        default=LONG_AGO,
    )


def old_enough(book: AccountBook, kept_days: int, now: datetime) -> bool:
    """Whether nothing happened to an account for as many days as its organization keeps people's data."""
    return last_activity(book) + timedelta(days=kept_days) <= now


def numbers_of(book: AccountBook) -> frozenset[str]:
    """The phone numbers, hashed, by which texts find the account, as far as the account knows them."""
    account = book.account
    named = (account.guarantor.mobile_phone, account.bill_to.mobile_phone if account.bill_to else "")
    return frozenset(number_hash(number) for number in named if number) | account.stopped_numbers


def erased(book: AccountBook, cause: ErasureCause, now: datetime) -> Change | None:
    """The account without its person: no name, address, number, birth date, statement or free word is left.

    None: nothing of a person is left to erase. Notes in the account's history are rewritten apart (`erased_event`),
    because no change rewrites history.
    """
    account = _erased_account(book.account)
    bills = _changed(book.bills, _erased_bill)
    notices = _changed(book.notices, _erased_notice)
    payments = _changed(book.payments, _erased_payment)
    links = _changed(book.links, _erased_link)
    checkouts = _changed(book.checkouts, _erased_checkout)
    untold = all(erased_event(event) == event for event in book.history)
    nobody = account == book.account and not book.account.as_read
    if nobody and untold and not (bills or notices or payments or links or checkouts):
        return None
    event = HistoryEvent(at=now, event=PERSON_ERASED, actor=Actor.OPERATOR, reason=cause)
    # Whoever changes an account has it planned: it owes nothing, so the plan lets it rest.
    return Change(
        account=replace(account, planning_at=now),
        bills=bills,
        notices=notices,
        payments=payments,
        links=links,
        checkouts=checkouts,
        history=(event,),
    )


def _changed[R: StoredRecord](records: tuple[R, ...], erase: Callable[[R], R]) -> tuple[R, ...]:
    """The records of which something has to be erased, as they are then; be it only what a newer version wrote."""
    return tuple(after for before in records if (after := erase(before)) != before or before.as_read)


def erased_event(event: HistoryEvent) -> HistoryEvent:
    """An event of a history without what a person wrote. How money came stays: balances are told by it."""
    reason = event.reason if "balance" in event.facts else _ours(event.reason, event.actor)
    return replace(event, reason=reason, text="")


def erased_task(task: Task) -> Task:
    """A settled task without the words that somebody wrote."""
    return replace(task, resolution="", note="", as_read="")


def _ours(reason: str, actor: str) -> str:
    """A reason that a rule gave. What staff or an operator wrote is dropped: it may say anything of the person."""
    by_a_person = actor.startswith(STAFF_PREFIX) or actor == Actor.OPERATOR
    return "" if by_a_person and reason not in OWN_WORDS else reason


def _erased_account(account: Account) -> Account:
    """What protects whoever comes back stays: opt-outs and holds. A STOP stands with its number anyway."""
    return replace(
        account,
        guarantor=NO_GUARANTOR,
        bill_to=None,
        undeliverable=frozenset(),
        stopped_numbers=frozenset(),
        hold_details=tuple(replace(detail, reason="") for detail in account.hold_details),
        time_zones=(),
        wrong_answers=NO_WRONG_ANSWERS,
        objections=(),
        remind_on=None,
        as_read="",
    )


def _erased_bill(bill: Bill) -> Bill:
    """The fingerprint stays, so that the same statement sent once more is known, and brings nobody back."""
    history = tuple(map(erased_event, bill.history))
    known = OWN_WORDS | {event.reason for event in history}
    return replace(
        bill,
        document=b"",
        birth_dates=(),
        patient_names=(),
        patient_contacts=(),
        status_reason=bill.status_reason if bill.status_reason in known else "",
        history=history,
        as_read="",
    )


def _erased_notice(notice: Notice) -> Notice:
    entries = tuple(replace(entry, reason=_ours(entry.reason, entry.actor)) for entry in notice.status_history)
    known = OWN_WORDS | {entry.reason for entry in entries}
    reason = notice.reason if notice.reason in known else ""
    return replace(notice, sent_to="", reason=reason, status_history=entries, as_read="")


def _erased_payment(payment: Payment) -> Payment:
    return replace(payment, reason="", as_read="")


def _erased_link(link: PaymentLink) -> PaymentLink:
    status = link.status if link.status in DEAD else LinkStatus.REVOKED
    return replace(link, status=status, sent_to="", staff_name="", verified_hash="", verified_until=None, as_read="")


def _erased_checkout(checkout: Checkout) -> Checkout:
    """Why staff gave money back was asked for here before it was posted."""
    refunds = tuple(replace(refund, reason="") for refund in checkout.refunds)
    return replace(checkout, refunds=refunds, as_read="")
