"""What STOP, START and any other text from a number does to an account that had a text sent to that number."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from shared.domain.account import Account
from shared.domain.account_changes import change_account, opted_out_of
from shared.domain.beside import TEST_CONTACT
from shared.domain.book import AccountBook, Change
from shared.domain.consents import GIVEN, WITHDRAWN, closed_by_text_alone
from shared.domain.contacts import GUARANTOR, number_hash
from shared.domain.history import HistoryEvent
from shared.domain.words import Channel, ConsentSource

RECIPIENT = "recipient"
"""Who texted, as histories name them: whoever holds the phone."""


def stop_texts(book: AccountBook, number: str, whose: AbstractSet[str], word: str, now: datetime) -> Change | None:
    """Send no more texts to a number (hashed), and cancel those that wait; None: that is so already.

    whose: as whose number it had texts about this account sent to it. The guarantor's own opt-out is recorded for a
    number that is or was the guarantor's. A patient or a third party who pays has no opt-outs of their own: the number
    itself is closed, so that whoever asked hears no more, and the guarantor, who asked for nothing, still does. A test
    contact is staff, and its word is no guarantor's: the account stays as it is.
    """
    parties = _parties(book.account, number, whose)
    if not parties:
        return None
    account = book.account
    choice = opted_out_of(account.opt_outs, Channel.SMS) if GUARANTOR in parties else account.opt_outs
    after = replace(account, opt_outs=choice, stopped_numbers=account.stopped_numbers | {number})
    told_of = {GUARANTOR} if choice.sms > account.opt_outs.sms else set[str]()
    return _changed(book, after, _told(WITHDRAWN, parties - told_of, word, now), word, now)


def restart_texts(book: AccountBook, number: str, whose: AbstractSet[str], word: str, now: datetime) -> Change | None:
    """Let texts go to a number (hashed) again, as far as a text message stopped them; None: nothing is different.

    The guarantor's opt-out is taken back by the number on file only, and only where nothing but a text closed it. A
    number that texts us can be reached, whatever came back from it before.
    """
    parties = _parties(book.account, number, whose)
    if not parties:
        return None
    account = book.account
    after = replace(account, stopped_numbers=account.stopped_numbers - {number})
    if _is_guarantors(account, number):
        after = replace(after, undeliverable=account.undeliverable - {Channel.SMS})
        if closed_by_text_alone(book):
            after = replace(after, opt_outs=replace(account.opt_outs, sms=False))
    others = parties - {GUARANTOR} if number in account.stopped_numbers else frozenset[str]()
    return _changed(book, after, _told(GIVEN, others, word, now), word, now)


def note_text(book: AccountBook, whose: AbstractSet[str], number: str, now: datetime) -> Change | None:
    """Note in the history that a text came which said no word of ours; what it said is kept nowhere."""
    if not _parties(book.account, number, whose):
        return None
    event = HistoryEvent(at=now, event="TextReceived", actor=RECIPIENT, facts={"channel": Channel.SMS})
    return Change(account=book.account, history=(event,))


def hears_nothing(account: Account, number: str) -> bool:
    """Whether no text goes to a number about an account, so that none may answer it unasked."""
    return account.opt_outs.sms or number in account.stopped_numbers


def _is_guarantors(account: Account, number: str) -> bool:
    return number_hash(account.guarantor.mobile_phone) == number


def _parties(account: Account, number: str, whose: AbstractSet[str]) -> frozenset[str]:
    own = {GUARANTOR} if _is_guarantors(account, number) else set[str]()
    return frozenset(whose | own) - {TEST_CONTACT}


def _told(event: str, parties: AbstractSet[str], word: str, now: datetime) -> tuple[HistoryEvent, ...]:
    facts = {"channel": str(Channel.SMS), "source": str(ConsentSource.TEXT_MESSAGE), "wording": word}
    return tuple(
        HistoryEvent(at=now, event=event, actor=RECIPIENT, facts={**facts, "party": party}) for party in sorted(parties)
    )


def _changed(
    book: AccountBook, after: Account, more: tuple[HistoryEvent, ...], word: str, now: datetime
) -> Change | None:
    source = ConsentSource.TEXT_MESSAGE
    change = change_account(book, after, now, RECIPIENT, source=source, wording=word)
    return replace(change, history=(*change.history, *more)) if change else None
