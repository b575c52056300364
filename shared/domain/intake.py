"""What a partner's statement does: makes a bill, brings one up to date, or closes it (domain.md, Statement JSON)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.account import Account
from shared.domain.account_changes import change_account, consent_events
from shared.domain.bill import Bill
from shared.domain.book import AccountBook, Change
from shared.domain.history import HistoryEvent
from shared.domain.ingestion import Remark
from shared.domain.json_documents import DECODER, pointed_at
from shared.domain.notice import CANCELLABLE, Notice, moved
from shared.domain.payments import PaymentReceived, post_payment
from shared.domain.policy import Organization
from shared.domain.presets import configuration
from shared.domain.reasons import Reason
from shared.domain.statement import NOTHING_OPTED_OUT, Guarantor, OptOuts, PaymentUpdate, Statement
from shared.domain.steps import effective_date_at_level, level_at, level_of_dunning_status
from shared.domain.stopping import cancel_pending, cancel_requests
from shared.domain.words import (
    AccountStatus,
    BillAging,
    BillStatus,
    BillType,
    Channel,
    ConsentSource,
    IngestionResult,
    LinkStatus,
)

ACTOR = "partner"
"""Who brings statements, as histories name it."""

PARTNER_PAYMENT = "partner"
"""The method of a payment that reached the practice and was told of by a payment update."""

OPT_OUT_MEMBER = "electronicOptOut"
"""The member of a statement that closes channels: the wording that the registry of consent keeps of it."""

ACTIVE = frozenset({BillStatus.DUE, BillStatus.SUSPENDED})
ENDED = frozenset({BillStatus.PAID, BillStatus.CANCELLED})

MOVED = "moved to another guarantor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How statements came: to which organization, in which file, when, and as bills of which type."""

    organization: Organization
    bill_type: BillType
    ingestion_id: str
    now: datetime

    @property
    def today(self) -> date:
        """The processing date, on the organization's calendar."""
        return self.now.astimezone(self.organization.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A valid statement as it came. `document` is its own text, and says whether it is the same to the letter.

    warnings: what had to be left out of it. language_given: whether it names a language; without one a known
    preference stands. time_zones: those that the guarantor's ZIP code and mobile number suggest.
    """

    statement: Statement
    document: bytes
    warnings: tuple[Remark, ...] = ()
    language_given: bool = True
    time_zones: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Knows an identical document again (settled questions 15 and 19)."""
        return fingerprint(self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a statement came to, and what it changes; None: nothing."""

    result: IngestionResult
    change: Change | None = None
    warnings: tuple[Remark, ...] = ()
    errors: tuple[Remark, ...] = ()


def fingerprint(document: bytes) -> str:
    """SHA-256 of a document as it was received."""
    return hashlib.sha256(document).hexdigest()


def receive_statement(
    book: AccountBook | None, arrival: Arrival, delivery: Delivery, moved: Bill | None = None
) -> Received:
    """What a statement does to its account's book; None: the account is new.

    `moved` is the statement's bill as another account had it until now (`release_bill`): it goes on here.
    """
    refusal = _refusal(delivery.organization)
    if refusal:
        return Received(result=IngestionResult.FAILED, warnings=arrival.warnings, errors=(refusal,))
    known = moved or (book.bill(arrival.statement.statement_id) if book else None)
    if known and not known.moved_to and moved is None and known.fingerprint == arrival.fingerprint:
        return Received(result=_result_before(known, delivery), warnings=arrival.warnings)
    before = _bill_before(book, known, arrival.statement, delivery.bill_type)
    if _is_outdated(book, before, arrival.statement, delivery):
        outdated = Remark("/totalBalance", "is older than a recent payment")
        return Received(result=IngestionResult.IGNORED, warnings=(*arrival.warnings, outdated))
    bill, unused = _bill_after(before, arrival, delivery)
    change = _change(book, before, bill, arrival, delivery)
    return Received(
        result=IngestionResult.UPDATED if before else IngestionResult.CREATED,
        change=change,
        warnings=(*arrival.warnings, *unused),
    )


def release_bill(
    book: AccountBook, statement_id: str, new_account_id: str, delivery: Delivery
) -> tuple[Bill, Change] | None:
    """Let a bill go because its statement came for another guarantor: the bill as it was, and what changes here.

    It stays behind Cancelled, and what was going to be sent about it is stopped. None: the bill isn't here (any more).
    """
    bill = book.bill(statement_id)
    if bill is None or bill.moved_to:
        return None
    left = _with_event(
        replace(bill, status=BillStatus.CANCELLED, status_reason=MOVED, moved_to=new_account_id),
        delivery,
        "BillMoved",
        MOVED,
    )
    change = Change(account=replace(book.account, planning_at=delivery.now), bills=(left,))
    without_cause = _without_cause(book.after(change), delivery.now)
    return replace(bill, history=left.history), replace(change, notices=without_cause)


def receive_payment_update(book: AccountBook | None, update: PaymentUpdate, delivery: Delivery) -> Received:
    """Post the transactions of a payment update; those that are posted already change nothing."""
    refusal = _refusal(delivery.organization)
    if refusal:
        return Received(result=IngestionResult.FAILED, errors=(refusal,))
    bill = _successor(book, update.statement_id) if book else None
    if book is None or bill is None:
        unknown = Remark("/statementId", "There is no bill for this statement.")
        return Received(result=IngestionResult.FAILED, errors=(unknown,))
    whole: Change | None = None
    after = book
    for received in _payments(update, bill.statement_id):
        posted = post_payment(after, delivery.organization, received, delivery.now, ACTOR)
        if posted is not None:
            after, whole = after.after(posted), whole.then(posted) if whole else posted
    return Received(result=IngestionResult.UPDATED if whole else IngestionResult.IGNORED, change=whole)


def _result_before(known: Bill, delivery: Delivery) -> IngestionResult:
    """What an identical statement comes to: Ignored, or if this very file brought it, what it came to then.

    So a file that is worked on again after a crash tells the same as it would have without.
    """
    if known.ingestion_id != delivery.ingestion_id:
        return IngestionResult.IGNORED
    mine = {event.event for event in known.history if event.facts.get("ingestionId") == delivery.ingestion_id}
    return IngestionResult.CREATED if "BillCreated" in mine else IngestionResult.UPDATED


def _refusal(organization: Organization) -> Remark | None:
    if organization.account_status is AccountStatus.ARCHIVED:
        return Remark("/clientId", "The organization is archived and takes no statements.")
    return None


# --- which bill it is about -----------------------------------------------------------------------------------


def _bill_before(book: AccountBook | None, known: Bill | None, statement: Statement, kind: BillType) -> Bill | None:
    """The bill that a statement brings up to date: its own, or the active one of its patient account (Lifetime).

    None: it makes a new one. A Lifetime statement whose own bill has ended amends the one that took its place.
    """
    if kind is BillType.EPISODIC or (known and known.status in ACTIVE):
        return known
    active = [bill for bill in _of_patients(book, statement) if bill.status in ACTIVE]
    return max(active, key=lambda bill: bill.created_at, default=known)


def _of_patients(book: AccountBook | None, statement: Statement) -> list[Bill]:
    """The Lifetime bills of a statement's patient accounts."""
    patients = {patient.account_id for patient in statement.patients}
    return [
        bill
        for bill in (book.bills if book else ())
        if bill.bill_type is BillType.LIFETIME and patients.intersection(bill.patient_account_ids)
    ]


def _is_outdated(book: AccountBook | None, before: Bill | None, statement: Statement, delivery: Delivery) -> bool:
    """Whether a balance is older than a recent payment (domain.md: days to ignore after transaction).

    A statement without a date doesn't say how old its balance is: it is taken for old when it asks for more than is
    owed since the payment. What asks for nothing is never old: it stops all communication.
    """
    days = delivery.organization.dunning.days_to_ignore_after_transaction
    related = [before] if before else []
    if delivery.bill_type is BillType.LIFETIME:
        related += _of_patients(book, statement)
    payments = [bill.last_payment_at for bill in related if bill.last_payment_at]
    if days == 0 or not payments or statement.total_balance <= 0:
        return False
    paid_on = max(payments).astimezone(delivery.organization.zone).date()
    if (delivery.today - paid_on).days > days:
        return False
    if statement.statement_date is None:
        return statement.total_balance > max(bill.balance for bill in related)
    return statement.statement_date <= paid_on


def _successor(book: AccountBook, statement_id: str) -> Bill | None:
    """The bill of a statement, or the one that has taken its place by now (Lifetime)."""
    standing = [bill for bill in book.bills if statement_id in bill.statement_ids and not bill.moved_to]
    return max(standing, key=lambda bill: (bill.status is not BillStatus.CANCELLED, len(bill.amends)), default=None)


# --- the bill afterwards --------------------------------------------------------------------------------------


def _bill_after(before: Bill | None, arrival: Arrival, delivery: Delivery) -> tuple[Bill, tuple[Remark, ...]]:
    """The bill as the statement leaves it, and what of the statement couldn't be followed."""
    statement = arrival.statement
    status, reason = _status(before, statement)
    bill = Bill(
        statement_id=statement.statement_id,
        bill_type=delivery.bill_type,
        status=status,
        status_reason=reason,
        total_billed=statement.total_billed,
        balance=statement.total_balance,
        statement_date=statement.statement_date or delivery.today,
        created_at=before.created_at if before else delivery.now,
        effective_created_date=before.effective_created_date if before else delivery.today,
        aging_period=before.aging_period if before else f"{statement.statement_id}/1",
        level_floor=before.level_floor if before else 0,
        renotify_at=before.renotify_at if before else None,
        paid=before.paid if before else 0,
        last_payment_at=before.last_payment_at if before else None,
        posted_transactions=before.posted_transactions if before else frozenset(),
        patient_account_ids=tuple(dict.fromkeys(patient.account_id for patient in statement.patients)),
        birth_dates=_birth_dates(statement),
        amends=_amends(before, statement),
        ingestion_id=delivery.ingestion_id,
        fingerprint=arrival.fingerprint,
        document=arrival.document,
        history=before.history if before else (),
    )
    bill = _with_event(bill, delivery, *_what_happened(before, bill))
    if bill.status in ENDED:
        return bill, ()
    bill = _restarted(before, bill, arrival, delivery)
    bill, unused = _at_dunning_status(bill, statement, delivery)
    return _told_again(before, bill, delivery), unused


def _status(before: Bill | None, statement: Statement) -> tuple[BillStatus, str]:
    """A balance of zero, or a credit, ends the bill; a balance opens it, unless it is suspended."""
    if statement.total_balance <= 0:
        if before and before.status is BillStatus.PAID:
            return BillStatus.PAID, before.status_reason
        return BillStatus.CANCELLED, Reason.BALANCE_ZERO
    if before and before.status is BillStatus.SUSPENDED:
        return BillStatus.SUSPENDED, before.status_reason
    return BillStatus.DUE, ""


def _amends(before: Bill | None, statement: Statement) -> tuple[str, ...]:
    if before is None:
        return ()
    return tuple(name for name in before.statement_ids if name != statement.statement_id)


def _birth_dates(statement: Statement) -> tuple[date, ...]:
    dates = (patient.date_of_birth for patient in statement.patients if patient.date_of_birth)
    return tuple(dict.fromkeys(dates))


def _what_happened(before: Bill | None, after: Bill) -> tuple[str, str]:
    """The event that the history shows, and why."""
    if before is None:
        return ("BillCreated", "") if after.status not in ENDED else ("BillCreated", Reason.BALANCE_ZERO)
    if after.status is BillStatus.CANCELLED and before.status is not BillStatus.CANCELLED:
        return "BillCancelled", Reason.BALANCE_ZERO
    if before.status in ENDED and after.status not in ENDED:
        return "BillReopened", "a statement with a balance"
    if before.statement_id != after.statement_id:
        return "BillAmended", "a later statement for the same patient account"
    return "BillUpdated", "balance changed" if before.balance != after.balance else ""


def _restarted(before: Bill | None, bill: Bill, arrival: Arrival, delivery: Delivery) -> Bill:
    """Aging begins anew after Paid or Cancelled (settled question 11), or where a reset asks for it."""
    if before is None:
        return bill
    reason = "opened again" if before.status in ENDED else _reset_reason(before, arrival, delivery)
    if not reason:
        return bill
    return _with_event(_aging_from(bill, delivery.today), delivery, "AgingReset", reason)


def _reset_reason(before: Bill, arrival: Arrival, delivery: Delivery) -> str:
    settings = delivery.organization.dunning
    if settings.enable_bill_reset and arrival.statement.reset_bill:
        return "the statement asked for it"
    if settings.reset_on_fields_changing and settings.reset_fields and before.document:
        old, new = (DECODER.decode(document.decode()) for document in (before.document, arrival.document))
        changed = [field for field in settings.reset_fields if pointed_at(old, field) != pointed_at(new, field)]
        if changed:
            return f"{changed[0]} changed"
    return ""


def _aging_from(bill: Bill, day: date) -> Bill:
    """The bill in a new stretch of aging, which no earlier notice counts for."""
    return replace(
        bill,
        effective_created_date=day,
        aging_period=f"{bill.statement_id}/{len(bill.history) + 1}",
        level_floor=0,
        renotify_at=None,
    )


def _at_dunning_status(bill: Bill, statement: Statement, delivery: Delivery) -> tuple[Bill, tuple[Remark, ...]]:
    """Put the bill at the step that the statement names (settled questions 8 and 18)."""
    settings = delivery.organization.dunning
    if not statement.dunning_status or settings.bill_aging is not BillAging.BASED_ON_DUNNING_STATUS:
        return bill, ()
    preset = configuration(settings.configuration_id)
    named = level_of_dunning_status(preset, statement.dunning_status)
    if named is None:
        return bill, (Remark("/dunningStatus", "names no step of the organization's dunning configuration"),)
    current = level_at(preset, bill.age_on(delivery.today))
    type_of_current = preset.steps[current - 1].notification_type if current else None
    if named == current or statement.dunning_status == type_of_current:
        return bill, ()
    day = effective_date_at_level(preset, named, delivery.today)
    # A step below the present one is told again, so what was told before must not count.
    moved = _aging_from(bill, day) if named < current else replace(bill, effective_created_date=day)
    return _with_event(moved, delivery, "AgingMoved", "dunning status of the statement", level=str(named)), ()


def _told_again(before: Bill | None, bill: Bill, delivery: Delivery) -> Bill:
    """Ask for the current step once more when the balance of a bill that goes on has changed (setting)."""
    if before is None or not delivery.organization.dunning.communications_on_bill_update:
        return bill
    if before.balance == bill.balance or before.aging_period != bill.aging_period:
        return bill
    return replace(bill, renotify_at=delivery.now)


def _with_event(bill: Bill, delivery: Delivery, event: str, reason: str, **facts: str) -> Bill:
    facts = {"ingestionId": delivery.ingestion_id, **facts}
    entry = HistoryEvent(at=delivery.now, event=event, actor=ACTOR, reason=reason, facts=facts)
    return replace(bill, history=(*bill.history, entry))


# --- the account and what hangs on the bill -------------------------------------------------------------------


def _change(book: AccountBook | None, before: Bill | None, bill: Bill, arrival: Arrival, delivery: Delivery) -> Change:
    """All that the statement changes at its account."""
    account = _account(book.account if book else None, arrival, delivery)
    if book is None:
        return Change(account=account, bills=(bill,), history=_first_opt_outs(account, delivery))
    amended = before if before and before.statement_id != bill.statement_id else None
    change = Change(account=replace(book.account, planning_at=delivery.now), bills=(bill,))
    if amended:
        change = _amending(book, amended, bill, delivery)
    source, wording = ConsentSource.PARTNER_STATEMENT, OPT_OUT_MEMBER
    about_account = change_account(book.after(change), account, delivery.now, ACTOR, source=source, wording=wording)
    if about_account:
        change = change.then(about_account)
    return change.then(Change(account=change.account, notices=_without_cause(book.after(change), delivery.now)))


def _amending(book: AccountBook, amended: Bill, bill: Bill, delivery: Delivery) -> Change:
    """The amended bill gives way to the new one, and what is under way about it goes on with that one."""
    reason = f"replaced by statement {bill.statement_id}"
    # What was paid goes on with the new bill, so that the same money doesn't show on two.
    replaced = replace(amended, status=BillStatus.CANCELLED, status_reason=reason, paid=0)
    return Change(
        account=replace(book.account, planning_at=delivery.now),
        bills=(_with_event(replaced, delivery, "BillReplaced", reason), bill),
        notices=tuple(
            _renamed(notice, amended.statement_id, bill.statement_id, delivery.now)
            for notice in book.notices
            if notice.status in CANCELLABLE and amended.statement_id in notice.statement_ids
        ),
        links=tuple(
            replace(link, statement_id=bill.statement_id)
            for link in book.links
            if link.statement_id == amended.statement_id and link.status in {LinkStatus.SENT, LinkStatus.OPENED}
        ),
        checkouts=tuple(
            replace(checkout, statement_id=bill.statement_id)
            for checkout in book.checkouts
            if checkout.statement_id == amended.statement_id and checkout.completed_at is None
        ),
    )


def _renamed(notice: Notice, old: str, new: str, now: datetime) -> Notice:
    """The notice about the new bill. Its history says so: no row is written without an entry (storage/notices.py)."""
    entries = (replace(entry, statement_id=new) if entry.statement_id == old else entry for entry in notice.bills)
    renamed = moved(notice, notice.status, now, ACTOR, f"replaced by statement {new}", bills=tuple(entries))
    return replace(renamed, reason=notice.reason)


def _without_cause(book: AccountBook, now: datetime) -> tuple[Notice, ...]:
    """What is pending and has no cause any more: by the dunning rules, or because nothing can be paid by it."""
    return (*cancel_pending(book, now, ACTOR), *cancel_requests(book, now, ACTOR, Reason.BILL_CANCELLED))


def _account(before: Account | None, arrival: Arrival, delivery: Delivery) -> Account:
    """The account with what the statement says of its guarantor; what it doesn't say stands."""
    statement = arrival.statement
    if before is None:
        return Account(
            org_id=delivery.organization.org_id,
            account_id=statement.account_id,
            guarantor=statement.guarantor,
            bill_to=statement.bill_to,
            opt_outs=_opt_outs(NOTHING_OPTED_OUT, statement.opt_outs),
            time_zones=arrival.time_zones,
            planning_at=delivery.now,
        )
    guarantor = _guarantor(before.guarantor, arrival)
    return replace(
        before,
        guarantor=guarantor,
        bill_to=statement.bill_to or before.bill_to,
        opt_outs=_opt_outs(before.opt_outs, statement.opt_outs),
        undeliverable=before.undeliverable - _renewed(before.guarantor, guarantor),
        time_zones=arrival.time_zones or before.time_zones,
        planning_at=delivery.now,
    )


def _guarantor(before: Guarantor, arrival: Arrival) -> Guarantor:
    """Contact data that is given replaces what was known; what is given but can't be used isn't used either."""
    said, unusable = arrival.statement.guarantor, {warning.pointer for warning in arrival.warnings}

    def contact(now_said: str, known: str, pointer: str) -> str:
        return now_said or ("" if pointer in unusable else known)

    return replace(
        said,
        guarantor_id=said.guarantor_id or before.guarantor_id,
        date_of_birth=said.date_of_birth or before.date_of_birth,
        email=contact(said.email, before.email, "/guarantor/email"),
        mobile_phone=contact(said.mobile_phone, before.mobile_phone, "/guarantor/mobilePhone"),
        home_phone=contact(said.home_phone, before.home_phone, "/guarantor/homePhone"),
        language=said.language if arrival.language_given else before.language,
        address=said.address or before.address,
        address_status=said.address_status if said.address else said.address_status or before.address_status,
    )


def _renewed(before: Guarantor, after: Guarantor) -> frozenset[Channel]:
    """The channels on which the guarantor is now reached somewhere else."""
    different = {
        Channel.EMAIL: before.email != after.email,
        Channel.SMS: before.mobile_phone != after.mobile_phone,
        Channel.PRINT: before.address != after.address,
    }
    return frozenset(channel for channel, changed in different.items() if changed)


def _first_opt_outs(account: Account, delivery: Delivery) -> tuple[HistoryEvent, ...]:
    """What the registry of consent says of a new account, whose first statement may have closed channels already."""
    source = ConsentSource.PARTNER_STATEMENT
    return consent_events(NOTHING_OPTED_OUT, account.opt_outs, delivery.now, ACTOR, source, OPT_OUT_MEMBER)


def _opt_outs(before: OptOuts, said: OptOuts | None) -> OptOuts:
    """An opt-out stands until it is taken back; what closes the last channel leaves paper open."""
    if said is None:
        return before
    email, sms = before.email or said.email, before.sms or said.sms
    return OptOuts(email=email, sms=sms, print=(before.print or said.print) and not (email and sms))


# --- payments told of by the partner --------------------------------------------------------------------------


def _payments(update: PaymentUpdate, statement_id: str) -> Iterable[PaymentReceived]:
    """The transactions as payments. One without an id is known by its day and amount, and its place among equals."""
    equals = dict[tuple[date, int], int]()
    for transaction in update.transactions:
        if transaction.transaction_id:
            name = transaction.transaction_id
        else:
            same = (transaction.transaction_date, transaction.amount)
            equals[same] = equals.get(same, 0) + 1
            name = f"{transaction.transaction_date.isoformat()}\n{transaction.amount}\n{equals[same]}"
        digest = hashlib.sha256(f"{update.statement_id}\n{name}".encode()).hexdigest()
        yield PaymentReceived(
            payment_id=f"ptn_{digest[:24]}",
            amount=transaction.amount,
            method=PARTNER_PAYMENT,
            received_on=transaction.transaction_date,
            transaction_id=transaction.transaction_id,
            statement_id=statement_id,
        )
