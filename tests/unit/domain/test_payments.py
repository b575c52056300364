"""What a payment does to bills, pending notices, credit and links; and the secrets of links."""

from dataclasses import replace
from datetime import date, timedelta
from secrets import token_bytes
from typing import Any

import pytest

from shared.domain.paying.link_secrets import (
    CODE_ALPHABET,
    new_bill_code,
    new_payment_link,
    new_secret,
    normalized_code,
    secret_hash,
    well_formed,
)
from shared.domain.paying.moved_money import NO_MONEY, OUR_METHODS
from shared.domain.paying.payments import PaymentReceived, exceeds_what_was_paid, post_payment
from shared.domain.paying.posting import credit_on
from shared.domain.paying.reversals import REVERSAL, ReversalRefusedError, Takeback, take_back
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.notice import BillLevel, Notice
from shared.domain.records.payment import Payment
from shared.domain.records.payment_link import PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.records.presets import CONFIGURATIONS, configuration
from shared.domain.records.statement import BillTo, OptOuts
from shared.domain.vocabulary.words import (
    BillStatus,
    BillType,
    Channel,
    CreditUse,
    DunningReset,
    LinkStatus,
    NoticeStatus,
    NotificationType,
)
from tests.worlds.bounds import some
from tests.worlds.examples import NOW, account, bill, book, notice, organization, the, with_rule

LATER = NOW + timedelta(days=40)
ZERO, MINUS_ONE = DunningReset.ZERO, DunningReset.MINUS_ONE


def received(amount: int, **changes: Any) -> PaymentReceived:
    return replace(PaymentReceived(payment_id="pay_1", amount=amount, method="card", received_on=NOW.date()), **changes)


def applied(before: AccountBook, change: Change | None) -> AccountBook:
    """The book as storage would read it after the change."""
    assert change is not None
    bills = {one.statement_id: one for one in (*before.bills, *change.bills)}
    notices = {one.notice_id: one for one in (*before.notices, *change.notices)}
    links = {one.link_id: one for one in (*before.links, *change.links)}
    return replace(
        before,
        account=change.account,
        bills=tuple(bills.values()),
        notices=tuple(notices.values()),
        links=tuple(links.values()),
        payments=(*before.payments, *change.payments),
    )


def paid(before: AccountBook, amount: int, practice: Organization | None = None, **changes: Any) -> AccountBook:
    return applied(before, post_payment(before, practice or organization(), received(amount, **changes), LATER, "test"))


def three_bills() -> AccountBook:
    """Bills that arrived on three days, the last one first in the book."""
    days = {"S-3": 0, "S-1": -20, "S-2": -10}
    return book(
        bills=tuple(
            bill(name, balance=100_00, created_at=NOW + timedelta(days=ago), effective_created_date=NOW.date())
            for name, ago in days.items()
        )
    )


def link(**changes: Any) -> PaymentLink:
    issued = new_payment_link(org_id="org_1", account_id="G-1", now=NOW, lives=timedelta(days=30), random=token_bytes)
    return replace(issued.link, **({"link_id": "lnk_1"} | changes))


# --- where the money goes -----------------------------------------------


def test_a_payment_to_zero_makes_a_bill_paid_and_asks_for_planning() -> None:
    after = paid(book(), 74_60)
    assert (the(after).status, the(after).balance, the(after).paid) == (BillStatus.PAID, 0, 74_60)
    assert the(after).last_payment_at == LATER
    assert after.account.planning_at == LATER
    assert [event.event for event in the(after).history] == ["PaymentPosted", "BillPaid"]


def test_a_part_payment_leaves_a_bill_due() -> None:
    after = paid(book(), 4_60)
    assert (the(after).status, the(after).balance) == (BillStatus.DUE, 70_00)
    assert [event.event for event in the(after).history] == ["PaymentPosted"]


