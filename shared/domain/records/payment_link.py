"""A payment link: an opaque, expiring way for a patient to see and pay what is owed, without an account."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.records.processor import Dispute, DisputeState, Refund, RefundState
from shared.domain.records.stored import StoredRecord
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import LinkStatus, Processor


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLink(StoredRecord):
    """A link in a notice opens the account; one sent by staff is for its `statement_id` only.

    token_hash, code_hash: SHA-256 of the secret in the URL and of the printed bill code; neither is stored itself.
    verified_hash, verified_until: of the secret that a browser got for a right answer.
    """

    link_id: str
    org_id: str
    account_id: str
    statement_id: str = ""
    notice_id: str = ""
    token_hash: str
    code_hash: str = ""
    status: LinkStatus = LinkStatus.SENT
    created_at: datetime
    expires_at: datetime
    verified_hash: str = ""
    verified_until: datetime | None = None
    staff_name: str = ""
    sent_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout(StoredRecord):
    """A patient's way to the processor and back: what was to be paid, known again by `reference` when money comes.

    expired_at: when a later checkout of the link took its place; money that comes for it all the same is posted.
    declined_at: when the processor last said that it took nothing; a patient may try again there and succeed.
    pending_at: when the patient had the bank pay, which takes days; money comes then, or a decline.
    over: the processor said that nobody pays there any more.
    session_id, processor_payment: the processor's own ids of the checkout and of the payment made there.
    refunds, disputes: what became of the payment there. refunded: the most in refunds that it has told of, in cents.
    unposted: what went back there beyond what was left of the payment here, in cents; it is staff's task.
    events: the latest of the processor's events that changed something here, by their ids.
    """

    reference: str
    org_id: str
    account_id: str
    link_id: str
    statement_id: str = ""
    amount: int
    created_at: datetime
    completed_at: datetime | None = None
    declined_at: datetime | None = None
    expired_at: datetime | None = None
    processor: Processor = Processor.SANDBOX
    over: bool = False
    session_id: str = ""
    processor_payment: str = ""
    pending_at: datetime | None = None
    refunds: tuple[Refund, ...] = ()
    refunded: Cents = 0
    disputes: tuple[Dispute, ...] = ()
    unposted: Cents = 0
    events: tuple[str, ...] = ()

    @property
    def given_back(self) -> Cents:
        """How much the processor gave back, as far as it told (docs/rules.md#processor-events)."""
        failed = sum(one.amount for one in self.refunds if one.state is RefundState.FAILED and one.refund_id)
        return max(self._sum_of(RefundState.MADE), self.refunded - failed)

    @property
    def refund_pending(self) -> Cents:
        """How much staff asked to give back that the processor hasn't told of yet."""
        asked = self._sum_of(RefundState.ASKED_FOR)
        return min(asked, max(asked + self._sum_of(RefundState.MADE) - self.given_back, 0))

    @property
    def disputed(self) -> Cents:
        """How much banks took back, and haven't given back."""
        taken = {DisputeState.OPEN, DisputeState.LOST}
        return sum(one.amount for one in self.disputes if one.state in taken)

    def _sum_of(self, state: RefundState) -> Cents:
        return sum(one.amount for one in self.refunds if one.state is state)
