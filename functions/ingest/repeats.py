"""Which statements of a file come again (docs/rules.md#repeated-in-a-file), found with sixteen bytes for each.

Of several with one `statementId` the first counts. What is kept of a statement are two numbers, one for its name and
one for its text, so that a file of millions is known whole by every invocation that works on it.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, groupby

from functions.ingest.account_work import failed
from shared.contracts.statement_files import RawStatement
from shared.contracts.statements import transactions_only
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.vocabulary.words import IngestionResult

type PackedNumbers = "array[int]"
"""Whole numbers of 64 bits."""

REPEATED_STATEMENT = Remark("/statementId", "appears more than once in this file; the first counts")

NAMELESS = 0
"""The number of a statement that can't come again: without an id, or a payment update, which may come several times."""


def numbers(values: Iterable[int] = ()) -> PackedNumbers:
    """Whole numbers, packed."""
    return array("Q", values)


@dataclass(slots=True)
class SeenStatements:
    """The statements of a file, or of its beginning, in their order."""

    names: PackedNumbers = field(default_factory=numbers)
    texts: PackedNumbers = field(default_factory=numbers)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, raw: RawStatement) -> None:
        """See one more."""
        named = raw.statement_id is not None and not transactions_only(raw.value)
        self.names.append(_number(f"{raw.client_id}\n{raw.statement_id}") if named else NAMELESS)
        self.texts.append(_number(raw.text))

    def pairs(self, first: int) -> PackedNumbers:
        """The two numbers of each from the `first` on, one behind the other."""
        return numbers(chain.from_iterable(zip(self.names[first:], self.texts[first:], strict=True)))

    def repeats(self) -> "Repeats":
        """Those whose `statementId` came before."""
        found = numbers()
        for name, group in groupby(sorted(range(len(self)), key=self.names.__getitem__), self.names.__getitem__):
            if name != NAMELESS:
                first, *others = group  # sorting keeps the order of the file
                found.extend(2 * place + (self.texts[place] == self.texts[first]) for place in others)
        return Repeats(numbers(sorted(found)))


@dataclass(frozen=True, slots=True)
class Repeats:
    """The places, in their order, of statements that came before: twice the place, and 1 where the text is the same."""

    places: PackedNumbers = field(default_factory=numbers)

    def rows(self, first: int, statements: Sequence[RawStatement]) -> dict[int, StatementRow]:
        """The rows of those among `statements`, of which the first is the `first` of the file, by their places here."""
        begin, end = (bisect_left(self.places, 2 * place) for place in (first, first + len(statements)))
        return {
            found // 2 - first: _row(statements[found // 2 - first], is_same=bool(found % 2))
            for found in self.places[begin:end]
        }


def repeated(statements: Sequence[RawStatement]) -> dict[int, StatementRow]:
    """The rows of the statements of a whole file that came before in it, by their places."""
    seen = SeenStatements()
    for raw in statements:
        seen.add(raw)
    return seen.repeats().rows(0, statements)


def _row(raw: RawStatement, *, is_same: bool) -> StatementRow:
    if is_same:
        return StatementRow(statement_id=raw.statement_id, result=IngestionResult.IGNORED)
    return failed(raw.statement_id, REPEATED_STATEMENT)


def _number(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) or 1
