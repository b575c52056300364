"""What was overpaid: used for what is owed, given back with its payment, counted once, and told to staff."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.intake.arrival import Received
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.posting import CREDIT
from shared.domain.records.task import TaskKind
from shared.domain.vocabulary.words import BillStatus, BillType, CreditUse, IngestionResult, NoticeStatus
from tests.unit.domain.test_intake import Desk

OVER = 25_40


def desk_with_credit(use: CreditUse = CreditUse.APPLY) -> Desk:
    """S-1 of 74.60 was paid with 100.00."""
    desk = Desk()
    desk.organization = replace(desk.organization, credit_use=use)
    desk.takes("S-1", statementDate=None)
    desk.pays(100_00)
    return desk


def new_bill(desk: Desk, balance: str = "50.00", statement_id: str = "S-2", **changes: Any) -> Received:
    return desk.takes(statement_id, **{"days": 1, "statementDate": None, "totalBalance": balance} | changes)


def money(desk: Desk) -> int:
    """All that came in and hasn't gone out, by the postings."""
    return sum(payment.amount for payment in desk.known.payments)


# --- use --------------------------------------------------------------------------------------------------------


def test_a_new_bill_is_asked_for_without_what_a_credit_covers() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    assert (desk.bill("S-2").balance, desk.known.account.credit) == (24_60, 0)


def test_a_bill_that_credit_covers_whole_is_paid_and_nothing_is_sent_about_it() -> None:
    desk = desk_with_credit()
    new_bill(desk, "20.00")
    assert desk.bill("S-2").status is BillStatus.PAID
    assert desk.known.account.credit == 5_40
    assert desk.scheduled() == []


def test_credit_is_a_posting_of_its_own_in_which_no_money_comes_in() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    posting = desk.known.payments[-1]
    assert (posting.method, posting.amount, posting.credit) == (CREDIT, 0, -OVER)
    assert [(share.statement_id, share.amount) for share in posting.allocations] == [("S-2", OVER)]
    assert desk.bill("S-2").history[-1].event == "PaymentPosted"


def test_a_surplus_pays_the_other_open_bills_at_once_oldest_first() -> None:
    desk = Desk()
    desk.takes("S-1", statementDate=None)
    new_bill(desk, "20.00", "S-2")
    new_bill(desk, "20.00", "S-3")
    desk.plans()
    desk.pays(74_60 + 30_00, statement_id="S-1")
    assert [desk.bill(name).balance for name in ("S-1", "S-2", "S-3")] == [0, 0, 10_00]
    assert desk.bill("S-2").status is BillStatus.PAID


def test_what_waits_about_nothing_but_bills_that_credit_paid_does_not_go() -> None:
    desk = Desk()
    desk.takes("S-1", statementDate=None)
    new_bill(desk, "20.00")
    desk.plans()
    desk.pays(74_60 + 20_00, statement_id="S-1")
    assert not [notice for notice in desk.known.notices if notice.status is NoticeStatus.SCHEDULED]


def test_an_organization_can_keep_credits_for_its_staff() -> None:
    desk = desk_with_credit(CreditUse.KEEP)
    new_bill(desk)
    assert (desk.bill("S-2").balance, desk.known.account.credit) == (50_00, OVER)


def test_credit_pays_no_bill_that_is_suspended() -> None:
    desk = desk_with_credit()
    new_bill(desk, "0.00")
    desk.book = replace(
        desk.known,
        bills=(*desk.known.bills[:1], replace(desk.bill("S-2"), status=BillStatus.SUSPENDED)),
    )
    new_bill(desk, "50.00")
    assert (desk.bill("S-2").balance, desk.known.account.credit) == (50_00, OVER)


def test_a_bill_opened_again_by_a_statement_is_paid_by_credit_too() -> None:
    desk = Desk()
    desk.takes("S-1", statementDate=None)
    desk.pays(80_00)
    new_bill(desk, "90.00", "S-1")
    assert (desk.bill("S-1").balance, desk.known.account.credit) == (84_60, 0)


# --- what a later statement says -------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 1, 40])
def test_a_practice_that_does_not_know_of_a_credit_does_not_undo_its_use(days: int) -> None:
    desk = desk_with_credit()
    new_bill(desk)
    again = new_bill(desk, days=days, statementMessage="the next file")
    assert again.result is IngestionResult.UPDATED
    assert desk.bill("S-2").balance == 24_60
    assert [warning.pointer for warning in again.warnings] == ["/totalBalance"]


def test_nor_where_it_knows_of_a_payment_since() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    desk.pays(10_00, statement_id="S-2")
    new_bill(desk, "40.00", days=5, statementMessage="the next file")
    assert desk.bill("S-2").balance == 14_60


