"""Refunds through a real processor: `Pending` until its webhook says that they were made."""

from http import HTTPStatus

from functions.manage.frame import actor, api, logger
from functions.manage.ports import ports
from shared.domain.paying.refund_requests import AskedRefund, answer_refund, ask_refund
from shared.domain.paying.reversals import ReversalRefusedError, Takeback
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Processor
from shared.http.problems import ProblemError, not_found
from shared.processors.secret_values import SecretUnreadableError
from shared.processors.stripe_account import ProcessorRefusedError, ProcessorUnavailableError, RefundRequest


def checkout_at_stripe(organization: Organization, payment: Payment) -> Checkout | None:
    """The checkout at Stripe that a payment was made by; it stays with the account of whoever paid. None: none."""
    owner = ports().links.by_reference(payment.transaction_id) if payment.link_id else None
    if owner is None or owner.org_id != organization.org_id:
        return None
    book = ports().books.load(owner.org_id, owner.account_id)
    checkout = book.checkout(payment.transaction_id) if book else None
    return checkout if checkout and checkout.processor is Processor.STRIPE else None


def refund_at_stripe(organization: Organization, checkout: Checkout, left: int, wanted: Takeback) -> AccountBook:
    """Ask Stripe for a refund, once however often it is asked for; the payer's account as it is then.

    `left` is what is left of the payment, in cents. Raises a 409 problem where it is refused, and a 503 one where
    Stripe doesn't answer: then the same request is to be sent again.
    """
    of, who, now = (organization.org_id, checkout.account_id), actor(), api.now

    def decide(book: AccountBook) -> tuple[Change | None, AskedRefund]:
        here = book.checkout(checkout.reference)
        if here is None:
            raise not_found("payment")
        asked = ask_refund(book, here, left, wanted, now, who)
        return asked.change, asked

    try:
        refund = ports().books.decide(*of, decide).result.refund
    except ReversalRefusedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    request = RefundRequest(
        reference=checkout.reference,
        request_id=refund.request_id,
        processor_payment=checkout.processor_payment,
        amount=refund.amount,
    )
    try:
        refund_id, code = ports().stripe.refund(organization.payments.stripe_secret_name, request), ""
    except ProcessorRefusedError as error:
        refund_id, code = "", str(error)
    except (ProcessorUnavailableError, SecretUnreadableError) as error:
        # Its text may quote the request.
        logger.error("processor not reached", extra={"org_id": organization.org_id, "error": type(error).__name__})
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "Stripe didn't answer. Send the same request again.", headers=ASK_AGAIN
        ) from None
    book = ports().books.change(*of, lambda book: answer_refund(book, checkout.reference, refund.request_id, refund_id))
    if not refund_id:
        raise ProblemError(HTTPStatus.CONFLICT, f"Stripe refused the refund ({code or 'no reason given'}).")
    return book


ASK_AGAIN = {"Retry-After": "5"}
