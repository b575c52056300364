"""The frame of every HTTP function: routes, and every error mapped to its answer, in this one file."""

import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from pydantic import BaseModel, ValidationError

from shared import clock as simulated_time
from shared.domain.vocabulary.json_pointers import pointer_to
from shared.http.caller import Caller, caller_of
from shared.http.problems import MEDIA_TYPE, InputError, ProblemError
from shared.storage.races import BusyError

type Answer = Response[str]

MOST_BODY_BYTES = 5_500_000
"""Just under what a Lambda invocation may carry."""


def json_answer(body: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Answer:  # noqa: ANN401 - any JSON
    """A JSON answer of a model or of plain data."""
    text = body.model_dump_json(by_alias=True) if isinstance(body, BaseModel) else json.dumps(body)
    return Response(status_code=status, content_type="application/json", body=text, headers=dict(headers or {}))


def problem_answer(error: ProblemError) -> Answer:
    """A problem as an answer."""
    body = error.problem.model_dump_json(exclude_none=True)
    return Response(status_code=error.status, content_type=MEDIA_TYPE, body=body, headers=dict(error.headers))


def input_errors(error: ValidationError) -> list[InputError]:
    """What a model found wrong, without the values that were wrong."""
    return [
        InputError(pointer=pointer_to(found["loc"]), detail=found["msg"].removeprefix("Value error, "))
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]


class Api:
    """Routes of one function, with the answers to errors that all functions give alike."""

    def __init__(self, logger: Logger, *, allow_simulated_time: Callable[[], bool]) -> None:
        """Make the frame; whether simulated time counts is asked at the first request, not at import."""
        self.routes = APIGatewayRestResolver()
        self._logger = logger
        self._allow_simulated_time = allow_simulated_time
        self.routes.exception_handler(ProblemError)(problem_answer)
        self.routes.exception_handler(ValidationError)(self._invalid)
        self.routes.exception_handler(BusyError)(self._busy)
        self.routes.exception_handler(Exception)(self._failed)
        self.routes.not_found(self._unknown)

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return caller_of(self.routes.current_event)

    @property
    def now(self) -> datetime:
        """The instant to judge this request by. Raises a 400 problem for a time that can't be read."""
        as_of = self.routes.current_event.headers.get(simulated_time.HEADER)
        try:
            return simulated_time.now(as_of, allowed=self._allow_simulated_time())
        except ValueError:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, f"{simulated_time.HEADER} must be an RFC 3339 instant."
            ) from None

    @property
    def body(self) -> bytes:
        """The raw body. Raises a 413 problem when it is larger than an invocation may carry."""
        try:
            body = self.routes.current_event.decoded_body or ""
        except ValueError:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The body isn't UTF-8.") from None
        raw = body.encode("utf-8", "surrogatepass")
        if len(raw) > MOST_BODY_BYTES:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "The body is too large for one request. Send large files by POST /v1/ingestions.",
            )
        return raw

    def read[T: BaseModel](self, model: type[T]) -> T:
        """The body as a model; not JSON is a 400 problem, a wrong member a 422 one with its pointer."""
        try:
            json.loads(self.body)
        except ValueError:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The body isn't JSON.") from None
        return model.model_validate_json(self.body)

    def _invalid(self, error: ValidationError) -> Answer:
        detail = "Some members of the body are missing or wrong."
        return problem_answer(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, input_errors(error)))

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
        return problem_answer(ProblemError(HTTPStatus.NOT_FOUND, "There is nothing at this address."))
