"""Statement files: one JSON document, or NDJSON with one statement a line, taken apart without being held whole.

Each statement comes out with its own text, so that what is wrong inside one of them is that one's matter alone.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.contracts.statement_mending import one_line
from shared.domain.records.file_reading import FilePlace, FileShape
from shared.domain.records.ingestion import Remark
from shared.domain.vocabulary.json_documents import DECODER, MOST_DEPTH, too_deep
from shared.domain.vocabulary.words import BillType

MOST_STATEMENTS = 500
"""How many statements one request may bring."""

MOST_STATEMENT_BYTES = 256 * 1024
"""The longest statement: with it a bill still fits into one item of the table."""

MOST_PENDING = 16 * 1024 * 1024
"""How much of a file is held while the end of one value is looked for."""

STATEMENT_MEMBERS = frozenset(
    ("statementId", "clientId", "guarantor", "patients", "totalBalance", "partnerTransactions")
)
"""By any of these an object is told to be meant as a statement."""

KINDS = (
    ("\x1f\udc8b", "a gzip archive"),
    ("PK\x03\x04", "a ZIP archive"),
    ("\udcff\udcfe", "UTF-16 text"),
    ("\udcfe\udcff", "UTF-16 text"),
    ("{\x00", "UTF-16 text"),
    ("\x00{", "UTF-16 text"),
    ("%PDF", "a PDF"),
    ("<", "XML or HTML"),
)
"""How files begin that aren't JSON, as they come out of decoded_chunks."""

BYTE_ORDER_MARK = "\ufeff"
HEADER_MEMBERS = ("schema", "version")
"""What a document says of itself beside its statements, as far as it matters here."""

LONGEST_ID_TO_TELL = 64
SPACE = re.compile(r"[ \t\n\r]*")
STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
FILE_VERSION = re.compile(r"1(\.\d{1,4}){0,2}", re.ASCII)


class FileSchema(StrEnum):
    """What a file says its statements are, the prefix `ppay-` left off."""

    LIFETIME = "lifetime"
    EPISODIC = "episodic"
    PAYMENT_UPDATES = "payment-updates"

    @property
    def bill_type(self) -> BillType | None:
        """The type of the bills that its statements make; None: they make none."""
        return {FileSchema.LIFETIME: BillType.LIFETIME, FileSchema.EPISODIC: BillType.EPISODIC}.get(self)


@dataclass
class NotJsonError(Exception):
    """A file that can't be read as JSON; nothing of it is taken.

    line, column: where it stops being JSON, both from 1. kind: what it looks like instead; empty: nothing known.
    """

    line: int = 1
    column: int = 1
    kind: str = ""

    @property
    def detail(self) -> str:
        """Where, and what it looks like, in words."""
        looks = f" It looks like {self.kind}." if self.kind else ""
        return f"It stops being JSON at line {self.line}, column {self.column}.{looks}"


class InvalidFileError(Exception):
    """A file that is JSON, but no statement file; nothing of it is taken."""

    def __init__(self, *errors: Remark) -> None:
        super().__init__()
        self.errors = errors


class TooManyStatementsError(Exception):
    """More statements than a request may bring."""


@dataclass(frozen=True, slots=True)
class RawStatement:
    """One statement of a file: its text, what it decodes to, and what made it impossible to decode."""

    text: str
    value: Any = None
    error: Remark | None = None

    @property
    def statement_id(self) -> str | None:
        """Its `statementId` as far as it can be read, valid or not."""
        return _text_field(self.value, "statementId")

    @property
    def client_id(self) -> str | None:
        """Its `clientId`, likewise."""
        return _text_field(self.value, "clientId")


def _text_field(value: Any, name: str) -> str | None:  # noqa: ANN401 - any decoded JSON
    found = value.get(name) if isinstance(value, dict) else None
    line = one_line(found) if isinstance(found, str) else ""
    return line if line and len(line) <= 4 * LONGEST_ID_TO_TELL and line.isprintable() else None


