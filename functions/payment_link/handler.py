"""Patient pages and the processors' webhooks: how whoever got a notice of a balance pays it."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.payment_link import webhooks
from functions.payment_link.channel_pages import ChannelPages
from functions.payment_link.frame import api, logger, site
from functions.payment_link.patient_pages import PatientPages
from functions.payment_link.ports import ports
from functions.payment_link.site import PageAnswer, PageRoute
from shared.http.request_log import log_answer

__all__ = ["lambda_handler", "webhooks"]


def paying(show: Callable[..., PageAnswer]) -> PageRoute:
    """A page on which patients pay, as a route: the pages are made at the first request."""
    return lambda request, **parts: show(ports().pages, request, **parts)


def choosing(show: Callable[..., PageAnswer]) -> PageRoute:
    """A page on which patients say how to be reached, as a route."""
    return lambda request, **parts: show(ports().channel_pages, request, **parts)


site.route("/pay/<token>", "GET", "HEAD")(paying(PatientPages.enter))
site.route("/pay/<token>/verify", "POST")(paying(PatientPages.verify))
site.route("/pay/<token>/checkout", "POST")(paying(PatientPages.checkout))
site.route("/pay/<token>/done", "GET", "HEAD")(paying(PatientPages.done))
site.route("/pay/<token>/renew", "POST")(paying(PatientPages.renew))
# A phone that opens a tab again asks by GET for what was a form's answer.
for form in ("verify", "checkout", "renew"):
    site.route(f"/pay/<token>/{form}", "GET", "HEAD")(paying(PatientPages.back))
site.route("/bill", "GET", "HEAD")(paying(PatientPages.ask_code))
site.route("/bill", "POST")(paying(PatientPages.find_code))
site.route("/unsubscribe/<token>", "GET", "HEAD")(choosing(ChannelPages.show))
site.route("/unsubscribe/<token>", "POST")(choosing(ChannelPages.act))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: webhooks, whose routes their module has registered, speak JSON; everything else is a page."""
    frame = api.routes if event["path"].startswith("/webhooks/") else site.routes
    return log_answer(logger, event, frame.resolve(event, context))
