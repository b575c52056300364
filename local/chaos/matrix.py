"""The matrix: what every cell came to, in a table of points by channels and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.chaos.plan import AFTER, STAGES, modes_of
from local.chaos.verdict import row_of, violations
from shared.domain.vocabulary.words import Channel, NoticeStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.chaos.cell import CellOutcome

LEGEND = """\
How many times the provider accepted the notice. `*`: the row is marked as a possible duplicate. `?`: it stands as
Unknown on the worklist. `!`: a promise is broken. Several values: the call is made more than once, and they differ.
Empty: it makes no difference there, or there is no such call.
"At once": the event overtakes the provider's answer; "soon": it comes after the sending invocation; "while unknown":
after the lease ended; "late": after any re-send; "lost": never, or the channel has no events."""


@dataclass(frozen=True)
class Judged:
    """An outcome with what is wrong with it."""

    outcome: CellOutcome
    broken: tuple[str, ...]

    @property
    def text(self) -> str:
        """The cell's value."""
        row = row_of(self.outcome)
        marked = "*" if row and row.possible_duplicate else ""
        unknown = "?" if row and row.status is NoticeStatus.UNKNOWN else ""
        return f"{len(self.outcome.accepted)}{marked}{unknown}{'!' if self.broken else ''}"


def judged(outcome: CellOutcome) -> Judged:
    """Judge an outcome."""
    return Judged(outcome, tuple(violations(outcome)))


def table(cells: Iterable[Judged]) -> list[str]:
    """The matrix as the lines of a Markdown table."""
    columns = [(channel, mode) for channel in Channel for mode in modes_of(channel)]
    rows: dict[tuple[str, str, str], dict[tuple[str, str], list[str]]] = {}
    for cell in sorted(cells, key=lambda cell: _place(cell.outcome.cell.stage)):
        of = cell.outcome.cell
        rows.setdefault(of.row, {}).setdefault((of.channel, of.mode), []).append(cell.text)
    head = ["stage", "call", "fault", *(f"{channel}: {mode}" for channel, mode in columns)]
    # Faults that come to the same everywhere share a row.
    faults: dict[tuple[str, ...], list[str]] = {}
    for (stage, call, kind), found in rows.items():
        values = (" ".join(sorted(set(found.get(at, [])))) for at in columns)
        faults.setdefault((stage, call, *values), []).append(kind)
    body = [[stage, call, ", ".join(kinds), *values] for (stage, call, *values), kinds in faults.items()]
    return _aligned([head, *body])


def _place(stage: str) -> tuple[int, int]:
    """Where a stage stands: in the order of a notice's way, after it the recovery from a first crash."""
    beginnings = ["", *AFTER.values()]
    beginning = max((text for text in beginnings if stage.startswith(text)), key=len)
    return beginnings.index(beginning), STAGES.index(stage.removeprefix(beginning))


def totals(cells: Sequence[Judged]) -> list[str]:
    """What it adds up to."""
    accepted = [len(cell.outcome.accepted) for cell in cells]
    counts = {
        "cells": len(cells),
        "accepted once": accepted.count(1),
        "accepted twice, all in the window and marked": sum(number > 1 for number in accepted),
        "never accepted, on the worklist": accepted.count(0),
        "broken": sum(bool(cell.broken) for cell in cells),
    }
    return [f"{name}: {number}" for name, number in counts.items()]


def complaints(cells: Iterable[Judged]) -> list[str]:
    """Each broken cell by name, with what it did."""
    lines = []
    for cell in cells:
        if cell.broken:
            lines.append(f"BROKEN {cell.outcome.cell.name}: {'; '.join(cell.broken)}")
            lines += [f"    {line}" for line in story(cell.outcome)]
    return lines


def story(outcome: CellOutcome) -> list[str]:
    """The invocations of a cell and the history of its row, a line each."""
    lines = []
    for one in outcome.invocations:
        ended = "killed" if one.killed else one.error or "ended"
        calls = ", ".join(call.name for call in one.calls if call.name != "Query due")
        lines.append(f"{one.function} {one.nth}: {calls or 'nothing due'} ({ended})")
    row = row_of(outcome)
    history = row.status_history if row else ()
    moves = (f"{change.at:%m-%d %H:%M} {change.status} by {change.actor} {change.reason}" for change in history)
    return [*lines, *(move.rstrip() for move in moves)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return [lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]]
