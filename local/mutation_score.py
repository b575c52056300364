"""Tells how many of mutmut's mutants the tests noticed, module by module, and fails below the score asked for."""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

NOTICED = frozenset({1, 3, 24, 36, 37, 152, 255, -24})
"""mutmut's exit codes for a mutant that a test failed on, that the type checker found, or that ran for ever."""

NOT_RUN = frozenset({None, 2, 34})


@dataclass(frozen=True, slots=True)
class ModuleScore:
    """A module's mutants: how many there are, and the names of those that no test noticed."""

    module: str
    mutants: int
    survivors: tuple[str, ...]

    @property
    def percent(self) -> float:
        """The share that was noticed."""
        return 100 * (1 - len(self.survivors) / self.mutants) if self.mutants else 100.0


def scores(folder: Path) -> list[ModuleScore]:
    """Read the results that `mutmut run` left in its folder; mutants that weren't run don't count."""
    found = list[ModuleScore]()
    for path in sorted(folder.rglob("*.meta")):
        results: dict[str, int | None] = json.loads(path.read_text())["exit_code_by_key"]
        run = {name: code for name, code in results.items() if code not in NOT_RUN}
        survivors = tuple(name for name, code in run.items() if code not in NOTICED)
        if run:
            found.append(ModuleScore(path.name.removesuffix(".py.meta"), len(run), survivors))
    return found


def main() -> int:
    """Print the table; 1 if the whole is below the minimum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("mutants"))
    parser.add_argument("--minimum", type=float, default=90.0, help="percent")
    parser.add_argument("--survivors", action="store_true", help="name them too")
    arguments = parser.parse_args()
    modules = scores(arguments.folder)
    whole = ModuleScore("all", sum(each.mutants for each in modules), tuple(x for m in modules for x in m.survivors))
    print(f"{'module':<20} {'mutants':>8} {'survived':>9} {'noticed':>8}")
    for each in (*modules, whole):
        print(f"{each.module:<20} {each.mutants:>8} {len(each.survivors):>9} {each.percent:>7.1f}%")
    if arguments.survivors:
        print(*whole.survivors, sep="\n")
    return 0 if whole.mutants and whole.percent >= arguments.minimum else 1


if __name__ == "__main__":
    sys.exit(main())
