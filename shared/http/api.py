"""The frame of every HTTP function that answers JSON: its routes, and every error mapped to its answer, in one file."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from shared import clock as simulated_time
from shared.contracts.wire import UnreadableBodyError, parse
from shared.domain.vocabulary.json_pointers import pointer_to
from shared.http import gateway
from shared.http.caller import Caller, caller_of
from shared.http.problems import INVALID_BODY, MEDIA_TYPE, InputError, ProblemError, nothing_here
from shared.http.routes import Route
from shared.storage.races import BusyError

type Answer = Response[str]

MOST_BODY_BYTES = 4_500_000
"""Just under what a Lambda invocation may carry in base64, in which the gateway hands every body over."""

ID_DIGITS = 24
"""How many hexadecimal digits an id has that a request makes: too many for two to be the same."""

MOST_JSON_BYTES = 2 * 1024 * 1024
"""Of a body that is read as one JSON object: more than any of ours can need."""


def json_answer(body: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Answer:  # noqa: ANN401 - any JSON
    """A JSON answer of a model or of plain data."""
    text = body.model_dump_json(by_alias=True) if isinstance(body, BaseModel) else json.dumps(body)
    return Response(status_code=status, content_type="application/json", body=text, headers=dict(headers or {}))


def problem_answer(error: ProblemError) -> Answer:
    """A problem as an answer."""
    body = error.problem.model_copy(update={"type": error.type}).model_dump_json(exclude_none=True)
    return Response(status_code=error.status, content_type=MEDIA_TYPE, body=body, headers=dict(error.headers))


def path_id(value: str) -> str:
    """An id from the path as it was meant; a 404 problem for what can be nothing's."""
    try:
        return gateway.decoded_id(value)
    except gateway.UnreadableIdError:
        raise nothing_here() from None


def input_errors(error: ValidationError) -> list[InputError]:
    """What a model found wrong, without the values that were wrong."""
    return [
        InputError(pointer=pointer_to(found["loc"]), detail=found["msg"].removeprefix("Value error, "))
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def not_utf_8() -> ProblemError:
    """400, for bytes that are no text."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "The body isn't UTF-8.")


class Api:
    """Routes of one function, with the answers to errors that all functions give alike."""

    problem_type = MEDIA_TYPE

    def __init__(self, logger: Logger, *, allow_simulated_time: Callable[[], bool]) -> None:
        """Make the frame; whether simulated time counts is asked at the first request, not at import."""
        self.routes = APIGatewayRestResolver()
        self.declared: list[tuple[Route, Callable[..., Answer]]] = []
        self.seed = ""
        self._logger = logger
        self._allow_simulated_time = allow_simulated_time
        self.routes.exception_handler(ProblemError)(problem_answer)
        self.routes.exception_handler(ValidationError)(self._invalid)
        self.routes.exception_handler(UnreadableBodyError)(self._unreadable)
        self.routes.exception_handler(BusyError)(self._busy)
        self.routes.exception_handler(Exception)(self._failed)
        self.routes.not_found(self._unknown)

    def add(self, route: Route, function: Callable[..., Answer]) -> None:
        """Answer requests for the route with the function, once all is checked that the route says."""
        self.declared.append((route, function))

        def called(**ids: str) -> Answer:
            return self._called(route, function, list(ids.values()))

        self.routes.route(route.rule, method=route.method)(called)

    def resolve(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The answer to a proxy event. No cache keeps it, unless its route says so: it may hold personal data."""
        answer = gateway.resolve(self.routes, event, context)
        answer["multiValueHeaders"].setdefault("Cache-Control", ["no-store"])
        return answer

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return caller_of(self.routes.current_event)

    @property
    def now(self) -> datetime:
        """The instant to judge this request by. Raises a 400 problem for a time that can't be read."""
        as_of = self.routes.current_event.headers.get(simulated_time.SIMULATED_TIME_HEADER)
        try:
            return simulated_time.now(as_of, allowed=self._allow_simulated_time())
        except ValueError:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, f"{simulated_time.SIMULATED_TIME_HEADER} must be an RFC 3339 instant."
            ) from None

    def new_id(self, prefix: str) -> str:
        """An id for something of its kind that this request makes: the same one when the request is tried again.

        A request is known again by its Idempotency-Key (`seed`). Without one, each id is new.
        """
        if not self.seed:
            return f"{prefix}{secrets.token_hex(ID_DIGITS // 2)}"
        return f"{prefix}{sha256(f'{self.seed}\n{prefix}'.encode()).hexdigest()[:ID_DIGITS]}"

    @property
    def body(self) -> bytes:
        """The raw body. Raises a 413 problem when it is too large for an invocation, a 400 one when it isn't UTF-8."""
        event = self.routes.current_event
        try:
            body = event.decoded_body or ""
        except ValueError:
            raise not_utf_8() from None
        # A gateway that hands a body over as text has put this where the bytes were none.
        if not event.is_base64_encoded and "\N{REPLACEMENT CHARACTER}" in body:
            raise not_utf_8()
        raw = body.encode("utf-8", "surrogatepass")
        if len(raw) > MOST_BODY_BYTES:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "The body is too large for one request. Send large files by POST /v1/ingestions.",
            )
        return raw

    @property
    def json(self) -> object:
        """The body as JSON, exact to the decimal. Raises UnreadableBodyError, and a 413 problem for one too large."""
        raw = self.body
        if len(raw) > MOST_JSON_BYTES:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large for this request.")
        return parse(raw)

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters."""
        return self.routes.current_event.query_string_parameters

    def _called(self, route: Route, function: Callable[..., Answer], ids: list[str]) -> Answer:
        """What a route's function answers; a problem is raised before it is called if the request can't be for it."""
        self._check_query(route)
        return function(*map(path_id, ids))

    def _check_query(self, route: Route) -> None:
        given = self.routes.current_event.multi_value_query_string_parameters
        route.check_query(given or {name: [value] for name, value in self.query.items()})

    def _invalid(self, error: ValidationError) -> Answer:
        return problem_answer(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_BODY, input_errors(error)))

    def _unreadable(self, error: UnreadableBodyError) -> Answer:
        return problem_answer(ProblemError(HTTPStatus.BAD_REQUEST, str(error)))

    def _busy(self, _: BusyError) -> Answer:
        return problem_answer(
            ProblemError(HTTPStatus.CONFLICT, "The account is being changed; try again.", headers={"Retry-After": "1"})
        )

    def _failed(self, error: Exception) -> Answer:
        # The type only: an exception's text may quote what a person sent.
        frames = error.__traceback__
        while frames is not None and frames.tb_next is not None:
            frames = frames.tb_next
        where = f"{frames.tb_frame.f_code.co_qualname}:{frames.tb_lineno}" if frames else ""
        self._logger.error("request failed", extra={"error": type(error).__name__, "at": where})
        return problem_answer(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side."))

    def _unknown(self, _: NotFoundError) -> Answer:
        return problem_answer(nothing_here())
