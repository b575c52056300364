"""What the email provider's events do."""

from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from functions.delivery_events.clock import Clock
from shared.contracts.delivery_events import NOTICE_TAG, ORGANIZATION_TAG, EmailEvent
from shared.domain.book import AccountBook, Change
from shared.domain.settlement import Outcome, settle
from shared.storage import keys
from shared.storage.account_books import AccountBooks
from shared.storage.organizations import Organizations

logger = Logger()

OUTCOMES = {
    "Send": Outcome.ACCEPTED,
    "Delivery": Outcome.DELIVERED,
    "Complaint": Outcome.COMPLAINED,
    "Reject": Outcome.REJECTED,
    "Rendering Failure": Outcome.REJECTED,
}


def outcome_of(event: EmailEvent) -> Outcome | None:
    """What an event says; None: nothing that changes a notice, such as an open or a delay."""
    if event.bounce is not None:
        return Outcome.BOUNCED if event.bounce.bounce_type == "Permanent" else Outcome.BOUNCED_FOR_NOW
    return OUTCOMES.get(event.event_type)


@dataclass(frozen=True, slots=True)
class EmailEvents:
    """Settles notices by the events of their emails."""

    books: AccountBooks
    organizations: Organizations
    clock: Clock

    def hear(self, message: str, now: datetime) -> None:
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
        # Only what a returned message leads to depends on the organization's settings.
        organization = self.organizations.get(org_id) if outcome is Outcome.BOUNCED else None
        message_id = event.mail.message_id

        def decide(book: AccountBook) -> Change | None:
            at = self.clock.at(book, now, notice_id)
            return settle(book, notice_id, outcome, message_id, at, organization, event.mail.attempt)

        self.books.change(org_id, account_id, decide)
        logger.info("settled", extra={"org_id": org_id, "notice_id": notice_id, "outcome": outcome.name})
