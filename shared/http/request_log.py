"""One line in the log for each request: what was asked for and how it was answered, so that both can be counted."""

from typing import Any

from aws_lambda_powertools import Logger


def log_answer(logger: Logger, event: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Log a request's route, status and key, and hand the answer on.

    The route as the template names it, with its placeholders: a path may hold a payment link's token or a patient's id.
    """
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    facts = {"method": event.get("httpMethod"), "route": event.get("resource"), "status": answer.get("statusCode")}
    logger.info("answered", extra={**facts, "key_id": authorizer.get("keyId")})
    return answer