@dataclass(slots=True)
class StatementFile:
    """A file being read. `header` holds the top-level fields, without the statements, that were seen so far.

    Its shape is told from its whole (docs/rules.md#shape-of-a-file): it is one JSON document if it can be read as one,
    or shows that it was meant as one; else NDJSON, if any of its lines is a statement.
    """

    chunks: Iterator[str]
    header: dict[str, Any] = field(default_factory=dict)
    _text: str = ""
    _at: int = 0
    _begun: bool = False
    _ended: bool = False
    _is_document: bool = False
    _any_line_is_statement: bool = False
    _goes_on: bool = False
    _twice: list[str] = field(default_factory=list)
    _bytes_before: int = 0
    _lines_before: int = 0
    _columns_before: int = 0
    _lines_passed: int = 0
    _counted_to: int = 0

    @classmethod
    def going_on(cls, chunks: Iterator[str], place: FilePlace) -> "StatementFile":
        """A file read on from a place, of which `chunks` is the rest."""
        is_document = place.shape is FileShape.DOCUMENT
        return cls(
            chunks,
            header=dict(place.header),
            _begun=True,
            _is_document=is_document,
            _any_line_is_statement=not is_document,
            _goes_on=True,
            _bytes_before=place.byte,
            _lines_before=place.lines,
            _columns_before=place.columns,
            _lines_passed=place.lines,
        )

    @property
    def line(self) -> int:
        """The line, from 1, on which the statement that came last begins."""
        return self._lines_passed + 1

    def place(self) -> FilePlace | None:
        """Where to go on after the statement that came last; None: it can't be told yet what kind of file this is.

        Raises InvalidFileError for what is no statement file whatever comes.
        """
        if not (self._is_document or self._any_line_is_statement):
            return None
        _ = self.schema
        if self._twice:
            raise self._said_twice()
        self._let_go()
        return FilePlace(
            byte=self._bytes_before,
            lines=self._lines_before,
            columns=self._columns_before,
            shape=FileShape.DOCUMENT if self._is_document else FileShape.LINES,
            header={
                name: str(value) if name in HEADER_MEMBERS and value is not None else None
                for name, value in self.header.items()
            },
        )

    @property
    def schema(self) -> FileSchema | None:
        """What its statements are; None: what the organization's bills are. Complete when all statements are read.

        Raises InvalidFileError for a schema or version that isn't ours.
        """
        version = self.header.get("version")
        if version is not None and not FILE_VERSION.fullmatch(str(version)):
            raise InvalidFileError(Remark("/version", "must be 1.0.0"))
        name = self.header.get("schema")
        if name is None:
            return None
        try:
            return FileSchema(name.removeprefix("ppay-"))
        except (ValueError, AttributeError):
            raise InvalidFileError(Remark("/schema", "must be lifetime, episodic or payment-updates")) from None

    def statements(self) -> Iterator[RawStatement]:
        """The statements in their order. Raises NotJsonError and InvalidFileError, maybe after the first of them."""
        if self._goes_on:
            yield from self._rest_of_document() if self._is_document else self._lines()
            return
        try:
            yield from self.document()
        except (NotJsonError, InvalidFileError) as error:
            # What is wholly JSON is a document, unless it is a single statement: that may be NDJSON of one line.
            is_json = isinstance(error, InvalidFileError) and not _is_statement(self.header)
            if self._is_document or is_json:
                raise
            self._at, self.header, self._twice = 0, {}, []
            self._lines_passed = self._counted_to = 0
            yield from self._lines()
            if not self._any_line_is_statement:
                raise

    # NDJSON.

    def _lines(self) -> Iterator[RawStatement]:
        """One statement a line."""
        more = True
        while more:
            end = self._text.find("\n", self._at)
            if end < 0 and self._more(keep=False):
                continue
            more = end >= 0
            self._pass_lines(self._at)
            line = self._text[self._at : end if more else None].strip(f" \t\r{BYTE_ORDER_MARK}")
            self._at = end + 1 if more else len(self._text)
            if line:
                statement = _raw_line(line)
                self._any_line_is_statement = self._any_line_is_statement or _is_statement(statement.value)
                yield statement

    # One JSON document.

    def document(self) -> Iterator[RawStatement]:
        """The same, of what has to be one JSON document."""
        if not self._next("{"):
            self._other_value()
            raise InvalidFileError(Remark("", "must be an object with a list of statements"))
        more = not self._next("}")
        yield from self._members(more=more)

    def _rest_of_document(self) -> Iterator[RawStatement]:
        """What follows a place in the list of statements."""
        yield from self._elements(begun=True)
        more = self._next(",")
        if not more and not self._next("}"):
            raise self._not_json()
        yield from self._members(more=more, found=True)

    def _members(self, *, more: bool, found: bool = False) -> Iterator[RawStatement]:
        """The statements among the members that follow; `found`: the list of them came before."""
        while more:
            name = self._name()
            if name in self.header or (name == "statements" and found):
                self._twice.append(name)
                self._value()
            elif name == "statements" and self._next("["):
                found = self._is_document = True
                yield from self._elements()
            else:
                self.header[name] = self._value()
            more = self._next(",")
            if not more and not self._next("}"):
                raise self._not_json()
        self._finish()
        if self._twice:
            raise self._said_twice()
        if not found:
            raise InvalidFileError(Remark("/statements", "must be a list"))

    def _said_twice(self) -> InvalidFileError:
        return InvalidFileError(*(Remark(f"/{name}", "appears more than once") for name in self._twice))

    def _name(self) -> str:
        """The name of the document's next member, with the colon behind it."""
        name = self._value()
        if not isinstance(name, str) or not self._next(":"):
            raise self._not_json()
        return name

    def _elements(self, *, begun: bool = False) -> Iterator[RawStatement]:
        """The statements of the list; `begun`: one of them came just before."""
        while not self._next("]"):
            if begun and not self._next(","):
                raise self._not_json()
            begun = True
            start, value, error = self._decode()
            self._pass_lines(start)
            yield _raw(self._text[start : self._at], value, error)

    def _other_value(self) -> None:
        """Pass over a document that is no object. A list is meant as one once a second entry is begun."""
        if not self._next("["):
            self._value()
        elif not self._next("]"):
            self._value()
            while self._next(","):
                self._is_document = True
                self._value()
            if not self._next("]"):
                raise self._not_json()
        self._finish()

    def _finish(self) -> None:
        if self._peek():
            raise self._not_json(kind="several documents in one file" if self._is_document else "")

    def _not_json(self, at: int | None = None, kind: str = "") -> NotJsonError:
        """What isn't JSON, at a place in the text that is held; by itself the place reached."""
        before = self._text[: self._at if at is None else at]
        line = self._lines_before + before.count("\n")
        column = len(before) - before.rfind("\n") + (0 if "\n" in before else self._columns_before)
        kind = kind or next((kind for sign, kind in KINDS if line == 0 and self._text.startswith(sign)), "")
        return NotJsonError(line + 1, column, kind)

    # The text, a chunk at a time.

    def _more(self, *, keep: bool = True) -> bool:
        """Read on; False: that was all. A byte order mark at the beginning is left off.

        What was taken is let go of, but while the file may still turn out to be NDJSON it is kept to begin again.
        """
        if self._ended:
            return False
        chunk = next(self.chunks, None)
        if chunk is None:
            self._ended = True
            return False
        if self._is_document or not keep:
            self._let_go()
        if chunk and not self._begun:
            self._begun, marked = True, chunk.startswith(BYTE_ORDER_MARK)
            chunk = chunk.removeprefix(BYTE_ORDER_MARK)
            self._bytes_before = len(BYTE_ORDER_MARK.encode()) if marked else 0
        self._text += chunk
        if len(self._text) > MOST_PENDING + len(chunk):
            raise self._not_json()
        return True

    def _let_go(self) -> None:
        self._pass_lines(self._at)
        self._counted_to = 0
        taken = self._text[: self._at]
        self._bytes_before += len(taken) if taken.isascii() else len(taken.encode("utf-8", "surrogateescape"))
        self._lines_before += taken.count("\n")
        self._columns_before = len(taken) - taken.rfind("\n") - 1 + (0 if "\n" in taken else self._columns_before)
        self._text, self._at = self._text[self._at :], 0

    def _pass_lines(self, to: int) -> None:
        """Count the lines that end before a place in the text that is held."""
        self._lines_passed += self._text.count("\n", self._counted_to, to)
        self._counted_to = max(self._counted_to, to)

    def _skip_space(self) -> int:
        found = SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _peek(self) -> str:
        while self._skip_space() == len(self._text):
            if not self._more():
                return ""
        return self._text[self._at]

    def _next(self, sign: str) -> bool:
        """Take a sign if it is the next."""
        if self._peek() != sign:
            return False
        self._at += 1
        return True

    def _value(self) -> Any:  # noqa: ANN401 - any JSON
        _, value, error = self._decode()
        if error:
            raise self._not_json()
        return value

    def _decode(self) -> tuple[int, Any, Remark | None]:
        """Take one value, reading on until it is whole: where it starts, what it is, or why it can't be decoded."""
        self._peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                raise self._not_json(error.pos) from None
            except RecursionError:
                closing = _end_of_value(self._text, self._at)
                if closing is None and self._more():
                    continue
                if closing is None:
                    raise self._not_json() from None
                start, self._at = self._at, closing
                return start, None, TOO_DEEP
            # A number at the very end of what was read may go on.
            if end == len(self._text) and self._more():
                continue
            start, self._at = self._at, end
            return start, value, None


