"""What every route of this function begins with: the log, the gateway's routes, and what a repeated POST does."""

from aws_lambda_powertools import Logger

from functions.ingest.ports import ports
from shared.http.api import Api
from shared.http.idempotency import idempotent

logger = Logger()
api = Api(logger, allow_simulated_time=lambda: ports().settings.allow_simulated_time)
once = idempotent(api, lambda: ports().idempotency)
"""Decorates every POST, so that a repeat with the same Idempotency-Key does nothing."""