def test_money_goes_to_the_bill_that_arrived_first() -> None:
    after = paid(three_bills(), 150_00)
    assert [the(after, name).balance for name in ("S-1", "S-2", "S-3")] == [0, 50_00, 100_00]
    assert [(one.statement_id, one.amount) for one in after.payments[0].allocations] == [
        ("S-1", 100_00),
        ("S-2", 50_00),
    ]


def test_bills_of_one_file_are_paid_by_the_dates_of_their_statements() -> None:
    bills = (bill("S-1", statement_date=date(2026, 2, 2)), bill("S-2", statement_date=date(2026, 2, 1)))
    assert the(paid(book(bills=bills), 74_60), "S-2").status is BillStatus.PAID


def test_a_bill_half_paid_is_paid_the_rest_first_though_its_aging_began_anew() -> None:
    practice = with_rule(ZERO, minimum_amount=1)
    once = paid(three_bills(), 50_00, practice)
    twice = paid(once, 50_00, practice, payment_id="pay_2")
    assert the(twice, "S-1").status is BillStatus.PAID
    assert the(twice, "S-2").balance == 100_00


def test_a_named_bill_is_paid_before_older_ones_which_its_surplus_pays_as_credit() -> None:
    after = paid(three_bills(), 130_00, statement_id="S-3")
    assert [the(after, name).balance for name in ("S-1", "S-2", "S-3")] == [70_00, 100_00, 0]
    assert (after.account.credit, after.payments[0].credit) == (0, 30_00)


def test_money_for_a_statement_that_a_later_one_replaced_is_for_that_one_either_way() -> None:
    """A check with last month's slip, where a practice keeps credits for its staff: the bill would be dunned on."""
    old = bill(
        "S-1", bill_type=BillType.LIFETIME, status=BillStatus.CANCELLED, status_reason="replaced by statement S-2"
    )
    new = bill("S-2", bill_type=BillType.LIFETIME, amends=("S-1",))
    keeps = organization(credit_use=CreditUse.KEEP)
    after = paid(book(bills=(old, new)), 74_60, keeps, statement_id="S-1", transaction_id="T-1")
    assert (the(after, "S-2").status, the(after, "S-1").balance, after.account.credit) == (BillStatus.PAID, 74_60, 0)
    assert post_payment(after, keeps, received(74_60, statement_id="S-2", transaction_id="T-1"), LATER, "test") is None
    bounced = received(-74_60, payment_id="pay_2", statement_id="S-1")
    assert not exceeds_what_was_paid(after, bounced)
    again = applied(after, post_payment(after, keeps, bounced, LATER, "test"))
    assert (the(again, "S-2").status, the(again, "S-2").balance, again.account.credit) == (BillStatus.DUE, 74_60, 0)


@pytest.mark.parametrize("method", sorted(OUR_METHODS))
def test_what_somebody_took_is_money_whatever_they_call_it(method: str) -> None:
    """A card site says "credit". As a use of the account's credit it could be used again, and is in no report."""
    after = paid(book(), 74_60, method=method, statement_id="S-1")
    assert after.payments[0].method not in OUR_METHODS
    assert credit_on(after, the(after)) == 0
    assert take_back(after, organization(), Takeback(payment_id="pay_1", kind=REVERSAL, reason="x"), LATER, "test")


@pytest.mark.parametrize("method", sorted(NO_MONEY))
def test_what_is_no_money_is_not_taken_back(method: str) -> None:
    figure = Payment(payment_id="crd_1", amount=5, method=method, received_on=NOW.date(), posted_at=NOW, credit=5)
    before = book(account=account(credit=5), payments=(figure,))
    with pytest.raises(ReversalRefusedError):
        take_back(before, organization(), Takeback(payment_id="crd_1", kind=REVERSAL, reason="x"), LATER, "test")


def test_what_no_bill_takes_becomes_credit() -> None:
    after = paid(book(), 80_00)
    assert (after.account.credit, after.payments[0].credit) == (5_40, 5_40)


