"""What the email provider's events do."""

from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from functions.delivery_events.clock import Clock
from shared.contracts.delivery_events import Complaint, EmailEvent
from shared.contracts.email_tags import NOTICE_TAG, ORGANIZATION_TAG
from shared.domain.account.consents import consents
from shared.domain.delivery.settlement import DeliveryOutcome, row_alone, settle
from shared.domain.records.book import AccountBook, Change
from shared.domain.vocabulary.words import Channel
from shared.messaging.metrics import tally
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations

logger = Logger()

OUTCOMES = {
    "Send": DeliveryOutcome.ACCEPTED,
    # The recipient's server doesn't take it yet, so the provider has it and goes on trying.
    "DeliveryDelay": DeliveryOutcome.ACCEPTED,
    "Delivery": DeliveryOutcome.DELIVERED,
    "Complaint": DeliveryOutcome.COMPLAINED,
    "Reject": DeliveryOutcome.REJECTED,
    "Rendering Failure": DeliveryOutcome.REJECTED,
}

NO_COMPLAINTS = frozenset({"not-spam", "auth-failure"})
"""Feedback that says nothing against us: that a message is no spam after all, or how a server checks senders."""

SUPPRESSED = "OnAccountSuppressionList"
"""A complaint of this kind is an older one's: because of it the provider didn't send this message at all."""


def outcome_of(event: EmailEvent) -> DeliveryOutcome | None:
    """What an event says; None: nothing that changes a notice, such as that it was opened."""
    if event.bounce is not None:
        return DeliveryOutcome.BOUNCED if event.bounce.bounce_type == "Permanent" else DeliveryOutcome.BOUNCED_FOR_NOW
    if event.complaint is not None and event.complaint.complaint_sub_type == SUPPRESSED:
        return DeliveryOutcome.BOUNCED
    if event.complaint is not None and event.complaint.complaint_feedback_type in NO_COMPLAINTS:
        return None
    return OUTCOMES.get(event.event_type)


@dataclass(frozen=True, slots=True)
class EmailEvents:
    """Settles notices by the events of their emails."""

    books: AccountBooks
    organizations: Organizations
    clock: Clock

    def receive(self, message: str, now: datetime) -> None:
        """Settle the notice that one event is about. One that can't be read is passed over and logged."""
        try:
            event = EmailEvent.model_validate_json(message)
        except ValidationError as error:
            logger.warning("event not understood", extra={"errors": error.error_count()})
            return
        outcome = outcome_of(event)
        org_id, notice_id = event.mail.tag(ORGANIZATION_TAG), event.mail.tag(NOTICE_TAG)
        if outcome is None or org_id is None or notice_id is None:
            return
        account_id = self.books.account_of(org_id, keys.notice_lookup(notice_id))
        if account_id is None:
            logger.warning("event about an unknown notice", extra={"org_id": org_id, "notice_id": notice_id})
            return
        # Only what a returned message and a complaint lead to depends on the organization's settings.
        depends = outcome in {DeliveryOutcome.BOUNCED, DeliveryOutcome.COMPLAINED}
        organization = self.organizations.get(org_id) if depends else None
        mail = event.mail

        def decide(book: AccountBook) -> Change | None:
            if outcome is DeliveryOutcome.COMPLAINED and event.complaint and self._taken_back(event.complaint, book):
                return None
            at = self.clock.at(book, now, notice_id)
            message = mail.message_id, at, organization, mail.attempt
            return settle(book, notice_id, outcome, *message, address=mail.address)

        self.books.settle(org_id, account_id, decide, row_alone)
        tally("Reports", channel=Channel.EMAIL, outcome=outcome.name)
        logger.info("settled", extra={"org_id": org_id, "notice_id": notice_id, "outcome": outcome.name})

    def _taken_back(self, complaint: Complaint, book: AccountBook) -> bool:
        """Whether somebody asked for emails again since a complaint, which thus comes late, or a second time.

        Where time is simulated, the provider's doesn't compare with ours.
        """
        if complaint.timestamp is None or self.clock.simulated:
            return False
        about_emails = (each for each in consents(book) if each.channel is Channel.EMAIL)
        return any(each.given and each.at > complaint.timestamp for each in about_emails)
