"""Events of payment processors: each one's signature is checked, and money posted once however often it is reported."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel

from functions.payment_link import sandbox
from functions.payment_link.frame import api, logger
from functions.payment_link.ports import ports
from functions.payment_link.settings import PaymentLinkSettings
from functions.payment_link.stripe_events import StripeEvent, UnreadableEventError, heard_event
from functions.payment_link.visits import Desk, UnknownReferenceError
from shared.contracts.site_payments import SiteEvent
from shared.contracts.wire import parse
from shared.domain.paying.patient_requests import OUR_REFERENCE
from shared.domain.paying.processor_events import ProcessorEvent
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found
from shared.http.routes import Route
from shared.processors.secret_values import SecretUnreadableError
from shared.processors.standard_webhooks import UnsignedMessageError, check_site_signature
from shared.processors.stripe_signatures import UnsignedEventError, check_stripe_signature
from shared.storage.held_events import HeldEvents

route = partial(Route, api, tag="Inbound")

STRIPE_SIGNATURE_HEADER = "Stripe-Signature"

type WebhookResult = Literal["recorded", "ignored", "unmatched"]


class WebhookAnswer(BaseModel):
    """What was done with an event; ignored: it isn't about a payment of ours; unmatched: staff has to find its bill."""

    result: WebhookResult


@route(
    "POST",
    "/webhooks/sandbox/{orgId}",
    operation="receiveSandboxEvent",
    summary="Receive an event of the simulated processor, in stacks that allow it",
    body=sandbox.SandboxEvent,
    reads_body=True,
    answer=WebhookAnswer,
    problems=(400, 401, 404, 409, 422),
)
def sandbox_webhook(org_id: str) -> Answer:
    """The simulated processor reports the outcome of a checkout."""
    event = api.routes.current_event
    done = receive_sandbox_event(
        ports().desk,
        ports().settings,
        org_id=org_id,
        body=api.body,
        signature=event.headers.get(sandbox.SIGNATURE_HEADER, ""),
        now=api.now,
        clock=datetime.now(UTC),
    )
    logger.info("webhook received", extra={"org_id": org_id, "result": done})
    return json_answer(WebhookAnswer(result=done))


@route(
    "POST",
    "/webhooks/stripe/{orgId}",
    operation="receiveStripeEvent",
    summary="Receive an event of Stripe",
    body=StripeEvent,
    reads_body=True,
    answer=WebhookAnswer,
    problems=(400, 401, 404, 409, 422, 503),
)
def stripe_webhook(org_id: str) -> Answer:
    """Stripe says what became of a checkout or of the payment made there."""
    organization = ports().desk.organizations.get(org_id)
    name = organization.payments.stripe_webhook_secret_name if organization else ""
    if not name:
        raise not_found("processor")
    header = api.routes.current_event.headers.get(STRIPE_SIGNATURE_HEADER, "")
    try:
        check_stripe_signature(header, api.body, ports().secrets, name, datetime.now(UTC))
    except UnsignedEventError:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "The signature is missing, wrong or too old.") from None
    except SecretUnreadableError:
        logger.error("webhook secret unreadable", extra={"org_id": org_id})
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "The secret can't be read; send the event again.") from None
    said = StripeEvent.model_validate(parse(api.body))
    try:
        done = receive_stripe_event(ports().desk, ports().held_events, org_id, said, api.now)
    except UnreadableEventError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    logger.info("webhook received", extra={"org_id": org_id, "event_id": said.id, "result": done})
    return json_answer(WebhookAnswer(result=done))


