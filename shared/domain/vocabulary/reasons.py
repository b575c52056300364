"""Why something was or wasn't sent: a closed vocabulary, in the words that staff and partners read."""

from collections.abc import Iterable
from enum import StrEnum

from shared.domain.vocabulary.words import BillStatus, Channel, Hold


class Reason(StrEnum):
    """Why a notice was planned, changed, refused, put off or stopped, or why nothing is planned."""

    # why a notice is there, or was changed
    STEP_DUE = "step due"
    CONSOLIDATED = "consolidated with what came due since"
    MOVED = "moved into the hours permitted now"

    # the organization
    ORGANIZATION_NOT_ACTIVE = "organization is not active"
    PARTNER_NOT_ACTIVE = "partner is not active"
    COMMUNICATIONS_DISABLED = "communications are disabled"

    # the account
    HOLD_DISPUTE = "on hold: Dispute"
    HOLD_HARDSHIP = "on hold: Hardship"
    HOLD_BANKRUPTCY = "on hold: Bankruptcy"
    HOLD_DECEASED = "on hold: Deceased"
    HOLD_PAYMENT_PLAN = "on hold: PaymentPlan"
    HOLD_NEWER = "on hold: one of a newer version"
    OBJECTION = "a patient's objection is not settled"
    REMIND_LATER = "asked to be reminded later"
    OPTED_OUT_EMAIL = "opted out of email"
    OPTED_OUT_SMS = "opted out of texts"
    OPTED_OUT_PRINT = "opted out of letters"
    NO_EMAIL = "no email address"
    NO_MOBILE = "no mobile number"
    NO_ADDRESS = "no mailing address"
    EMAIL_UNDELIVERABLE = "email address is undeliverable"
    MOBILE_UNDELIVERABLE = "mobile number is undeliverable"
    ADDRESS_UNDELIVERABLE = "mailing address is undeliverable"
    ADDRESS_INVALID = "mailing address has an invalid status"
    NO_TEST_CONTACT = "no test contact for this channel"

    # the bill
    NO_OPEN_BILL = "no open bill"
    PAYMENT_MADE = "payment made"
    BALANCE_ZERO = "balance is zero"
    BILL_CANCELLED = "bill is cancelled"
    BILL_SUSPENDED = "bill is suspended"
    BILL_NEWER = "bill is in a status of a newer version"
    BELOW_MINIMUM = "balance does not exceed the minimum"

    # the step
    NO_STEP_DUE = "no step is due"
    STEP_ALREADY_SENT = "step was already sent"
    CHANNEL_NOT_IN_STEP = "current step does not use this channel"
    ELECTRONIC_AVAILABLE = "electronic channel available"
    PAPER_CYCLE = "paper cycle not over"
    MERGED = "merged into another notice"
    CANCELLED_BY_STAFF = "cancelled by staff"
    ON_WORKLIST = "failed before, so only staff can have it tried again"

    # the message
    UNPRINTABLE = "a name or address has characters that can't be printed"

    # the time
    NO_PERMITTED_HOUR = "no permitted hour"
    OUTSIDE_HOURS = "outside the permitted hours"
    SENT_TODAY = "another notice went today on this channel"

    # why nothing is planned
    LAST_STEP_PASSED = "no open bill has a further step"


HOLD_REASONS = {
    Hold.DISPUTE: Reason.HOLD_DISPUTE,
    Hold.HARDSHIP: Reason.HOLD_HARDSHIP,
    Hold.BANKRUPTCY: Reason.HOLD_BANKRUPTCY,
    Hold.DECEASED: Reason.HOLD_DECEASED,
    Hold.PAYMENT_PLAN: Reason.HOLD_PAYMENT_PLAN,
}

OPT_OUT_REASONS = {
    Channel.EMAIL: Reason.OPTED_OUT_EMAIL,
    Channel.SMS: Reason.OPTED_OUT_SMS,
    Channel.PRINT: Reason.OPTED_OUT_PRINT,
}

NO_CONTACT_REASONS = {
    Channel.EMAIL: Reason.NO_EMAIL,
    Channel.SMS: Reason.NO_MOBILE,
    Channel.PRINT: Reason.NO_ADDRESS,
}

UNDELIVERABLE_REASONS = {
    Channel.EMAIL: Reason.EMAIL_UNDELIVERABLE,
    Channel.SMS: Reason.MOBILE_UNDELIVERABLE,
    Channel.PRINT: Reason.ADDRESS_UNDELIVERABLE,
}

CLOSED_BILL_REASONS = {
    BillStatus.DUE: Reason.BALANCE_ZERO,
    BillStatus.PAID: Reason.PAYMENT_MADE,
    BillStatus.SUSPENDED: Reason.BILL_SUSPENDED,
    BillStatus.CANCELLED: Reason.BILL_CANCELLED,
}


def hold_reasons(holds: Iterable[Hold]) -> tuple[Reason, ...]:
    """Why an account's holds let nothing go to it, in the vocabulary's order; none without holds.

    A hold that this version doesn't know holds too (docs/rules.md#newer-records).
    """
    set_now = frozenset(holds)
    known = tuple(reason for hold, reason in HOLD_REASONS.items() if hold in set_now)
    return known if set_now <= HOLD_REASONS.keys() else (*known, Reason.HOLD_NEWER)


def closed_bill_reason(status: BillStatus) -> Reason:
    """Why a bill that isn't open gets no dunning. One in a status that this version doesn't know isn't open."""
    return CLOSED_BILL_REASONS.get(status, Reason.BILL_NEWER)
