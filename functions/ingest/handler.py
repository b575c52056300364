"""Statement files: by request, by upload, and by file drop."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.ingest import ingestion_lists, statement_routes
from functions.ingest.file_intake import FileIntake
from functions.ingest.files import DroppedFile, ingestion_of
from functions.ingest.frame import api, logger
from functions.ingest.ports import ports
from shared import clock as simulated_time
from shared.contracts.messages import FileToTakeUp
from shared.domain.records.ingestion import Ingestion
from shared.http.request_log import log_answer

__all__ = ["ingestion_lists", "lambda_handler", "statement_routes"]

INGEST_RESERVE_MILLISECONDS = 45_000
"""A file is left to the next invocation this long before the time of this one ends."""


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: the gateway's proxy integration, S3 with files that were dropped, or the scheduler with one due."""
    if "ingestionId" not in event and "Records" not in event:
        return log_answer(logger, event, api.resolve(event, context))
    now = simulated_time.now(None, allowed=False)
    time_is_up = lambda: context.get_remaining_time_in_millis() < INGEST_RESERVE_MILLISECONDS  # noqa: E731 - a port
    for ingestion in _files(event, now):
        done = FileIntake(ports(), ingestion, now, time_is_up).run()
        facts = {"ingestion_id": ingestion.ingestion_id, "status": done.status if done else None}
        logger.info("file worked on", extra=facts)
    return {}


def _files(event: dict[str, Any], now: datetime) -> list[Ingestion]:
    """The files that an event is about."""
    if "ingestionId" in event:
        due = FileToTakeUp.model_validate(event)
        found = [ports().ingestions.get(due.partner_id, due.ingestion_id)]
    else:
        found = [ingestion_of(ports(), DroppedFile.model_validate(record), now) for record in event["Records"]]
    return [each for each in found if each]
