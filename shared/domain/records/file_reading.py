"""How far the reading of a statement file has come: enough to go on there in another invocation."""

from dataclasses import dataclass, field
from enum import StrEnum


class FileShape(StrEnum):
    """What a file was found to be (docs/rules.md#shape-of-a-file)."""

    DOCUMENT = "document"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """A place in a file between two statements.

    byte: the first that isn't taken. lines, columns: line ends before it, and signs since the last of them. header: the
    members of the document beside its statements, as far as they were read; those that matter with their values.
    """

    byte: int
    lines: int
    columns: int
    shape: FileShape
    header: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """A file in the drop bucket that is being read, for the first or for the second time (docs/rules.md#file-goes-on).

    key: where it lies. etag, size: the bucket's name for the content that is being read, and its bytes; "": not read
    yet. place: where to go on; None: from the beginning. surveyed: statements of the first reading so far. is_surveyed:
    it is the second reading. schema: what the first one found. digest: of all statements in their order.
    attempts: how often it was begun since it last came further. problem: what the last attempt failed of.
    """

    key: str = ""
    etag: str = ""
    size: int = 0
    place: FilePlace | None = None
    surveyed: int = 0
    is_surveyed: bool = False
    schema: str = ""
    digest: str = ""
    attempts: int = 0
    problem: str = ""

    @property
    def taken_bytes(self) -> int:
        """How much of the file was taken in: all that the second reading has passed."""
        return self.place.byte if self.place and self.is_surveyed else 0
