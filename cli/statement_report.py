"""What became of the statements of a file that was sent: counts, and what was wrong, the worst first."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.output import say, say_json, say_table
from cli.statement_parts import ResultRow
from shared.domain.vocabulary.words import IngestionResult

MOST_LINES_TOLD = 5
"""How many places of one kind of remark are shown; all of them are in the report that `--report` writes."""

REMARK_KINDS = {"errors": "error", "warnings": "warning"}
"""The two kinds of remarks, the worse one first."""


@dataclass(frozen=True, slots=True)
class SendReport:
    """rows: of the statements that were answered, by their places. left: how many weren't sent."""

    rows: Sequence[ResultRow]
    left: int = 0

    @property
    def any_failed(self) -> bool:
        """Whether a statement failed."""
        return any(row["result"] == IngestionResult.FAILED for row in self.rows)

    def say(self, *, as_json: bool) -> None:
        """Print it."""
        counts = Counter(row["result"] for row in self.rows)
        by_result = {result.lower(): counts[result] for result in IngestionResult}
        if as_json:
            more = {"notSent": self.left} if self.left else {}
            say_json({"counts": {"total": len(self.rows), **by_result}, **more, "statements": list(self.rows)})
            return
        for kind, name in REMARK_KINDS.items():
            self._say_remarks(kind, f"{name.capitalize()}s")
        say_table("Statements", ("total", *by_result, "not sent"), [(len(self.rows), *by_result.values(), self.left)])

    def _say_remarks(self, kind: str, title: str) -> None:
        """What was remarked, grouped by where and what, the most frequent first."""
        places = dict[tuple[str, str], list[ResultRow]]()
        for row in self.rows:
            for each in row[kind]:
                places.setdefault((each["pointer"], each["detail"]), []).append(row)
        if places:
            found = sorted(places.items(), key=lambda item: -len(item[1]))
            lines = [(len(rows), pointer, detail, _some(rows)) for (pointer, detail), rows in found]
            say_table(title, ("statements", "where", "what", "lines"), lines)

    def write(self, path: Path) -> None:
        """Write every remark into a file, one JSON document a line, errors first, each with its line and statement."""
        lines = [json.dumps(each, ensure_ascii=False) for each in self._remarks()]
        path.write_text("".join(f"{line}\n" for line in lines))
        say(f"{len(lines)} remarks in {path}")

    def _remarks(self) -> Iterator[dict[str, object]]:
        for kind, name in REMARK_KINDS.items():
            for row in self.rows:
                place = {"line": row["line"], "statementId": row["statementId"], "result": row["result"]}
                for each in row[kind]:
                    yield {"kind": name, **place, "pointer": each["pointer"], "detail": each["detail"]}


def _some(rows: Sequence[ResultRow]) -> str:
    told = ", ".join(f"{row['line']} ({row['statementId'] or '?'})" for row in rows[:MOST_LINES_TOLD])
    return told if len(rows) <= MOST_LINES_TOLD else f"{told}, …"
