"""What the routes of this function stand on: its settings, the pages, and the frames of pages and of webhooks."""

import os
from functools import cache

from aws_lambda_powertools import Logger

from functions.payment_link.channel_pages import ChannelPages
from functions.payment_link.patient_pages import PatientPages
from functions.payment_link.settings import PaymentLinkSettings
from functions.payment_link.site import Site
from functions.payment_link.visits import Desk
from shared.http.api import Api
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.storage.account_books import AccountBooks
from shared.storage.links import Links
from shared.storage.organizations import Organizations

logger = Logger()


@cache
def settings() -> PaymentLinkSettings:
    """Read the settings, once a process."""
    return PaymentLinkSettings.model_validate(dict(os.environ))


@cache
def dependencies() -> PatientPages:
    """Make the stores and the pages over them, once a process."""
    client, table = clients.dynamodb(), settings().table_name
    desk = Desk(AccountBooks(client, table), Links(client, table), Organizations(client, table))
    base_url = public_base_url(settings().public_base_url, settings().public_base_url_parameter)
    return PatientPages(desk=desk, base_url=base_url, sandbox_url=settings().sandbox_processor_url)


def channel_pages() -> ChannelPages:
    """The pages on which patients say how to be reached."""
    return ChannelPages(desk=dependencies().desk)


site = Site(
    logger,
    base_url=lambda: dependencies().base_url,
    allow_simulated_time=lambda: settings().allow_simulated_time,
)
api = Api(logger, allow_simulated_time=lambda: settings().allow_simulated_time)
