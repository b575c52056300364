"""STOP belongs to the number: it holds for every account that has it, those that come later too.

What a number last said lies under the number (docs/rules.md#stop-speaks-for-its-number). An account that turns out to
have such a number learns it here, so that it is planned, explained and shown accordingly.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.domain.account.account_changes import change_account
from shared.domain.account.consents import OPTED_OUT_EVENT
from shared.domain.account.contacts import GUARANTOR
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource

SAID_AT = "saidAt"
"""The fact by which a history knows when a text was said, whenever it came."""

STACK_SENDER = "stack"
"""The sender of all texts: the stack's own number. A number's word holds at the sender that heard it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStop:
    """What a phone number (hashed) last said: STOP, or START since. wording: the word of ours that it was known by."""

    number: str
    stopped: bool
    wording: str
    said_at: datetime


def stop_of_old(number: str) -> NumberStop:
    """A STOP that an account knows of, of which it isn't known when it was said and in which word."""
    return NumberStop(number=number, stopped=True, wording="STOP", said_at=datetime(1970, 1, 1, tzinfo=UTC))


def with_stop(account: Account, stop: NumberStop | None) -> Account:
    """The account as it is to be planned, given what a number of its said; None: it said nothing."""
    if stop is None or not stop.stopped:
        return account
    return replace(account, stopped_numbers=account.stopped_numbers | {stop.number})


def stop_event(stop: NumberStop, recipient: str, now: datetime) -> HistoryEvent:
    """The registry's entry of a STOP that was said before the account had the number, or where it wasn't known to."""
    facts = {
        "channel": str(Channel.SMS),
        "source": str(ConsentSource.TEXT_MESSAGE),
        "wording": stop.wording,
        "party": recipient,
        SAID_AT: stop.said_at.isoformat(),
    }
    return HistoryEvent(at=now, event=OPTED_OUT_EVENT, actor=Actor.RECIPIENT, facts=facts)


def heed_stop(book: AccountBook, stop: NumberStop | None, now: datetime, recipient: str = GUARANTOR) -> Change | None:
    """Send no texts about an account to a number that said STOP elsewhere, and cancel those that wait.

    None: it said nothing of the kind, or that is known here.
    """
    change = change_account(book, with_stop(book.account, stop), now, Actor.RECIPIENT)
    if change is None or stop is None:
        return None
    return replace(change, history=(*change.history, stop_event(stop, recipient, now)))
