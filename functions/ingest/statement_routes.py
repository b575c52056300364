"""Statement files that partners send: in one request, or to an address to upload them to."""

import secrets
from http import HTTPStatus

from functions.ingest.file_body import StatementFileBody
from functions.ingest.files import begin_upload
from functions.ingest.frame import api, logger, route
from functions.ingest.ports import ports
from functions.ingest.request_files import take_request
from shared.contracts.ingestions import NewUpload, StatementsAnswer, UploadAnswer
from shared.domain.records.partner import Scope
from shared.domain.vocabulary.actors import person_behind
from shared.http.api import Answer, json_answer


@route(
    "POST",
    "/v1/statements",
    operation="sendStatements",
    summary="Send up to 500 statements; each gets its result, and a bad one fails alone",
    tag="Statements",
    scope=Scope.STATEMENTS_WRITE,
    body=StatementFileBody,
    reads_body=True,
    answer=StatementsAnswer,
)
def receive_statements() -> Answer:
    """Take in a file of at most 500 statements."""
    ingestion, rows = take_request(
        ports(), api.caller.partner_id, api.body, api.now, secrets.token_hex(8), person_behind(api.actor)
    )
    logger.info("statements ingested", extra={"ingestion_id": ingestion.ingestion_id, "total": len(rows)})
    return json_answer(StatementsAnswer.of(ingestion, rows))


@route(
    "POST",
    "/v1/ingestions",
    operation="startIngestion",
    summary="Get an upload URL for a statement file",
    tag="Statements",
    scope=Scope.STATEMENTS_WRITE,
    body=NewUpload,
    answer=UploadAnswer,
    status=201,
)
def begin_ingestion(asked: NewUpload) -> Answer:
    """Give an address to upload a file of any size to."""
    partner_id, file_name = api.caller.partner_id, asked.file_name or ""
    upload = begin_upload(ports(), partner_id, file_name, api.now, secrets.token_hex(8))
    return json_answer(upload, HTTPStatus.CREATED)
