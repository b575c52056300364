"""What a partner sees of its ingestions. Each list is read under the caller's partner."""

from http import HTTPStatus

from shared.contracts.ingestions import IngestionAnswer, IngestionsPage, StatementRowAnswer, StatementRowsPage
from shared.domain.ingestion import Ingestion
from shared.domain.words import IngestionResult
from shared.http.api import Api
from shared.http.cursors import Position, read_cursor, read_limit, write_cursor
from shared.http.problems import ProblemError, not_found
from shared.storage.ingestions import Ingestions


def ingestions(api: Api, store: Ingestions) -> IngestionsPage:
    """A page of the caller's ingestions, newest first."""
    partner_id, list_name = api.caller.partner_id, (api.caller.partner_id, "ingestions")
    limit, after = _asked(api, *list_name)
    found, more = store.newest(partner_id, limit, after[0] if after else None)
    return IngestionsPage(
        items=[IngestionAnswer.of(each.seen_at(api.now)) for each in found],
        next_cursor=write_cursor((found[-1].ingestion_id,), *list_name) if more else None,
    )


def ingestion(api: Api, store: Ingestions, ingestion_id: str) -> Ingestion:
    """The caller's ingestion as it stands now; a 404 problem where there is none."""
    found = store.get(api.caller.partner_id, ingestion_id)
    if found is None:
        raise not_found("ingestion")
    return found.seen_at(api.now)


def statement_rows(api: Api, store: Ingestions, ingestion_id: str) -> StatementRowsPage:
    """A page of what became of the statements of a file, in its order; `?result=` shows those with one result."""
    found = ingestion(api, store, ingestion_id)
    result = _result(api.routes.current_event.query_string_parameters.get("result"))
    list_name = (found.partner_id, "ingestions", found.ingestion_id, result or "")
    limit, after = _asked(api, *list_name)
    rows, more = store.rows(found.partner_id, found.ingestion_id, result, limit, int(after[0]) if after else None)
    return StatementRowsPage(
        items=[StatementRowAnswer.of(row) for _, row in rows],
        next_cursor=write_cursor((str(rows[-1][0]),), *list_name) if more else None,
    )


def _asked(api: Api, *list_name: str) -> tuple[int, Position | None]:
    given = api.routes.current_event.query_string_parameters
    return read_limit(given.get("limit")), read_cursor(given.get("cursor"), *list_name)


def _result(word: str | None) -> IngestionResult | None:
    if word is None:
        return None
    try:
        return IngestionResult(word)
    except ValueError:
        detail = f"The query parameter result must be one of {', '.join(IngestionResult)}."
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail) from None
