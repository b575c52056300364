"""What a partner sees of its ingestions. Each is read under the caller's partner."""

from functions.ingest.frame import api, route
from functions.ingest.ports import ports
from shared.contracts.ingestions import IngestionAnswer, IngestionsPage, StatementRowAnswer, StatementRowsPage
from shared.domain.records.ingestion import Ingestion
from shared.domain.records.partner import Scope
from shared.domain.vocabulary.words import IngestionResult
from shared.http.api import Answer, json_answer
from shared.http.cursors import read_limit
from shared.http.problems import not_found
from shared.http.routes import WordQuery
from shared.storage.queue_lists import Position

RESULT = WordQuery("result", "One result.", IngestionResult)


@route(
    "GET",
    "/v1/ingestions",
    operation="listIngestions",
    summary="List statement files with their status and counts",
    tag="Statements",
    scope=Scope.READ,
    answer=IngestionsPage,
)
def search() -> Answer:
    """The caller's ingestions, newest first."""
    partner_id = api.caller.partner_id
    list_name = (partner_id, "ingestions")
    limit, after = _asked(*list_name)
    found, more = ports().ingestions.newest(partner_id, limit, after[0] if after else None)
    page = IngestionsPage(
        items=[IngestionAnswer.of(each.seen_at(api.now)) for each in found],
        next_cursor=ports().cursors.write((found[-1].ingestion_id,), *list_name) if more else None,
    )
    return json_answer(page)


@route(
    "GET",
    "/v1/ingestions/{ingestionId}",
    operation="readIngestion",
    summary="Read a statement file's status and counts",
    tag="Statements",
    scope=Scope.READ,
    answer=IngestionAnswer,
)
def read(ingestion_id: str) -> Answer:
    """One ingestion as it stands now."""
    return json_answer(IngestionAnswer.of(_own(ingestion_id)))


@route(
    "GET",
    "/v1/ingestions/{ingestionId}/statements",
    operation="listIngestedStatements",
    summary="List the statements of a file with their results",
    tag="Statements",
    scope=Scope.READ,
    query=(RESULT,),
    answer=StatementRowsPage,
)
def list_statements(ingestion_id: str) -> Answer:
    """What became of the statements of a file, in its order; `?result=` shows those with one result."""
    found, result = _own(ingestion_id), RESULT.word(api.query)
    list_name = (found.partner_id, "ingestions", found.ingestion_id, result or "")
    limit, after = _asked(*list_name)
    rows, more = ports().ingestions.rows(found, result, limit, int(after[0]) if after else None)
    page = StatementRowsPage(
        items=[StatementRowAnswer.of(row) for _, row in rows],
        next_cursor=ports().cursors.write((str(rows[-1][0]),), *list_name) if more else None,
    )
    return json_answer(page)


def _own(ingestion_id: str) -> Ingestion:
    """The caller's ingestion; a 404 problem where there is none."""
    found = ports().ingestions.get(api.caller.partner_id, ingestion_id)
    if found is None:
        raise not_found("ingestion")
    return found.seen_at(api.now)


def _asked(*list_name: str) -> tuple[int, Position | None]:
    cursor, limit = api.query.get("cursor"), read_limit(api.query.get("limit"))
    return limit, None if cursor is None else ports().cursors.read(cursor, *list_name)
