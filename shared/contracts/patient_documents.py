"""What the patient pages ask RenderPrint for: a statement or a receipt as PDF, by ids, and what comes back.

Who may have it is decided by who asks. The balances come along, because a bill may have gone to another account since
the link was sent, of which nothing is shown but what is owed.
"""

from typing import Literal

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, SecretStr, field_serializer
from pydantic.alias_generators import to_camel

from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import BillStatus, Language


class DocumentModel(BaseModel):
    """Frozen, and spelt in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class SeenBill(DocumentModel):
    """A bill as whoever has the link may see it; balance in cents."""

    statement_id: str
    status: BillStatus
    balance: Cents


class DocumentOrder(DocumentModel):
    """A document to set. `as_of`: the instant that it speaks of.

    token: of the link, which a statement leads to. to_guarantor: whether it may show the guarantor's address.
    bills: of a statement those that it is about; of a receipt all behind the link. payment_id: of a receipt.
    """

    document: Literal["statement", "receipt"]
    org_id: str
    account_id: str
    link_id: str
    token: SecretStr = Field(default=SecretStr(""), repr=False)
    language: Language
    as_of: AwareDatetime
    to_guarantor: bool = True
    bills: tuple[SeenBill, ...]
    payment_id: str = ""

    @field_serializer("token", when_used="json")
    def _told(self, token: SecretStr) -> str:
        return token.get_secret_value()


class DocumentAnswer(DocumentModel):
    """The PDF, as base 64 in JSON."""

    pdf: Base64Bytes
