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
from shared.storage.idempotency import IdempotencyRecords, InFlightError, KeyReusedError, StoredAnswer, TakenKey
from shared.storage.races import BusyError

IDEMPOTENCY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255


def idempotent[**P](
    api: Api, records: Callable[[], IdempotencyRecords]
) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """Decorate a POST route so that a repeat with the same Idempotency-Key does nothing and answers the same.

    An answer is kept only when the work was done: a problem raised by the route gives the key back for another try. So
    does any other failure, but only to the same request: it may have done something, which `Api.new_id` lets the next
    try know again.
    """

    def decorate(route: Callable[P, Answer]) -> Callable[P, Answer]:
        @wraps(route)
        def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
            key = _key(api)
            work = partial(route, *args, **kwargs)
            api.seed = ""
            return _Once(api, records(), key, api.now, _request(api)).answer(work) if key else work()

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

    api: Api
    records: IdempotencyRecords
    key: str
    now: datetime
    request: bytes

    @property
    def _whose(self) -> tuple[str, str]:
        return self.api.caller.partner_id, self.key

    def answer(self, work: Callable[[], Answer]) -> Answer:
        """What was answered before; or do the work, and keep its answer."""
        begun = self._begun()
        if isinstance(begun, StoredAnswer):
            return Response(status_code=begun.status, content_type=begun.content_type, body=begun.body)
        self.api.seed = begun.seed
        try:
            given = work()
            stored = StoredAnswer(int(given.status_code), given.content_type or "", given.body or "")
            self.records.finish(*self._whose, self.request, stored, self.now)
        except (ProblemError, ValidationError, BusyError):
            self.records.release(*self._whose)
            raise
        except Exception:
            self.records.give_up(*self._whose, self.request, begun, self.now)
            raise
        return given

    def _begun(self) -> StoredAnswer | TakenKey:
        """Take the key, or answer what was answered under it. Raises a problem where it can't be used now."""
        try:
            return self.records.begin(*self._whose, self.request, self.now)
        except KeyReusedError:
            detail = f"This {IDEMPOTENCY_HEADER} was used with another request."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
        except InFlightError:
            detail = f"A request with this {IDEMPOTENCY_HEADER} is being worked on."
            raise ProblemError(HTTPStatus.CONFLICT, detail, headers={"Retry-After": "1"}) from None
