"""Refunds that staff asks for at a real processor: asked for here first, posted when the processor says so."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from shared.domain.paying.reversals import ReversalRefusedError, Takeback
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import Checkout
from shared.domain.records.processor import Refund, RefundState
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.money import Cents


@dataclass(frozen=True, slots=True)
class AskedRefund:
    """A refund that the processor is to be asked for; the change that says so, None: that is said already."""

    refund: Refund
    change: Change | None


def ask_refund(
    book: AccountBook, checkout: Checkout, left: Cents, wanted: Takeback, now: datetime, actor: str
) -> AskedRefund:
    """Note a refund before the processor is asked for it (docs/rules.md#refund-at-the-processor).

    `left` is what is left of the payment, in cents. One whose answer was lost is asked for again under the same id, and
    another has to wait for it. Raises ReversalRefusedError.
    """
    unanswered = next((one for one in checkout.refunds if _unanswered(one)), None)
    if unanswered is not None:
        if wanted.amount in {None, unanswered.amount}:
            return AskedRefund(unanswered, None)
        raise ReversalRefusedError("A refund of it wasn't answered yet. Ask for the same amount again first.")
    available = left - checkout.refund_pending
    amount = available if wanted.amount is None else wanted.amount
    if not 0 < amount <= available:
        raise ReversalRefusedError("The amount is more than is left of the payment.")
    before = sum(1 for one in checkout.refunds if one.request_id)
    digest = sha256(f"{checkout.reference}\n{before + 1}".encode()).hexdigest()
    refund = Refund(
        amount=amount,
        state=RefundState.ASKED_FOR,
        request_id=f"rfd_{digest[:24]}",
        reason=wanted.reason,
        by=actor,
    )
    facts = {"paymentId": wanted.payment_id}
    event = HistoryEvent(at=now, event="RefundAskedFor", actor=actor, reason=wanted.reason, facts=facts)
    asked = replace(checkout, refunds=(*checkout.refunds, refund))
    return AskedRefund(refund, Change(account=book.account, checkouts=(asked,), history=(event,)))


def answer_refund(book: AccountBook, reference: str, request_id: str, refund_id: str) -> Change | None:
    """Note the processor's id of a refund that was asked for; "": it refused. None: its webhook was quicker."""
    checkout = book.checkout(reference)
    asked = [one for one in checkout.refunds if one.request_id == request_id] if checkout else []
    if checkout is None or not asked or not _unanswered(asked[0]):
        return None
    state = RefundState.ASKED_FOR if refund_id else RefundState.FAILED
    answered = replace(asked[0], refund_id=refund_id, state=state)
    refunds = tuple(answered if one is asked[0] else one for one in checkout.refunds)
    return Change(account=book.account, checkouts=(replace(checkout, refunds=refunds),))


def _unanswered(refund: Refund) -> bool:
    return refund.state is RefundState.ASKED_FOR and not refund.refund_id
