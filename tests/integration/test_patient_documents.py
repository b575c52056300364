"""Statements and receipts past the question: who gets one, and what it shows."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pymupdf
import pytest

from functions.payment_link.ports import ports
from shared.domain.paying.moved_money import NO_MONEY
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.posting import CHARGEBACK
from shared.domain.records.payment import Payment
from shared.domain.vocabulary.words import BillStatus, Language, LinkStatus
from tests.worlds.clinic import BASE, PDF, Answer
from tests.worlds.examples import ADDRESS, NOW, notice
from tests.worlds.examples import bill as example
from tests.worlds.render_function import NAME, CalledFunction, called_function
from tests.worlds.statement_examples import statement
from tests.worlds.wiring import wired

if TYPE_CHECKING:
    from io import StringIO

    from shared.domain.records.bill import Bill
    from tests.worlds.clinic import Clinic


def bill(statement_id: str = "S-1", **changes: Any) -> "Bill":
    """A bill with the statement that it came from."""
    return example(statement_id, document=json.dumps(statement(statement_id)).encode(), **changes)


@pytest.fixture(autouse=True)
def renders(clinic: "Clinic", monkeypatch: pytest.MonkeyPatch) -> CalledFunction:
    """A stack whose pages lead to documents, and an account whose bill has a statement."""
    wired(monkeypatch, ports, RENDER_FUNCTION=NAME)
    clinic.change(bills=(bill(),))
    return called_function(monkeypatch, BASE)


def read(answer: Answer) -> str:
    """What stands in the PDF that a browser got, in one line."""
    assert (answer.status, answer.headers["Content-Type"]) == (200, PDF)
    with pymupdf.open(stream=answer.content, filetype="pdf") as document:  # type: ignore[no-untyped-call] # untyped
        return " ".join("".join(page.get_text() for page in document).split())


def documents_on(answer: Answer) -> list[str]:
    """The addresses of documents that a page leads to, below the base address."""
    found = re.findall(rf'href="{re.escape(BASE)}(/pay/[^"]+/(?:statement|receipt/)[^"]*)"', answer.body)
    return [address.replace("&amp;", "&") for address in found]


def pays(clinic: "Clinic", amount: int, statement_id: str = "", **more: str) -> str:
    """Post a payment; answers its id."""
    found = PaymentReceived(
        payment_id=f"pay_{amount}{statement_id}",
        amount=amount,
        method=more.get("method", "check"),
        received_on=NOW.date(),
        transaction_id=f"CHK-{amount}{statement_id}",
        statement_id=statement_id,
    )
    practice = ports().desk.organizations.get("org_1")
    assert practice is not None
    posted = practice
    clinic.books.change("org_1", "G-1", lambda book: post_payment(book, posted, found, NOW, "key:1"))
    return found.payment_id


def test_the_balance_leads_to_the_statement_of_each_bill(clinic: "Clinic") -> None:
    clinic.change(bills=(bill(), bill("S-2", balance=5_00)))
    addresses = documents_on(clinic.verify())
    assert len(addresses) == 2
    texts = [read(clinic.get(address)) for address in addresses]
    assert ["S-1" in text for text in texts] == [True, False]
    assert ["S-2" in text for text in texts] == [False, True]
    assert ["$74.60" in texts[0], "$5.00" in texts[1]] == [True, True]
    together = read(clinic.get(f"{clinic.path}/statement"))
    assert all(told in together for told in ("S-1", "S-2", "$79.60"))


@pytest.mark.parametrize("document", ["statement", "statement?statementId=S-1", "receipt/pay_500"])
@pytest.mark.parametrize("cookie", ["", "dunlin_verified=x"])
def test_who_has_not_answered_the_question_is_led_to_it_and_nothing_is_set(
    clinic: "Clinic", renders: CalledFunction, document: str, cookie: str
) -> None:
    pays(clinic, 500)
    clinic.cookie = cookie
    answer = clinic.get(f"{clinic.path}/{document}")
    assert (answer.status, answer.location) == (303, f"{BASE}{clinic.path}")
    assert renders.orders == []


def test_half_an_hour_after_the_answer_it_is_asked_for_again(clinic: "Clinic", renders: CalledFunction) -> None:
    clinic.verify()
    clinic.now += timedelta(minutes=30)
    assert clinic.get(f"{clinic.path}/statement").status == 303
    assert renders.orders == []


@pytest.mark.parametrize("status", [LinkStatus.REVOKED, LinkStatus.SUPERSEDED])
def test_a_link_that_is_over_shows_no_statement(clinic: "Clinic", renders: CalledFunction, status: LinkStatus) -> None:
    clinic.verify()
    clinic.change(links=(replace(clinic.link, status=status),))
    assert clinic.get(f"{clinic.path}/statement").status == (404 if status is LinkStatus.REVOKED else 303)
    assert renders.orders == []


def test_only_bills_and_payments_of_the_link_are_shown(clinic: "Clinic", renders: CalledFunction) -> None:
    clinic.change(bills=(bill("S-2", balance=5_00),), links=(replace(clinic.link, statement_id="S-1"),))
    paid = [pays(clinic, 2_00, "S-2"), pays(clinic, 60, "S-1")]
    own = documents_on(clinic.verify())
    assert own == [f"{clinic.path}/statement?statementId=S-1", f"{clinic.path}/receipt/{paid[1]}"]
    for other in ("statement?statementId=S-2", f"receipt/{paid[0]}", "receipt/none", "statement?statementId=%00"):
        assert clinic.get(f"{clinic.path}/{other}").status == 404
    assert renders.orders == []


def test_a_document_is_neither_kept_nor_indexed_nor_framed(clinic: "Clinic") -> None:
    clinic.verify()
    headers = clinic.get(f"{clinic.path}/statement").headers  # `request` asserts what every answer has
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Disposition"] == 'inline; filename="statement.pdf"'
    assert clinic.request("HEAD", f"{clinic.path}/statement").content == b""


def test_the_receipt_tells_day_reference_method_bills_and_what_is_left(clinic: "Clinic") -> None:
    payment_id = pays(clinic, 20_00)
    [*_, receipt] = documents_on(clinic.verify())
    assert receipt == f"{clinic.path}/receipt/{payment_id}"
    told = read(clinic.get(receipt))
    for part in ("Northside Family Practice", "March 2, 2026", "CHK-2000", "Check", "Statement S-1", "Ben", "$20.00"):
        assert part in told
    assert "Still owed $54.60" in told


def test_more_than_was_owed_stands_on_the_receipt_as_a_credit(clinic: "Clinic") -> None:
    pays(clinic, 80_00)
    [receipt] = documents_on(clinic.verify())
    told = read(clinic.get(receipt))
    assert "Credit on your account $5.40" in told
    assert "Still owed $0.00" in told


def test_money_that_went_back_has_no_receipt(clinic: "Clinic") -> None:
    pays(clinic, 20_00)
    pays(clinic, -20_00)
    assert [address for address in documents_on(clinic.verify()) if "-" in address.partition("receipt/")[2]] == []


def test_what_nobody_paid_has_no_receipt(clinic: "Clinic") -> None:
    """A practice's own figure, a credit that came along, and money that comes again are postings, but no payments."""
    whole = Payment(payment_id="p", amount=5_00, method="check", received_on=NOW.date(), posted_at=NOW, credit=5_00)
    postings = [replace(whole, payment_id=f"crd_{n}", method=method) for n, method in enumerate(sorted(NO_MONEY))]
    again = replace(whole, payment_id="rev_1", method=CHARGEBACK, reverses="p")
    clinic.change(payments=(whole, again, *postings))
    receipts = [address for address in documents_on(clinic.verify()) if "/receipt/" in address]
    assert receipts == [f"{clinic.path}/receipt/p"]