def test_a_second_different_payment_of_a_paid_bill_becomes_credit() -> None:
    after = paid(paid(book(), 74_60), 74_60, payment_id="pay_2", statement_id="S-1")
    assert the(after).balance == 0
    assert after.account.credit == 74_60


def test_a_suspended_bill_can_be_paid_and_stays_suspended_until_it_is_all_paid() -> None:
    before = book(bills=(bill(status=BillStatus.SUSPENDED, status_reason="dispute"),))
    part = paid(before, 4_60)
    assert (the(part).status, the(part).status_reason) == (BillStatus.SUSPENDED, "dispute")
    whole = paid(part, 70_00, payment_id="pay_2")
    assert (the(whole).status, the(whole).status_reason) == (BillStatus.PAID, "")


def test_a_cancelled_bill_takes_no_money() -> None:
    after = paid(book(bills=(bill(status=BillStatus.CANCELLED),)), 74_60)
    assert the(after).balance == 74_60
    assert after.account.credit == 74_60


# --- the same money twice -----------------------------------------------


def test_the_same_payment_is_posted_once() -> None:
    after = paid(book(), 10_00)
    assert post_payment(after, organization(), received(10_00), LATER, "test") is None


@pytest.mark.parametrize("statement_id", ["", "S-1"])
def test_the_same_transaction_is_posted_once_under_whatever_payment_id(statement_id: str) -> None:
    after = paid(book(), 10_00, transaction_id="txn-1", statement_id=statement_id)
    again = received(10_00, payment_id="pay_2", transaction_id="txn-1", statement_id=statement_id)
    assert post_payment(after, organization(), again, LATER, "test") is None


def test_a_transaction_is_known_again_when_the_partner_names_the_bill_that_it_went_to() -> None:
    after = paid(book(), 10_00, transaction_id="txn-1")
    echo = received(10_00, payment_id="pay_2", transaction_id="txn-1", statement_id="S-1")
    assert post_payment(after, organization(), echo, LATER, "test") is None


def test_one_check_may_pay_two_bills_under_one_transaction() -> None:
    once = paid(three_bills(), 100_00, statement_id="S-1", transaction_id="check-7")
    twice = paid(once, 100_00, payment_id="pay_2", statement_id="S-2", transaction_id="check-7")
    assert the(twice, "S-2").status is BillStatus.PAID


def test_a_transaction_that_became_credit_is_still_known() -> None:
    once = paid(paid(book(), 74_60), 5_00, payment_id="pay_2", statement_id="S-1", transaction_id="txn-2")
    again = received(5_00, payment_id="pay_3", statement_id="S-1", transaction_id="txn-2")
    assert post_payment(once, organization(), again, LATER, "test") is None


def test_no_money_is_nothing_to_post() -> None:
    assert post_payment(book(), organization(), received(0), LATER, "test") is None


# --- money that goes back -----------------------------------------------


def test_money_that_goes_back_reopens_a_paid_bill() -> None:
    after = paid(paid(book(), 74_60), -74_60, payment_id="pay_2", statement_id="S-1", method="refund")
    assert (the(after).status, the(after).balance, the(after).paid) == (BillStatus.DUE, 74_60, 0)
    assert [event.event for event in the(after).history[-2:]] == ["PaymentReversed", "BillReopened"]
    assert after.account.credit == 0


def test_money_that_goes_back_reopens_a_bill_that_a_statement_of_zero_cancelled() -> None:
    before = book(bills=(bill(status=BillStatus.CANCELLED, balance=0),))
    after = paid(before, -20_00, statement_id="S-1", method="returned check")
    assert (the(after).status, the(after).balance) == (BillStatus.DUE, 20_00)


def test_a_bill_that_a_person_cancelled_is_not_reopened() -> None:
    before = book(bills=(bill(status=BillStatus.CANCELLED, balance=50_00),))
    after = paid(before, -20_00, statement_id="S-1", method="refund")
    assert (the(after).status, the(after).balance) == (BillStatus.CANCELLED, 70_00)


