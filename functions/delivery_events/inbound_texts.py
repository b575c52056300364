"""What a recipient's text does: STOP, START, HELP, or a note that one came."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from functions.delivery_events.clock import Clock
from functions.delivery_events.text_answers import TextAnswers
from shared.contracts.text_events import InboundText
from shared.domain.account.contacts import number_hash
from shared.domain.account.number_stops import NumberStop
from shared.domain.records.book import AccountBook, Change
from shared.domain.texting.inbound_texts import Keyword, TextMeaning, keyword_of, needs_reading
from shared.domain.texting.text_consent import (
    ReceivedText,
    gets_no_texts,
    note_text,
    opted_out_by,
    restart_texts,
    stop_texts,
)
from shared.storage.account_books import AccountBooks
from shared.storage.numbers import HandledText, KnownNumber, Numbers, TextedAccount

logger = Logger()

HELP_AGAIN_AFTER = timedelta(days=1)
"""How often a number that texts what we don't understand gets the help text: how to reach a person, how to stop."""


@dataclass(frozen=True, slots=True)
class InboundTexts:
    """Handles texts from recipients. What one says beyond our own words is never logged, kept only for staff to read.

    What a number says about texts is recorded under the number; then the accounts are changed, then the text is
    recorded as handled, then it is answered. So after a crash it is handled again until it is recorded; from then on it
    is never answered (again). What it changed is in the accounts' histories with its id, so nothing is done twice, and
    the confirmation of a STOP still goes when its first handling broke off.
    A text from a number that no text of ours went to is nobody's, but its STOP holds for accounts that come later.
    """

    books: AccountBooks
    numbers: Numbers
    answers: TextAnswers
    clock: Clock

    def receive(self, text: InboundText, said_at: datetime, now: datetime) -> None:
        """Do what one text asks for. said_at: when the provider had it."""
        number = number_hash(text.origination_number)
        known = self.numbers.known(number)
        if known.has_handled(text.inbound_message_id):
            return
        keyword = keyword_of(text.message_body)
        received = ReceivedText(text_id=text.inbound_message_id, number=number, said_at=said_at)
        to_read = text.message_body if needs_reading(text.message_body) else ""
        if keyword and keyword.meaning in {TextMeaning.STOP, TextMeaning.START}:
            # First of all, so that no account that isn't looked at now sends a text from here on.
            stopped = keyword.meaning is TextMeaning.STOP
            self.numbers.record_stop(NumberStop(number=number, stopped=stopped, wording=keyword.word, said_at=said_at))
        closed = self._act(known, received, keyword, now, to_read)
        answer = self._answer(text, keyword, known, now, closed=closed)
        handled = HandledText(inbound_message_id=text.inbound_message_id, at=now, answered=answer is not None)
        first = self.numbers.record_handled(number, handled)
        if first and answer is not None:
            answer_id = self.answers.give(text.origination_number, answer)
            self.numbers.record_answer(number, replace(handled, answer_id=answer_id))
        told = {"word": keyword.word if keyword else None, "accounts": len(known.accounts), "to_read": bool(to_read)}
        logger.info("text handled", extra=told)

    def _act(
        self, known: KnownNumber, text: ReceivedText, keyword: Keyword | None, now: datetime, to_read: str
    ) -> bool:
        """Change each account by itself, and fail at the end if any of them failed; whether the text closed any."""
        closed, failures = False, list[Exception]()
        for account in known.accounts:
            try:
                closed |= self._acted(account, text, keyword, now, to_read)
            except Exception as error:  # noqa: BLE001 - one account's trouble must not keep the others' texts going
                failures.append(error)
        if failures:
            raise ExceptionGroup("accounts not changed", failures)
        return closed

    def _acted(
        self, account: TextedAccount, text: ReceivedText, keyword: Keyword | None, now: datetime, to_read: str
    ) -> bool:
        """Change one account; whether the text closed it to the number, now or when its handling broke off."""

        def decide(book: AccountBook) -> Change | None:
            return _change(book, account, text, keyword, self.clock.at(book, now), to_read)

        return opted_out_by(self.books.change(account.org_id, account.account_id, decide), text)

    def _answer(
        self, text: InboundText, keyword: Keyword | None, known: KnownNumber, now: datetime, *, closed: bool
    ) -> str | None:
        """The text that answers; None: none does. It speaks for the practice that texted the number last."""
        latest = known.accounts[0] if known.accounts else None
        book = self.books.load(latest.org_id, latest.account_id) if latest else None
        if book is None or (keyword and keyword.meaning is TextMeaning.START):
            return None
        if keyword and keyword.meaning is TextMeaning.STOP:
            return self.answers.confirmation(book, keyword, text.message_body) if closed else None
        helped_lately = any(text.answered and now - text.at < HELP_AGAIN_AFTER for text in known.handled)
        unasked = keyword is None
        if unasked and (helped_lately or gets_no_texts(book.account, number_hash(text.origination_number))):
            return None
        return self.answers.help(book, keyword)


def _change(
    book: AccountBook,
    account: TextedAccount,
    text: ReceivedText,
    keyword: Keyword | None,
    now: datetime,
    to_read: str,
) -> Change | None:
    if keyword is None:
        return note_text(book, text, account.recipients, now, to_read)
    if keyword.meaning is TextMeaning.STOP:
        return stop_texts(book, text, account.recipients, keyword.word, now)
    if keyword.meaning is TextMeaning.START:
        return restart_texts(book, text, account.recipients, keyword.word, now)
    return None
