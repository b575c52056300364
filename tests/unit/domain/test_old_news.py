"""Files come in any order: an older statement, or one that doesn't know of a payment, brings nothing back."""

from typing import Any

import pytest

from shared.domain.intake.arrival import Received
from shared.domain.vocabulary.words import BillStatus, BillType, IngestionResult
from tests.unit.domain.test_intake import Desk

IGNORED, UPDATED = IngestionResult.IGNORED, IngestionResult.UPDATED


def told(desk: Desk, **changes: Any) -> Received:
    """The statement of 74.60 in other bytes."""
    return desk.takes(**{"statementMessage": "another"} | changes)


def pointers(received: Received) -> list[str]:
    return [warning.pointer for warning in received.warnings]


# --- an older statement ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("balance", ["100.00", "74.60", "10.00"])
@pytest.mark.parametrize("kind", BillType)
def test_a_statement_older_than_the_bills_latest_is_ignored_with_a_warning(kind: BillType, balance: str) -> None:
    desk = Desk(kind)
    desk.takes(statementDate="2026-03-02", totalBalance="60.00")
    old = told(desk, days=1, statementDate="2026-03-01", totalBalance=balance)
    assert (old.result, pointers(old), old.change) == (IGNORED, ["/statementDate"], None)
    assert desk.bill().balance == 60_00


def test_the_order_of_lifetime_statements_is_by_their_dates_whatever_their_ids() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("S-1", statementDate="2025-12-28", totalBalance="100.00")
    desk.takes("S-2", statementDate="2026-01-04", totalBalance="60.00")
    old = told(desk, statement_id="S-1", statementDate="2025-12-28", totalBalance="100.00")
    assert (old.result, desk.bill("S-2").balance) == (IGNORED, 60_00)
    assert desk.bill("S-1").status is BillStatus.CANCELLED


def test_an_older_lifetime_statement_does_not_come_back_after_the_later_one_was_paid() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("S-1", statementDate="2025-12-28", totalBalance="100.00")
    desk.takes("S-2", statementDate="2026-01-04", totalBalance="60.00")
    desk.pays(60_00, statement_id="S-2")
    assert told(desk, statement_id="S-1", statementDate="2025-12-28", totalBalance="100.00").result is IGNORED


def test_a_system_may_send_a_statement_again_under_its_first_date_with_todays_balance() -> None:
    desk = Desk()
    desk.takes(statementDate="2026-03-01")
    assert not told(desk, days=20, statementDate="2026-03-01", totalBalance="80.00").warnings
    assert desk.bill().balance == 80_00


def test_a_statement_without_a_date_is_of_the_day_that_it_is_processed() -> None:
    desk = Desk()
    desk.takes(statementDate=None)
    assert told(desk, days=1, statementDate="2026-03-01", totalBalance="80.00").result is IGNORED
    assert told(desk, days=1, statementDate=None, totalBalance="81.00").result is UPDATED


def test_what_asks_for_nothing_is_never_old() -> None:
    desk = Desk()
    desk.takes(statementDate="2026-03-02")
    assert told(desk, statementDate="2026-03-01", totalBalance="0.00").result is UPDATED
    assert desk.bill().status is BillStatus.CANCELLED


# --- one that doesn't know of a payment ------------------------------------------------------------------------


@pytest.mark.parametrize("dated", ["2026-03-01", "2026-03-02"])
@pytest.mark.parametrize("amount", [20_00, 74_60])
def test_a_payment_stands_against_a_statement_from_before_it(dated: str, amount: int) -> None:
    desk = Desk()
    desk.takes(statementDate="2026-02-20")
    desk.pays(amount)
    old = told(desk, days=1, statementDate=dated)
    assert (old.result, pointers(old)) == (UPDATED, ["/totalBalance"])
    assert desk.bill().balance == 74_60 - amount
    assert desk.bill().status is (BillStatus.PAID if amount == 74_60 else BillStatus.DUE)


def test_so_do_several_and_each_by_itself() -> None:
    for asked in ("74.60", "54.60"):
        desk = Desk()
        desk.takes(statementDate="2026-02-20")
        desk.pays(20_00)
        desk.pays(30_00, days=2)
        told(desk, statementDate="2026-03-02", totalBalance=asked)
        assert desk.bill().balance == 24_60


def test_a_statement_without_a_date_is_of_today_so_only_todays_payment_stands() -> None:
    desk = Desk()
    desk.takes(statementDate=None)
    desk.pays(20_00)
    told(desk, statementDate=None)
    assert desk.bill().balance == 54_60
    told(desk, days=1, statementDate=None, statementMessage="a third")
    assert desk.bill().balance == 74_60


def test_a_statement_from_after_the_payment_is_the_practices_word() -> None:
    desk = Desk()
    desk.takes(statementDate="2026-02-20")
    desk.pays(20_00)
    assert not told(desk, days=2, statementDate="2026-03-03").warnings
    assert desk.bill().balance == 74_60


@pytest.mark.parametrize("balance", ["74.59", "60.00", "100.00"])
def test_any_other_balance_is_the_practices_word_whatever_its_date(balance: str) -> None:
    desk = Desk()
    desk.takes(statementDate="2026-02-20")
    desk.pays(20_00)
    assert not told(desk, statementDate="2026-03-01", totalBalance=balance).warnings
    assert desk.bill().balance == int(balance.replace(".", ""))


def test_a_payment_that_went_back_does_not_stand() -> None:
    desk = Desk()
    desk.takes(statementDate="2026-02-20")
    desk.pays(20_00)
    desk.pays(-20_00, days=1)
    told(desk, statementDate="2026-03-01")
    assert desk.bill().balance == 74_60


def test_a_payment_of_a_balance_before_the_last_statements_word_is_no_more_in_question() -> None:
    desk = Desk()
    desk.takes(statementDate="2026-02-20")
    desk.pays(20_00)
    told(desk, days=1, statementDate="2026-03-02", totalBalance="40.00")
    told(desk, statementDate="2026-03-02", totalBalance="74.60", statementMessage="a third")
    assert desk.bill().balance == 74_60


def test_a_lifetime_statement_from_before_a_payment_amends_the_bill_and_leaves_the_payment() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1", statementDate="2026-02-20")
    desk.pays(20_00, statement_id="L-1")
    desk.takes("L-2", days=1, statementDate="2026-03-01")
    assert desk.bill("L-2").balance == 54_60


def test_days_to_ignore_come_on_top() -> None:
    desk = Desk(days_to_ignore_after_transaction=3)
    desk.takes(statementDate="2026-02-20")
    desk.pays(20_00)
    assert told(desk, days=1, statementDate="2026-03-01", totalBalance="100.00").result is IGNORED
