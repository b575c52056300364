"""Which processor takes an organization's payments, and how a browser gets there (docs/rules.md#ways-to-pay)."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from aws_lambda_powertools import Logger

from functions.payment_link import sandbox
from functions.payment_link.site import PageRequest, language_query
from functions.payment_link.visits import CheckoutBegun, Desk, LinkVisit
from shared.domain.account.contacts import GUARANTOR
from shared.domain.paying.external_site import stored_site
from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.processors.stripe_account import SessionEnd, SessionRequest, StripeAccounts

STRIPE_PAGES = "https://checkout.stripe.com"
"""Where Stripe's own pages are, unless it is another Stripe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processors:
    """The processors of a stack. sandbox_url, sandbox_key: of the simulated one; empty: there is none."""

    desk: Desk
    base_url: str
    stripe: StripeAccounts
    logger: Logger
    sandbox_url: str = ""
    sandbox_key: str = ""

    def page_of(self, visit: LinkVisit) -> str:
        """Where payments go; "": nowhere online, and the page says how to pay by post or phone."""
        settings = visit.organization.payments
        if settings.processor is Processor.SANDBOX:
            return self.sandbox_url
        if settings.processor is Processor.STRIPE:
            return self.stripe.api_url or STRIPE_PAGES
        if settings.processor is Processor.EXTERNAL and settings.external_id:
            site = stored_site(settings.external_url_template)
            return site.origin if site else ""
        return ""

    def simulates(self, visit: LinkVisit) -> bool:
        """Whether no real money moves there."""
        processor = visit.organization.payments.processor
        simulated = processor is Processor.SANDBOX or (processor is Processor.STRIPE and bool(self.stripe.api_url))
        return simulated and bool(self.page_of(visit))

    def way_to_pay(self, visit: LinkVisit, begun: CheckoutBegun, request: PageRequest) -> str:
        """Where the browser goes to pay what was begun; the link's earlier checkouts end at the processor first.

        Raises the errors of shared/processors.
        """
        if visit.organization.payments.processor is Processor.STRIPE:
            return self._way_to_stripe(visit, begun, request)
        for replaced in begun.replaced:
            sandbox.expire(self.sandbox_url, replaced.reference, self.sandbox_key)
        webhook = f"{self.base_url}/webhooks/sandbox/{begun.checkout.org_id}"
        back = self._done(visit, begun.checkout, request)
        return sandbox.checkout_url(self.sandbox_url, visit.organization, begun.checkout, webhook, back, request.as_of)

    def tell_failure(self, visit: LinkVisit, error: Exception) -> None:
        """Log that patients can't pay: by ids, the kind of failure, and Stripe's own word for it."""
        facts = {"org_id": visit.link.org_id, "error": type(error).__name__, "code": str(error)}
        self.logger.error("processor not reached", extra=facts)

    def _way_to_stripe(self, visit: LinkVisit, begun: CheckoutBegun, request: PageRequest) -> str:
        settings, checkout = visit.organization.payments, begun.checkout
        over = set[str]()
        for replaced in begun.replaced:
            end = self._ended(settings, replaced)
            if end is SessionEnd.PAID:
                # The patient came back before the webhook did: a second payment would be one too many.
                return self._done(visit, replaced, request)
            over |= {replaced.reference} if end is SessionEnd.ENDED else set()
        wanted = SessionRequest(
            reference=checkout.reference,
            amount=checkout.amount,
            language=request.language or visit.book.account.guarantor.language,
            back=self._done(visit, checkout, request),
            cancel=self._link(visit, request),
            email=_prefilled(visit),
        )
        session = self.stripe.open_session(settings.stripe_secret_name, wanted)
        if self.desk.bind_session(checkout, session.session_id, over).expired_at:
            # Another tab's checkout took this one's place, and didn't know of the session yet.
            self.stripe.end_session(settings.stripe_secret_name, session.session_id)
            return self._link(visit, request)
        return session.url

    def _ended(self, settings: PaymentSettings, checkout: Checkout) -> SessionEnd:
        if not checkout.session_id:
            return SessionEnd.UNKNOWN  # nobody was sent there
        return self.stripe.end_session(settings.stripe_secret_name, checkout.session_id)

    def _link(self, visit: LinkVisit, request: PageRequest) -> str:
        return f"{self.base_url}/pay/{quote(visit.token, safe='')}{language_query(request.language)}"

    def _done(self, visit: LinkVisit, checkout: Checkout, request: PageRequest) -> str:
        returns = {"checkout": checkout.reference} | ({"lang": request.language} if request.language else {})
        return f"{self.base_url}/pay/{quote(visit.token, safe='')}/done?{urlencode(returns)}"


def _prefilled(visit: LinkVisit) -> str:
    """The guarantor's address for the processor's form, where the organization wants that; "": it isn't told."""
    wanted = visit.organization.payments.stripe_prefill_email and visit.recipient == GUARANTOR
    return (visit.book.account.guarantor.email or "") if wanted else ""
