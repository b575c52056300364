"""What STOP, START and any other text from a number does to an account that had a text sent to that number."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account.account_changes import change_account, opted_out_of
from shared.domain.account.consents import GIVEN, WITHDRAWN, closed_by_text_alone
from shared.domain.account.contacts import GUARANTOR, number_hash
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource

RECIPIENT = "recipient"
"""Who texted, as histories name them: whoever holds the phone."""

TEXT_ID, SAID_AT = "textId", "saidAt"
"""The facts by which a history knows a text again that comes a second time, or after a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedText:
    """A text that came from a number (hashed). text_id: the provider's own id of it. said_at: when it came there."""

    text_id: str
    number: str
    said_at: datetime

    @property
    def facts(self) -> dict[str, str]:
        """What a history tells of it."""
        return {TEXT_ID: self.text_id, SAID_AT: self.said_at.isoformat()}


def stop_texts(
    book: AccountBook, text: ReceivedText, whose: AbstractSet[str], word: str, now: datetime
) -> Change | None:
    """Send no more texts to a text's number, and cancel those that wait; None: that is so already.

    whose: as whose number it had texts about this account sent to it. The guarantor's own opt-out is recorded for a
    number that is or was the guarantor's. A patient or a third party who pays has no opt-outs of their own: the number
    itself is closed, so that whoever asked hears no more, and the guarantor, who asked for nothing, still does. A test
    contact is staff, and its word is no guarantor's: the account stays as it is.
    """
    number, parties = text.number, _parties(book.account, text.number, whose)
    if not parties or _was_heard(book, text):
        return None
    account = book.account
    choice = opted_out_of(account.opt_outs, Channel.SMS) if GUARANTOR in parties else account.opt_outs
    after = replace(account, opt_outs=choice, stopped_numbers=account.stopped_numbers | {number})
    told_of = {GUARANTOR} if choice.sms > account.opt_outs.sms else set[str]()
    return _changed(book, after, _told(WITHDRAWN, parties - told_of, word, now), text, word, now)


def restart_texts(
    book: AccountBook, text: ReceivedText, whose: AbstractSet[str], word: str, now: datetime
) -> Change | None:
    """Let texts go to a text's number again, as far as a text message stopped them; None: nothing is different.

    The guarantor's opt-out is taken back by the number on file only, and only where nothing but a text closed it. A
    number that texts us can be reached, whatever came back from it before. One that comes late, after a text that was
    said after it has stopped texts, is passed over.
    """
    number, parties = text.number, _parties(book.account, text.number, whose)
    if not parties or _was_heard(book, text) or _stopped_since(book, text):
        return None
    account = book.account
    after = replace(account, stopped_numbers=account.stopped_numbers - {number})
    if _is_guarantors(account, number):
        after = replace(after, undeliverable=account.undeliverable - {Channel.SMS})
        if closed_by_text_alone(book):
            after = replace(after, opt_outs=replace(account.opt_outs, sms=False))
    others = parties - {GUARANTOR} if number in account.stopped_numbers else frozenset[str]()
    return _changed(book, after, _told(GIVEN, others, word, now), text, word, now)


def note_text(book: AccountBook, text: ReceivedText, whose: AbstractSet[str], now: datetime) -> Change | None:
    """Note in the history that a text came which said no word of ours; what it said is kept nowhere."""
    if not _parties(book.account, text.number, whose) or _was_heard(book, text):
        return None
    facts = {"channel": str(Channel.SMS), **text.facts}
    return Change(
        account=book.account, history=(HistoryEvent(at=now, event="TextReceived", actor=RECIPIENT, facts=facts),)
    )


def closed_by(book: AccountBook, text: ReceivedText) -> bool:
    """Whether texts to a number are stopped on an account, and it was this very text that stopped them."""
    return text.number in book.account.stopped_numbers and _was_heard(book, text)


def hears_nothing(account: Account, number: str) -> bool:
    """Whether no text goes to a number about an account, so that none may answer it unasked."""
    return account.opt_outs.sms or number in account.stopped_numbers


def _was_heard(book: AccountBook, text: ReceivedText) -> bool:
    """Whether an account has done already what a text asks for: its hearing broke off later, so it comes again."""
    return any(event.facts.get(TEXT_ID) == text.text_id for event in book.history)


def _stopped_since(book: AccountBook, text: ReceivedText) -> bool:
    """Whether a text stopped texts that was said after this one; whoever said it, for no text goes by a doubt."""
    said = (event.facts[SAID_AT] for event in book.history if event.event == WITHDRAWN and SAID_AT in event.facts)
    return any(datetime.fromisoformat(at) > text.said_at for at in said)


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
    book: AccountBook, after: Account, more: tuple[HistoryEvent, ...], text: ReceivedText, word: str, now: datetime
) -> Change | None:
    source = ConsentSource.TEXT_MESSAGE
    change = change_account(book, after, now, RECIPIENT, source=source, wording=word)
    if change is None:
        return None
    events = (*change.history, *more)
    return replace(change, history=tuple(replace(event, facts=event.facts | text.facts) for event in events))
