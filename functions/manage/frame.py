"""What every route of this function begins with: the frame that calls it, its bill, the page of a list asked for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from aws_lambda_powertools import Logger

from functions.manage.ports import ports
from shared.contracts import wire
from shared.domain.account.contacts import number_hash, said_stop
from shared.domain.account.number_stops import with_stop
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.json_documents import Json
from shared.http.cursors import read_limit
from shared.http.partner_api import PartnerApi
from shared.http.problems import InputError, ProblemError, not_found
from shared.http.routes import Route
from shared.storage import keys
from shared.storage.account_books import Decided
from shared.storage.queue_lists import Position
from shared.storage.races import LostRaceError, until_won

logger = Logger()
api = PartnerApi(logger, ports=ports)
route = partial(Route, api)
"""Decorates the function that answers a route with all that is true of the route."""


def actor() -> str:
    """Who does it, as histories name it: the key, and the person whom the caller names."""
    return api.actor


def find_bill(organization: Organization, statement_id: str) -> tuple[AccountBook, Bill]:
    """The bill of a statement in its account's book; a 404 problem where there is none."""
    books = ports().books
    account_id = books.account_of(organization.org_id, keys.bill_lookup(statement_id))
    book = books.load(organization.org_id, account_id) if account_id is not None else None
    bill = book.bill(statement_id) if book else None
    while bill and bill.moved_to:  # since the index was written
        book = books.load(organization.org_id, bill.moved_to)
        bill = book.bill(statement_id) if book else None
    if book is None or bill is None:
        raise not_found("bill")
    return book, bill


class _BillMovedError(Exception):
    """The bill went to another account after it was found."""


def change_bill[R](
    organization: Organization, statement_id: str, decide: Callable[[AccountBook, Bill], tuple[Change | None, R]]
) -> Decided[R]:
    """Decide on a bill where it is, and store the change; a 404 problem where there is none.

    A bill that goes to another account meanwhile is followed: what is decided on what it left behind would be lost, and
    money would become a stranger's credit.
    """

    def where_it_is(book: AccountBook) -> tuple[Change | None, R]:
        bill = book.bill(statement_id)
        if bill is None or bill.moved_to:
            raise _BillMovedError
        return decide(book, bill)

    def attempt() -> Decided[R]:
        book, _ = find_bill(organization, statement_id)
        try:
            return ports().books.decide(organization.org_id, book.account.account_id, where_it_is)
        except _BillMovedError:
            raise LostRaceError from None

    return until_won(attempt)


def knowing_stops(book: AccountBook) -> AccountBook:
    """The book as texts about it will be judged: the guarantor's number may have said STOP to another account."""
    number = book.account.guarantor.mobile_phone
    if not number or said_stop(number, book.account):
        return book
    return replace(book, account=with_stop(book.account, ports().numbers.stop(number_hash(number))))


def merged(now_said: wire.WireModel, now_answered: wire.WireModel, patch: Json) -> Json:
    """What is said after a merge patch (RFC 7396); a 422 problem when it changes what can't be changed.

    Read-only fields may come along unchanged, as they do when a document that was read is sent back.
    """
    changes = changeable(patch, now_answered)
    return wire.merge_patch(now_said.model_dump(mode="json", by_alias=True), changes)


def changeable(patch: Json, now_answered: wire.WireModel) -> Json:
    """The fields of a merge patch that aren't read-only; a 422 problem when it changes those that are."""
    read_only, answered = now_answered.read_only, now_answered.model_dump(mode="json", by_alias=True)
    wrong = [name for name in read_only if name in patch and patch[name] != answered.get(name)]
    if wrong:
        errors = [InputError(pointer=f"/{name}", detail="is read-only") for name in wrong]
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "Some fields are read-only.", errors)
    return {name: value for name, value in patch.items() if name not in read_only}


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
        return None if position is None else ports().cursors.write(position, *self.name)

    def slice[T](self, rows: list[T]) -> tuple[list[T], str | None]:
        """A page of rows that are all known, and the cursor of the next; they may only grow at their end."""
        start = int(self.after[0]) if self.after else 0
        end = start + self.limit
        return rows[start:end], self.cursor((str(end),) if end < len(rows) else None)


def list_request() -> ListRequest:
    """The list and page that the request asks for. Raises a 400 problem for a bad limit or cursor."""
    given = api.query
    filters = [f"{name}={value}" for name, value in sorted(given.items()) if name not in {"limit", "cursor"}]
    name = (api.caller.partner_id, api.routes.current_event.path, *filters)
    cursor, limit = given.get("cursor"), read_limit(given.get("limit"))
    return ListRequest(name, limit, None if cursor is None else ports().cursors.read(cursor, *name))
