"""Statement files: by request, by upload, and by file drop."""

import secrets
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.ingest import ingestion_lists
from functions.ingest.files import DroppedFile, FileIntake, begin_upload
from functions.ingest.frame import api, logger, once
from functions.ingest.ports import ports
from functions.ingest.request_files import take_request
from shared import clock as simulated_time
from shared.contracts.ingestions import NewUpload, StatementsAnswer
from shared.domain.records.partner import Scope
from shared.http.api import Answer, json_answer
from shared.http.request_log import log_answer

__all__ = ["ingestion_lists", "lambda_handler"]

LEAVE_MILLISECONDS = 45_000
"""A file is left to the next attempt this long before the invocation's time ends."""


@api.routes.post("/v1/statements")
@once
def receive_statements() -> Answer:
    """Take in a file of at most 500 statements."""
    api.caller.require(Scope.STATEMENTS_WRITE)
    ingestion, rows = take_request(ports(), api.caller.partner_id, api.body, api.now, secrets.token_hex(8))
    logger.info("took in statements", extra={"ingestion_id": ingestion.ingestion_id, "total": len(rows)})
    return json_answer(StatementsAnswer.of(ingestion, rows))


@api.routes.post("/v1/ingestions")
@once
def begin_ingestion() -> Answer:
    """Give an address to upload a file of any size to."""
    api.caller.require(Scope.STATEMENTS_WRITE)
    asked = api.read(NewUpload) if api.body else NewUpload()
    partner_id, file_name = api.caller.partner_id, asked.file_name or ""
    upload = begin_upload(ports(), partner_id, file_name, api.now, secrets.token_hex(8))
    return json_answer(upload, HTTPStatus.CREATED)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: the gateway's proxy integration, or S3 with files that were put into the drop bucket."""
    if "Records" not in event:
        return log_answer(logger, event, api.routes.resolve(event, context))
    for record in event["Records"]:
        file, now = DroppedFile.model_validate(record), simulated_time.now(None, allowed=False)
        time_is_up = lambda: context.get_remaining_time_in_millis() < LEAVE_MILLISECONDS  # noqa: E731 - a port
        done = FileIntake(ports(), file, now, time_is_up).run()
        logger.info("took in a file", extra={"ingestion_id": done.ingestion_id if done else None})
    return {}
