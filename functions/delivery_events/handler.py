"""Hears from the email provider what became of messages."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from functions.delivery_events.settings import Settings
from shared.contracts.delivery_events import NOTICE_TAG, ORGANIZATION_TAG, EmailEvent
from shared.domain.book import AccountBook, Change
from shared.domain.settlement import Outcome, settle
from shared.messaging import clients
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


@cache
def dependencies() -> tuple[Settings, AccountBooks, Organizations]:
    """Read the settings and make the client, once a process."""
    settings = Settings.model_validate(dict(os.environ))
    table = clients.dynamodb(), settings.table_name
    return settings, AccountBooks(*table), Organizations(*table)


def outcome_of(event: EmailEvent) -> Outcome | None:
    """What an event says; None: nothing that changes a notice, such as an open or a delay."""
    if event.bounce is not None:
        return Outcome.BOUNCED if event.bounce.bounce_type == "Permanent" else Outcome.BOUNCED_FOR_NOW
    return OUTCOMES.get(event.event_type)


def last_moved(book: AccountBook, notice_id: str, otherwise: datetime) -> datetime:
    """The instant that a notice was last moved at: what time it is for its event, where time is simulated."""
    moves = (change.at for notice in book.notices if notice.notice_id == notice_id for change in notice.status_history)
    return max(moves, default=otherwise)


def record(message: str, now: datetime) -> None:
    """Settle the notice that one event is about. One that can't be read is passed over and logged."""
    try:
        event = EmailEvent.model_validate_json(message)
    except ValidationError as error:
        logger.warning("event not understood", extra={"errors": error.error_count()})
        return
    outcome, (settings, books, organizations) = outcome_of(event), dependencies()
    org_id, notice_id = event.mail.tag(ORGANIZATION_TAG), event.mail.tag(NOTICE_TAG)
    if outcome is None or org_id is None or notice_id is None:
        return
    account_id = books.account_of(org_id, keys.notice_lookup(notice_id))
    if account_id is None:
        logger.warning("event about an unknown notice", extra={"org_id": org_id, "notice_id": notice_id})
        return
    # Only what a returned message leads to depends on the organization's settings.
    organization = organizations.get(org_id) if outcome is Outcome.BOUNCED else None
    message_id = event.mail.message_id

    def decide(book: AccountBook) -> Change | None:
        at = last_moved(book, notice_id, now) if settings.allow_simulated_time else now
        return settle(book, notice_id, outcome, message_id, at, organization)

    books.change(org_id, account_id, decide)
    logger.info("settled", extra={"org_id": org_id, "notice_id": notice_id, "outcome": outcome.name})


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> None:
    """Entry point: SNS calls it once an event, and again when it fails."""
    for entry in event["Records"]:
        record(entry["Sns"]["Message"], datetime.now(UTC))
