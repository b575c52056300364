"""A statement file that comes in one request: taken in at once, or refused as a whole."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

from functions.ingest.files import new_ingestion_id
from functions.ingest.intake import Intake
from functions.ingest.ports import IngestPorts
from functions.ingest.repeats import repeated
from functions.ingest.tallies import tally_rows
from shared.contracts.statement_files import (
    MOST_STATEMENTS,
    FileSchema,
    InvalidFileError,
    NotJsonError,
    RawStatement,
    TooManyStatementsError,
    read_file,
)
from shared.domain.records.ingestion import Counts, Ingestion, IngestionSource, IngestionStatus, StatementRow
from shared.domain.vocabulary.actors import Actor, NamedActor
from shared.http.problems import InputError, ProblemError


def take_request(
    ports: IngestPorts, partner_id: str, body: bytes, now: datetime, nonce: str, by: str = ""
) -> tuple[Ingestion, list[StatementRow]]:
    """Take in a file that came in one request: its ingestion, with a row for each statement.

    Raises a 400 problem for what isn't JSON, a 422 one for what is no statement file, and a 413 one for more than
    MOST_STATEMENTS. The record is written when the work is done: a request that broke off leaves none, and sent again
    it does nothing twice. by: the person who sent it, if the request names one.
    """
    schema, statements = _read(body)
    ingestion = Ingestion(
        ingestion_id=new_ingestion_id(now, nonce),
        partner_id=partner_id,
        source=IngestionSource.REQUEST,
        created_at=now,
    )
    intake = Intake(
        books=ports.books,
        organizations=ports.organizations,
        numbers=ports.numbers,
        partner_id=partner_id,
        ingestion_id=ingestion.ingestion_id,
        schema=schema,
        now=now,
        file_digest=sha256(body).hexdigest(),
        actor=NamedActor(Actor.PARTNER, by),
    )
    known = {} if schema is FileSchema.PAYMENT_UPDATES else repeated(statements)
    rows = intake.take(statements, known)
    done = replace(ingestion, status=IngestionStatus.SUCCESS, counts=Counts().plus(rows), finished_at=now)
    ports.ingestions.save_rows(partner_id, ingestion.ingestion_id, 0, rows)
    ports.ingestions.save(done)
    tally_rows(rows)
    return done, rows


def _read(body: bytes) -> tuple[FileSchema | None, list[RawStatement]]:
    try:
        return read_file(body)
    except NotJsonError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body isn't JSON. {error.detail}") from None
    except InvalidFileError as error:
        errors = [InputError(pointer=remark.pointer, detail=remark.detail) for remark in error.errors]
        detail = "The body isn't a statement file."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors) from None
    except TooManyStatementsError:
        detail = f"One request may bring {MOST_STATEMENTS} statements. Send larger files by POST /v1/ingestions."
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail) from None