TOO_DEEP = Remark("", f"is nested more deeply than {MOST_DEPTH} levels")


def _raw_line(line: str) -> RawStatement:
    try:
        return _raw(line, DECODER.decode(line), None)
    except json.JSONDecodeError:
        return RawStatement(line, error=Remark("", "isn't JSON"))
    except RecursionError:
        return RawStatement(line, error=TOO_DEEP)


def _raw(text: str, value: Any, error: Remark | None) -> RawStatement:  # noqa: ANN401 - any decoded JSON
    if error is None and len(text) > MOST_STATEMENT_BYTES // 4 and len(_bytes(text)) > MOST_STATEMENT_BYTES:
        error = Remark("", f"is larger than {MOST_STATEMENT_BYTES // 1024} KB")
    if error is None and too_deep(text, value):
        error = TOO_DEEP
    if error is None and not text.isascii() and not _is_unicode(text):
        error = Remark("", "isn't UTF-8")
    return RawStatement(text, value, error)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_statement(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a value is meant as a statement, good or bad."""
    return isinstance(value, dict) and "statements" not in value and not STATEMENT_MEMBERS.isdisjoint(value)


def _end_of_value(text: str, start: int) -> int | None:
    """Where an object or list ends that is nested too deeply for the decoder; None: not in this text."""
    depth = 0
    for sign in STRUCTURE.finditer(text, start):
        if sign[0] in "{[":
            depth += 1
        elif sign[0] in "}]":
            depth -= 1
            if depth == 0:
                return sign.end()
    return None


def read_file(body: bytes) -> tuple[FileSchema | None, list[RawStatement]]:
    """A whole file that came in one request.

    Raises NotJsonError, InvalidFileError, and TooManyStatementsError for more than MOST_STATEMENTS.
    """
    file = StatementFile(decoded_chunks([body]))
    statements: list[RawStatement] = []
    for statement in file.document():
        if len(statements) == MOST_STATEMENTS:
            raise TooManyStatementsError
        statements.append(statement)
    return file.schema, statements


def decoded_chunks(chunks: Iterable[bytes]) -> Iterator[str]:
    """Text of UTF-8 bytes.

    Bytes that are no UTF-8 are carried on as lone surrogates, for which only the statement that has them fails.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for chunk in chunks:
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
