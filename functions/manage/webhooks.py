"""Webhook endpoints: where a partner is told of what happened, each with a secret that is shown once, and its log."""

from dataclasses import replace
from functools import partial
from http import HTTPStatus
from secrets import token_bytes
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response

from functions.manage.audit import told
from functions.manage.frame import api, list_request, logger, merged, route
from functions.manage.ports import ports
from shared.contracts.webhook_urls import read_url
from shared.contracts.webhooks import (
    WebhookDeliveriesPage,
    WebhookDeliveryAnswer,
    WebhookEndpointAnswer,
    WebhookEndpointBody,
    WebhookEndpointsPage,
    WebhookEndpointWithSecret,
)
from shared.domain.delivery.webhook_rules import sent_again, with_new_secret
from shared.domain.records.audit import AuditEntry
from shared.domain.records.partner import Scope
from shared.domain.records.webhook import DisabledBy, EndpointStatus, SealedSecret, WebhookEndpoint
from shared.domain.vocabulary.json_documents import Json
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid
from shared.http.problems import ProblemError, not_found

MOST_ENDPOINTS = 20
"""How many endpoints a partner may have; each event goes to all that take it."""

CONFIDENTIAL = frozenset({"url", "secret"})
"""Members of which the audit trail has only that they changed: a URL's path or query may let in whoever knows it."""


@route(
    "POST",
    "/v1/webhook-endpoints",
    operation="createWebhookEndpoint",
    summary="Create a webhook endpoint; the answer shows its secret, once",
    tag="Webhooks",
    scope=Scope.MANAGE,
    body=WebhookEndpointBody,
    answer=WebhookEndpointWithSecret,
    status=201,
    problems=(409,),
)
def create(wanted: WebhookEndpointBody) -> Answer:
    """Create an endpoint; a 409 problem where there are too many."""
    partner_id, endpoint_id = api.caller.partner_id, api.new_id("whe_")
    _require_public(wanted)
    others = [each for each in ports().webhooks.endpoints(partner_id) if each.endpoint_id != endpoint_id]
    if len(others) >= MOST_ENDPOINTS:
        raise ProblemError(HTTPStatus.CONFLICT, f"There are {MOST_ENDPOINTS} webhook endpoints; delete one first.")
    secret, sealed = ports().webhook_secrets.new(partner_id, endpoint_id, token_bytes)
    new = WebhookEndpoint(
        endpoint_id=endpoint_id,
        partner_id=partner_id,
        url=wanted.url,
        events=frozenset(wanted.events),
        created_at=api.now,
        status=wanted.status,
        disabled_by=_disabled_by(wanted.status),
        secrets=(SealedSecret(sealed=sealed),),
    )
    ports().webhooks.create(new, _told("WebhookEndpointCreated", None, new))
    logger.info("webhook endpoint created", extra={"endpoint_id": endpoint_id})
    return json_answer(WebhookEndpointWithSecret.showing(new, secret), HTTPStatus.CREATED)


@route(
    "GET",
    "/v1/webhook-endpoints",
    operation="listWebhookEndpoints",
    summary="List webhook endpoints",
    tag="Webhooks",
    scope=Scope.READ,
    answer=WebhookEndpointsPage,
)
def list_all() -> Answer:
    """The partner's endpoints, the oldest first."""
    asked = list_request()
    after = asked.after[0] if asked.after else ""
    found = sorted(ports().webhooks.endpoints(api.caller.partner_id), key=_place)
    rest = [endpoint for endpoint in found if _place(endpoint) > after]
    page = rest[: asked.limit]
    cursor = asked.cursor((_place(page[-1]),) if len(rest) > asked.limit else None)
    return json_answer(
        WebhookEndpointsPage(items=[WebhookEndpointAnswer.of(each) for each in page], next_cursor=cursor)
    )


@route(
    "GET",
    "/v1/webhook-endpoints/{endpointId}",
    operation="readWebhookEndpoint",
    summary="Read a webhook endpoint",
    tag="Webhooks",
    scope=Scope.READ,
    answer=WebhookEndpointAnswer,
)
def read(endpoint_id: str) -> Answer:
    """Read an endpoint."""
    return json_answer(WebhookEndpointAnswer.of(_own(endpoint_id)))


@route(
    "PATCH",
    "/v1/webhook-endpoints/{endpointId}",
    operation="changeWebhookEndpoint",
    summary="Change a webhook endpoint's URL or events, disable or enable it",
    tag="Webhooks",
    scope=Scope.MANAGE,
    body=WebhookEndpointBody,
    answer=WebhookEndpointAnswer,
    problems=(409,),
)
def change(endpoint_id: str, patch: Json) -> Answer:
    """Change an endpoint."""

    def changed(endpoint: WebhookEndpoint) -> WebhookEndpoint:
        said = merged(WebhookEndpointBody.of(endpoint), WebhookEndpointAnswer.of(endpoint), patch)
        wanted = WebhookEndpointBody.model_validate(said)
        _require_public(wanted)
        as_it_was = wanted.status is endpoint.status
        return replace(
            endpoint,
            url=wanted.url,
            events=frozenset(wanted.events),
            status=wanted.status,
            disabled_by=endpoint.disabled_by if as_it_was else _disabled_by(wanted.status),
        )

    after = ports().webhooks.change(
        api.caller.partner_id, endpoint_id, changed, partial(_told, "WebhookEndpointChanged")
    )
    if after is None:
        raise not_found("webhook endpoint")
    return json_answer(WebhookEndpointAnswer.of(after))


