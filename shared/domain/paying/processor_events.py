"""What a payment processor tells of a checkout, in any order and however often (docs/rules.md#processor-events).

Each event is first noted in the checkout, so that the same facts give the same notes whichever came first. What is
posted follows from the notes alone, never from an event by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.paying.patient_requests import payment_id_of
from shared.domain.paying.posting import CHARGEBACK
from shared.domain.paying.restored_money import bring_back
from shared.domain.paying.reversals import REFUND, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import Organization
from shared.domain.records.processor import Dispute, DisputeState, Refund, RefundState
from shared.domain.records.task import Task, TaskKind, task_id_at
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.money import Cents, dollars

MOST_EVENTS = 50
"""How many events a checkout remembers by their ids."""

AT_THE_PROCESSOR = "made at the processor"
"""The reason of a posting for which staff gave none here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorEvent:
    """An event about a checkout or the payment made there. at: when it was so, by the processor's clock.

    paid: cents that were taken, by which method. pending: the bank is asked, which takes days; failed: it refused.
    expired: nobody can pay there any more. refund, dispute: as they are now. refunded: all refunds together, in cents.
    """

    event_id: str
    at: datetime
    processor_payment: str = ""
    paid: Cents = 0
    method: str = "card"
    pending: bool = False
    failed: bool = False
    expired: bool = False
    refund: Refund | None = None
    refunded: Cents = 0
    dispute: Dispute | None = None


def noted(checkout: Checkout, event: ProcessorEvent, now: datetime) -> Checkout:
    """The checkout with what an event says; the same one where that is known, or no longer so."""
    after = _with_outcome(checkout, event, now)
    after = replace(
        after,
        processor_payment=after.processor_payment or event.processor_payment,
        refunded=max(after.refunded, event.refunded),
        refunds=_with_refund(after.refunds, event.refund) if event.refund else after.refunds,
        disputes=_with_dispute(after.disputes, event.dispute) if event.dispute else after.disputes,
    )
    if after == checkout and (checkout.completed_at or not event.paid):
        return checkout
    events = (*(one for one in after.events if one != event.event_id), event.event_id)
    return replace(after, events=events[-MOST_EVENTS:])


def _with_outcome(checkout: Checkout, event: ProcessorEvent, now: datetime) -> Checkout:
    """What became of the checkout itself: money is the last word, then a refusal of the bank."""
    if checkout.completed_at or event.paid:
        return replace(checkout, pending_at=None)
    if event.failed:
        return replace(checkout, pending_at=None, declined_at=checkout.declined_at or now)
    if event.pending and not checkout.declined_at:
        return replace(checkout, pending_at=checkout.pending_at or now)
    if event.expired and not (checkout.pending_at or checkout.declined_at):
        return replace(checkout, expired_at=checkout.expired_at or now, over=True)
    return checkout


_REFUND_ORDER = (RefundState.ASKED_FOR, RefundState.MADE, RefundState.FAILED)
_DISPUTE_ORDER = {DisputeState.INQUIRY: 0, DisputeState.OPEN: 1, DisputeState.WON: 2, DisputeState.LOST: 2}


def _with_refund(known: Sequence[Refund], heard: Refund) -> tuple[Refund, ...]:
    """A refund only goes forward: from asked for to made, and from there it may still fail."""

    def same(one: Refund) -> bool:
        by_request = one.request_id != "" and one.request_id == heard.request_id
        return by_request or (one.refund_id != "" and one.refund_id == heard.refund_id)

    before = next((one for one in known if same(one)), None)
    if before is None:
        return (*known, heard)
    further = _REFUND_ORDER.index(heard.state) > _REFUND_ORDER.index(before.state)
    state = heard.state if further else before.state
    after = replace(
        before,
        amount=heard.amount,
        state=state,
        refund_id=before.refund_id or heard.refund_id,
        request_id=before.request_id or heard.request_id,
        heard_at=heard.heard_at if further else before.heard_at,
    )
    return tuple(after if one is before else one for one in known)


