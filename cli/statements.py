"""Sends a statement file to the API, in pieces that a request may carry, and reports what became of each statement."""

import secrets
import shlex
import time
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.errors import CommandError
from cli.output import errors, say_error
from cli.stack import DeployedStack, JsonOption
from cli.statement_parts import Parts, Request, ResultRow, take_apart
from cli.statement_report import SendReport
from shared.domain.vocabulary.words import IngestionResult

statement_commands = typer.Typer(no_args_is_help=True, help="Statement files.")

REQUEST_TRIES = 4
RESEND_PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 60.0
PASSING = frozenset({409, 429, 500, 502, 503, 504})
"""Answers after which the same request may well succeed."""

OF_THE_BODY = frozenset({400, 413, 422})
"""Answers that are about the statements of one request: the others may be taken all the same."""

SOME_FAILED, NOT_ALL_SENT = 1, 3


class RequestNotTakenError(CommandError):
    """A request wasn't taken, and neither would the next be."""


@statement_commands.command("send")
def send(  # noqa: PLR0913 - each option is a parameter
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON or NDJSON.")],
    key: Annotated[str, typer.Option(envvar="DUNLIN_API_KEY", help="The partner's API key.", show_default=False)],
    *,
    url: Annotated[
        str | None, typer.Option(envvar="DUNLIN_API_URL", help="The API's address.", show_default="the stack's")
    ] = None,
    stack: Annotated[str | None, typer.Option(envvar="DUNLIN_STACK", help="The stack.", show_default=False)] = None,
    as_of: Annotated[str | None, typer.Option(help="A simulated time, for test stacks.", show_default=False)] = None,
    first: Annotated[int, typer.Option("--from", min=1, help="The first statement to send, from 1.")] = 1,
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write every remark here, as JSON lines.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Send a file of statements.

    Exits with 0 if all were taken, with 1 if a statement failed, with 3 if some weren't sent: then it says how to go
    on. Sending statements again does no harm.
    """
    address = _address(url, stack)
    parts = take_apart(file.read_bytes(), first)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if as_of:
        headers["Dunlin-As-Of"] = as_of
    rows, stopped = list(parts.refused), None
    with httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT_SECONDS) as client:
        answered, stopped = _send_all(client, parts)
    rows = sorted([*parts.refused, *answered], key=lambda row: row["number"])
    if stopped and not answered:
        raise stopped
    told = SendReport(rows, left=parts.total - len(rows))
    told.say(as_json=as_json)
    if report:
        told.write(report)
    if stopped:
        _say_how_to_go_on(stopped, file, parts.requests[_done(parts, answered)].statements[0].number)
        raise typer.Exit(NOT_ALL_SENT)
    if told.any_failed:
        raise typer.Exit(SOME_FAILED)


def _send_all(client: httpx.Client, parts: Parts) -> tuple[list[ResultRow], RequestNotTakenError | None]:
    """Make the requests one after the other: what became of their statements, and what put an end to it."""
    rows = list[ResultRow]()
    with _progress() as progress:
        task = progress.add_task("Sending", total=parts.total, completed=len(parts.refused))
        for request in parts.requests:
            try:
                rows += _send(client, request)
            except RequestNotTakenError as error:
                return rows, error
            progress.advance(task, len(request.statements))
    return rows, None


def _done(parts: Parts, answered: list[ResultRow]) -> int:
    """How many requests were answered."""
    numbers = {row["number"] for row in answered}
    return sum(request.statements[0].number in numbers for request in parts.requests)


def _say_how_to_go_on(error: RequestNotTakenError, file: Path, first: int) -> None:
    say_error(f"{error}. Statements from number {first} on weren't sent. Go on with the same options and")
    say_error(f"  dunlin statements send {shlex.quote(str(file))} --from {first}")


def _send(client: httpx.Client, request: Request) -> list[ResultRow]:
    """Send one request: a row for each of its statements. Raises NotSentError."""
    answer = _answer(client, request.body)
    if answer.status_code in OF_THE_BODY:
        detail = f"the API answered {answer.status_code}: {_detail(answer)}"
        return [each.row(IngestionResult.FAILED, "", detail) for each in request.statements]
    if answer.status_code != HTTPStatus.OK:
        raise RequestNotTakenError(f"the API answered {answer.status_code}: {_detail(answer)}")
    rows: list[dict[str, Any]] = answer.json()["statements"]
    return [each.placed(row) for each, row in zip(request.statements, rows, strict=True)]


def _answer(client: httpx.Client, body: bytes) -> httpx.Response:
    """Send a body; again, under the same Idempotency-Key, when no answer or a passing error came."""
    key = {"Idempotency-Key": f"dunlin-{secrets.token_hex(16)}"}
    for left in reversed(range(REQUEST_TRIES)):
        try:
            answer = client.post("v1/statements", content=body, headers=key)
        except httpx.TransportError as error:
            if not left:
                raise RequestNotTakenError(
                    f"the API at {client.base_url} can't be reached: {type(error).__name__}"
                ) from None
        else:
            if not left or answer.status_code not in PASSING:
                break
        time.sleep(RESEND_PAUSE_SECONDS)
    return answer


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
