"""What delivery promises of an account at rest: no plan is lost, nothing waits for ever, nothing ends unexplained.

They are sentences of the model in tests/worlds/delivery_rest.py, held against a ledger as it lies in the table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from shared.domain.account.erasure import PERSON_ERASED
from shared.domain.dunning.planning import plan
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.records.transitions import ALLOWED, NOT_DELIVERED, STOPPED
from shared.domain.vocabulary.words import NoticeStatus

OVERDUE_AFTER = timedelta(days=1)
"""So long after its time a notice is overdue: a poisoned one is queued again once a day."""

KNOWN_STATUSES = frozenset(NoticeStatus)
"""Those of this version of the code."""


class BrokenPromise(StrEnum):
    """What must never be so."""

    PLAN_LOST = "a reminder should be planned, and isn't"
    LOOK_LOST = "the account should be looked at, and won't be in time"
    OVERDUE = "a notice waits for longer than anything should"
    UNEXPLAINED = "a notice ended without a reason"
    IMPOSSIBLE = "a notice made a move that there isn't"


@dataclass(frozen=True, slots=True)
class PromiseFinding:
    """A promise that is broken. notice_id: of the notice that it is about; "": it is about the account."""

    promise: BrokenPromise
    notice_id: str = ""


def broken_promises(
    book: AccountBook, organization: Organization, now: datetime, *, stopped: bool
) -> list[PromiseFinding]:
    """What of an account isn't as it was promised. stopped: sending is, so that what is due may wait."""
    return [*_of_plan(book, organization, now), *_of_notices(book, now, stopped=stopped)]


def _of_plan(book: AccountBook, organization: Organization, now: datetime) -> Iterator[PromiseFinding]:
    """An account that is due to be planned is left to the scheduler."""
    planning_at = book.account.planning_at
    if planning_at is not None and planning_at <= now:
        return
    planned = plan(book, organization, now)
    if planned.notices:
        yield PromiseFinding(BrokenPromise.PLAN_LOST)
    needed = planned.next_planning_at
    if needed is not None and (planning_at is None or planning_at > needed):
        yield PromiseFinding(BrokenPromise.LOOK_LOST)


def _of_notices(book: AccountBook, now: datetime, *, stopped: bool) -> Iterator[PromiseFinding]:
    erased = any(event.event == PERSON_ERASED for event in book.history)
    for row in book.notices:
        if not stopped and _is_overdue(row, now):
            yield PromiseFinding(BrokenPromise.OVERDUE, row.notice_id)
        if row.status in {*STOPPED, *NOT_DELIVERED} and not row.reason and not erased:
            yield PromiseFinding(BrokenPromise.UNEXPLAINED, row.notice_id)
        if not _is_possible(row):
            yield PromiseFinding(BrokenPromise.IMPOSSIBLE, row.notice_id)


def _is_overdue(row: Notice, now: datetime) -> bool:
    """Nobody will look at it, or should have long ago. An Unknown one without a lease is left to manual review."""
    if row.status is NoticeStatus.SCHEDULED:
        return row.scheduled_for + OVERDUE_AFTER < now
    if row.status in {NoticeStatus.QUEUED, NoticeStatus.SENDING}:
        return row.lease_until is None or row.lease_until + OVERDUE_AFTER < now
    return row.status is NoticeStatus.UNKNOWN and row.lease_until is not None and row.lease_until + OVERDUE_AFTER < now


def _is_possible(row: Notice) -> bool:
    """Its history is a way through the table of moves to where it is; of a newer version's words nothing is known."""
    way = [None, *(entry.status for entry in row.status_history)]
    if not KNOWN_STATUSES.issuperset(way[1:]):
        return True
    return way[-1] == row.status and ALLOWED.issuperset(pairwise(way))