@route(
    "POST",
    "/webhooks/external/{orgId}",
    operation="receiveSiteEvent",
    summary="Receive a payment from an external payment site, signed by the Standard Webhooks specification",
    body=SiteEvent,
    reads_body=True,
    answer=WebhookAnswer,
    problems=(400, 401, 404, 409, 422, 503),
)
def site_webhook(org_id: str) -> Answer:
    """An external payment site says what it took."""
    organization = ports().desk.organizations.get(org_id)
    name = organization.payments.external_webhook_secret_name if organization else ""
    if organization is None or not name:
        raise not_found("payment site")
    headers = api.routes.current_event.headers
    given = [headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature")]
    try:
        _check_site(given, name)
    except UnsignedMessageError:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "The signature is missing, wrong or too old.") from None
    except SecretUnreadableError:
        logger.error("webhook secret unreadable", extra={"org_id": org_id})
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "The secret can't be read; send the event again.") from None
    said = parse(api.body)
    done: WebhookResult = "ignored"
    if isinstance(said, dict) and said.get("type") == "payment.received":
        told = SiteEvent.model_validate(said).data.domain()
        done = ports().site_payments.record(organization, told, api.now)
    logger.info("webhook received", extra={"org_id": org_id, "result": done})
    return json_answer(WebhookAnswer(result=done))


def _check_site(given: list[str], name: str) -> None:
    """Raise UnsignedMessageError unless the site signed; its secret is read again where the known one didn't."""
    message_id, stamp, signatures = given
    secrets = ports().secrets
    values = secrets.read(name).all
    try:
        check_site_signature(message_id, stamp, signatures, api.body, secrets=values, clock=datetime.now(UTC))
    except UnsignedMessageError:
        renewed = secrets.renewed(name)
        if renewed is None:
            raise
        check_site_signature(message_id, stamp, signatures, api.body, secrets=renewed.all, clock=datetime.now(UTC))


def receive_stripe_event(desk: Desk, held: HeldEvents, org_id: str, said: StripeEvent, now: datetime) -> WebhookResult:
    """Act on an event that Stripe signed, and answer what was done with it.

    One about a payment that isn't known yet is kept until it is: it may be ours or the practice's own. Raises a 404
    problem for a checkout with our reference that isn't known (so that it is sent again), and UnreadableEventError.
    """
    heard = heard_event(said)
    if heard is None:
        return "ignored"
    reference = heard.reference or _reference_of(desk, held, org_id, heard.event, now)
    if not reference:
        return "ignored"
    try:
        desk.record(org_id, reference, heard.event, now)
        for earlier in held.of(org_id, heard.event.processor_payment) if heard.event.processor_payment else ():
            desk.record(org_id, reference, earlier, now)
    except UnknownReferenceError:
        raise not_found("checkout") from None
    return "recorded"


def _reference_of(desk: Desk, held: HeldEvents, org_id: str, event: ProcessorEvent, now: datetime) -> str:
    """Our reference of a payment that is known by the processor's own id; "": it isn't known, and its event is kept.

    It is asked for again after that: the payment may have become known meanwhile, and looked for what is kept before.
    """
    owner = desk.links.by_processor_payment(org_id, event.processor_payment)
    if owner is None:
        held.hold(org_id, event, now)
        owner = desk.links.by_processor_payment(org_id, event.processor_payment)
    return owner.reference if owner else ""


def receive_sandbox_event(
    desk: Desk,
    settings: PaymentLinkSettings,
    *,
    org_id: str,
    body: bytes,
    signature: str,
    now: datetime,
    clock: datetime,
) -> WebhookResult:
    """Act on an event of the simulated processor, and answer what was done with it.

    `clock` is the real one, whatever time is simulated. Raises a 404 problem in stacks without that processor and for a
    reference of our shape that isn't known (so that it is sent again), a 401 one for a bad signature,
    UnreadableBodyError for a body that isn't JSON, and pydantic's ValidationError for one that isn't an event.
    """
    if not settings.sandbox_processor_url:
        raise not_found("processor")
    try:
        sandbox.check_signature(signature, body, settings.sandbox_processor_key, clock)
    except sandbox.BadSignatureError:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "The signature is missing, wrong or too old.") from None
    event = sandbox.SandboxEvent.model_validate(parse(body))
    if not OUR_REFERENCE.fullmatch(event.reference):
        return "ignored"
    try:
        if event.type == "checkout.completed":
            desk.completed(org_id, event.reference, event.amount, now)
        else:
            desk.declined(org_id, event.reference, now)
    except UnknownReferenceError:
        raise not_found("checkout") from None
    return "recorded"
