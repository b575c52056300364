"""Write the API's document from the routes' decorators: `python -m local.openapi`, or compare it: `--check`.

It is written to docs/openapi.json, for people and their reviews, and to functions/manage, which serves it as a file. A
change that breaks partners' programs is refused unless `--breaking` says that it is meant.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.openapi.breaking import breaking_changes
from local.openapi.document import document
from local.openapi.routes import all_routes
from local.stack.workspace import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

COPIES = (Path("docs/openapi.json"), Path("functions/manage/openapi.json"))
"""Where the document stands in the project; the first is what changes are compared with."""


def text() -> str:
    """The document as the decorators give it."""
    return json.dumps(document(all_routes()), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None, project: Path = PROJECT) -> int:
    """Write or compare; the status is 0 only if all is well."""
    parser = argparse.ArgumentParser(prog="python -m local.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if what is committed differs")
    parser.add_argument("--breaking", action="store_true", help="write also what breaks partners' programs")
    asked = parser.parse_args(arguments)
    wanted, copies = text(), [project / copy for copy in COPIES]
    committed = [copy.read_text(encoding="utf-8") if copy.exists() else "" for copy in copies]
    breaking = breaking_changes(json.loads(committed[0]), json.loads(wanted)) if committed[0] else []
    for change in breaking:
        print(f"breaking: {change}", file=sys.stderr)
    if asked.check:
        stale = [str(copy) for copy, found in zip(COPIES, committed, strict=True) if found != wanted]
        if stale:
            print(f"not what the decorators give: {', '.join(stale)}. Run `make openapi`.", file=sys.stderr)
        return 1 if stale else 0
    if breaking and not asked.breaking:
        print(
            "Nothing is written. If it is meant: `make openapi BREAKING=1`, and say so in CHANGELOG.", file=sys.stderr
        )
        return 1
    for copy in copies:
        copy.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
