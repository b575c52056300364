"""The partner API but for statements: organizations, dunning, bills, accounts, the queue."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.manage import (
    accounts,
    bills,
    cadences,
    documentation,
    dunning_settings,
    notifications,
    organizations,
    own_templates,
    payments,
    print_batches,
    sample_messages,
    simulation,
    staff_messages,
    stops,
    tasks,
    templates,
)
from functions.manage.frame import api, logger
from shared.http.request_log import log_answer

__all__ = [
    "accounts",
    "bills",
    "cadences",
    "documentation",
    "dunning_settings",
    "lambda_handler",
    "notifications",
    "organizations",
    "own_templates",
    "payments",
    "print_batches",
    "sample_messages",
    "simulation",
    "staff_messages",
    "stops",
    "tasks",
    "templates",
]


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: the gateway's proxy integration. Each imported module has registered its routes."""
    return log_answer(logger, event, api.resolve(event, context))
