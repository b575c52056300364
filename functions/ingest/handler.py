"""Statement files: by request, by upload, and by file drop."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.ingest import ingestion_lists, statement_routes
from functions.ingest.files import DroppedFile, FileIntake
from functions.ingest.frame import api, logger
from functions.ingest.ports import ports
from shared import clock as simulated_time
from shared.http.request_log import log_answer

__all__ = ["ingestion_lists", "lambda_handler", "statement_routes"]

INGEST_RESERVE_MILLISECONDS = 45_000
"""A file is left to the next attempt this long before the invocation's time ends."""


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: the gateway's proxy integration, or S3 with files that were put into the drop bucket."""
    if "Records" not in event:
        return log_answer(logger, event, api.resolve(event, context))
    for record in event["Records"]:
        file, now = DroppedFile.model_validate(record), simulated_time.now(None, allowed=False)
        time_is_up = lambda: context.get_remaining_time_in_millis() < INGEST_RESERVE_MILLISECONDS  # noqa: E731 - a port
        done = FileIntake(ports(), file, now, time_is_up).run()
        logger.info("file ingested", extra={"ingestion_id": done.ingestion_id if done else None})
    return {}
