"""Statements that tests start from; each test changes what it is about."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"
SAMPLE: dict[str, Any] = json.loads((EVENTS / "statement-file.json").read_text())


def statement(statement_id: str = "S-1", **changes: Any) -> dict[str, Any]:
    """The sample's first statement; `guarantor__email="x"` changes what lies deeper, ... takes a member out."""
    made: dict[str, Any] = deepcopy(SAMPLE["statements"][0]) | {"statementId": statement_id}
    for path, value in changes.items():
        inside: Any = made
        *outer, last = (int(part) if part.isdecimal() else part for part in path.split("__"))
        for part in outer:
            inside = inside[part]
        if value is ...:
            inside.pop(last, None)
        else:
            inside[last] = value
    return made


def payment_update(*transactions: dict[str, Any]) -> dict[str, Any]:
    """A payment update for S-1."""
    return {
        "statementId": "S-1",
        "clientId": "NORTH",
        "patients": [{"accountId": "P-1"}],
        "partnerTransactions": list(transactions),
    }
