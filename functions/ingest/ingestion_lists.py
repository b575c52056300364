"""What a partner sees of its ingestions. Each is read under the caller's partner."""

from http import HTTPStatus

from functions.ingest.frame import api
from functions.ingest.ports import ports
from shared.contracts.ingestions import IngestionAnswer, IngestionsPage, StatementRowAnswer, StatementRowsPage
from shared.domain.records.ingestion import Ingestion
from shared.domain.records.partner import Scope
from shared.domain.vocabulary.words import IngestionResult
from shared.http.api import Answer, json_answer
from shared.http.cursors import Position, read_cursor, read_limit, write_cursor
from shared.http.problems import ProblemError, not_found


@api.routes.get("/v1/ingestions")
def search() -> Answer:
    """The caller's ingestions, newest first."""
    api.caller.require(Scope.READ)
    partner_id = api.caller.partner_id
    list_name = (partner_id, "ingestions")
    limit, after = _asked(*list_name)
    found, more = ports().ingestions.newest(partner_id, limit, after[0] if after else None)
    page = IngestionsPage(
        items=[IngestionAnswer.of(each.seen_at(api.now)) for each in found],
        next_cursor=write_cursor((found[-1].ingestion_id,), *list_name) if more else None,
    )
    return json_answer(page)


@api.routes.get("/v1/ingestions/<ingestion_id>")
def read(ingestion_id: str) -> Answer:
    """One ingestion as it stands now."""
    return json_answer(IngestionAnswer.of(_own(ingestion_id)))


@api.routes.get("/v1/ingestions/<ingestion_id>/statements")
def list_statements(ingestion_id: str) -> Answer:
    """What became of the statements of a file, in its order; `?result=` shows those with one result."""
    found, result = _own(ingestion_id), _result()
    list_name = (found.partner_id, "ingestions", found.ingestion_id, result or "")
    limit, after = _asked(*list_name)
    rows, more = ports().ingestions.rows(
        found.partner_id, found.ingestion_id, result, limit, int(after[0]) if after else None
    )
    page = StatementRowsPage(
        items=[StatementRowAnswer.of(row) for _, row in rows],
        next_cursor=write_cursor((str(rows[-1][0]),), *list_name) if more else None,
    )
    return json_answer(page)


def _own(ingestion_id: str) -> Ingestion:
    """The caller's ingestion; a 403 problem without the scope, a 404 one where there is none."""
    api.caller.require(Scope.READ)
    found = ports().ingestions.get(api.caller.partner_id, ingestion_id)
    if found is None:
        raise not_found("ingestion")
    return found.seen_at(api.now)


def _asked(*list_name: str) -> tuple[int, Position | None]:
    given = api.routes.current_event.query_string_parameters
    return read_limit(given.get("limit")), read_cursor(given.get("cursor"), *list_name)


def _result() -> IngestionResult | None:
    word = api.routes.current_event.query_string_parameters.get("result")
    if word is None:
        return None
    try:
        return IngestionResult(word)
    except ValueError:
        detail = f"The query parameter result must be one of {', '.join(IngestionResult)}."
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail) from None
