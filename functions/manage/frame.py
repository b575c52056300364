"""What every route of this function begins with: the caller's scope and organization, the body, the page asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from functions.manage.ports import ports
from shared.contracts import wire
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.http.api import Api
from shared.http.cursors import read_cursor, read_limit, write_cursor
from shared.http.idempotency import idempotent
from shared.http.problems import InputError, ProblemError, not_found
from shared.storage import keys
from shared.storage.queue_lists import Position

logger = Logger()
api = Api(logger, allow_simulated_time=lambda: ports().settings.allow_simulated_time)
once = idempotent(api, lambda: ports().idempotency)
"""Decorates every POST, so that a repeat with the same Idempotency-Key does nothing."""


LONGEST_ID = 512
"""Bytes of an id in a path: more than any of ours or of partners has, less than the table's keys may have."""


def actor() -> str:
    """Who does it, as histories name it."""
    return f"key:{api.caller.key_id}"


def routable(event: dict[str, Any]) -> dict[str, Any]:
    """The gateway's event with the ids in its path percent-encoded, whether or not the gateway decoded them.

    The router knows only some of the signs that an id may have; `path_id` decodes.
    """
    path = str(event["resource"])
    for name, value in (event.get("pathParameters") or {}).items():
        path = path.replace(f"{{{name}}}", quote(unquote(value), safe=""))
    return {**event, "path": path}


def path_id(value: str, what: str) -> str:
    """An id from the path as it was meant; a 404 problem for one too long to be anything's key."""
    meant = unquote(value)
    if len(meant.encode()) > LONGEST_ID:
        raise not_found(what)
    return meant


def own_organization(org_id: str, scope: Scope) -> Organization:
    """The caller's organization; a 403 problem without the scope, a 404 one for what isn't theirs."""
    caller = api.caller
    caller.require(scope)
    organization = ports().organizations.of_partner(caller.partner_id, path_id(org_id, "organization"))
    if organization is None:
        raise not_found("organization")
    return organization


def find_bill(organization: Organization, statement_id: str) -> tuple[AccountBook, Bill]:
    """The bill of a statement in its account's book; a 404 problem where there is none."""
    wanted, books = path_id(statement_id, "bill"), ports().books
    account_id = books.account_of(organization.org_id, keys.bill_lookup(wanted))
    book = books.load(organization.org_id, account_id) if account_id is not None else None
    bill = book.bill(wanted) if book else None
    if book is None or bill is None:
        raise not_found("bill")
    return book, bill


def body[T: BaseModel](model: type[T]) -> T:
    """The body as a model, exact to the decimal; an empty body is an empty object."""
    return model.model_validate(json_body() if api.body else {})


def json_body() -> wire.Json:
    """The body as a JSON object; a 400 problem when it isn't JSON, a 422 one when it is no object."""
    try:
        document = wire.parse(api.body)
    except ValueError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The body isn't JSON.") from None
    if not isinstance(document, dict):
        raise invalid("", "must be a JSON object")
    return document


def merged(now_said: BaseModel, now_answered: BaseModel, read_only: tuple[str, ...]) -> wire.Json:
    """What is said after a merge patch (RFC 7396) by the body; a 422 problem when it changes what can't be changed.

    Read-only members may come along unchanged, as they do when a document that was read is sent back.
    """
    changes = changeable(json_body(), now_answered, read_only)
    return wire.merge_patch(now_said.model_dump(mode="json", by_alias=True), changes)


def changeable(patch: wire.Json, now_answered: BaseModel, read_only: tuple[str, ...]) -> wire.Json:
    """The members of a merge patch that aren't read-only; a 422 problem when it changes those that are."""
    answered = now_answered.model_dump(mode="json", by_alias=True)
    wrong = [name for name in read_only if name in patch and patch[name] != answered.get(name)]
    if wrong:
        errors = [InputError(pointer=f"/{name}", detail="is read-only") for name in wrong]
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "Some members of the body are read-only.", errors)
    return {name: value for name, value in patch.items() if name not in read_only}


def invalid(pointer: str, detail: str) -> ProblemError:
    """422 for one wrong member."""
    what = "Some members of the body are missing or wrong."
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, what, [InputError(pointer=pointer, detail=detail)])


def parameters() -> Mapping[str, str]:
    """The query's parameters."""
    return api.routes.current_event.query_string_parameters


def word_parameter[E: StrEnum](name: str, words: type[E]) -> E | None:
    """A query parameter of a closed vocabulary; None: not given. Raises a 400 problem for another word."""
    value = parameters().get(name)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        raise wrong_parameter(name, f"must be one of {', '.join(words)}") from None


def wrong_parameter(name: str, detail: str) -> ProblemError:
    """400 for a query parameter."""
    return ProblemError(HTTPStatus.BAD_REQUEST, f"The query parameter {name} {detail}.")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which page of which list is asked for: at most `limit` rows after a position; None: from the start.

    A cursor counts for the caller's own list, with the same path and filters, only.
    """

    name: tuple[str, ...]
    limit: int
    after: Position | None

    def cursor(self, position: Position | None) -> str | None:
        """The cursor that goes on after a position; None where the list has ended."""
        return None if position is None else write_cursor(position, *self.name)

    def slice[T](self, rows: list[T]) -> tuple[list[T], str | None]:
        """A page of rows that are all known, and the cursor of the next; they may only grow at their end."""
        start = int(self.after[0]) if self.after else 0
        end = start + self.limit
        return rows[start:end], self.cursor((str(end),) if end < len(rows) else None)


def list_request() -> ListRequest:
    """The list and page that the request asks for. Raises a 400 problem for a bad limit or cursor."""
    given = dict(parameters())
    filters = [f"{name}={value}" for name, value in sorted(given.items()) if name not in {"limit", "cursor"}]
    name = (api.caller.partner_id, api.routes.current_event.path, *filters)
    return ListRequest(name, read_limit(given.get("limit")), read_cursor(given.get("cursor"), *name))
