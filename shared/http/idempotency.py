"""`Idempotency-Key` on every POST under /v1: the same key and body replays the first answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from pydantic import ValidationError

from shared.http.api import Answer, Api
from shared.http.problems import ProblemError
from shared.storage.idempotency import IdempotencyRecords, InFlightError, KeyReusedError, StoredAnswer
from shared.storage.races import BusyError

IDEMPOTENCY_HEADER = "Idempotency-Key"
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
            key = _key(api)
            work = partial(route, *args, **kwargs)
            return _Once(api.caller.partner_id, records(), key, api.now, _request(api)).answer(work) if key else work()

        return answer

    return decorate


def _key(api: Api) -> str | None:
    key = api.routes.current_event.headers.get(IDEMPOTENCY_HEADER)
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{IDEMPOTENCY_HEADER} must have 1 to {LONGEST_KEY} characters.")
    return key


def _request(api: Api) -> bytes:
    """What a repeat has to be the same in: the path and the body."""
    return f"{api.routes.current_event.path}\n".encode() + api.body


@dataclass(frozen=True, slots=True)
class _Once:
    """One request under a key, at a time."""

    partner_id: str
    records: IdempotencyRecords
    key: str
    now: datetime
    request: bytes

    def answer(self, work: Callable[[], Answer]) -> Answer:
        """What was answered before; or do the work, and keep its answer."""
        before = self._begun()
        if before is not None:
            return Response(status_code=before.status, content_type=before.content_type, body=before.body)
        try:
            given = work()
        except (ProblemError, ValidationError, BusyError):
            self.records.release(self.partner_id, self.key)
            raise
        stored = StoredAnswer(int(given.status_code), given.content_type or "", given.body or "")
        self.records.finish(self.partner_id, self.key, self.request, stored, self.now)
        return given

    def _begun(self) -> StoredAnswer | None:
        """Take the key, or answer what was answered under it. Raises a problem where it can't be used now."""
        try:
            return self.records.begin(self.partner_id, self.key, self.request, self.now)
        except KeyReusedError:
            detail = f"This {IDEMPOTENCY_HEADER} was used with another request."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
        except InFlightError:
            detail = f"A request with this {IDEMPOTENCY_HEADER} is being worked on."
            raise ProblemError(HTTPStatus.CONFLICT, detail, headers={"Retry-After": "1"}) from None
