"""Sets notices as letters for the print shop, and closes its daily batches: a message of the queue asks for one."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.render_print.print_batch import BatchCloser
from functions.render_print.print_job import LetterWriter
from functions.render_print.settings import RenderPrintSettings
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
from shared.storage.print_batches import PrintBatches

logger = Logger()

LEAVE_MILLISECONDS = 8_000
"""The closing of a batch stops this long before the invocation ends, and goes on in another."""


@cache
def dependencies() -> tuple[RenderPrintSettings, dict[str, Any]]:
    """Read the settings and make the clients, once a process."""
    settings = RenderPrintSettings.model_validate(dict(os.environ))
    table = clients.dynamodb(), settings.table_name
    return settings, {
        "books": AccountBooks(*table),
        "notices": Notices(*table),
        "organizations": Organizations(*table),
        "sender": LetterWriter(
            clients.s3(),
            settings.print_bucket,
            public_base_url(settings.public_base_url, settings.public_base_url_parameter),
        ),
        "gate": ChannelGate(Channel.PRINT, ChannelGates(*table)),
    }


def closer(context: LambdaContext) -> BatchCloser:
    """What closes batches, as long as the invocation has time."""
    settings, ports = dependencies()
    client = ports["books"].client
    return BatchCloser(
        PrintBatches(client, settings.table_name),
        ports["organizations"],
        ports["sender"].client,
        settings.print_bucket,
        lambda: context.get_remaining_time_in_millis() < LEAVE_MILLISECONDS,
    )


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point: a batch of the print queue."""
    settings, ports = dependencies()
    delivery = NoticeSender(**ports, expected=len(event["Records"]))
    return consume(
        event,
        context,
        delivery.deliver,
        logger,
        allow_simulated_time=settings.allow_simulated_time,
        close_print=closer(context).close,
    )
