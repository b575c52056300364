"""Sends notices by email: each message of the queue asks for one."""

import os
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.send_email.account_limits import account_limits
from functions.send_email.email_sender import EmailSender
from functions.send_email.settings import SendEmailSettings
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

USUAL_PER_SECOND = 14.0
"""SES's rate for a new account outside the sandbox: gone by until SES has told the account's own."""


@cache
def dependencies() -> tuple[SendEmailSettings, dict[str, Any]]:
    """Read the settings and make the clients, once a process."""
    settings = SendEmailSettings.model_validate(dict(os.environ))
    table = clients.dynamodb(), settings.table_name
    ses = clients.ses()
    return settings, {
        "books": AccountBooks(*table),
        "notices": Notices(*table),
        "organizations": Organizations(*table),
        "sender": EmailSender(
            ses,
            settings.sender_address,
            settings.configuration_set,
            public_base_url(settings.public_base_url, settings.public_base_url_parameter),
        ),
        "gate": ChannelGate(
            Channel.EMAIL,
            ChannelGates(*table),
            usual=Limits(per_second=USUAL_PER_SECOND),
            ask_limits=partial(account_limits, ses),
        ),
    }


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point: a batch of the email queue."""
    settings, ports = dependencies()
    delivery = NoticeSender(**ports, expected=len(event["Records"]))
    return consume(event, context, delivery.deliver, logger, allow_simulated_time=settings.allow_simulated_time)
