"""What the function works with, made once a process."""

from dataclasses import dataclass
from functools import cache, cached_property, partial
from secrets import token_bytes

from aws_lambda_powertools import Logger

from functions.payment_link.channel_pages import ChannelPages
from functions.payment_link.document_pages import DocumentPages, RenderFunction
from functions.payment_link.patient_pages import PatientPages
from functions.payment_link.processors import Processors
from functions.payment_link.request_pages import RequestPages
from functions.payment_link.settings import PaymentLinkSettings
from functions.payment_link.site_payments import SitePayments
from functions.payment_link.visits import Desk
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.processors.secret_values import SecretValues
from shared.processors.stripe_account import StripeAccounts
from shared.storage.account_books import AccountBooks
from shared.storage.code_tries import CodeTries
from shared.storage.held_events import HeldEvents
from shared.storage.links import Links
from shared.storage.organizations import Organizations
from shared.storage.stack_keys import StackKeys
from shared.storage.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class PaymentLinkPorts:
    """The function's settings, and the desk at which patients and processors ask for something."""

    settings: PaymentLinkSettings
    desk: Desk
    code_tries: CodeTries
    held_events: HeldEvents
    site_payments: SitePayments

    @cached_property
    def base_url(self) -> str:
        """Where patients reach us. Looked up at its first use: webhooks need none, and it may cost a call."""
        return public_base_url(self.settings.public_base_url, self.settings.public_base_url_parameter)

    @cached_property
    def pages(self) -> PatientPages:
        """The pages on which patients pay."""
        processors = Processors(
            desk=self.desk,
            base_url=self.base_url,
            stripe=StripeAccounts(self.secrets, self.settings.stripe_api_url),
            logger=Logger(),
            sandbox_url=self.settings.sandbox_processor_url,
            sandbox_key=self.settings.sandbox_processor_key,
        )
        return PatientPages(
            desk=self.desk,
            code_tries=self.code_tries,
            base_url=self.base_url,
            processors=processors,
            documents=bool(self.settings.render_function),
        )

    @property
    def request_pages(self) -> RequestPages:
        """The pages on which patients say something else than to pay."""
        return RequestPages(desk=self.desk, pages=self.pages)

    @cached_property
    def secrets(self) -> SecretValues:
        """What processors know us by. Their client is made at the first use: other pages need none."""
        return SecretValues(clients.secrets())

    @cached_property
    def document_pages(self) -> DocumentPages:
        """The documents that patients look at. Few ask for one, so the client is made for the first who does."""
        renderer = RenderFunction(partial(clients.lambda_functions, waited_for=True), self.settings.render_function)
        return DocumentPages(desk=self.desk, base_url=self.base_url, renderer=renderer)

    @property
    def channel_pages(self) -> ChannelPages:
        """The pages on which patients say how to be reached."""
        return ChannelPages(desk=self.desk)


@cache
def ports() -> PaymentLinkPorts:
    """Read the settings and make the client."""
    settings = PaymentLinkSettings.from_environment()
    table = clients.dynamodb(), settings.table_name
    desk = Desk(AccountBooks(*table), Links(*table), Organizations(*table))
    return PaymentLinkPorts(
        settings=settings,
        desk=desk,
        held_events=HeldEvents(*table),
        site_payments=SitePayments(desk.books, Tasks(*table)),
        # The key is read at the first bill code: no other page needs it.
        code_tries=CodeTries(*table, cache(partial(StackKeys(*table).of, "bill codes", token_bytes))),
    )
