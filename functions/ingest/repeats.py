"""Statements that come more than once in their file."""

from collections.abc import Iterable
from hashlib import sha256

from functions.ingest.account_work import failed
from shared.contracts.statement_files import RawStatement
from shared.contracts.statements import transactions_only
from shared.domain.records.ingestion import Remark, StatementRow
from shared.domain.vocabulary.words import IngestionResult

REPEATED_STATEMENT = Remark("/statementId", "appears more than once in this file; the first counts")


def repeated(statements: Iterable[RawStatement]) -> dict[int, StatementRow]:
    """Statements whose `statementId` came before in their file, by their places (docs/rules.md#repeated-in-a-file).

    Payment updates may come several times for one statement; their transactions are distinguished by themselves.
    """
    first = dict[bytes, bytes]()
    rows = dict[int, StatementRow]()
    for place, raw in enumerate(statements):
        if raw.statement_id is None or transactions_only(raw.value):
            continue
        name = _digest(f"{raw.client_id}\n{raw.statement_id}")
        content = _digest(raw.text)
        if first.setdefault(name, content) is content:
            continue
        if first[name] == content:
            rows[place] = StatementRow(statement_id=raw.statement_id, result=IngestionResult.IGNORED)
        else:
            rows[place] = failed(raw.statement_id, REPEATED_STATEMENT)
    return rows


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
