"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from functions.delivery_events.clock import Clock
from functions.delivery_events.settings import DeliveryEventsSettings
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.sending.permits import ChannelGate
from shared.storage.account_books import AccountBooks
from shared.storage.channel_gates import ChannelGates
from shared.storage.numbers import Numbers
from shared.storage.organizations import Organizations

if TYPE_CHECKING:
    from functions.delivery_events.email_events import EmailEvents
    from functions.delivery_events.text_events import TextEvents


@dataclass(frozen=True, kw_only=True)
class DeliveryEventsPorts:
    """The function's settings, its stores, and who takes the events of which provider.

    An invocation brings events of one provider, so what takes the other's, with its contracts, is imported at its
    first event.
    """

    settings: DeliveryEventsSettings
    books: AccountBooks
    organizations: Organizations
    numbers: Numbers
    clock: Clock
    gate: ChannelGate

    @cached_property
    def emails(self) -> "EmailEvents":
        """Takes the email provider's events."""
        from functions.delivery_events.email_events import EmailEvents  # noqa: PLC0415 - see the class

        return EmailEvents(self.books, self.organizations, self.clock)

    @cached_property
    def texts(self) -> "TextEvents":
        """Takes the text provider's events; its client is made for an answer only."""
        from functions.delivery_events.inbound_texts import InboundTexts  # noqa: PLC0415 - see the class
        from functions.delivery_events.text_answers import TextAnswers  # noqa: PLC0415 - see the class
        from functions.delivery_events.text_events import TextEvents  # noqa: PLC0415 - see the class

        self_managed = self.settings.self_managed_opt_outs
        answers = TextAnswers(self.organizations, clients.sns, self_managed=self_managed)
        inbound = InboundTexts(self.books, self.numbers, answers, self.clock)
        return TextEvents(self.books, self.organizations, self.numbers, self.clock, inbound, self.gate)


@cache
def ports() -> DeliveryEventsPorts:
    """Read the settings and make the client of the table."""
    settings = DeliveryEventsSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    return DeliveryEventsPorts(
        settings=settings,
        books=AccountBooks(*table),
        organizations=Organizations(*table),
        numbers=Numbers(*table),
        clock=Clock(simulated=settings.allow_simulated_time),
        gate=ChannelGate(Channel.SMS, ChannelGates(*table)),
    )
