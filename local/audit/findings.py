"""What scanners find, and what was decided about it: the tables of docs/audit.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WHOLE_TEMPLATE = "all"
_CELLS = 4


@dataclass(frozen=True, order=True)
class AuditFinding:
    """One rule of a tool that one resource, by its logical id, doesn't meet."""

    tool: str
    rule: str
    resource: str

    def __str__(self) -> str:
        return f"{self.tool} {self.rule} {self.resource}"


@dataclass(frozen=True)
class Ruling:
    """What was decided about a rule of a tool. resources: those that it holds for; empty: for whatever there is."""

    tool: str
    rule: str
    resources: frozenset[str]
    reason: str

    def covers(self, finding: AuditFinding) -> bool:
        """Whether a finding is decided by it."""
        same = (self.tool, self.rule) == (finding.tool, finding.rule)
        return same and (not self.resources or finding.resource in self.resources)


def rulings(document: str) -> list[Ruling]:
    """Read the tables of a document: tool, rule, resources (or `all`), reason. Raises ValueError for one without it."""
    found = list[Ruling]()
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or len(cells) != _CELLS or not re.fullmatch(r"`[\w.-]+`", cells[1]):
            continue
        tool, rule, named, reason = cells
        if not reason:
            raise ValueError(f"{tool} {rule} is decided without a reason")
        resources = frozenset() if named == WHOLE_TEMPLATE else frozenset(re.findall(r"`(\w+)`", named))
        found.append(Ruling(tool, rule.strip("`"), resources, reason))
    return found


def undecided(findings: Iterable[AuditFinding], decided: Sequence[Ruling]) -> list[AuditFinding]:
    """The findings that nothing was decided about."""
    return sorted({each for each in findings if not any(ruling.covers(each) for ruling in decided)})


def outlived(findings: Iterable[AuditFinding], decided: Sequence[Ruling], tools: Iterable[str]) -> list[Ruling]:
    """The rulings, on tools that ran, about what none of them finds any more."""
    known, ran = set(findings), set(tools)
    return [ruling for ruling in decided if ruling.tool in ran and not any(ruling.covers(each) for each in known)]
