"""Which sending of which notice a text's delivery report is about, since texts carry no id of ours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.account.contacts import Contact
from shared.domain.account.masking import masked
from shared.domain.account.reconciliation import possibly_sent
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import Channel, NoticeStatus

AROUND = timedelta(minutes=2)
"""How far apart our clock's claim and the provider's clock's request may be: longer than a call can take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One sending of a notice. attempt: which one; None: the last."""

    notice: Notice
    attempt: int | None = None


def sending_of(books: Iterable[AccountBook], number: str, message_id: str, asked_at: datetime | None) -> Sending | None:
    """The sending that a report about a message to a number (E.164) is about; None: none, or it can't be known which.

    It is the one with the message id that the provider answered. A message with an unknown id is one whose answer was
    lost: it can only be a sending to the number that was possibly sent, begun when the provider was asked (None: that
    isn't known, so any). Of two that it could be, neither is settled: a wrong guess would lose a reminder.
    """
    sent_to = masked(Contact(channel=Channel.SMS, name="", destination=number))
    possible = list[Sending]()
    for notice in (notice for book in books for notice in book.notices if notice.channel is Channel.SMS):
        if message_id and notice.provider_message_id == message_id:
            return Sending(notice=notice)
        if notice.sent_to == sent_to and (notice.status is NoticeStatus.SENDING or possibly_sent(notice)):
            possible += _begun(notice, asked_at)
    return possible[0] if len(possible) == 1 else None


def about(asked_at: datetime | None, at: datetime) -> bool:
    """Whether a message that the provider was asked for at one time may be what we did at the other."""
    return asked_at is None or abs(asked_at - at) <= AROUND


def _begun(notice: Notice, asked_at: datetime | None) -> list[Sending]:
    """The sendings of a notice that the provider may have been asked for then."""
    begun = list[datetime]()
    before: NoticeStatus | None = None
    for entry in notice.status_history:
        if entry.status is NoticeStatus.SENDING:
            begun.append(entry.at)
        elif entry.status is NoticeStatus.SCHEDULED and before is NoticeStatus.SENDING:
            # The provider didn't take it, so it was no attempt.
            begun.pop()
        before = entry.status
    if asked_at is None:
        return [Sending(notice=notice)]
    first = notice.attempt - len(begun) + 1
    return [Sending(notice=notice, attempt=first + n) for n, at in enumerate(begun) if about(asked_at, at)]
