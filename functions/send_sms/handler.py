"""Sends notices as text messages: each message of the queue asks for one."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.send_sms.settings import SendSmsSettings
from functions.send_sms.text_sender import TextSender
from shared.domain.delivery.channel_gate import Limits
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.sending.permits import ChannelGate
from shared.sending.queue_consumer import consume
from shared.sending.send_notice import NoticeSender
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations

logger = Logger()


@cache
def dependencies() -> tuple[SendSmsSettings, dict[str, Any]]:
    """Read the settings and make the clients, once a process."""
    settings = SendSmsSettings.model_validate(dict(os.environ))
    table = clients.dynamodb(), settings.table_name
    return settings, {
        "books": AccountBooks(*table),
        "notices": Notices(*table),
        "organizations": Organizations(*table),
        "sender": TextSender(
            clients.sns(), public_base_url(settings.public_base_url, settings.public_base_url_parameter)
        ),
        "gate": ChannelGate(Channel.SMS, ChannelGates(*table), usual=Limits(per_second=settings.texts_per_second)),
    }


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point: a batch of the text queue."""
    settings, ports = dependencies()
    delivery = NoticeSender(**ports, expected=len(event["Records"]))
    return consume(event, context, delivery.deliver, logger, allow_simulated_time=settings.allow_simulated_time)
