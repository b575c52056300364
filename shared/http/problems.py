"""Errors as RFC 9457 problem details: what a partner's developer reads when something was wrong."""

from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"
INVALID_BODY = "Some fields are missing or invalid."

MOST_ERRORS = 100
"""How many errors one problem lists."""

LONGEST_POINTER = 200
"""Characters of a pointer that a problem repeats; names of fields come from whoever sent them."""


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
        """The answer's body, of bounded size."""
        listed = [
            InputError(pointer=_shortened(error.pointer), detail=error.detail) for error in self.errors[:MOST_ERRORS]
        ]
        more = len(self.errors) - len(listed)
        detail = (
            f"{self.detail} The first {MOST_ERRORS} errors are listed, and there are {more} more."
            if more
            else self.detail
        )
        return Problem(title=self.status.phrase, status=self.status, detail=detail, errors=listed or None)


def _shortened(pointer: str) -> str:
    return pointer if len(pointer) <= LONGEST_POINTER else f"{pointer[:LONGEST_POINTER]}…"


def not_found(what: str) -> ProblemError:
    """404, for what doesn't exist and for what is somebody else's alike."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There is no such {what}.")


def nothing_here() -> ProblemError:
    """404, for an address that no route has, or that has an id in it that nothing can have."""
    return ProblemError(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