@route(
    "DELETE",
    "/v1/webhook-endpoints/{endpointId}",
    operation="deleteWebhookEndpoint",
    summary="Delete a webhook endpoint; nothing more goes to it",
    tag="Webhooks",
    scope=Scope.MANAGE,
    media_type="",
    status=204,
    problems=(409,),
)
def delete(endpoint_id: str) -> Answer:
    """Delete an endpoint; a 404 problem where there is none (any more)."""
    if not ports().webhooks.delete(api.caller.partner_id, endpoint_id, partial(_told, "WebhookEndpointDeleted")):
        raise not_found("webhook endpoint")
    logger.info("webhook endpoint deleted", extra={"endpoint_id": endpoint_id})
    return Response(status_code=HTTPStatus.NO_CONTENT, body="")


@route(
    "POST",
    "/v1/webhook-endpoints/{endpointId}/rotate-secret",
    operation="rotateWebhookSecret",
    summary="Make a new secret; the one before it signs beside it for 24 hours",
    tag="Webhooks",
    scope=Scope.MANAGE,
    answer=WebhookEndpointWithSecret,
    problems=(409,),
)
def rotate(endpoint_id: str) -> Answer:
    """Replace the secret. The new one is shown once."""
    partner_id = api.caller.partner_id
    _own(endpoint_id)
    secret, sealed = ports().webhook_secrets.new(partner_id, endpoint_id, token_bytes)
    now = api.now
    after = ports().webhooks.change(
        partner_id,
        endpoint_id,
        lambda endpoint: with_new_secret(endpoint, sealed, now),
        partial(_told, "WebhookSecretRotated"),
    )
    if after is None:
        raise not_found("webhook endpoint")
    logger.info("webhook secret rotated", extra={"endpoint_id": endpoint_id})
    return json_answer(WebhookEndpointWithSecret.showing(after, secret))


@route(
    "GET",
    "/v1/webhook-endpoints/{endpointId}/deliveries",
    operation="listWebhookDeliveries",
    summary="List what went to a webhook endpoint within the last 30 days, newest first",
    tag="Webhooks",
    scope=Scope.READ,
    answer=WebhookDeliveriesPage,
)
def deliveries(endpoint_id: str) -> Answer:
    """The log of an endpoint."""
    asked = list_request()
    endpoint = _own(endpoint_id)
    before = asked.after[0] if asked.after else None
    found, more = ports().webhooks.newest(endpoint.partner_id, endpoint_id, asked.limit, before)
    cursor = asked.cursor((found[-1].delivery_id,) if more else None)
    return json_answer(
        WebhookDeliveriesPage(items=[WebhookDeliveryAnswer.of(each) for each in found], next_cursor=cursor)
    )


@route(
    "POST",
    "/v1/webhook-endpoints/{endpointId}/deliveries/{deliveryId}/replay",
    operation="replayWebhookDelivery",
    summary="Send an event to its webhook endpoint again, under the same id",
    tag="Webhooks",
    scope=Scope.MANAGE,
    answer=WebhookDeliveryAnswer,
    status=202,
    problems=(409,),
)
def replay(endpoint_id: str, delivery_id: str) -> Answer:
    """Make a delivery due again; a 409 problem while nothing goes to the endpoint."""
    endpoint, now = _own(endpoint_id), api.now
    found = ports().webhooks.delivery(endpoint.partner_id, endpoint_id, delivery_id)
    if found is None:
        raise not_found("delivery")
    if endpoint.status is not EndpointStatus.ENABLED:
        raise ProblemError(HTTPStatus.CONFLICT, "The webhook endpoint is disabled.")
    after = ports().webhooks.change_delivery(found, lambda delivery: sent_again(delivery, now))
    if after is None:
        raise not_found("delivery")
    return json_answer(WebhookDeliveryAnswer.of(after), HTTPStatus.ACCEPTED)


def _own(endpoint_id: str) -> WebhookEndpoint:
    """The caller's endpoint; a 404 problem for what isn't theirs."""
    endpoint = ports().webhooks.endpoint(api.caller.partner_id, endpoint_id)
    if endpoint is None:
        raise not_found("webhook endpoint")
    return endpoint


def _place(endpoint: WebhookEndpoint) -> str:
    return f"{endpoint.created_at.isoformat()} {endpoint.endpoint_id}"


def _told(action: str, before: WebhookEndpoint | None, after: WebhookEndpoint | None) -> AuditEntry | None:
    """What the audit trail will have of an endpoint; None: there was none, or is none any more."""
    was, becomes = (_document(each) if each else {} for each in (before, after))
    endpoint_id, *_ = (each.endpoint_id for each in (before, after) if each)
    return told(action, f"webhook-endpoint:{endpoint_id}", was, becomes, CONFIDENTIAL)


def _document(endpoint: WebhookEndpoint) -> Json:
    """An endpoint as the audit trail compares it: what it answers, whose machine that is, and its newest secret."""
    said = WebhookEndpointAnswer.of(endpoint).model_dump(mode="json", by_alias=True, exclude={"endpoint_id"})
    secret = endpoint.secrets[-1].sealed if endpoint.secrets else ""
    return {**said, "host": urlsplit(endpoint.url).netloc, "secret": secret}


def _disabled_by(status: EndpointStatus) -> str:
    return DisabledBy.PARTNER if status is EndpointStatus.DISABLED else ""


def _require_public(wanted: WebhookEndpointBody) -> None:
    """Raise a 422 problem for a URL that this stack doesn't call. What a name means is looked at when it is called."""
    try:
        read_url(wanted.url, loopback=ports().settings.webhooks_to_loopback)
    except ValueError as error:
        raise invalid("/url", str(error)) from None
