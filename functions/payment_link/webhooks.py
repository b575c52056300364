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
from functions.payment_link.visits import Desk, UnknownReferenceError
from shared.contracts.wire import parse
from shared.domain.paying.patient_requests import OUR_REFERENCE
from shared.http.api import Answer, json_answer
from shared.http.problems import ProblemError, not_found
from shared.http.routes import Route

route = partial(Route, api, tag="Inbound")

type WebhookResult = Literal["recorded", "ignored"]


class WebhookAnswer(BaseModel):
    """What was done with an event; ignored: it isn't about a payment of ours."""

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
