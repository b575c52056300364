"""The worklist of errors clears itself: a failure needs no attention once a later notice to that contact succeeded."""

from datetime import datetime

from shared.domain.account.ledger import moment_of
from shared.domain.account.queue_actions import WORKLIST_ERRORS
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.words import Channel, NoticeStatus

CLEARED = "a later notice to this contact succeeded"

SUCCESS = {
    Channel.EMAIL: frozenset({NoticeStatus.DELIVERED}),
    Channel.SMS: frozenset({NoticeStatus.SENT, NoticeStatus.DELIVERED}),
    Channel.PRINT: frozenset({NoticeStatus.SENT, NoticeStatus.DELIVERED}),
}
"""What counts as success: of texts and letters nobody reports more than that they were accepted."""


def cleared_by(book: AccountBook, success: Notice, now: datetime) -> tuple[Notice, ...]:
    """The earlier errors on the contact that a notice reached, archived; none if it didn't reach it.

    What was archived counts for levels as it did before, so no step is sent again because of it.
    """
    if success.status not in SUCCESS[success.channel] or success.sent_at is None:
        return ()
    return tuple(
        moved(notice, NoticeStatus.ARCHIVED, now, Actor.SYSTEM, CLEARED, lease_until=None)
        for notice in book.notices
        if notice.status in WORKLIST_ERRORS
        and (notice.channel, notice.send_to) == (success.channel, success.send_to)
        and moment_of(notice) < success.sent_at
    )


def clear(book: AccountBook, success_id: str, now: datetime) -> Change | None:
    """Archive the errors that a notice of the book has settled; None: there are none."""
    success = book.notice(success_id)
    cleared = cleared_by(book, success, now) if success else ()
    return Change(account=book.account, notices=cleared) if cleared else None