def test_any_other_balance_is_the_practices_word() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    assert not new_bill(desk, "45.00", statementMessage="the next file").warnings
    assert desk.bill("S-2").balance == 45_00


# --- the practice's own figure ---------------------------------------------------------------------------------


def test_the_practices_figure_replaces_ours_and_the_postings_add_up_to_it() -> None:
    desk = desk_with_credit(CreditUse.KEEP)
    new_bill(desk, guarantor__accountCredit="40.00")
    assert desk.known.account.credit == 40_00
    assert sum(payment.credit for payment in desk.known.payments) == 40_00


def test_the_practices_figure_pays_open_bills_like_any_credit() -> None:
    desk = Desk()
    desk.takes("S-1", guarantor__accountCredit="70.00")
    assert (desk.bill("S-1").balance, desk.known.account.credit) == (4_60, 0)


def test_a_figure_that_counts_credit_already_used_does_not_bring_it_twice() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    told = new_bill(desk, statement_id="S-3", guarantor__accountCredit="25.40")
    assert (desk.bill("S-3").balance, desk.known.account.credit) == (50_00, 0)
    assert [warning.pointer for warning in told.warnings] == ["/guarantor/accountCredit"]


@pytest.mark.parametrize("figure", ["a lot", "-5.00", [], {"amount": 1}, True, "1.005"])
def test_a_figure_that_is_no_amount_is_a_warning_and_changes_nothing(figure: object) -> None:
    desk = desk_with_credit(CreditUse.KEEP)
    told = new_bill(desk, guarantor__accountCredit=figure)
    assert told.result is IngestionResult.CREATED
    assert desk.known.account.credit == OVER
    assert [warning.pointer for warning in told.warnings] == ["/guarantor/accountCredit"]


def test_without_a_figure_or_with_an_empty_one_ours_stands() -> None:
    for figure in (..., None, ""):
        desk = desk_with_credit(CreditUse.KEEP)
        assert not new_bill(desk, guarantor__accountCredit=figure).warnings
        assert desk.known.account.credit == OVER


# --- money that goes back --------------------------------------------------------------------------------------


def test_a_surplus_that_goes_back_comes_out_of_the_bills_that_it_paid() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    desk.pays(-100_00, statement_id="S-1")
    assert (desk.bill("S-1").balance, desk.bill("S-2").balance) == (74_60, 50_00)
    assert (desk.known.account.credit, money(desk)) == (0, 0)


def test_a_part_that_goes_back_takes_no_more_credit_than_its_own_bill_lacks() -> None:
    desk = desk_with_credit()
    new_bill(desk)
    desk.pays(-30_00, statement_id="S-1")
    assert (desk.bill("S-1").balance, desk.bill("S-2").balance) == (30_00, 24_60)


# --- tasks -----------------------------------------------------------------------------------------------------


def test_what_is_left_is_a_task_to_refund_or_keep() -> None:
    (task,) = desk_with_credit().known.tasks
    assert (task.kind, task.account_id, task.facts) == (TaskKind.CREDIT_LEFT, "G-1", {"amount": "25.40"})


def test_a_surplus_that_other_bills_took_whole_is_no_task() -> None:
    desk = Desk()
    desk.takes("S-1", statementDate=None)
    new_bill(desk, "20.00")
    desk.pays(74_60 + 20_00, statement_id="S-1")
    assert desk.known.tasks == ()


def test_a_link_paid_twice_is_a_task_at_once_even_where_other_bills_take_the_money() -> None:
    desk = Desk()
    desk.takes("S-1", statementDate=None)
    new_bill(desk, "200.00")
    for n in (1, 2):
        card = PaymentReceived(
            payment_id=f"pay-{n}",
            amount=74_60,
            method="card",
            received_on=desk.now.date(),
            statement_id="S-1",
            link_id="lnk_1",
        )
        desk.apply(post_payment(desk.known, desk.organization, card, desk.now + timedelta(n), "test"))
    (task,) = desk.known.tasks
    assert (task.payment_id, task.facts) == ("pay-2", {"amount": "74.60"})
    assert desk.bill("S-2").balance == 125_40


def test_the_practices_figure_above_ours_is_a_task_too() -> None:
    desk = desk_with_credit(CreditUse.KEEP)
    before = len(desk.known.tasks)
    new_bill(desk, guarantor__accountCredit="40.00")
    assert len(desk.known.tasks) == before + 1


# --- Lifetime --------------------------------------------------------------------------------------------------


def test_a_lifetime_bill_that_is_amended_keeps_what_credit_paid_on_it() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1", statementDate=None, guarantor__accountCredit="10.00")
    desk.takes("L-2", days=1, statementDate=None)
    assert desk.bill("L-2").balance == 64_60
