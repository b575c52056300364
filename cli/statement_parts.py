"""A statement file taken apart into requests, each statement with its place in the file."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cli.errors import CommandError
from shared.contracts.statement_files import (
    MOST_STATEMENTS,
    InvalidFileError,
    NotJsonError,
    RawStatement,
    StatementFile,
    decoded_chunks,
)
from shared.domain.vocabulary.words import IngestionResult

CHUNK_BYTES = 3_000_000
"""How much one request carries; the gateway and the function behind it have limits."""

type ResultRow = dict[str, Any]
"""What became of a statement, as the API answers it, with its `number` in the file and the `line` that it begins on."""


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """A statement of the file. number: which one it is, line: where it begins; both from 1."""

    number: int
    line: int
    raw: RawStatement

    def row(self, result: IngestionResult, pointer: str = "", detail: str = "") -> ResultRow:
        """What became of it without its being sent, or for all that its request was answered."""
        found = [{"pointer": pointer, "detail": detail}] if detail else []
        told = {"statementId": self.raw.statement_id, "result": str(result), "warnings": [], "errors": found}
        return self.placed(told)

    def placed(self, row: ResultRow) -> ResultRow:
        """A row of an answer, with where in the file its statement is."""
        return {**row, "number": self.number, "line": self.line}


@dataclass(slots=True)
class Request:
    """The statements of one request."""

    header: dict[str, Any]
    statements: list[PlacedStatement] = field(default_factory=list)
    room: int = CHUNK_BYTES

    @property
    def body(self) -> bytes:
        """What is sent: a statement file by itself."""
        members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in self.header.items()]
        listed = ",\n".join(each.raw.text for each in self.statements)
        return _bytes("{" + ", ".join([*members, f'"statements": [{listed}]']) + "}")

    def has_room(self, size: int) -> bool:
        """Whether a statement of so many bytes fits in; one by itself always does."""
        return not self.statements or (len(self.statements) < MOST_STATEMENTS and size <= self.room)


@dataclass(slots=True)
class Parts:
    """A file taken apart: the requests to make, and what needs no sending because it can't be read or came before."""

    requests: list[Request] = field(default_factory=list)
    refused: list[ResultRow] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All statements that are reported on."""
        return len(self.refused) + sum(len(request.statements) for request in self.requests)


def take_apart(content: bytes, first: int = 1) -> Parts:
    """A file as requests of at most MOST_STATEMENTS statements, each statement's own text kept.

    Of several with one statementId the first counts, as if the file were one request. Those before the `first`, from 1,
    are left out. Raises CommandError for a file that can't be read at all.
    """
    file = StatementFile(decoded_chunks([content]))
    try:
        statements = [PlacedStatement(n, file.line, raw) for n, raw in enumerate(file.statements(), start=1)]
        _ = file.schema
    except NotJsonError as error:
        raise CommandError(f"the file isn't JSON. {error.detail}") from None
    except InvalidFileError as error:
        found = "; ".join(f"{remark.pointer or 'the file'} {remark.detail}" for remark in error.errors)
        raise CommandError(f"this is no statement file: {found}") from None
    header = {name: value for name, value in file.header.items() if isinstance(value, str)}
    return _parts(header, (each for each in statements if each.number >= first), _before(statements, first))


type _Firsts = dict[tuple[str | None, str], tuple[int, str]]
"""By the organization and the id of a statement: in which request it came first, and its text there."""


def _before(statements: Iterable[PlacedStatement], first: int) -> _Firsts:
    """The statements that were sent by another run."""
    found: _Firsts = {}
    for each in statements:
        if each.number < first and each.raw.statement_id and not each.raw.error:
            found.setdefault((each.raw.client_id, each.raw.statement_id), (0, each.raw.text))
    return found


def _parts(header: dict[str, Any], statements: Iterator[PlacedStatement], firsts: _Firsts) -> Parts:
    parts, request = Parts(), Request(header)
    for each in statements:
        raw = each.raw
        if raw.error:
            parts.refused.append(each.row(IngestionResult.FAILED, raw.error.pointer, raw.error.detail))
            continue
        size = len(_bytes(raw.text))
        if not request.has_room(size):
            parts.requests.append(request)
            request = Request(header)
        if raw.statement_id:
            here = len(parts.requests) + 1
            came_first, text = firsts.setdefault((raw.client_id, raw.statement_id), (here, raw.text))
            if came_first != here:  # in one request, the API sees to it
                parts.refused.append(_repeated(each, same=text == raw.text))
                continue
        request.statements.append(each)
        request.room -= size
    if request.statements:
        parts.requests.append(request)
    return parts


def _repeated(statement: PlacedStatement, *, same: bool) -> ResultRow:
    if same:
        return statement.row(IngestionResult.IGNORED)
    return statement.row(IngestionResult.FAILED, "/statementId", "appears more than once in this file")


def _bytes(text: str) -> bytes:
    """The bytes that a text was read from, those that are no UTF-8 too: what is wrong with them, the API says."""
    return text.encode("utf-8", "surrogateescape")
