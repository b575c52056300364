"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache

from functions.delivery_events.clock import Clock
from functions.delivery_events.email_events import EmailEvents
from functions.delivery_events.inbound_texts import InboundTexts
from functions.delivery_events.settings import DeliveryEventsSettings
from functions.delivery_events.text_answers import TextAnswers
from functions.delivery_events.text_events import TextEvents
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations


@dataclass(frozen=True, kw_only=True)
class DeliveryEventsPorts:
    """The function's settings, and who takes the events of which provider."""

    settings: DeliveryEventsSettings
    emails: EmailEvents
    texts: TextEvents


@cache
def ports() -> DeliveryEventsPorts:
    """Read the settings and make the client of the table; the text provider's is made for an answer only."""
    settings = DeliveryEventsSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    books, organizations, numbers = AccountBooks(*table), Organizations(*table), Numbers(*table)
    clock = Clock(simulated=settings.allow_simulated_time)
    answers = TextAnswers(organizations, clients.sns, self_managed=settings.self_managed_opt_outs)
    inbound = InboundTexts(books, numbers, answers, clock)
    gate = ChannelGate(Channel.SMS, ChannelGates(*table))
    return DeliveryEventsPorts(
        settings=settings,
        emails=EmailEvents(books, organizations, clock),
        texts=TextEvents(books, organizations, numbers, clock, inbound, gate),
    )
