"""The body of POST /v1/statements, as docs/openapi.json describes it; `statement_files.py` takes it apart by itself."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.statement_bodies import PaymentUpdateBody, StatementBody
from shared.contracts.statement_files import MOST_STATEMENTS


class StatementFileBody(BaseModel):
    """A statement file. Without a schema: statements of the organization's bill type. Each statement stands alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    schema_: Annotated[str, Field(pattern="^(ppay-)?(lifetime|episodic|payment-updates)$")] | None = Field(
        default=None, alias="schema", examples=["ppay-episodic"]
    )
    version: str = Field(default="1.0.0", pattern=r"^1(\.\d{1,4}){0,2}$", examples=["1.0.0"])
    statements: list[StatementBody | PaymentUpdateBody] = Field(max_length=MOST_STATEMENTS)
