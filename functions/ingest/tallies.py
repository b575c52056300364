"""How many statements came to which result, for the dashboard."""

from collections import Counter
from collections.abc import Iterable

from shared.domain.records.ingestion import StatementRow
from shared.messaging.metrics import tally


def tally_rows(rows: Iterable[StatementRow]) -> None:
    """Count statements by their results."""
    for result, number in Counter(row.result for row in rows).items():
        tally("Statements", number, result=result)
