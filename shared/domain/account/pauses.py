"""What makes an account's dunning pause: holds, objections that aren't settled, and a day to be reminded on."""

from dataclasses import replace
from datetime import date, datetime

from shared.domain.account.holds import holds_ended, next_hold_end, without_ended_holds
from shared.domain.records.account import Account
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import HOLD_REASONS, Reason

OBJECTED = "PatientObjected"
OBJECTION_SETTLED = "ObjectionSettled"
REMINDER_ASKED_FOR = "ReminderAskedFor"
REMINDER_DAY_CAME = "ReminderDayCame"
"""The events by which an account's history tells when dunning paused for what a patient said."""


def pause_end(account: Account, reason: Reason) -> date | None:
    """The day on which what stops an account's dunning ends by itself; None: somebody has to end it."""
    if reason is Reason.REMIND_LATER:
        return account.remind_on
    return next_hold_end(account) if reason in HOLD_REASONS.values() else None


def pauses_ended(book: AccountBook, today: date, now: datetime) -> Change | None:
    """End what ends by itself and is over; None: nothing is. Nothing else changes: whoever asks plans next.

    On the day to be reminded on, the step that each bill is at is to be told again (docs/rules.md#remind-later).
    """
    ended = holds_ended(book, today, now)
    account = ended.account if ended else book.account
    if not _reminder_due(account, today):
        return ended
    day = HistoryEvent(at=now, event=REMINDER_DAY_CAME, actor=Actor.SYSTEM)
    reminded = Change(
        account=replace(account, remind_on=None),
        bills=tuple(_told_again(bill, now) for bill in book.bills if bill.open),
        history=(day,),
    )
    return ended.then(reminded) if ended else reminded


def without_ended_pauses(book: AccountBook, today: date) -> AccountBook:
    """The book as rules read it on a day: a pause that is over isn't there, whether or not somebody ended it yet."""
    book = without_ended_holds(book, today)
    over = _reminder_due(book.account, today)
    return replace(book, account=replace(book.account, remind_on=None)) if over else book


def both_pauses(account: Account, other: Account) -> Account:
    """The account with another's objections too, and with the later of two days to be reminded on."""
    known = {each.task_id for each in account.objections}
    days = [day for day in (account.remind_on, other.remind_on) if day]
    return replace(
        account,
        objections=(*account.objections, *(each for each in other.objections if each.task_id not in known)),
        remind_on=max(days, default=None),
    )


def _reminder_due(account: Account, today: date) -> bool:
    return account.remind_on is not None and account.remind_on <= today


def _told_again(bill: Bill, now: datetime) -> Bill:
    return replace(bill, renotify_at=now)
