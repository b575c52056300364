"""Scan the template: `python -m local.audit`.

Fails on a finding that docs/audit.md doesn't decide, and on a ruling there about what nothing finds any more.
The template is expanded first, as CloudFormation expands it, because no scanner reads its loops or SAM's resources.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from local.audit.findings import AuditFinding, outlived, rulings, undecided
from local.audit.scanners import available
from local.stack.errors import LocalStackError
from local.stack.expansion import expand
from local.stack.workspace import PROJECT

DECISIONS = "docs/audit.md"


def main() -> int:
    """Run the scanners that can run here, and say what is new; 0 only when nothing is."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of switches that only AWS has
    scanners = available()
    found = list[AuditFinding]()
    with TemporaryDirectory() as made:
        folder = Path(made)
        template = folder / "template.json"
        template.write_text(json.dumps(expand(PROJECT / "template.yaml", {}), default=str), encoding="utf-8")
        try:
            for scan in scanners.values():
                found += scan(PROJECT, template, folder)
        except LocalStackError as error:
            print(f"error: {error.message}", file=sys.stderr)
            return 1
    counts = Counter(each.tool for each in found)
    print(", ".join(f"{tool}: {counts[tool]} findings" for tool in scanners))
    if "cdk-nag" not in scanners:
        print("cdk-nag didn't run: it needs Node on the path.")
    decided = rulings((PROJECT / DECISIONS).read_text(encoding="utf-8"))
    new, gone = undecided(found, decided), outlived(found, decided, scanners)
    for finding in new:
        print(f"undecided: {finding}", file=sys.stderr)
    for ruling in gone:
        print(f"decided, but found no more: {ruling.tool} {ruling.rule}", file=sys.stderr)
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
