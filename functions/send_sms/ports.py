"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache

from functions.send_sms.settings import SendSmsSettings
from functions.send_sms.text_sender import TextSender
from shared.domain.delivery.channel_gate import Limits
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.sending.channel_ports import ChannelPorts
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.notices import Notices
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations
from shared.storage.own_templates import OwnTemplates


@dataclass(frozen=True, kw_only=True)
class SendSmsPorts(ChannelPorts):
    """The function's settings, and what it sends texts with."""

    settings: SendSmsSettings
    sender: TextSender


@cache
def ports() -> SendSmsPorts:
    """Read the settings and make the clients."""
    settings = SendSmsSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    return SendSmsPorts(
        settings=settings,
        books=AccountBooks(*table),
        notices=Notices(*table),
        numbers=Numbers(*table),
        organizations=Organizations(*table),
        templates=OwnTemplates(*table),
        sender=TextSender(clients.sns(), public_base_url(settings.public_base_url, settings.public_base_url_parameter)),
        gate=ChannelGate(Channel.SMS, ChannelGates(*table), usual=Limits(per_second=settings.texts_per_second)),
    )