def _with_dispute(known: Sequence[Dispute], heard: Dispute) -> tuple[Dispute, ...]:
    """A dispute goes forward too; of two last words the later one counts."""
    before = next((one for one in known if one.dispute_id == heard.dispute_id), None)
    if before is None:
        return (*known, heard)
    here, there = _DISPUTE_ORDER[before.state], _DISPUTE_ORDER[heard.state]
    further = there > here or (there == here and heard.heard_at > before.heard_at)
    return tuple(heard if one is before and further else one for one in known)


@dataclass
class _Settling:
    """The accounts that have a checkout's payment, as they become one posting after another."""

    holding: list[AccountBook]
    organization: Organization
    checkout: Checkout
    now: datetime
    changes: dict[str, Change] = field(default_factory=dict)

    @property
    def payment_id(self) -> str:
        return payment_id_of(self.checkout.reference)

    def posted(self, book: AccountBook, kind: str) -> Cents:
        """How much was taken back of the payment by postings of a kind."""
        same = (one for one in book.payments if one.reverses == self.payment_id and one.method == kind)
        return -sum(one.amount for one in same)

    def settle(self, kind: str, target: Cents) -> Cents:
        """Post what is missing to the target, here and there; answers what no account could give."""
        missing = target - sum(self.posted(book, kind) for book in self.holding)
        for n, book in enumerate(self.holding):
            part = self._part(book, kind, missing)
            change = self._moved(book, kind, part) if part else None
            if change:
                missing -= part
                self.holding[n] = book.after(change)
                known = self.changes.get(book.account.account_id)
                self.changes[book.account.account_id] = known.then(change) if known else change
        return max(missing, 0)

    def _part(self, book: AccountBook, kind: str, missing: Cents) -> Cents:
        payment = book.payment(self.payment_id)
        if payment is None:
            return 0
        if missing > 0:
            return max(min(missing, book.left_of(payment)), 0)
        return -min(-missing, max(self.posted(book, kind), 0))

    def _moved(self, book: AccountBook, kind: str, part: Cents) -> Change | None:
        reason, by = self._why(kind)
        wanted = Takeback(payment_id=self.payment_id, kind=kind, reason=reason, amount=abs(part))
        if part < 0:
            return bring_back(book, self.organization, wanted, self.now, by)
        try:
            return take_back(book, self.organization, wanted, self.now, by)[0]
        except ReversalRefusedError:
            return None

    def _why(self, kind: str) -> tuple[str, str]:
        asked = [one for one in self.checkout.refunds if one.reason and one.state is RefundState.MADE]
        if kind == REFUND and asked:
            return asked[-1].reason, asked[-1].by
        return AT_THE_PROCESSOR, Actor.PROCESSOR


def settle_takebacks(
    holding: Iterable[AccountBook], organization: Organization, checkout: Checkout, now: datetime
) -> tuple[dict[str, Change], Cents]:
    """The change of each account so that what was taken back of a checkout's payment is what its notes say.

    `holding` are the accounts that have the payment: it goes with a bill to another account. The second part is what
    none of them can give back, in cents; before the payment is known there is nothing to give.
    """
    if checkout.completed_at is None:
        return {}, 0
    settling = _Settling(list(holding), organization, checkout, now)
    left = settling.settle(REFUND, checkout.given_back) + settling.settle(CHARGEBACK, checkout.disputed)
    return settling.changes, left


def with_unposted(change: Change, checkout: Checkout, left: Cents, event: ProcessorEvent, now: datetime) -> Change:
    """The change of the payer's account with what no account could give back: a task for staff, once for an amount."""
    if left == checkout.unposted:
        return change
    checkout = replace(checkout, unposted=left)
    kept = tuple(one for one in change.checkouts if one.reference != checkout.reference)
    change = replace(change, checkouts=(*kept, checkout))
    if not left:
        return change
    payment_id = payment_id_of(checkout.reference)
    task = Task(
        task_id=task_id_at(now, checkout.account_id, TaskKind.UNMATCHED_PAYMENT, event.event_id),
        org_id=checkout.org_id,
        kind=TaskKind.UNMATCHED_PAYMENT,
        created_at=now,
        account_id=checkout.account_id,
        payment_id=payment_id,
        facts={"amount": dollars(-left), "reason": "went back at the processor beyond what was left here"},
    )
    return replace(change, tasks=(*change.tasks, task))
