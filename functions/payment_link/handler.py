"""Patient pages and the processors' webhooks: how whoever got a notice of a balance pays it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.payment_link import webhooks
from functions.payment_link.frame import api, channel_pages, dependencies, logger, site
from shared.http.request_log import log_answer

__all__ = ["lambda_handler", "webhooks"]

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


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: webhooks, whose routes their module has registered, speak JSON; everything else is a page."""
    frame = api.routes if event["path"].startswith("/webhooks/") else site.routes
    return log_answer(logger, event, frame.resolve(event, context))
