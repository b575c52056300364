"""Tells how many of mutmut's mutants the tests noticed, module by module, and fails below the score asked for."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIMED_OUT = frozenset({24, 36, 152, 255, -24})
"""mutmut's exit codes for a mutant that ran for ever: noticed, though a busy machine may make one look so."""

NOTICED = frozenset({1, 3, 37}) | TIMED_OUT
"""mutmut's exit codes for a mutant that a test failed on, that the type checker found, or that ran for ever."""

NOT_RUN = frozenset({None, 2, 34})


@dataclass(frozen=True, slots=True)
class ModuleScore:
    """A module's mutants: how many were run, how many of them ran for ever, how many weren't run, and who survived."""

    module: str
    mutants: int
    timed_out: int
    not_run: int
    survivors: tuple[str, ...]

    @property
    def percent(self) -> float:
        """The share of those run that was noticed."""
        return 100 * (1 - len(self.survivors) / self.mutants) if self.mutants else 100.0


def scores(folder: Path) -> list[ModuleScore]:
    """Read the results that `mutmut run` left in its folder."""
    found = list[ModuleScore]()
    for path in sorted(folder.rglob("*.meta")):
        results: dict[str, int | None] = json.loads(path.read_text())["exit_code_by_key"]
        run = {name: code for name, code in results.items() if code not in NOT_RUN}
        survivors = tuple(name for name, code in run.items() if code not in NOTICED)
        timed_out = sum(code in TIMED_OUT for code in run.values())
        if results:
            module = path.name.removesuffix(".py.meta")
            found.append(ModuleScore(module, len(run), timed_out, len(results) - len(run), survivors))
    return found


def whole(modules: Sequence[ModuleScore]) -> ModuleScore:
    """All modules as one."""
    return ModuleScore(
        "all",
        sum(each.mutants for each in modules),
        sum(each.timed_out for each in modules),
        sum(each.not_run for each in modules),
        tuple(name for each in modules for name in each.survivors),
    )


def without_a_reason(survivors: Sequence[str], document: str) -> list[str]:
    """The survivors that a document doesn't name; it may leave out the package: `money.x_cents__mutmut_1`.

    Several of one function may stand together: `money.x_cents__mutmut_1, 4, 9`.
    """
    named = set[str]()
    for function, numbers in re.findall(r"`?(\w+\.\w+__mutmut_)(\d+(?:, \d+)*)", document):
        named |= {f"{function}{number}" for number in numbers.split(", ")}
    return [name for name in survivors if ".".join(name.split(".")[-2:]) not in named]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 if the whole is below the minimum, or if some mutants weren't run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("mutants"))
    parser.add_argument("--minimum", type=float, default=90.0, help="percent")
    parser.add_argument("--survivors", action="store_true", help="name them too")
    parser.add_argument("--reasons", type=Path, help="a document: name the survivors that it gives no reason for")
    arguments = parser.parse_args(argv)
    modules = scores(arguments.folder)
    total = whole(modules)
    print(f"{'module':<20} {'mutants':>8} {'timed out':>10} {'survived':>9} {'noticed':>8}")
    for each in (*modules, total):
        print(
            f"{each.module:<20} {each.mutants:>8} {each.timed_out:>10} {len(each.survivors):>9} {each.percent:>7.1f}%"
        )
    if total.not_run:
        print(f"{total.not_run} mutants were not run: this is the score of a part.")
    if arguments.survivors:
        print(*total.survivors, sep="\n")
    if arguments.reasons:
        unexplained = without_a_reason(total.survivors, arguments.reasons.read_text())
        print(f"{len(unexplained)} survivors without a reason in {arguments.reasons}", *unexplained, sep="\n")
    return 0 if total.mutants and not total.not_run and total.percent >= arguments.minimum else 1


if __name__ == "__main__":
    sys.exit(main())
