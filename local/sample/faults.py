"""Ways in which a statement can be wrong and fail while its neighbours in the file are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.domain.vocabulary.json_documents import Json


_REMOVED = object()
_LONGEST_STATEMENT_ID = 64


@dataclass(frozen=True)
class SampleFault:
    """A kind of bad input: the member that is changed or taken away, and the pointer that the answer names."""

    kind: str
    path: tuple[str | int, ...]
    value: object = _REMOVED

    @property
    def pointer(self) -> str:
        """The JSON pointer to the member, within the statement."""
        return "".join(f"/{step}" for step in self.path)

    def apply(self, statement: Json) -> None:
        """Make a good statement wrong."""
        target: Any = statement
        for step in self.path[:-1]:
            target = target[step]
        if self.value is _REMOVED:
            del target[self.path[-1]]
        else:
            target[self.path[-1]] = self.value


FAULTS = (
    SampleFault("wrong type: amount", ("totalBalance",), {"cents": 1}),
    SampleFault("wrong type: guarantor", ("guarantor",), "Sample Sanderling"),
    SampleFault("wrong type: patients", ("patients",), "none"),
    SampleFault("no patients", ("patients",), []),
    SampleFault("missing: guarantor", ("guarantor",)),
    SampleFault("missing: last name", ("guarantor", "lastName")),
    SampleFault("missing: total balance", ("totalBalance",)),
    SampleFault("missing: statement id", ("statementId",)),
    SampleFault("missing: patient's account", ("patients", 0, "accountId")),
    SampleFault("unknown client", ("clientId",), "NOBODY-000"),
    SampleFault("three decimals", ("totalBalance",), "12.345"),
    SampleFault("not a number", ("totalBilled",), "NaN"),
    SampleFault("impossible date", ("statementDate",), "2026-02-30"),
    SampleFault("control character", ("guarantor", "firstName"), "Ada\u0007"),
    SampleFault("statement id too long", ("statementId",), "S" * (_LONGEST_STATEMENT_ID + 1)),
)
