"""Patient pages and the processors' webhooks: how whoever got a notice of a balance pays it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.payment_link import page_routes, webhooks
from functions.payment_link.frame import api, logger, site
from shared.http.request_log import log_answer

__all__ = ["lambda_handler", "page_routes", "webhooks"]


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point. Each imported module has registered its routes: webhooks speak JSON, everything else is a page."""
    frame = api if event["path"].startswith("/webhooks/") else site
    return log_answer(logger, event, frame.resolve(event, context))
