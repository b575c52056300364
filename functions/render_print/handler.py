"""Sets notices as letters for the print shop: each message of the queue asks for one."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.render_print.print_job import LetterWriter
from functions.render_print.settings import Settings
from shared.messaging import clients
from shared.messaging.delivery import Delivery
from shared.messaging.public_address import public_base_url
from shared.messaging.queue_consumer import consume
from shared.storage.account_books import AccountBooks
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations

logger = Logger()


@cache
def dependencies() -> tuple[Settings, dict[str, Any]]:
    """Read the settings and make the clients, once a process."""
    settings = Settings.model_validate(dict(os.environ))
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
    }


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point: a batch of the print queue."""
    settings, ports = dependencies()
    delivery = Delivery(**ports)
    return consume(event, context, delivery.deliver, logger, allow_simulated_time=settings.allow_simulated_time)