def test_a_chargeback_suspends_the_bill_and_stops_what_was_pending() -> None:
    before = paid(book(), 4_60)
    pending = replace(before, notices=(notice(),))
    after = paid(pending, -4_60, payment_id="pay_2", statement_id="S-1", method="chargeback")
    assert (the(after).status, the(after).status_reason, the(after).balance) == (
        BillStatus.SUSPENDED,
        "chargeback",
        74_60,
    )
    assert (after.notices[0].status, after.notices[0].reason) == (NoticeStatus.CANCELLED, "bill is suspended")


def test_money_that_goes_back_takes_what_had_been_overpaid_out_of_the_credit() -> None:
    after = paid(paid(book(), 80_00), -80_00, payment_id="pay_2", statement_id="S-1", method="void")
    assert (the(after).balance, after.account.credit) == (74_60, 0)
    assert after.payments[1].credit == -5_40


def test_money_that_goes_back_without_a_name_comes_off_the_bill_that_was_paid_last() -> None:
    before = paid(three_bills(), 150_00)
    after = paid(before, -70_00, payment_id="pay_2", method="refund")
    assert [the(after, name).balance for name in ("S-1", "S-2", "S-3")] == [20_00, 100_00, 100_00]
    assert the(after, "S-1").status is BillStatus.DUE


# --- the payment rule -----------------------------------------------


@pytest.mark.parametrize(
    ("rule", "amount", "met"),
    [
        ({"minimum_amount": 20_00}, 19_99, False),
        ({"minimum_amount": 20_00}, 20_00, True),
        ({"minimum_percent": 50}, 37_29, False),
        ({"minimum_percent": 50}, 37_30, True),
    ],
)
def test_the_payment_rule_is_met_from_its_limit_on(rule: dict[str, int], amount: int, met: bool) -> None:  # noqa: FBT001 - an expected outcome
    after = paid(book(notices=(notice(),)), amount, with_rule(ZERO, **rule))
    assert (the(after).aging_period != "S-1/1") is met
    assert (after.notices[0].status is NoticeStatus.WILL_NOT_SEND) is met


def test_zero_starts_aging_today_with_the_first_step_counted_as_sent() -> None:
    after = the(paid(book(), 50_00, with_rule(ZERO, minimum_amount=50_00)))
    assert (after.effective_created_date, after.level_floor) == (LATER.date(), 1)


def test_today_is_the_organizations_day() -> None:
    late_evening = LATER.replace(hour=3)  # still the day before in New York
    change = post_payment(book(), with_rule(ZERO, minimum_amount=1), received(50_00), late_evening, "test")
    assert change is not None
    assert change.bills[0].effective_created_date == LATER.date() - timedelta(days=1)


def test_minus_one_puts_the_bill_at_the_step_below_which_counts_as_sent() -> None:
    before = book(bills=(bill(effective_created_date=LATER.date() - timedelta(days=65)),))
    after = the(paid(before, 50_00, with_rule(MINUS_ONE, minimum_amount=1)))
    assert (LATER.date() - after.effective_created_date).days == 30
    assert after.level_floor == 2


def test_minus_one_at_the_first_step_is_zero() -> None:
    before = book(bills=(bill(effective_created_date=LATER.date() - timedelta(days=10)),))
    after = the(paid(before, 50_00, with_rule(MINUS_ONE, minimum_amount=1)))
    assert (after.effective_created_date, after.level_floor) == (LATER.date(), 1)


def test_a_bill_paid_in_full_keeps_its_aging() -> None:
    after = the(paid(book(), 74_60, with_rule(ZERO, minimum_amount=1)))
    assert after.aging_period == "S-1/1"


