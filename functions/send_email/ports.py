"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache, partial

from functions.send_email.account_limits import account_limits
from functions.send_email.email_sender import EmailSender
from functions.send_email.settings import SendEmailSettings
from shared.domain.delivery.channel_gate import Limits
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.sending.channel_ports import ChannelPorts
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.notices import Notices
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates

USUAL_PER_SECOND = 14.0
"""SES's rate for a new account outside the sandbox: kept to until SES has answered the account's own."""


@dataclass(frozen=True, kw_only=True)
class SendEmailPorts(ChannelPorts):
    """The function's settings, and what it sends emails with."""

    settings: SendEmailSettings
    sender: EmailSender


@cache
def ports() -> SendEmailPorts:
    """Read the settings and make the clients."""
    settings = SendEmailSettings.from_environment()
    table, ses = (clients.dynamodb(), settings.table_name), clients.ses()
    return SendEmailPorts(
        settings=settings,
        books=AccountBooks(*table),
        notices=Notices(*table),
        organizations=Organizations(*table),
        templates=OwnTemplates(*table),
        sender=EmailSender(
            ses,
            settings.sender_address,
            settings.configuration_set,
            public_base_url(settings.public_base_url, settings.public_base_url_parameter),
        ),
        gate=ChannelGate(
            Channel.EMAIL,
            ChannelGates(*table),
            usual=Limits(per_second=USUAL_PER_SECOND),
            ask_limits=partial(account_limits, ses),
        ),
    )
