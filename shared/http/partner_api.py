"""The frame of what partners call: the key's scope, the caller's own organization, the body, and repeats of a POST."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from shared.domain.records.policy import Organization
from shared.domain.vocabulary.actors import NamedActor
from shared.domain.vocabulary.json_documents import Json
from shared.http.api import Answer, Api, path_id
from shared.http.idempotency import idempotent
from shared.http.problems import INVALID_BODY, InputError, ProblemError, not_found
from shared.http.routes import Route
from shared.storage.idempotency import IdempotencyRecords
from shared.storage.organizations import Organizations
from shared.storage.request_permits import RequestPermits

ACTOR_HEADER = "Dunlin-Actor"
"""The header by which a write names the person behind it."""

TOO_MANY = "These are more requests than a partner may make at a time; Retry-After says in how many seconds to go on."

LONGEST_ACTOR = 80
"""Characters of that name."""


class PartnerSettings(Protocol):
    """What the frame has to be told."""

    @property
    def allow_simulated_time(self) -> bool:
        """Whether requests may say what time it is."""


class PartnerPorts(Protocol):
    """What the frame works with."""

    @property
    def settings(self) -> PartnerSettings:
        """The function's settings."""

    @property
    def organizations(self) -> Organizations:
        """Whose organization is whose."""

    @property
    def permits(self) -> RequestPermits:
        """How many requests a partner may still make."""

    @property
    def idempotency(self) -> IdempotencyRecords:
        """Answers given before."""


class PartnerApi(Api):
    """Routes that partners call. Before a route's function is called, all is checked that its decorator says.

    In this order: how many requests the partner made (429), the scope (403), the query (400), whose organization it is
    (404), the body (400, 413, 422). Then a POST that repeats one under the same Idempotency-Key gets that one's answer;
    so a key without the scope never does.
    """

    def __init__(self, logger: Logger, *, ports: Callable[[], PartnerPorts]) -> None:
        """Make the frame; ports are asked for at the first request, not at import."""
        super().__init__(logger, allow_simulated_time=lambda: ports().settings.allow_simulated_time)
        self._ports = ports
        self._once = idempotent(self, lambda: ports().idempotency)

    def own_organization(self, org_id: str) -> Organization:
        """The caller's organization; a 404 problem for what isn't theirs."""
        organization = self._ports().organizations.of_partner(self.caller.partner_id, org_id)
        if organization is None:
            raise not_found("organization")
        return organization

    @property
    def actor(self) -> str:
        """Who does it, as histories name it: the key, and the person whom the caller names.

        Raises a 400 problem for a name that can't be one (docs/rules.md#person-behind).
        """
        key, given = f"key:{self.caller.key_id}", self.routes.current_event.headers.get(ACTOR_HEADER)
        return key if given is None else NamedActor(key, _name(given))

    def _called(self, route: Route, function: Callable[..., Answer], ids: list[str]) -> Answer:
        if route.scope is None:
            return super()._called(route, function, ids)
        self._admit()
        self.caller.require(route.scope)
        if route.method != "GET":
            _ = self.actor  # a name that can't be one is refused before anything happens
        self._check_query(route)
        arguments: list[Any] = [path_id(value) for value in ids]
        if "{orgId}" in route.path:
            arguments[0] = self.own_organization(arguments[0])
        if route.body is not None and not route.reads_body:
            arguments.append(self._body(route, route.body))
        if route.method == "POST":
            return self._once(function)(*arguments)
        return function(*arguments)

    def _admit(self) -> None:
        """Raise a 429 problem for a partner's request beyond what it may make, by the gateway's clock."""
        context: dict[str, Any] = self.routes.current_event.raw_event["requestContext"]
        if "requestTimeEpoch" not in context:
            return
        at = datetime.fromtimestamp(context["requestTimeEpoch"] / 1000, UTC)
        wait = self._ports().permits.seconds_to_wait(self.caller.partner_id, at)
        if wait:
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, headers={"Retry-After": str(wait)})

    def _body(self, route: Route, model: type[BaseModel]) -> Any:  # noqa: ANN401 - a model or a merge patch
        """The body as the route's function gets it. Without one, all members are as if they were left out."""
        given = self._json_object() if self.body or route.method == "PATCH" else {}
        return given if route.merge_patch else model.model_validate(given)

    def _json_object(self) -> Json:
        """The body, exact to the decimal; a 400 problem when it isn't JSON, a 422 one when it is no object."""
        document = self.json
        if not isinstance(document, dict):
            raise invalid("", "must be a JSON object")
        return document


def _name(given: str) -> str:
    """A person's name from a header; UTF-8 that a gateway handed over byte by byte is put together again."""
    try:
        name = given.encode("latin-1").decode().strip()
    except UnicodeError:
        name = given.strip()
    if not name or len(name) > LONGEST_ACTOR or not name.isprintable():
        detail = f"{ACTOR_HEADER} must be a name of at most {LONGEST_ACTOR} printable characters."
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail)
    return name


def invalid(pointer: str, detail: str) -> ProblemError:
    """422 for one wrong member."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_BODY, [InputError(pointer=pointer, detail=detail)])
