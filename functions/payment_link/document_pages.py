"""A patient's documents as PDF: the statement of what is owed, and receipts (docs/rules.md#documents-on-the-page)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import quote

from functions.payment_link.page import PageError, PatientDocument, Redirect
from functions.payment_link.questions import known_visit, verified_by
from functions.payment_link.site import UNKNOWN_PAGE, PageAnswer, PageRequest, language_query
from functions.payment_link.visits import Desk, LinkVisit
from shared.contracts.patient_documents import DocumentAnswer, DocumentOrder, SeenBill
from shared.domain.account.contacts import GUARANTOR
from shared.domain.paying.link_access import Standing, standing
from shared.domain.paying.payments import link_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_lambda import LambdaClient

    from shared.domain.records.bill import Bill


class Renderer(Protocol):
    """What sets documents."""

    def pdf(self, order: DocumentOrder) -> bytes:
        """The document of an order."""


class RenderingError(Exception):
    """The function that sets documents failed. Its answer isn't repeated: it may quote what it was about."""


@dataclass(frozen=True, slots=True)
class RenderFunction:
    """RenderPrint, which has the fonts and the typesetter: here they would cost each page's start."""

    client: "Callable[[], LambdaClient]"
    name: str

    def pdf(self, order: DocumentOrder) -> bytes:
        """Call it and wait. Raises RenderingError, and whatever the client raises."""
        asked = order.model_dump_json(by_alias=True).encode()
        answer = self.client().invoke(FunctionName=self.name, InvocationType="RequestResponse", Payload=asked)
        told = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise RenderingError
        return DocumentAnswer.model_validate_json(told).pdf


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPages:
    """The documents behind a link, for a browser that has answered its question; any other is led to that."""

    desk: Desk
    base_url: str
    renderer: Renderer

    def statement(self, request: PageRequest, token: str) -> PageAnswer:
        """`GET /pay/{token}/statement`: of the bill that `statementId` names, else of all that can be paid."""
        visit = known_visit(self.desk, request, token)
        if not verified_by(request, visit) or standing(visit.link, request.now) is Standing.EXPIRED:
            return self._to_the_question(visit, request)
        wanted = request.query.get("statementId", "")
        bills = [bill for bill in visit.bills if not wanted or bill.statement_id == wanted]
        if not bills:
            raise PageError(UNKNOWN_PAGE)
        return PatientDocument(self.renderer.pdf(_order("statement", visit, request, bills)), "statement.pdf")

    def receipt(self, request: PageRequest, token: str, payment_id: str) -> PageAnswer:
        """`GET /pay/{token}/receipt/{paymentId}`: of a payment that this link may show."""
        visit = known_visit(self.desk, request, token)
        if not verified_by(request, visit):
            return self._to_the_question(visit, request)
        if payment_id not in {payment.payment_id for payment in visit.receipts}:
            raise PageError(UNKNOWN_PAGE)
        order = _order("receipt", visit, request, link_scope(visit.book, visit.link), payment_id)
        return PatientDocument(self.renderer.pdf(order), "receipt.pdf")

    def _to_the_question(self, visit: LinkVisit, request: PageRequest) -> Redirect:
        return Redirect(location=f"{self.base_url}/pay/{quote(visit.token, safe='')}{language_query(request.language)}")


def _order(
    document: Literal["statement", "receipt"],
    visit: LinkVisit,
    request: PageRequest,
    bills: "Sequence[Bill]",
    payment_id: str = "",
) -> DocumentOrder:
    return DocumentOrder(
        document=document,
        org_id=visit.link.org_id,
        account_id=visit.link.account_id,
        link_id=visit.link.link_id,
        token=visit.token,
        language=request.language or visit.book.account.guarantor.language,
        as_of=request.now,
        to_guarantor=visit.recipient == GUARANTOR,
        bills=tuple(
            SeenBill(statement_id=bill.statement_id, status=bill.status, balance=bill.balance) for bill in bills
        ),
        payment_id=payment_id,
    )
