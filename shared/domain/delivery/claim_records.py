"""What a claim stores together with its row: facts that must be known as soon as a provider may have the message."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.account.contacts import GUARANTOR, number_hash
from shared.domain.calendar.send_window import local_date
from shared.domain.delivery.kept_messages import KeptMessage
from shared.domain.delivery.orders import Order
from shared.domain.delivery.print_batch import closes_at
from shared.domain.vocabulary.words import Channel

TEST_CONTACT = "testContact"
"""The recipient of a number that an organization in test mode sends everything to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextedNumber:
    """An account has a text sent to a number; by it, a text or a report from the number finds the account.

    recipient: whose number it is: the guarantor's, the patient's, the third party's, or a test contact's. A later text
    replaces an earlier one's fact. number_hash: the number itself is in no key.
    """

    org_id: str
    account_id: str
    number_hash: str
    recipient: str = GUARANTOR
    texted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchedLetter:
    """A letter is about to be stored, and waits for a print batch's manifest from now on.

    day: of the organization's calendar. A later attempt at the same letter replaces an earlier one's fact.
    """

    org_id: str
    account_id: str
    notice_id: str
    day: date
    claimed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPrintBatch:
    """An organization has letters that wait for a manifest, so its batch is due when their day is over.

    The same for all letters of a day: one invocation stores it once, so that senders seldom meet at its item.
    """

    org_id: str
    closes_at: datetime


type ClaimRecord = TextedNumber | BatchedLetter | OpenPrintBatch | KeptMessage
"""Every kind of fact that a claim can store."""


def claim_records(order: Order) -> tuple[ClaimRecord, ...]:
    """What a message's claim stores together with its row."""
    if order.notice.channel is Channel.SMS:
        return (_texted_number(order),)
    if order.notice.channel is Channel.PRINT:
        return _batched(order)
    return ()


def number_to_heed(order: Order) -> str:
    """The number (hashed) that a text goes to, whose STOP has to be heeded; "": it isn't a text, or a test contact's.

    A test contact's STOP closes nothing of ours; the carrier sees to it.
    """
    is_text = order.notice.channel is Channel.SMS and order.organization.test_contacts is None
    return number_hash(order.contact.destination) if is_text else ""


def _texted_number(order: Order) -> TextedNumber:
    return TextedNumber(
        org_id=order.notice.org_id,
        account_id=order.notice.account_id,
        number_hash=number_hash(order.contact.destination),
        recipient=TEST_CONTACT if order.organization.test_contacts else order.notice.send_to,
        texted_at=order.now,
    )


def _batched(order: Order) -> tuple[ClaimRecord, ...]:
    notice, zone = order.notice, order.organization.zone
    day = local_date(order.now, zone)
    letter = BatchedLetter(
        org_id=notice.org_id,
        account_id=notice.account_id,
        notice_id=notice.notice_id,
        day=day,
        claimed_at=order.now,
    )
    return letter, OpenPrintBatch(org_id=notice.org_id, closes_at=closes_at(day, zone))