def test_a_payment_that_meets_the_rule_stops_all_that_is_pending_for_the_account() -> None:
    of_another_bill = notice(
        notice_id="ntc_2",
        channel=Channel.SMS,
        status=NoticeStatus.QUEUED,
        bills=(BillLevel(statement_id="S-2", aging_period="S-2/1", level=1),),
    )
    before = book(bills=(bill(), bill("S-2")), notices=(notice(), of_another_bill))
    after = paid(before, 50_00, with_rule(ZERO, minimum_amount=1), statement_id="S-1")
    assert {(one.status, one.reason) for one in after.notices} == {(NoticeStatus.WILL_NOT_SEND, "payment made")}


# --- what was going to be sent -----------------------------------------------


def test_a_bill_paid_stops_what_was_pending_about_it_alone() -> None:
    both = notice(
        notice_id="ntc_2",
        channel=Channel.PRINT,
        bills=tuple(BillLevel(statement_id=name, aging_period=f"{name}/1", level=1) for name in ("S-1", "S-2")),
    )
    before = book(bills=(bill(), bill("S-2")), notices=(notice(), both))
    after = paid(before, 74_60, statement_id="S-1")
    assert [one.status for one in after.notices] == [NoticeStatus.WILL_NOT_SEND, NoticeStatus.SCHEDULED]
    assert after.notices[0].status_history[-1].actor == "test"


def test_a_part_payment_below_the_rule_stops_nothing() -> None:
    after = paid(book(notices=(notice(),)), 1_00)
    assert after.notices[0].status is NoticeStatus.SCHEDULED


@pytest.mark.parametrize("status", [NoticeStatus.SENDING, NoticeStatus.SENT, NoticeStatus.UNKNOWN])
def test_what_the_provider_may_have_is_left_alone(status: NoticeStatus) -> None:
    after = paid(book(notices=(notice(status=status),)), 74_60)
    assert after.notices[0].status is status


def test_a_link_or_message_asked_for_is_stopped_when_nothing_is_owed_any_more() -> None:
    asked = [
        notice(notice_id=f"ntc_{kind}", notification_type=kind, level=0, bills=())
        for kind in (NotificationType.ON_DEMAND, NotificationType.PAYMENT_LINK)
    ]
    after = paid(book(notices=tuple(asked)), 74_60)
    assert {one.status for one in after.notices} == {NoticeStatus.WILL_NOT_SEND}
    assert {one.status for one in paid(book(notices=tuple(asked)), 1_00).notices} == {NoticeStatus.SCHEDULED}


# --- links and receipts -----------------------------------------------


def receipts(after: AccountBook) -> list[Notice]:
    return [one for one in after.notices if one.notification_type is NotificationType.RECEIPT]


def test_a_payment_through_a_link_plans_one_receipt_for_now() -> None:
    after = paid(book(links=(link(),)), 74_60, link_id="lnk_1")
    (receipt,) = receipts(after)
    assert (receipt.channel, receipt.payment_id, receipt.scheduled_for) == (Channel.EMAIL, "pay_1", LATER)
    assert receipt.statement_ids == ("S-1",)


def test_money_taken_elsewhere_has_no_receipt_from_us() -> None:
    assert receipts(paid(book(links=(link(),)), 74_60)) == []


@pytest.mark.parametrize("trouble", ["no address", "undeliverable"])
def test_without_a_usable_address_there_is_no_receipt(trouble: str) -> None:
    owner = account()
    if trouble == "no address":
        owner = replace(owner, guarantor=replace(owner.guarantor, email=""))
    else:
        owner = replace(owner, undeliverable=frozenset({Channel.EMAIL}))
    assert receipts(paid(book(account=owner, links=(link(),)), 74_60, link_id="lnk_1")) == []


def test_an_opt_out_from_email_does_not_withhold_a_receipt() -> None:
    before = book(account=account(opt_outs=OptOuts(email=True)), links=(link(),))
    assert len(receipts(paid(before, 74_60, link_id="lnk_1"))) == 1


