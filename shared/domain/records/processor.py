"""What a payment processor tells of a payment after it: refunds and disputes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.vocabulary.money import Cents


class RefundState(StrEnum):
    """How far a refund is."""

    ASKED_FOR = "AskedFor"
    MADE = "Made"
    FAILED = "Failed"


class DisputeState(StrEnum):
    """How far a dispute is: an inquiry takes no money yet; an open or lost one has taken it; a won one gave it back."""

    INQUIRY = "Inquiry"
    OPEN = "Open"
    WON = "Won"
    LOST = "Lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund. refund_id: the processor's; empty: not known yet. request_id: ours, of one that staff asked for here.

    amount: cents. heard_at: when the processor was at this state; None: it said nothing yet. reason, by: as of staff.
    """

    amount: Cents
    state: RefundState
    refund_id: str = ""
    request_id: str = ""
    heard_at: datetime | None = None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute that the payer opened at the bank. amount: cents. heard_at: when the processor was at this state."""

    dispute_id: str
    amount: Cents
    state: DisputeState
    heard_at: datetime
