"""What a later statement of a known account replaces, and what it leaves alone; and which of its payments are known."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.statements import read_statement
from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.receive import receive_statement
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook
from shared.domain.records.policy import DunningSettings
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.words import BillStatus, BillType, IngestionResult
from tests.worlds.examples import NOW, notice, organization
from tests.worlds.statement_examples import statement

LATER = NOW + timedelta(days=3)
TODAY = NOW.date()


def arrival(statement_id: str = "S-1", time_zones: tuple[str, ...] = (), **changes: Any) -> Arrival:
    document = json.dumps(statement(statement_id, **changes))
    read = read_statement(DECODER.decode(document))
    return Arrival(
        statement=read.statement,
        document=document.encode(),
        warnings=read.warnings,
        language_given=read.language_given,
        time_zones=time_zones,
    )


def delivery(bill_type: BillType = BillType.EPISODIC, **dunning: Any) -> IntakeContext:
    practice = organization(dunning=DunningSettings(**dunning))
    return IntakeContext(organization=practice, bill_type=bill_type, ingestion_id="ing-1", now=LATER)


def received(book: AccountBook | None, said: Arrival, how: IntakeContext | None = None) -> tuple[Received, AccountBook]:
    """What came of a statement, and the book afterwards."""
    outcome = receive_statement(book, said, how or delivery())
    assert outcome.change is not None
    return outcome, (book or AccountBook(account=outcome.change.account)).after(outcome.change)


def known(bill_type: BillType = BillType.EPISODIC, **changes: Any) -> AccountBook:
    return received(None, arrival(**changes), delivery(bill_type))[1]


def the(book: AccountBook, statement_id: str = "S-1") -> Bill:
    bill = book.bill(statement_id)
    assert bill is not None
    return bill


# --- the account -----------------------------------------------


def test_a_third_party_who_pays_is_the_one_that_was_named_last() -> None:
    first, second = {"name": "First Trust", "email": "first@example.com"}, {"name": "Second Trust"}
    before = known(billTo=first)
    _, after = received(before, arrival(billTo=second, statementMessage="x"))
    assert after.account.bill_to is not None
    assert after.account.bill_to.name == "Second Trust"
    _, silent = received(after, arrival(billTo=..., statementMessage="y"))
    assert silent.account.bill_to == after.account.bill_to


def test_the_zones_are_those_that_the_last_contact_data_suggest() -> None:
    before = known(time_zones=("America/New_York",))
    _, after = received(before, arrival(time_zones=("Pacific/Guam",), statementMessage="x"))
    assert after.account.time_zones == ("Pacific/Guam",)


def test_a_guarantor_keeps_the_id_that_a_later_statement_leaves_out_and_takes_one_that_it_names() -> None:
    before = known()
    assert before.account.guarantor.guarantor_id == "G-1"
    _, silent = received(before, arrival(guarantor__guarantorId=...))
    assert silent.account.guarantor.guarantor_id == "G-1"
    nameless = replace(
        before, account=replace(before.account, guarantor=replace(silent.account.guarantor, guarantor_id=""))
    )
    _, named = received(nameless, arrival(statementMessage="x"))
    assert named.account.guarantor.guarantor_id == "G-1"


# --- the bill -----------------------------------------------


@pytest.mark.parametrize(
    ("balance", "status", "event"),
    [
        ("74.60", (BillStatus.DUE, ""), ("BillCreated", "")),
        ("0.00", (BillStatus.CANCELLED, "balance is zero"), ("BillCreated", "balance is zero")),
    ],
)
def test_a_new_bill_tells_that_it_was_made_and_why_it_asks_for_nothing(
    balance: str, status: tuple[BillStatus, str], event: tuple[str, str]
) -> None:
    bill = the(known(totalBalance=balance))
    assert (bill.status, bill.status_reason) == status
    assert [(entry.event, entry.reason) for entry in bill.history][:1] == [event]


def test_an_update_writes_its_bill_and_no_row_of_the_queue() -> None:
    """What waits about it is judged with the new balance when it is sent."""
    before = replace(known(), notices=(notice(),))
    outcome, _ = received(before, arrival(totalBalance="80.00"))
    assert outcome.change is not None
    assert [bill.statement_id for bill in outcome.change.bills] == ["S-1"]
    assert outcome.change.notices == ()


def test_a_payment_makes_an_older_balance_of_its_own_bill_old_though_the_patient_has_another_account_now() -> None:
    """A Lifetime bill is found by its patient's account, and by its own statement too."""
    how = delivery(BillType.LIFETIME, days_to_ignore_after_transaction=5)
    before = known(BillType.LIFETIME)
    paid = PaymentReceived(payment_id="pay_1", amount=10_00, method="cash", received_on=TODAY, statement_id="S-1")
    change = post_payment(before, organization(), paid, LATER, "test")
    assert change is not None
    said = arrival(statementDate=TODAY.isoformat())
    (patient,) = said.statement.patients
    renamed = replace(said, statement=replace(said.statement, patients=(replace(patient, account_id="P-9"),)))
    outcome = receive_statement(before.after(change), replace(renamed, document=b"{}"), how)
    assert outcome.result is IngestionResult.IGNORED
