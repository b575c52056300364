"""Errors as RFC 9457 problem details: what a partner's developer reads when something was wrong."""

from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"
INVALID_BODY = "Some fields are missing or invalid."


class InputError(BaseModel):
    """One thing wrong with the input: where, as a JSON pointer, and what; never the value itself."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """The body of an error answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[InputError] | None = None


@dataclass
class ProblemError(Exception):
    """An error that is answered as a problem. `detail` is shown to the caller; `type`: a program knows it by that."""

    status: HTTPStatus
    detail: str
    errors: list[InputError] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    type: str = "about:blank"

    @property
    def problem(self) -> Problem:
        """The answer's body."""
        return Problem(title=self.status.phrase, status=self.status, detail=self.detail, errors=self.errors or None)


def not_found(what: str) -> ProblemError:
    """404, for what doesn't exist and for what is somebody else's alike."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There is no such {what}.")


def nothing_here() -> ProblemError:
    """404, for an address that no route has, or that has an id in it that nothing can have."""
    return ProblemError(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
