"""Sends a statement file to the API, in pieces that a request may carry, and reports what became of each statement."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.errors import CommandError
from cli.output import errors, say_json, say_table
from cli.stack import DeployedStack, JsonOption
from shared.contracts.statement_files import (
    MOST_STATEMENTS,
    InvalidFileError,
    NotJsonError,
    RawStatement,
    StatementFile,
    decoded_chunks,
)
from shared.domain.vocabulary.words import IngestionResult

statement_commands = typer.Typer(no_args_is_help=True, help="Statement files.")

CHUNK_BYTES = 3_000_000
"""How much one request carries; the gateway and the function behind it have limits."""

REQUEST_TRIES = 4
RESEND_PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 60.0
PASSING = frozenset({409, 429, 500, 502, 503, 504})
"""Answers after which the same request may well succeed."""

type ResultRow = dict[str, Any]
"""What became of a statement, as the API answers it."""


@dataclass(slots=True)
class Parts:
    """A file taken apart: the bodies to send, and what needs no sending because it can't be read or came before."""

    bodies: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    refused: list[ResultRow] = field(default_factory=list)


@statement_commands.command("send")
def send(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON or NDJSON.")],
    key: Annotated[str, typer.Option(envvar="DUNLIN_API_KEY", help="The partner's API key.", show_default=False)],
    *,
    url: Annotated[
        str | None, typer.Option(envvar="DUNLIN_API_URL", help="The API's address.", show_default="the stack's")
    ] = None,
    stack: Annotated[str | None, typer.Option(envvar="DUNLIN_STACK", help="The stack.", show_default=False)] = None,
    as_of: Annotated[str | None, typer.Option(help="A simulated time, for test stacks.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Send a file of statements. Exits 0 only if no statement failed."""
    address = _address(url, stack)
    parts = take_apart(file.read_bytes())
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if as_of:
        headers["Dunlin-As-Of"] = as_of
    rows = list(parts.refused)
    with httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT_SECONDS) as client, _progress() as progress:
        task = progress.add_task("Sending", total=sum(parts.sizes))
        for body, size in zip(parts.bodies, parts.sizes, strict=True):
            rows += _send(client, body)
            progress.advance(task, size)
    _report(rows, as_json=as_json)


def take_apart(content: bytes) -> Parts:
    """A file as requests of at most MOST_STATEMENTS statements, each statement's own text kept.

    Of several with one statementId the first counts, as if the file were one request. Raises CommandError for a file
    that can't be read at all.
    """
    file = StatementFile(decoded_chunks([content]))
    try:
        statements = list(file.statements())
        _ = file.schema
    except NotJsonError as error:
        raise CommandError(f"the file isn't JSON. {error.detail}") from None
    except InvalidFileError as error:
        found = "; ".join(f"{remark.pointer or 'the file'} {remark.detail}" for remark in error.errors)
        raise CommandError(f"this is no statement file: {found}") from None
    parts = Parts()
    for piece in _pieces(statements, parts.refused):
        parts.bodies.append(_body(file.header, piece))
        parts.sizes.append(len(piece))
    return parts


def _pieces(statements: Iterable[RawStatement], refused: list[ResultRow]) -> list[list[RawStatement]]:
    """Statements by request; one that can't be read, or repeats one of an earlier request, is refused here."""
    pieces: list[list[RawStatement]] = [[]]
    room = CHUNK_BYTES
    firsts: dict[tuple[str | None, str], tuple[int, str]] = {}
    for statement in statements:
        if statement.error:
            refused.append(_row(statement, IngestionResult.FAILED, statement.error.pointer, statement.error.detail))
            continue
        size = len(_bytes(statement.text))
        if len(pieces[-1]) == MOST_STATEMENTS or (pieces[-1] and size > room):
            pieces.append([])
            room = CHUNK_BYTES
        if statement.statement_id:
            here = (len(pieces), statement.text)
            piece, text = firsts.setdefault((statement.client_id, statement.statement_id), here)
            if piece != len(pieces):
                refused.append(_repeated(statement, same=text == statement.text))
                continue
        pieces[-1].append(statement)
        room -= size
    return [piece for piece in pieces if piece]


def _repeated(statement: RawStatement, *, same: bool) -> ResultRow:
    if same:
        return _row(statement, IngestionResult.IGNORED)
    return _row(statement, IngestionResult.FAILED, "/statementId", "appears more than once in this file")


def _row(statement: RawStatement, result: IngestionResult, pointer: str = "", detail: str = "") -> ResultRow:
    found = [{"pointer": pointer, "detail": detail}] if detail else []
    return {"statementId": statement.statement_id, "result": str(result), "warnings": [], "errors": found}


def _body(header: dict[str, Any], statements: list[RawStatement]) -> bytes:
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in header.items() if isinstance(value, str)]
    listed = ",\n".join(statement.text for statement in statements)
    return _bytes("{" + ", ".join([*members, f'"statements": [{listed}]']) + "}")


def _bytes(text: str) -> bytes:
    """The bytes that a text was read from, those that are no UTF-8 too: what is wrong with them, the API says."""
    return text.encode("utf-8", "surrogateescape")


def _send(client: httpx.Client, body: bytes) -> list[ResultRow]:
    """Send one request; again, under the same Idempotency-Key, when no answer or a passing error came."""
    key = {"Idempotency-Key": f"dunlin-{secrets.token_hex(16)}"}
    for left in reversed(range(REQUEST_TRIES)):
        try:
            answer = client.post("v1/statements", content=body, headers=key)
        except httpx.TransportError as error:
            if not left:
                raise CommandError(f"the API at {client.base_url} can't be reached: {type(error).__name__}") from None
            time.sleep(RESEND_PAUSE_SECONDS)
            continue
        if left and answer.status_code in PASSING:
            time.sleep(RESEND_PAUSE_SECONDS)
            continue
        break
    if answer.status_code != HTTPStatus.OK:
        raise CommandError(f"the API answered {answer.status_code}: {_detail(answer)}")
    rows: list[ResultRow] = answer.json()["statements"]
    return rows


def _detail(answer: httpx.Response) -> str:
    """What a problem says of itself."""
    try:
        problem = answer.json()
    except ValueError:
        return answer.reason_phrase
    found = problem.get("detail") if isinstance(problem, dict) else None
    return str(found or answer.reason_phrase)


def _address(url: str | None, stack: str | None) -> str:
    if url:
        return url.rstrip("/") + "/"
    if stack:
        return DeployedStack.find(stack).output("ApiUrl").rstrip("/") + "/"
    raise CommandError("pass --url or --stack, so that the API can be found")


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=errors())


def _report(rows: list[ResultRow], *, as_json: bool) -> None:
    """Print the counts and whatever was wrong. Raises typer.Exit with 1 when a statement failed."""
    counts = Counter(row["result"] for row in rows)
    by_result = {result.lower(): counts[result] for result in IngestionResult}
    if as_json:
        say_json({"counts": {"total": len(rows), **by_result}, "statements": rows})
    else:
        remarks = [
            (row["statementId"] or "?", row["result"], kind, each["pointer"], each["detail"])
            for row in rows
            for kind in ("errors", "warnings")
            for each in row[kind]
        ]
        if remarks:
            say_table("Remarks", ("statement", "result", "kind", "where", "what"), remarks)
        say_table("Statements", ("total", *by_result), [(len(rows), *by_result.values())])
    if counts[IngestionResult.FAILED]:
        raise typer.Exit(1)
