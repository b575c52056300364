"""What the text provider's events do, in either of its two forms."""

from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from functions.delivery_events.clock import Clock
from functions.delivery_events.inbound_texts import InboundTexts
from functions.delivery_events.text_outcomes import TextResult, result_of_event, result_of_record
from shared.contracts.text_events import TOPIC_MESSAGE, DeliveryRecord, InboundText, log_batch, topic_time
from shared.domain.account.contacts import number_hash
from shared.domain.delivery.channel_gate import MONTH_USED_UP, pause
from shared.domain.delivery.settlement import DeliveryOutcome, row_alone, settle
from shared.domain.records.book import AccountBook, Change
from shared.domain.texting.text_sendings import AROUND, Sending, about, sending_of
from shared.domain.vocabulary.words import Channel
from shared.messaging.metrics import tally
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.numbers import KnownNumber, Numbers
from shared.storage.organizations import Organizations

logger = Logger()


@dataclass(frozen=True, slots=True)
class TextEvents:
    """Settles notices by the events of their texts, and hands on what recipients text. gate: the channel's."""

    books: AccountBooks
    organizations: Organizations
    numbers: Numbers
    clock: Clock
    inbound: InboundTexts
    gate: ChannelGate

    def receive(self, message: str, now: datetime, timestamp: str | None = None) -> None:
        """Handle one message of the text topic. One that can't be read is passed over and logged.

        timestamp: when it came to the topic, as the topic says; None: it doesn't.
        """
        try:
            event = TOPIC_MESSAGE.validate_json(message)
        except ValidationError as error:
            logger.warning("event not understood", extra={"errors": error.error_count()})
            return
        if isinstance(event, InboundText):
            self.inbound.receive(event, topic_time(timestamp) or now, now)
        else:
            self._settle(result_of_event(event), now)

    def receive_logs(self, data: str, now: datetime) -> None:
        """Handle the delivery status records of a batch, each by itself; fails at the end if any of them failed."""
        try:
            lines = log_batch(data).records
        except ValueError:
            # Without the error, which quotes what it couldn't read.
            logger.warning("log batch not understood")
            return
        failures = list[Exception]()
        for line in lines:
            try:
                record = DeliveryRecord.model_validate_json(line)
            except ValidationError as error:
                logger.warning("record not understood", extra={"errors": error.error_count()})
                continue
            try:
                self._settle(result_of_record(record), now)
            except Exception as error:  # noqa: BLE001 - one record's trouble must not hold up the others
                failures.append(error)
        if failures:
            raise ExceptionGroup("records not handled", failures)

    def _settle(self, result: TextResult | None, now: datetime) -> None:
        if result is None:
            return
        # Where time is simulated, the provider's doesn't compare with ours.
        asked_at = None if self.clock.simulated else result.asked_at
        found = self._find(result, self.numbers.known(number_hash(result.number)), asked_at)
        if found is None:
            logger.info("text event about no notice", extra={"outcome": result.outcome.name})
            return
        org_id, notice_id = found.notice.org_id, found.notice.notice_id
        # Only what a bounce leads to depends on the organization's settings.
        organization = self.organizations.get(org_id) if result.outcome is DeliveryOutcome.BOUNCED else None

        def decide(book: AccountBook) -> Change | None:
            # Somebody may have been quicker since it was found: then the report may be about nothing here any more.
            still = sending_of([book], result.number, result.message_id, asked_at)
            if still is None or still.notice.notice_id != notice_id:
                return None
            at = self.clock.at(book, now, notice_id)
            message = result.message_id, at, organization, still.attempt
            change = settle(book, notice_id, result.outcome, *message, address=result.number)
            if change is not None and result.outcome is DeliveryOutcome.DROPPED:
                # Before the notice is scheduled again, so that the gate holds it.
                self.gate.change(lambda state: pause(state, MONTH_USED_UP, at))
            return change

        self.books.settle(org_id, found.notice.account_id, decide, row_alone)
        tally("Reports", channel=Channel.SMS, outcome=result.outcome.name)
        logger.info("settled", extra={"org_id": org_id, "notice_id": notice_id, "outcome": result.outcome.name})

    def _find(self, result: TextResult, known: KnownNumber, asked_at: datetime | None) -> Sending | None:
        """The sending that a result is about; None also where it may be about an answer of ours to an inbound text."""
        books = [
            book
            for account in known.accounts
            # An account whose last text to the number is older than the message can't have sent it.
            if asked_at is None or account.texted_at >= asked_at - AROUND
            if (book := self.books.load(account.org_id, account.account_id))
        ]
        found = sending_of(books, result.number, result.message_id, asked_at)
        if found is None or found.notice.provider_message_id == result.message_id:
            return found
        answers = [text for text in known.handled if text.answered]
        is_an_answer = any(text.answer_id == result.message_id for text in answers)
        may_be_an_answer = any(not text.answer_id and about(asked_at, text.at) for text in answers)
        return None if is_an_answer or may_be_an_answer else found
