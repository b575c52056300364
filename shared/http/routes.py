"""A route, said once, as the decorator of the function that answers it.

`@route("GET", "/v1/organizations/{orgId}", scope=Scope.READ, answer=OrganizationAnswer, ...)`: the function's frame
(`Api`, `PartnerApi`, the site of the patient pages) acts by it, and `make openapi` describes it in docs/openapi.json.
At run time nothing of that description is made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from shared.domain.records.partner import Scope
from shared.http.problems import ProblemError

type Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

PAGING = ("limit", "cursor")
"""The query parameters of every list."""

LONGEST_NAME_SHOWN = 60
"""Characters of an unknown parameter's name that a problem repeats."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter; any text."""

    name: str
    description: str

    @property
    def words(self) -> tuple[str, ...]:
        """The only values that it may have; none: it may have any."""
        return ()

    def text(self, given: Mapping[str, str]) -> str:
        """What was given; "": nothing was."""
        return given.get(self.name, "")

    def check(self, value: str) -> None:
        """Raise a 400 problem for a value that it can't have."""
        if self.words and value not in self.words:
            raise wrong_parameter(self.name, f"must be one of {', '.join(self.words)}")


@dataclass(frozen=True, slots=True)
class WordQuery[E: StrEnum](Query):
    """A query parameter of a closed vocabulary."""

    vocabulary: type[E]

    @property
    def words(self) -> tuple[str, ...]:
        """The vocabulary."""
        return tuple(self.vocabulary)

    def word(self, given: Mapping[str, str]) -> E | None:
        """What was given, once it is checked; None: nothing was."""
        return self.vocabulary(given[self.name]) if self.name in given else None


@dataclass(frozen=True, slots=True)
class DayQuery(Query):
    """A query parameter that is a calendar date."""

    def day(self, given: Mapping[str, str]) -> date | None:
        """What was given, once it is checked; None: nothing was."""
        return date.fromisoformat(given[self.name]) if self.name in given else None

    def check(self, value: str) -> None:
        """Raise a 400 problem for what is no date."""
        try:
            as_written = date.fromisoformat(value).isoformat() == value
        except ValueError:
            as_written = False
        if not as_written:
            raise wrong_parameter(self.name, "must be a date such as 2026-01-31")


class Frame(Protocol):
    """What a function's routes are added to, and what answers requests by them."""

    problem_type: str
    """The media type of its errors."""

    def add(self, route: "Route", function: Callable[..., Any]) -> None:
        """Answer requests for the route with the function."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route. It decorates a function that takes the ids in the path, in their order, and then the body.

    For an `{orgId}` a partner's route gets the caller's own organization. `scope`: what the caller's key must allow;
    None: the route is public. `body`: what the function gets; of a PATCH, or where `merges` says so, a merge patch
    (RFC 7396) of it, as JSON. `reads_body`: the function reads it by itself. `others`: more statuses of success than
    `status`, each with what it means. `media_type`: of the answer; "": it has no body. `also`:
    others that the answer may have, where the request accepts them rather. `problems`: statuses of errors
    besides those that any route may answer.
    """

    frame: Frame = field(repr=False, compare=False)
    method: Method
    path: str
    _: KW_ONLY
    operation: str
    summary: str
    tag: str
    scope: Scope | None = None
    query: tuple[Query, ...] = ()
    body: type[BaseModel] | None = None
    reads_body: bool = False
    merges: bool = False
    answer: type[BaseModel] | None = None
    media_type: str = "application/json"
    also: tuple[str, ...] = ()
    status: int = HTTPStatus.OK
    others: Mapping[int, str] = field(default_factory=dict)
    problems: tuple[int, ...] = ()

    def __call__[**P, R](self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate the function that answers the route."""
        self.frame.add(self, function)
        return function

    @property
    def rule(self) -> str:
        """The path as the router writes it."""
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def merge_patch(self) -> bool:
        """Whether the body is a merge patch."""
        return self.merges or self.method == "PATCH"

    @property
    def paged(self) -> bool:
        """Whether it answers a list, page by page."""
        return self.answer is not None and "next_cursor" in self.answer.model_fields

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all its query parameters."""
        return (*(query.name for query in self.query), *(PAGING if self.paged else ()))

    def check_query(self, given: Mapping[str, Sequence[str]]) -> None:
        """Raise a 400 problem for a parameter that it doesn't have, one given twice, or one with a wrong value.

        A filter that was left out of account would answer more than was asked for: other patients' notices, say.
        """
        for name, values in given.items():
            if name not in self.parameters:
                raise _unknown_parameter(name, self.parameters)
            if len(values) > 1:
                raise wrong_parameter(name, "may be given only once")
        for query in self.query:
            for value in given.get(query.name, ()):
                query.check(value)


def wrong_parameter(name: str, detail: str) -> ProblemError:
    """400 for a query parameter."""
    return ProblemError(HTTPStatus.BAD_REQUEST, f"The query parameter {name} {detail}.")


def _unknown_parameter(name: str, known: tuple[str, ...]) -> ProblemError:
    takes = f"It takes {', '.join(known)}." if known else "It takes none."
    shown = name if len(name) <= LONGEST_NAME_SHOWN else f"{name[:LONGEST_NAME_SHOWN]}…"
    return ProblemError(HTTPStatus.BAD_REQUEST, f"This route has no query parameter {shown}. {takes}")
