"""The account book: what belongs to an account, found by its id."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.records.book import AccountBook, Change
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.vocabulary.words import BillStatus
from tests.worlds.examples import NOW, account, bill, book, notice
from tests.worlds.record_reads import growth

PAYMENT = Payment(payment_id="pay_1", amount=10_00, method="card", received_on=NOW.date(), posted_at=NOW)
LINK = PaymentLink(
    link_id="lnk_1", org_id="org_1", account_id="G-1", token_hash="t", created_at=NOW, expires_at=NOW + timedelta(1)
)
CHECKOUT = Checkout(reference="dln_1", org_id="org_1", account_id="G-1", link_id="lnk_1", amount=10_00, created_at=NOW)

FULL = book(notices=(notice(),), payments=(PAYMENT,), links=(LINK,), checkouts=(CHECKOUT,))

type Find = Callable[[AccountBook, str], Any]
BY_ID: list[tuple[str, Find, str, dict[str, Any]]] = [
    ("bills", AccountBook.bill, "S-1", {"balance": 1}),
    ("notices", AccountBook.notice, "ntc_1", {"level": 2}),
    ("payments", AccountBook.payment, "pay_1", {"amount": 1}),
    ("links", AccountBook.link, "lnk_1", {"sent_to": "m***"}),
    ("checkouts", AccountBook.checkout, "dln_1", {"amount": 1}),
]


@pytest.mark.parametrize(("kind", "find", "known", "changes"), BY_ID, ids=[kind for kind, *_ in BY_ID])
def test_what_belongs_to_an_account_is_found_by_its_id(
    kind: str, find: Find, known: str, changes: dict[str, Any]
) -> None:
    """In the book as it is, and in the book after a change."""
    (there,) = getattr(FULL, kind)
    assert find(FULL, known) is there
    assert find(FULL, "another") is find(FULL, "") is find(AccountBook(account=account()), known) is None
    changed: Any = replace(there, **changes)
    written: dict[str, Any] = {kind: (changed,)}
    assert find(FULL.after(Change(account=FULL.account, **written)), known) is changed
    assert find(FULL, known) is there


def test_finding_is_no_more_work_in_a_large_account() -> None:
    """Finding each bill of twice as many is twice the work, not four times."""

    def finding_each(bills: int) -> Callable[[], object]:
        large = book(bills=tuple(bill(f"S-{n}") for n in range(bills)))
        return lambda: [large.bill(f"S-{n}") for n in range(bills)]

    assert growth(finding_each) < 2.3


def test_what_is_owed_is_what_can_be_paid_and_what_the_practice_owes_is_credit() -> None:
    """A bill that is cancelled or paid asks for nothing, one below zero owes the patient."""
    bills = (
        bill("S-1", balance=10_00),
        bill("S-2", balance=5_00, status=BillStatus.SUSPENDED),
        bill("S-3", balance=7_00, status=BillStatus.CANCELLED),
        bill("S-4", balance=-2_00, status=BillStatus.CANCELLED),
    )
    known = book(account=account(credit=1_00), bills=bills)
    assert (known.owed, known.credit) == (15_00, 3_00)
