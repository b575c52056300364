"""What STOP, START and any other text from a number does to an account that had a text sent to that number."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.account.account_changes import change_account, opted_out_of
from shared.domain.account.consents import OPTED_IN_EVENT, OPTED_OUT_EVENT, opted_out_by_text_alone
from shared.domain.account.contacts import GUARANTOR, number_hash
from shared.domain.account.number_stops import SAID_AT
from shared.domain.delivery.claim_records import TEST_CONTACT
from shared.domain.records.account import Account
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.task import Task, TaskKind, task_id_at
from shared.domain.vocabulary.actors import Actor
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.words import Channel, ConsentSource

LONGEST_TEXT_TO_READ = 1600
"""How much of a text a person gets to read: as much as ten segments hold."""

TEXT_ID = "textId"
"""The fact by which a history knows a text again that comes a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedText:
    """A text that came from a number (hashed). text_id: the provider's own id of it. said_at: when it came there."""

    text_id: str
    number: str
    said_at: datetime

    @property
    def facts(self) -> dict[str, str]:
        """What a history records of it."""
        return {TEXT_ID: self.text_id, SAID_AT: self.said_at.isoformat()}


def stop_texts(
    book: AccountBook, text: ReceivedText, recipients: AbstractSet[str], word: str, now: datetime
) -> Change | None:
    """Send no more texts to a text's number, and cancel those that wait; None: that is so already.

    recipients: as whose number it had texts about this account sent to it. The guarantor's own opt-out is recorded for
    a number that is or was the guarantor's. A patient or a third party who pays has no opt-outs of their own: the
    number itself is stopped, so that whoever asked gets no more texts, and the guarantor, who asked for nothing, still
    does. A test contact is staff, and its word is no guarantor's: the account stays as it is.
    """
    number, asking = text.number, _asking(book.account, text.number, recipients)
    if not asking or _was_handled(book, text):
        return None
    account = book.account
    choice = opted_out_of(account.opt_outs, Channel.SMS) if GUARANTOR in asking else account.opt_outs
    after = replace(account, opt_outs=choice, stopped_numbers=account.stopped_numbers | {number})
    recorded = {GUARANTOR} if choice.sms > account.opt_outs.sms else set[str]()
    return _changed(book, after, _events(OPTED_OUT_EVENT, asking - recorded, word, now), text, word, now)


def restart_texts(
    book: AccountBook, text: ReceivedText, recipients: AbstractSet[str], word: str, now: datetime
) -> Change | None:
    """Let texts go to a text's number again, as far as a text message stopped them; None: nothing is different.

    The guarantor's opt-out is taken back by the number on file only, and only where it was made by nothing but a text.
    A number that texts us can be reached, whatever bounced there before. A START that comes late, after a text that was
    said after it has stopped texts, is passed over.
    """
    number, asking = text.number, _asking(book.account, text.number, recipients)
    if not asking or _was_handled(book, text) or _stopped_since(book, text):
        return None
    account = book.account
    after = replace(account, stopped_numbers=account.stopped_numbers - {number})
    if _is_guarantors(account, number):
        after = replace(after, undeliverable=account.undeliverable - {Channel.SMS})
        if opted_out_by_text_alone(book):
            after = replace(after, opt_outs=replace(account.opt_outs, sms=False))
    # The guarantor's is in the registry already where an opt-out is taken back, and stands where one is left.
    recorded = {GUARANTOR} if account.opt_outs.sms else set[str]()
    opened = asking - recorded if number in account.stopped_numbers else frozenset[str]()
    return _changed(book, after, _events(OPTED_IN_EVENT, opened, word, now), text, word, now)


def note_text(
    book: AccountBook, text: ReceivedText, recipients: AbstractSet[str], now: datetime, to_read: str = ""
) -> Change | None:
    """Note in the history that a text came which said no word of ours.

    to_read: what it said, where a person should read it: that becomes a task. Otherwise it is kept nowhere.
    """
    if not _asking(book.account, text.number, recipients) or _was_handled(book, text):
        return None
    facts = {"channel": str(Channel.SMS), **text.facts}
    noted = HistoryEvent(at=now, event="TextReceived", actor=Actor.RECIPIENT, facts=facts)
    tasks = (_reading(book.account, text, to_read, now),) if to_read else ()
    return Change(account=book.account, history=(noted,), tasks=tasks)


def _reading(account: Account, text: ReceivedText, body: str, now: datetime) -> Task:
    """The task to read a text, with its words as far as they can be shown."""
    shown = "".join(sign if sign.isprintable() else " " for sign in body[:LONGEST_TEXT_TO_READ])
    return Task(
        task_id=task_id_at(now, account.org_id, account.account_id, text.text_id),
        org_id=account.org_id,
        kind=TaskKind.REPLY_TO_READ,
        created_at=now,
        account_id=account.account_id,
        facts={**text.facts, "text": shown},
    )


def opted_out_by(book: AccountBook, text: ReceivedText) -> bool:
    """Whether texts to a number are stopped on an account, and it was this very text that stopped them."""
    return text.number in book.account.stopped_numbers and _was_handled(book, text)


def gets_no_texts(account: Account, number: str) -> bool:
    """Whether no text goes to a number about an account, so that none may answer it unasked."""
    return account.opt_outs.sms or number in account.stopped_numbers


def _was_handled(book: AccountBook, text: ReceivedText) -> bool:
    """Whether an account has done already what a text asks for: its handling broke off later, so it comes again."""
    return any(event.facts.get(TEXT_ID) == text.text_id for event in book.history)


def _stopped_since(book: AccountBook, text: ReceivedText) -> bool:
    """Whether a text stopped texts that was said after this one; whoever said it: in doubt no text is sent."""
    said = (event.facts[SAID_AT] for event in book.history if event.event == OPTED_OUT_EVENT and SAID_AT in event.facts)
    return any(datetime.fromisoformat(at) > text.said_at for at in said)


def _is_guarantors(account: Account, number: str) -> bool:
    return number_hash(account.guarantor.mobile_phone) == number


def _asking(account: Account, number: str, recipients: AbstractSet[str]) -> frozenset[str]:
    """The recipients that a text from a number speaks for."""
    own = {GUARANTOR} if _is_guarantors(account, number) else set[str]()
    return frozenset(recipients | own) - {TEST_CONTACT}


def _events(event: str, recipients: AbstractSet[str], word: str, now: datetime) -> tuple[HistoryEvent, ...]:
    facts = {"channel": str(Channel.SMS), "source": str(ConsentSource.TEXT_MESSAGE), "wording": word}
    return tuple(
        HistoryEvent(at=now, event=event, actor=Actor.RECIPIENT, facts={**facts, "party": recipient})
        for recipient in sorted(recipients)
    )


def _changed(
    book: AccountBook, after: Account, more: tuple[HistoryEvent, ...], text: ReceivedText, word: str, now: datetime
) -> Change | None:
    source = ConsentSource.TEXT_MESSAGE
    change = change_account(book, after, now, Actor.RECIPIENT, source=source, wording=word)
    if change is None:
        return None
    events = (*change.history, *more)
    return replace(change, history=tuple(replace(event, facts=event.facts | text.facts) for event in events))
