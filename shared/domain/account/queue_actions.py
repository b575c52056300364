"""What staff do with a notice of the queue: cancel it, retry it, archive it."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from shared.domain.account.account_changes import change_account, opted_out_of
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import Notice, moved
from shared.domain.records.transitions import ERRORS, By, statuses_moved
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import Channel, ConsentSource
from shared.domain.vocabulary.words import NoticeStatus as S

WORKLIST_ERRORS = frozenset(ERRORS)
"""The worklist of errors, without what was possibly sent after all."""


class QueueAction(StrEnum):
    """The actions, as the API names them."""

    CANCEL = "cancel"
    RETRY = "retry"
    ARCHIVE = "archive"


POSSIBLE = {
    QueueAction.CANCEL: statuses_moved(By.STAFF, S.CANCELLED),
    QueueAction.RETRY: statuses_moved(By.STAFF, S.SCHEDULED),
    QueueAction.ARCHIVE: statuses_moved(By.STAFF, S.ARCHIVED),
}
"""In which statuses an action is possible. What was sent stays in the queue: levels are read from it."""


ACTION_EVENTS = {
    QueueAction.CANCEL: "CancellationAskedFor",
    QueueAction.RETRY: "RetryAskedFor",
    QueueAction.ARCHIVE: "ArchivingAskedFor",
}
"""What the account's history has of an action that was given a reason."""


class ActionRefusedError(Exception):
    """The action isn't possible now; the text says why."""


def act(
    book: AccountBook,
    notice_id: str,
    action: QueueAction,
    now: datetime,
    actor: str,
    *,
    opt_out: bool = False,
    reason: str = "",
) -> Change | None:
    """Do it to a notice of the book, and opt the guarantor out of its channel if that is asked for.

    reason: why, for the account's history. None: there is no such notice. Raises ActionRefusedError.
    """
    change = _acted(book, notice_id, action, now, actor, opt_out=opt_out)
    if change is None or not reason:
        return change
    facts = {"notificationId": notice_id}
    event = HistoryEvent(at=now, event=ACTION_EVENTS[action], actor=actor, reason=reason, facts=facts)
    return replace(change, history=(*change.history, event))


def _acted(
    book: AccountBook, notice_id: str, action: QueueAction, now: datetime, actor: str, *, opt_out: bool
) -> Change | None:
    notice = book.notice(notice_id)
    if notice is None:
        return None
    if notice.status not in POSSIBLE[action]:
        raise ActionRefusedError(f"A notification that is {notice.status} doesn't allow {action}.")
    if action is QueueAction.RETRY:
        return Change(account=book.account, notices=(_retried(notice, book, now, actor),))
    after = _ended(notice, action, now, actor)
    rest = replace(book, notices=tuple(after if known is notice else known for known in book.notices))
    if opt_out:
        account = replace(book.account, opt_outs=opted_out_of(book.account.opt_outs, notice.channel))
        opted_out = change_account(rest, account, now, actor, source=ConsentSource.STAFF)
        if opted_out:
            return replace(opted_out, notices=(after, *opted_out.notices))
    return Change(account=replace(book.account, planning_at=now), notices=(after,))


def _ended(notice: Notice, action: QueueAction, now: datetime, actor: str) -> Notice:
    if action is QueueAction.ARCHIVE:
        return moved(notice, S.ARCHIVED, now, actor, notice.reason, lease_until=None)
    return moved(notice, S.CANCELLED, now, actor, Reason.CANCELLED_BY_STAFF, lease_until=None)


def _retried(notice: Notice, book: AccountBook, now: datetime, actor: str) -> Notice:
    """Scheduled again for now; whether it goes, and when, is judged at its sending as ever."""
    if notice.channel in book.account.undeliverable:
        raise ActionRefusedError("Messages to this contact bounced permanently: correct it first.")
    if notice.status is S.UNKNOWN and notice.channel is Channel.PRINT:
        raise ActionRefusedError("A letter that may have gone isn't sent twice.")
    duplicate = notice.possible_duplicate or notice.status is S.UNKNOWN
    return moved(
        notice, S.SCHEDULED, now, actor, "retry", scheduled_for=now, lease_until=None, possible_duplicate=duplicate
    )
