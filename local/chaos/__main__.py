"""Kill and fault the functions at every call they make, and count what the providers accepted: `make chaos`.

Each cell is one notice's way from its plan to its rest, with a fault at one call, or at one and then at one of the
recovery from it; or a payment's over more bills than one transaction holds. Exit status 1: a promise was broken, or a
cell couldn't be played.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from local.chaos.bench import Bench
from local.chaos.cell import play
from local.chaos.functions import HarnessError
from local.chaos.large_posting import (
    PostingCell,
    PostingOutcome,
    play_posting,
    posting_cells,
    posting_table,
    posting_violations,
)
from local.chaos.matrix import LEGEND, Judged, complaints, judged, table, totals
from local.chaos.plan import cells_of
from local.stack.workspace import PROJECT
from shared.domain.vocabulary.words import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.chaos.cell import Cell

_PROGRESS_EVERY = 100


class MatrixRun:
    """One run of the matrix over some benches."""

    def __init__(self, benches: Sequence[Bench], seconds: float) -> None:
        self._count = len(benches)
        self._free: SimpleQueue[Bench] = SimpleQueue()
        for bench in benches:
            self._free.put(bench)
        self._deadline = time.monotonic() + seconds
        self._stopped = Event()
        self._done = 0
        self.unplayed: list[str] = []

    def plan(self, only: str) -> list[Cell]:
        """All cells whose names have these words."""
        with ThreadPoolExecutor(self._count) as pool:
            planned = list(pool.map(self._cells_of, Channel))
        return [cell for cells in planned for cell in cells if only in cell.name]

    def play(self, cells: Sequence[Cell]) -> list[Judged]:
        """Play the cells, one at a time on each bench. Those that couldn't be played are in `unplayed`."""
        with ThreadPoolExecutor(self._count) as pool:
            try:
                return [cell for cell in pool.map(self._judged, cells) if cell]
            finally:
                self._stopped.set()

    def _cells_of(self, channel: Channel) -> list[Cell]:
        bench = self._free.get()
        try:
            return cells_of(bench, channel)
        finally:
            self._free.put(bench)

    def play_postings(self, only: str) -> list[PostingOutcome]:
        """Play the large postings whose names have these words."""
        with ThreadPoolExecutor(self._count) as pool:
            planned = self._on_a_bench("large postings", lambda bench: list(posting_cells(bench))) or []
            cells = [cell for cell in planned if only in cell.name]
            return [outcome for outcome in pool.map(self._posting, cells) if outcome]

    def _judged(self, cell: Cell) -> Judged | None:
        outcome = self._on_a_bench(cell.name, lambda bench: judged(play(bench, cell)))
        for line in complaints([outcome] if outcome else []):
            print(line, flush=True)
        return outcome

    def _posting(self, cell: PostingCell) -> PostingOutcome | None:
        outcome = self._on_a_bench(cell.name, lambda bench: play_posting(bench, cell))
        if outcome and posting_violations(outcome):
            print(f"BROKEN {cell.name}: {'; '.join(posting_violations(outcome))}", flush=True)
        return outcome

    def _on_a_bench[R](self, name: str, play_on: Callable[[Bench], R]) -> R | None:
        """What is played on the next bench that is free; None, and in `unplayed`: it couldn't be."""
        if self._stopped.is_set() or time.monotonic() > self._deadline:
            self.unplayed.append(f"{name}: no time was left")
            return None
        bench = self._free.get()
        try:
            outcome = play_on(bench)
        except HarnessError as error:
            self.unplayed.append(str(error))
            return None
        finally:
            self._free.put(bench)
        self._done += 1
        if self._done % _PROGRESS_EVERY == 0:
            print(f"{self._done} cells played", flush=True)
        return outcome


def written(cells: Sequence[Judged], postings: Sequence[PostingOutcome]) -> str:
    """The matrix as a document."""
    facts = "; ".join(totals(cells))
    title = "# The delivery matrix\n\nWritten by `make chaos WRITE=1`; docs/delivery.md explains it.\n"
    return "\n".join([title, LEGEND, "", f"{facts}.", "", *table(cells), "", *posting_table(postings), ""])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description=__doc__)
    parser.add_argument("--benches", type=int, default=2, help="how many cells are played side by side")
    parser.add_argument("--minutes", type=float, default=25, help="give up after so long")
    parser.add_argument("--only", default="", help="play only the cells whose names have these words")
    parser.add_argument("--write", type=Path, help="write the matrix to this file")
    parser.add_argument("--logs", type=Path, default=PROJECT / ".local" / "chaos", help="where the functions log to")
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a run that is cut off ends its processes
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            benches = [stack.enter_context(Bench(arguments.logs / str(n + 1))) for n in range(arguments.benches)]
            run = MatrixRun(benches, arguments.minutes * 60)
            cells = run.plan(arguments.only)
            print(f"{len(cells)} cells on {len(benches)} benches", flush=True)
            postings = run.play_postings(arguments.only)
            outcomes = run.play(cells)
    except HarnessError as error:
        print(f"error: {error} (logs in {arguments.logs})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print("\n".join([*table(outcomes), "", LEGEND, "", *totals(outcomes), "", *posting_table(postings)]))
    print("\n".join([f"NOT PLAYED {trouble}" for trouble in run.unplayed]))
    print(f"seconds: {time.monotonic() - began:.0f}")
    broken = any(cell.broken for cell in outcomes) or any(map(posting_violations, postings))
    failed = bool(run.unplayed) or broken
    if arguments.write and not failed:
        arguments.write.write_text(written(outcomes, postings), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