def test_the_thanks_lead_to_the_receipt(clinic: "Clinic") -> None:
    reference = clinic.reference()
    clinic.webhook(reference=reference)
    done = clinic.get(f"{clinic.path}/done?checkout={reference}")
    assert read(clinic.get(documents_on(done)[-1])).count(reference) == 1
    clinic.cookie = ""
    assert documents_on(clinic.get(f"{clinic.path}/done?checkout={reference}")) == []


def test_documents_speak_the_language_of_the_page(clinic: "Clinic") -> None:
    pays(clinic, 20_00)
    clinic.verify()
    for document in documents_on(clinic.get(f"{clinic.path}?lang=es")):
        told = read(clinic.get(document))
        assert "Estado de cuenta" in told or "estado de cuenta" in told
        assert "Statement" not in told
    owner = clinic.book.account
    clinic.change(account=replace(owner, guarantor=replace(owner.guarantor, language=Language.SPANISH)))
    assert "Recibo" in read(clinic.get(documents_on(clinic.get())[-1]))


def test_a_statement_out_of_the_page_has_no_code_to_type_and_leads_back_to_the_link(clinic: "Clinic") -> None:
    clinic.verify()
    answer = clinic.get(f"{clinic.path}/statement")
    assert "Bill code" not in read(answer)
    with pymupdf.open(stream=answer.content, filetype="pdf") as document:  # type: ignore[no-untyped-call] # untyped
        links = {link["uri"] for page in document for link in page.get_links()}
    assert f"{BASE}{clinic.path}" in links


def test_whoever_got_the_link_in_the_guarantors_place_does_not_see_where_the_guarantor_lives(clinic: "Clinic") -> None:
    owner = clinic.book.account
    home = replace(ADDRESS, line1="9 Larch Lane")
    clinic.change(account=replace(owner, guarantor=replace(owner.guarantor, address=home)))
    told = _statement(clinic)
    assert ("9 Larch Lane" in told, "Ada Example" in told) == (True, True)
    clinic.change(notices=(notice(notice_id="ntc_1", send_to="patient"),))
    told = _statement(clinic)
    assert ("9 Larch Lane" in told, "Ada Example" in told) == (False, False)


def _statement(clinic: "Clinic") -> str:
    clinic.verify()
    return read(clinic.get(f"{clinic.path}/statement"))


def test_a_paid_bills_page_leads_to_its_receipt(clinic: "Clinic") -> None:
    pays(clinic, 74_60)
    page = clinic.verify()
    assert clinic.book.bills[0].status is BillStatus.PAID
    assert len(documents_on(page)) == 1


def test_where_documents_can_not_be_set_the_page_says_so_and_nothing_of_it_is_logged(
    clinic: "Clinic", renders: CalledFunction, log: "StringIO"
) -> None:
    clinic.verify()
    renders.fails = True
    answer = clinic.get(f"{clinic.path}/statement")
    assert answer.status == 500
    assert "text/html" in answer.headers["Content-Type"]
    assert "RenderingError" in log.getvalue()
    assert "Ada" not in log.getvalue()


def test_a_stack_without_the_function_leads_to_no_document(clinic: "Clinic", monkeypatch: pytest.MonkeyPatch) -> None:
    wired(monkeypatch, ports, RENDER_FUNCTION="")
    assert documents_on(clinic.verify()) == []


def test_what_is_asked_for_names_nobody(clinic: "Clinic", renders: CalledFunction) -> None:
    _statement(clinic)
    [order] = renders.orders
    assert not any(private in str(order) for private in ("Ada", "Example", "Juniper", "1980", "2015"))
