"""The bill as a statement leaves it."""

from dataclasses import replace
from datetime import date

from shared.domain.calendar.steps import effective_date_at_level, level_at, level_of_dunning_status
from shared.domain.intake.arrival import ENDED, Arrival, IntakeContext, with_event
from shared.domain.records.bill import BILL_CANCELLED, Bill
from shared.domain.records.ingestion import Remark
from shared.domain.records.presets import chosen
from shared.domain.records.statement import Statement
from shared.domain.vocabulary.json_documents import DECODER, pointed_at
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillAging, BillStatus

STAYS_CANCELLED = Remark("/totalBalance", "Staff cancelled this bill; it stays cancelled until they reopen it.")


def bill_after(before: Bill | None, arrival: Arrival, context: IntakeContext) -> tuple[Bill, tuple[Remark, ...]]:
    """The bill as the statement leaves it, and what of the statement couldn't be followed."""
    statement = arrival.statement
    status, reason = _status(before, arrival, context)
    bill = Bill(
        statement_id=statement.statement_id,
        bill_type=context.bill_type,
        status=status,
        status_reason=reason,
        total_billed=statement.total_billed,
        balance=statement.total_balance,
        statement_date=statement.statement_date or context.today,
        created_at=before.created_at if before else context.now,
        effective_created_date=before.effective_created_date if before else context.today,
        aging_period=before.aging_period if before else f"{statement.statement_id}/1",
        level_floor=before.level_floor if before else 0,
        renotify_at=before.renotify_at if before else None,
        paid=before.paid if before else 0,
        last_payment_at=before.last_payment_at if before else None,
        posted_transactions=before.posted_transactions if before else frozenset(),
        patient_account_ids=tuple(dict.fromkeys(patient.account_id for patient in statement.patients)),
        birth_dates=_birth_dates(statement),
        patient_names=tuple(dict.fromkeys(patient.last_name for patient in statement.patients)),
        patient_contacts=_contacts(statement),
        amends=_amends(before, statement),
        ingestion_id=context.ingestion_id,
        fingerprint=arrival.fingerprint,
        document=arrival.document,
        history=before.history if before else (),
    )
    bill = with_event(bill, context, *_what_happened(before, bill))
    if bill.status in ENDED:
        return bill, (STAYS_CANCELLED,) if bill.cancelled_by_staff and bill.balance > 0 else ()
    bill = _restarted(before, bill, arrival, context)
    bill, unused = _at_dunning_status(bill, statement, context)
    return _sent_again(before, bill, context), unused


def _status(before: Bill | None, arrival: Arrival, context: IntakeContext) -> tuple[BillStatus, str]:
    """A balance of zero, or a credit, ends the bill; a balance opens it, unless it is suspended or staff ended it.

    What staff cancelled stays so until they reopen it, or the statement carries a reset that the organization takes
    (docs/rules.md#staff-cancelled).
    """
    statement = arrival.statement
    if before and before.cancelled_by_staff and not _asks_for_reset(arrival, context):
        return BillStatus.CANCELLED, before.status_reason
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


def _contacts(statement: Statement) -> tuple[str, ...]:
    said = (way for patient in statement.patients for way in (patient.email, patient.mobile_phone) if way)
    return tuple(dict.fromkeys(said))


def _what_happened(before: Bill | None, after: Bill) -> tuple[str, str]:
    """The event that the history shows, and why."""
    if before is None:
        return ("BillCreated", "") if after.status not in ENDED else ("BillCreated", Reason.BALANCE_ZERO)
    if after.status is BillStatus.CANCELLED and before.status is not BillStatus.CANCELLED:
        return BILL_CANCELLED, Reason.BALANCE_ZERO
    if before.status in ENDED and after.status not in ENDED:
        return "BillReopened", "a statement with a balance"
    if before.statement_id != after.statement_id:
        return "BillAmended", "a later statement for the same patient account"
    return "BillUpdated", "balance changed" if before.balance != after.balance else ""


def _restarted(before: Bill | None, bill: Bill, arrival: Arrival, context: IntakeContext) -> Bill:
    """Aging restarts after Paid or Cancelled (docs/rules.md#opened-again), or where a reset asks for it."""
    if before is None:
        return bill
    reason = "opened again" if before.status in ENDED else _reset_reason(before, arrival, context)
    if not reason:
        return bill
    return with_event(_aging_from(bill, context.today), context, "AgingReset", reason)


def _reset_reason(before: Bill, arrival: Arrival, context: IntakeContext) -> str:
    settings = context.organization.dunning
    if _asks_for_reset(arrival, context):
        return "the statement asked for it"
    if settings.reset_on_fields_changing and settings.reset_fields and before.document:
        old, new = (DECODER.decode(document.decode()) for document in (before.document, arrival.document))
        changed = [field for field in settings.reset_fields if pointed_at(old, field) != pointed_at(new, field)]
        if changed:
            return f"{changed[0]} changed"
    return ""


def _asks_for_reset(arrival: Arrival, context: IntakeContext) -> bool:
    return context.organization.dunning.enable_bill_reset and bool(arrival.statement.reset_bill)


def _aging_from(bill: Bill, day: date) -> Bill:
    """The bill in a new stretch of aging, which no earlier notice counts for."""
    return replace(
        bill,
        effective_created_date=day,
        aging_period=f"{bill.statement_id}/{len(bill.history) + 1}",
        level_floor=0,
        renotify_at=None,
    )


def _at_dunning_status(bill: Bill, statement: Statement, context: IntakeContext) -> tuple[Bill, tuple[Remark, ...]]:
    """Put the bill at the step that the statement names (docs/rules.md#dunning-status)."""
    settings = context.organization.dunning
    if not statement.dunning_status or settings.bill_aging is not BillAging.BASED_ON_DUNNING_STATUS:
        return bill, ()
    preset = chosen(settings)
    named = level_of_dunning_status(preset, statement.dunning_status)
    if named is None:
        return bill, (Remark("/dunningStatus", "names no step of the organization's dunning configuration"),)
    current = level_at(preset, bill.age_on(context.today))
    type_of_current = preset.steps[current - 1].notification_type if current else None
    if named == current or statement.dunning_status == type_of_current:
        return bill, ()
    day = effective_date_at_level(preset, named, context.today)
    # A step below the present one is sent again, so what was sent before must not count.
    moved = _aging_from(bill, day) if named < current else replace(bill, effective_created_date=day)
    return with_event(moved, context, "AgingMoved", "dunning status of the statement", level=str(named)), ()


def _sent_again(before: Bill | None, bill: Bill, context: IntakeContext) -> Bill:
    """Ask for the current step once more when the balance of a bill that goes on has changed (setting)."""
    if before is None or not context.organization.dunning.communications_on_bill_update:
        return bill
    if before.balance == bill.balance or before.aging_period != bill.aging_period:
        return bill
    return replace(bill, renotify_at=context.now)
