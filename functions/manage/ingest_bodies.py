"""The body of POST /v1/statements, as the API's document describes it; functions/ingest takes it apart by itself."""

from typing import Literal

from pydantic import Field

from shared.contracts.statement_bodies import PaymentUpdateBody, StatementBody
from shared.contracts.statement_files import MOST_STATEMENTS
from shared.contracts.wire import WireModel


class StatementFileBody(WireModel):
    """A statement file; the prefix ppay- of a schema is accepted. Without a schema: the organization's bill type."""

    schema_: Literal["lifetime", "episodic", "payment-updates"] | None = Field(default=None, alias="schema")
    version: str = Field(default="1.0.0", examples=["1.0.0"])
    statements: list[StatementBody | PaymentUpdateBody] = Field(max_length=MOST_STATEMENTS)
