"""Holds of an account: set with a reason and where wanted an end, at which dunning goes on by itself."""

from dataclasses import replace
from datetime import date, datetime

from shared.domain.account.account_changes import change_account
from shared.domain.records.account import Account, HoldDetail
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.actors import Actor, person_behind
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Hold

HOLD_ENDED = "its end date came"
"""The reason of a hold that ended by itself."""


def set_hold(
    book: AccountBook, hold: Hold, reason: str, until: date | None, now: datetime, actor: str
) -> Change | None:
    """Put an account on hold, or give its hold another reason or end; None: it is on this hold just so.

    until: the first day without the hold, on the organization's calendar (docs/rules.md#hold-end).
    """
    account = book.account
    known = {detail.hold: detail for detail in account.hold_details}
    before = known.get(hold)
    if before and hold in account.holds and (before.reason, before.until) == (reason, until):
        return None
    since = before.since if before and hold in account.holds else now
    by = person_behind(actor) or actor
    known[hold] = HoldDetail(hold=hold, reason=reason, since=since, until=until, by=by)
    after = replace(account, holds=account.holds | {hold}, hold_details=tuple(known.values()))
    return change_account(book, after, now, actor)


def lift_hold(book: AccountBook, hold: Hold, reason: str, now: datetime, actor: str) -> Change | None:
    """Take an account off a hold; None: it isn't on it."""
    if hold not in book.account.holds:
        return None
    return change_account(book, taken_off(book.account, frozenset({hold})), now, actor, hold_reason=reason)


def ended_holds(account: Account, today: date) -> frozenset[Hold]:
    """The holds of an account whose end date has come, and which hold nothing any more."""
    return frozenset(
        detail.hold
        for detail in account.hold_details
        if detail.hold in account.holds and detail.until and detail.until <= today
    )


def holds_ended(book: AccountBook, today: date, now: datetime) -> Change | None:
    """End the holds whose end date has come; None: there is none. Nothing else changes: whoever asks plans next."""
    ended = ended_holds(book.account, today)
    if not ended:
        return None
    events = tuple(
        HistoryEvent(at=now, event="HoldEnded", actor=Actor.SYSTEM, reason=HOLD_ENDED, facts={"hold": hold})
        for hold in sorted(ended)
    )
    return Change(account=taken_off(book.account, ended), history=events)


def without_ended_holds(book: AccountBook, today: date) -> AccountBook:
    """The book as rules read it on a day: a hold that is over isn't there, whether or not somebody ended it yet."""
    ended = ended_holds(book.account, today)
    return replace(book, account=taken_off(book.account, ended)) if ended else book


def next_hold_end(account: Account) -> date | None:
    """The day on which the next of an account's holds ends by itself; None: each stays until it is lifted."""
    ends = [detail.until for detail in account.hold_details if detail.hold in account.holds and detail.until]
    return min(ends, default=None)


def hold_end(account: Account, hold: Hold) -> date | None:
    """The day on which a hold ends by itself; None: it stays until it is lifted."""
    return next((detail.until for detail in account.hold_details if detail.hold is hold), None)


def taken_off(account: Account, holds: frozenset[Hold]) -> Account:
    """The account off these holds."""
    details = tuple(detail for detail in account.hold_details if detail.hold not in holds)
    return replace(account, holds=account.holds - holds, hold_details=details)


def both_holds(account: Account, other: Account) -> Account:
    """The account on its own holds and another's; a hold of both ends with the later, or not by itself."""
    details = {detail.hold: detail for detail in other.hold_details} | {
        detail.hold: _longer(detail, other) for detail in account.hold_details
    }
    return replace(account, holds=account.holds | other.holds, hold_details=tuple(details.values()))


def _longer(detail: HoldDetail, other: Account) -> HoldDetail:
    if detail.hold not in other.holds:
        return detail
    end = hold_end(other, detail.hold)
    return replace(detail, until=max(detail.until, end) if detail.until and end else None)
