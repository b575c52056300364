"""`Idempotency-Key` on every POST under /v1: the same key and body replays the first answer."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from pydantic import ValidationError

from shared.http.api import Answer, Api
from shared.http.problems import ProblemError
from shared.storage.idempotency import IdempotencyRecords, InFlightError, KeyReusedError, StoredAnswer
from shared.storage.races import BusyError

HEADER = "Idempotency-Key"
LONGEST_KEY = 255


def idempotent[**P](
    api: Api, records: Callable[[], IdempotencyRecords]
) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """Decorate a POST route so that a repeat with the same Idempotency-Key does nothing and answers the same.

    An answer is kept only when the work was done: a problem raised by the route gives the key back for another try.
    """

    def decorate(route: Callable[P, Answer]) -> Callable[P, Answer]:
        @wraps(route)
        def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
            key = api.routes.current_event.headers.get(HEADER)
            if not key:
                return route(*args, **kwargs)
            if len(key) > LONGEST_KEY:
                raise ProblemError(HTTPStatus.BAD_REQUEST, f"{HEADER} must have at most {LONGEST_KEY} characters.")
            partner, store, now = api.caller.partner_id, records(), api.now
            request = f"{api.routes.current_event.path}\n".encode() + api.body
            try:
                before = store.begin(partner, key, request, now)
            except KeyReusedError:
                detail = f"This {HEADER} was used with another request."
                raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
            except InFlightError:
                detail = f"A request with this {HEADER} is being worked on."
                raise ProblemError(HTTPStatus.CONFLICT, detail, headers={"Retry-After": "1"}) from None
            if before is not None:
                return Response(status_code=before.status, content_type=before.content_type, body=before.body)
            try:
                given = route(*args, **kwargs)
            except (ProblemError, ValidationError, BusyError):
                store.release(partner, key)
                raise
            stored = StoredAnswer(int(given.status_code), given.content_type or "", given.body or "")
            store.finish(partner, key, request, stored, now)
            return given

        return answer

    return decorate