@pytest.mark.parametrize(("email", "planned"), [("payer@example.com", 1), ("", 0)])
def test_a_third_party_who_paid_gets_the_receipt(email: str, planned: int) -> None:
    before = book(
        account=account(bill_to=BillTo(name="Payer", email=email)),
        notices=(notice(status=NoticeStatus.SENT, send_to="billTo"),),
        links=(link(notice_id="ntc_1"),),
    )
    after = paid(before, 74_60, link_id="lnk_1")
    assert [one.send_to for one in receipts(after)] == ["billTo"] * planned


def test_a_link_is_paid_when_nothing_is_left_of_what_it_is_about() -> None:
    before = book(bills=(bill(), bill("S-2")), links=(link(), link(link_id="lnk_2", statement_id="S-1")))
    for_all = paid(before, 74_60, link_id="lnk_1")
    for_one = paid(before, 74_60, link_id="lnk_2", statement_id="S-1")
    assert [one.status for one in for_all.links] == [LinkStatus.SENT, LinkStatus.SENT]
    assert [one.status for one in for_one.links] == [LinkStatus.SENT, LinkStatus.PAID]


# --- secrets -----------------------------------------------


def test_a_token_fits_a_text_message_and_a_url_and_is_never_the_same() -> None:
    tokens = {new_secret(token_bytes) for _ in range(500)}
    assert len(tokens) == 500
    assert all(token.isascii() and token.isalnum() and len(token) == 22 for token in some(tokens))


@pytest.mark.parametrize("typed", ["01ABC-DEFGH", "01abcdefgh", " oiabc defgh ", "OLABC\N{EN DASH}DEFGH"])
def test_a_bill_code_is_read_however_people_type_it(typed: str) -> None:
    assert normalized_code(typed) == "01ABCDEFGH"
    assert secret_hash(typed) == secret_hash("01ABC-DEFGH")


@pytest.mark.parametrize("typed", ["", "01ABC", "01ABC-DEFGU", "01ABC-DEFGHJ", "01ABC/DEFGH"])
def test_what_cannot_be_a_bill_code_is_none(typed: str) -> None:
    assert normalized_code(typed) is None
    assert not well_formed(typed)


def test_a_bill_code_is_printed_in_two_groups_of_readable_signs() -> None:
    code = new_bill_code(token_bytes)
    assert code[5] == "-"
    assert set(code.replace("-", "")) <= set(CODE_ALPHABET)
    assert well_formed(code)


def test_a_link_stores_only_hashes_of_its_secrets() -> None:
    issued = new_payment_link(
        org_id="o", account_id="a", now=NOW, lives=timedelta(hours=24), with_code=True, random=token_bytes
    )
    assert issued.token not in repr(issued.link)
    assert issued.code not in repr(issued.link)
    assert issued.link.token_hash == secret_hash(issued.token)
    assert issued.link.code_hash == secret_hash(issued.code)
    assert issued.link.expires_at == NOW + timedelta(hours=24)


def test_a_link_without_a_code_has_none() -> None:
    issued = new_payment_link(org_id="o", account_id="a", now=NOW, lives=timedelta(hours=24), random=token_bytes)
    assert (issued.code, issued.link.code_hash) == ("", "")


def test_minus_one_at_the_second_step_makes_the_bill_as_old_as_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that one isn't due on the first day, this isn't the same as beginning anew."""
    first, *later = configuration("standard-30").steps
    late = replace(configuration("standard-30"), steps=(replace(first, bill_age=5), *later))
    monkeypatch.setitem(CONFIGURATIONS, "standard-30", late)
    before = book(bills=(bill(effective_created_date=LATER.date() - timedelta(days=40)),))
    after = the(paid(before, 50_00, with_rule(MINUS_ONE, minimum_amount=1)))
    assert (LATER.date() - after.effective_created_date, after.level_floor) == (timedelta(days=5), 1)


def test_a_cent_that_meets_the_rule_stops_what_is_pending_as_a_payment() -> None:
    before = book(bills=(bill(balance=2),), notices=(notice(),))
    after = paid(before, 1, with_rule(ZERO, minimum_percent=50))
    assert (after.notices[0].status, after.notices[0].reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")
