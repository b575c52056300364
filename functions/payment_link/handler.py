"""Patient pages and the processors' webhooks: how whoever got a notice of a balance pays it."""

import base64
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.payment_link.channel_pages import ChannelPages
from functions.payment_link.patient_pages import PatientPages
from functions.payment_link.sandbox import SIGNATURE_HEADER
from functions.payment_link.settings import Settings
from functions.payment_link.site import Site
from functions.payment_link.visits import Desk
from functions.payment_link.webhooks import hear_sandbox
from shared.http.api import Answer, Api, json_answer
from shared.http.request_log import log_answer
from shared.messaging import clients
from shared.messaging.public_address import public_base_url
from shared.storage.account_books import AccountBooks
from shared.storage.links import Links
from shared.storage.organizations import Organizations

logger = Logger()


@cache
def settings() -> Settings:
    """Read the settings, once a process."""
    return Settings.model_validate(dict(os.environ))


@cache
def dependencies() -> PatientPages:
    """Make the stores and the pages over them, once a process."""
    client, table = clients.dynamodb(), settings().table_name
    desk = Desk(AccountBooks(client, table), Links(client, table), Organizations(client, table))
    base_url = public_base_url(settings().public_base_url, settings().public_base_url_parameter)
    return PatientPages(desk=desk, base_url=base_url, sandbox_url=settings().sandbox_processor_url)


def channel_pages() -> ChannelPages:
    """The pages on which patients say how to be reached."""
    return ChannelPages(desk=dependencies().desk)


site = Site(
    logger,
    base_url=lambda: dependencies().base_url,
    allow_simulated_time=lambda: settings().allow_simulated_time,
)
api = Api(logger, allow_simulated_time=lambda: settings().allow_simulated_time)

site.route("/pay/<token>", "GET", "HEAD")(lambda request, token: dependencies().enter(request, token))
site.route("/pay/<token>/verify", "POST")(lambda request, token: dependencies().verify(request, token))
site.route("/pay/<token>/checkout", "POST")(lambda request, token: dependencies().checkout(request, token))
site.route("/pay/<token>/done", "GET", "HEAD")(lambda request, token: dependencies().done(request, token))
site.route("/pay/<token>/renew", "POST")(lambda request, token: dependencies().renew(request, token))
# A phone that opens a tab again asks by GET for what was a form's answer.
for form in ("verify", "checkout", "renew"):
    site.route(f"/pay/<token>/{form}", "GET", "HEAD")(lambda request, token: dependencies().back(request, token))
site.route("/bill", "GET", "HEAD")(lambda request: dependencies().ask_code(request))
site.route("/bill", "POST")(lambda request: dependencies().find_code(request))
site.route("/unsubscribe/<token>", "GET", "HEAD")(lambda request, token: channel_pages().show(request, token))
site.route("/unsubscribe/<token>", "POST")(lambda request, token: channel_pages().act(request, token))


@api.routes.post("/webhooks/sandbox/<org_id>")
def sandbox_webhook(org_id: str) -> Answer:
    """The simulated processor tells what came of a checkout."""
    event = api.routes.current_event
    raw = event.body or ""
    done = hear_sandbox(
        dependencies().desk,
        settings(),
        org_id=org_id,
        body=base64.b64decode(raw) if event.is_base64_encoded else raw.encode(),
        signature=event.headers.get(SIGNATURE_HEADER, ""),
        now=api.now,
        clock=datetime.now(UTC),
    )
    logger.info("webhook heard", extra={"org_id": org_id, "result": done})
    return json_answer({"result": done})


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: webhooks speak JSON, everything else is a page."""
    frame = api.routes if event["path"].startswith("/webhooks/") else site.routes
    return log_answer(logger, event, frame.resolve(event, context))
