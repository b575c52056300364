"""Hears from the providers what became of messages, and from recipients what they answer to texts."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.delivery_events.clock import Clock
from functions.delivery_events.email_events import EmailEvents
from functions.delivery_events.inbound_texts import InboundTexts
from functions.delivery_events.settings import DeliveryEventsSettings
from functions.delivery_events.text_answers import TextAnswers
from functions.delivery_events.text_events import TextEvents
from shared.contracts.text_events import topic_time
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations

logger = Logger()


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who hears what. text_topic: the topic that brings texts' events."""

    emails: EmailEvents
    texts: TextEvents
    text_topic: str


@cache
def dependencies() -> Listeners:
    """Read the settings and make the clients, once a process."""
    settings = DeliveryEventsSettings.model_validate(dict(os.environ))
    table = clients.dynamodb(), settings.table_name
    books, organizations, numbers = AccountBooks(*table), Organizations(*table), Numbers(*table)
    clock = Clock(simulated=settings.allow_simulated_time)
    answers = TextAnswers(organizations, clients.sns, self_managed=settings.self_managed_opt_outs)
    inbound = InboundTexts(books, numbers, answers, clock)
    gate = ChannelGate(Channel.SMS, ChannelGates(*table))
    texts = TextEvents(books, organizations, numbers, clock, inbound, gate)
    return Listeners(EmailEvents(books, organizations, clock), texts, settings.text_events_topic)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> None:
    """Entry point: SNS calls it once an event, CloudWatch Logs with some records, each again when it fails."""
    listeners, now = dependencies(), datetime.now(UTC)
    if "awslogs" in event:
        listeners.texts.hear_logs(event["awslogs"]["data"], now)
        return
    for entry in event["Records"]:
        told = entry["Sns"]
        if told.get("TopicArn") == listeners.text_topic:
            listeners.texts.hear(told["Message"], now, topic_time(told.get("Timestamp")))
        else:
            listeners.emails.hear(told["Message"], now)
