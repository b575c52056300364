"""What a statement does to an account: creates, updates, cancels, resets, moves, amends; and what it leaves alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.contracts.statements import read_payment_update, read_statement
from shared.domain.account.bill_status import set_status
from shared.domain.account.ledger import with_notices
from shared.domain.dunning import plan
from shared.domain.intake.arrival import Arrival, IntakeContext, Received
from shared.domain.intake.moving import Departure, depart
from shared.domain.intake.payment_updates import receive_payment_update
from shared.domain.intake.receive import receive_statement
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.records.bill import Bill
from shared.domain.records.book import AccountBook, Change
from shared.domain.records.ingestion import Remark
from shared.domain.records.notice import moved
from shared.domain.records.payment_link import Checkout, PaymentLink
from shared.domain.records.policy import Organization
from shared.domain.records.statement import Address, OptOuts
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import (
    AccountStatus,
    BillAging,
    BillStatus,
    BillType,
    Channel,
    Hold,
    IngestionResult,
    Language,
    NoticeStatus,
    NotificationType,
)
from tests.worlds.examples import NOW, account, notice, organization
from tests.worlds.statement_examples import statement

CREATED, UPDATED = IngestionResult.CREATED, IngestionResult.UPDATED
IGNORED, FAILED = IngestionResult.IGNORED, IngestionResult.FAILED
TODAY = NOW.date()
TWO_DUE_STEPS = "paperless-30"
"""A preset with steps at 0 (Initial), 15 and 30 (both Due), 60 (PastDue) and 90 days (Final)."""


def practice(**dunning: Any) -> Organization:
    plain = organization()
    return replace(plain, dunning=replace(plain.dunning, **dunning))


class Desk:
    """One account as statements come in for it, day by day; the guarantor's book is `book` once it exists."""

    def __init__(self, bill_type: BillType = BillType.EPISODIC, **dunning: Any) -> None:
        self.organization = practice(**dunning)
        self.bill_type = bill_type
        self.now = NOW
        self.files = 0
        self.book: AccountBook | None = None

    def delivery(self) -> IntakeContext:
        return IntakeContext(
            organization=self.organization,
            bill_type=self.bill_type,
            ingestion_id=f"ing-{self.files}",
            now=self.now,
        )

    def takes(
        self, statement_id: str = "S-1", days: int = 0, departures: Sequence[Departure] = (), **changes: Any
    ) -> Received:
        """Receive a statement some days after the last."""
        self.now += timedelta(days=days)
        self.files += 1
        document = json.dumps(statement(statement_id, **changes))
        read = read_statement(DECODER.decode(document))
        arrival = Arrival(
            statement=read.statement,
            document=document.encode(),
            warnings=read.warnings,
            language_given=read.language_given,
            unusable=read.unusable,
            time_zones=("America/New_York",),
        )
        received = receive_statement(self.book, arrival, self.delivery(), departures)
        self.apply(received.change)
        return received

    def pays(self, amount: int, days: int = 0, statement_id: str = "S-1") -> None:
        self.now += timedelta(days=days)
        received = PaymentReceived(
            payment_id=f"pay-{self.now}", amount=amount, method="cash", received_on=TODAY, statement_id=statement_id
        )
        self.apply(post_payment(self.known, self.organization, received, self.now, "test"))

    def plans(self) -> None:
        self.book = self.known.after(plan(self.known, self.organization, self.now).change(self.known.account))

    def sends(self) -> None:
        """Everything that is planned goes."""
        self.plans()
        sent = tuple(
            moved(notice, NoticeStatus.SENT, self.now, "test", sent_at=self.now)
            for notice in self.known.notices
            if notice.status is NoticeStatus.SCHEDULED
        )
        self.book = with_notices(self.known, sent)

    def apply(self, change: Change | None) -> None:
        if change is not None:
            self.book = self.book.after(change) if self.book else AccountBook(account=change.account).after(change)

    @property
    def known(self) -> AccountBook:
        assert self.book is not None
        return self.book

    def bill(self, statement_id: str = "S-1") -> Bill:
        bill = self.known.bill(statement_id)
        assert bill is not None
        return bill

    def scheduled(self) -> list[str]:
        self.plans()
        return sorted(
            {f"{notice.notification_type}" for notice in self.known.notices if notice.status is NoticeStatus.SCHEDULED}
        )


# --- create and update -----------------------------------------------


def test_a_first_statement_creates_the_account_and_its_bill() -> None:
    desk = Desk()
    assert desk.takes().result is CREATED
    bill, guarantor = desk.bill(), desk.known.account
    assert (bill.status, bill.balance, bill.total_billed) == (BillStatus.DUE, 74_60, 120_00)
    assert (bill.statement_date, bill.effective_created_date) == (date(2026, 3, 1), TODAY)
    assert (bill.patient_account_ids, bill.birth_dates) == (("P-1",), (date(2015, 6, 7),))
    assert (guarantor.account_id, guarantor.planning_at, guarantor.time_zones) == ("G-1", NOW, ("America/New_York",))
    assert [event.event for event in bill.history] == ["BillCreated"]
    assert bill.ingestion_id == "ing-1"


def test_the_processing_date_is_the_day_on_the_organizations_calendar() -> None:
    desk = Desk()
    desk.now = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # still the second in New York
    desk.takes(statementDate=None)
    assert (desk.bill().statement_date, desk.bill().effective_created_date) == (date(2026, 3, 2), date(2026, 3, 2))


def test_a_changed_statement_updates_the_bill_and_its_age_goes_on() -> None:
    desk = Desk()
    desk.takes()
    assert desk.takes(days=10, totalBalance="50.00").result is UPDATED
    assert desk.bill().balance == 50_00
    assert desk.bill().effective_created_date == TODAY
    assert desk.bill().aging_period == "S-1/1"
    assert [event.event for event in desk.bill().history] == ["BillCreated", "BillUpdated"]


def test_an_identical_statement_is_ignored_and_so_it_is_after_a_payment() -> None:
    desk = Desk()
    desk.takes()
    assert desk.takes() == Received(result=IGNORED)
    desk.pays(20_00)
    assert desk.takes(days=1) == Received(result=IGNORED)
    assert desk.bill().balance == 54_60


def test_the_same_file_worked_on_again_tells_the_same_results() -> None:
    desk = Desk()
    desk.takes()
    desk.files -= 1
    assert desk.takes() == Received(result=CREATED)
    desk.takes(totalBalance="50.00")
    desk.files -= 1
    assert desk.takes(totalBalance="50.00") == Received(result=UPDATED)


def test_a_second_bill_stands_beside_the_first() -> None:
    desk = Desk()
    desk.takes("S-1")
    assert desk.takes("S-2", totalBalance="10.00").result is CREATED
    assert [bill.statement_id for bill in desk.known.bills] == ["S-1", "S-2"]


def test_an_archived_organization_takes_no_statements_and_others_do() -> None:
    desk = Desk()
    for status in (AccountStatus.INACTIVE, AccountStatus.SUSPENDED, AccountStatus.ACTIVE):
        desk.organization = replace(desk.organization, account_status=status)
        assert desk.takes(statementMessage=status).result in {CREATED, UPDATED}
    desk.organization = replace(desk.organization, account_status=AccountStatus.ARCHIVED)
    received = desk.takes(statementMessage="late")
    assert (received.result, received.change) == (FAILED, None)
    assert [error.pointer for error in received.errors] == ["/clientId"]


# --- nothing owed -----------------------------------------------


def test_a_balance_of_zero_cancels_the_bill_and_what_was_going_to_be_sent() -> None:
    desk = Desk()
    desk.takes()
    desk.plans()
    assert desk.takes(totalBalance="0.00").result is UPDATED
    assert (desk.bill().status, desk.bill().status_reason) == (BillStatus.CANCELLED, Reason.BALANCE_ZERO)
    assert {notice.status for notice in desk.known.notices} == {NoticeStatus.CANCELLED}


def test_a_message_on_demand_about_a_bill_that_is_over_is_stopped_too() -> None:
    desk = Desk()
    desk.takes()
    asked = notice(notification_type=NotificationType.ON_DEMAND, status=NoticeStatus.QUEUED)
    desk.book = with_notices(desk.known, (asked,))
    desk.takes(totalBalance="0.00")
    assert desk.known.notices[0].status is NoticeStatus.CANCELLED


def test_a_receipt_goes_although_the_bill_is_over() -> None:
    desk = Desk()
    desk.takes()
    desk.book = with_notices(desk.known, (notice(notification_type=NotificationType.RECEIPT),))
    desk.takes(totalBalance="0.00")
    assert desk.known.notices[0].status is NoticeStatus.SCHEDULED


def test_a_notice_about_another_open_bill_too_isnt_stopped() -> None:
    desk = Desk()
    desk.takes("S-1")
    desk.takes("S-2")
    desk.plans()
    desk.takes("S-1", totalBalance="0.00")
    assert NoticeStatus.SCHEDULED in {notice.status for notice in desk.known.notices}


def test_a_first_statement_of_zero_makes_a_bill_that_is_over() -> None:
    desk = Desk()
    assert desk.takes(totalBalance="0.00").result is CREATED
    assert desk.bill().status is BillStatus.CANCELLED
    assert desk.scheduled() == []


def test_a_credit_ends_the_bill_like_a_zero() -> None:
    desk = Desk()
    desk.takes()
    desk.takes(totalBalance="-12.00")
    assert (desk.bill().status, desk.bill().balance) == (BillStatus.CANCELLED, -12_00)


def test_a_paid_bill_stays_paid_when_the_partner_says_zero() -> None:
    desk = Desk()
    desk.takes()
    desk.pays(74_60)
    desk.takes(days=1, totalBalance="0.00")
    assert desk.bill().status is BillStatus.PAID


@pytest.mark.parametrize("ending", ["paid", "zero"])
def test_a_bill_that_was_over_starts_anew_with_a_new_balance(ending: str) -> None:
    desk = Desk()
    desk.takes()
    desk.sends()
    desk.pays(74_60) if ending == "paid" else desk.takes(totalBalance="0.00")
    assert desk.takes(days=40, totalBalance="15.00").result is UPDATED
    assert desk.bill().status is BillStatus.DUE
    assert desk.bill().effective_created_date == TODAY + timedelta(days=40)
    assert desk.scheduled() == ["Initial"]


def test_a_suspended_bill_stays_suspended() -> None:
    desk = Desk()
    desk.takes()
    suspended = replace(desk.bill(), status=BillStatus.SUSPENDED, status_reason="in dispute")
    desk.book = replace(desk.known, bills=(suspended,))
    desk.takes(totalBalance="50.00")
    assert (desk.bill().status, desk.bill().status_reason) == (BillStatus.SUSPENDED, "in dispute")
    desk.takes(totalBalance="0.00")
    assert desk.bill().status is BillStatus.CANCELLED


# --- days to ignore after a transaction -----------------------------------------------


@pytest.mark.parametrize(
    ("days_after", "statement_date", "balance", "result"),
    [
        (1, "2026-03-01", "74.60", IGNORED),
        (3, "2026-03-01", "74.60", IGNORED),
        (4, "2026-03-03", "74.60", UPDATED),
        (2, "2026-03-02", "74.60", IGNORED),
        (2, "2026-03-03", "74.60", UPDATED),
        (2, None, "74.60", IGNORED),
        (2, None, "54.60", UPDATED),
        (2, "2026-03-01", "0.00", UPDATED),
    ],
)
def test_a_balance_older_than_a_payment_is_ignored_for_the_set_days(
    days_after: int, statement_date: str | None, balance: str, result: IngestionResult
) -> None:
    desk = Desk(days_to_ignore_after_transaction=3)
    desk.takes()
    desk.pays(20_00)
    received = desk.takes(
        days=days_after, statementDate=statement_date, totalBalance=balance, statementMessage="another"
    )
    assert received.result is result
    assert desk.bill().balance == (54_60 if result is IGNORED else int(balance.replace(".", "")))
    assert [warning.pointer for warning in received.warnings] == (["/totalBalance"] if result is IGNORED else [])


def test_without_the_setting_a_statement_after_a_payment_counts() -> None:
    desk = Desk()
    desk.takes()
    desk.pays(20_00)
    assert desk.takes(statementDate="2026-03-03", statementMessage="another").result is UPDATED
    assert desk.bill().balance == 74_60


# --- resets -----------------------------------------------


def test_a_reset_restarts_aging_where_the_organization_lets_it() -> None:
    for allowed in (True, False):
        desk = Desk(enable_bill_reset=allowed)
        desk.takes()
        desk.sends()
        desk.takes(days=45, resetBill=True)
        started = TODAY + timedelta(days=45) if allowed else TODAY
        assert desk.bill().effective_created_date == started
        assert desk.scheduled() == (["Initial"] if allowed else ["Due"])


@pytest.mark.parametrize(
    ("changes", "restarted"),
    [
        ({"totalBilled": "130.00"}, True),
        ({"totalBilled": 120}, False),
        ({"totalBilled": "120.00"}, False),
        ({"patients__0__visits__0__visitId": "V-9"}, True),
        ({"totalBalance": "60.00"}, False),
    ],
)
def test_a_change_in_a_named_field_restarts_aging(changes: dict[str, Any], restarted: bool) -> None:  # noqa: FBT001 - a table
    desk = Desk(reset_on_fields_changing=True, reset_fields=("/totalBilled", "/patients/0/visits/0/visitId"))
    desk.takes()
    desk.takes(days=5, statementMessage="another", **changes)
    assert (desk.bill().effective_created_date != TODAY) is restarted
    assert (desk.bill().aging_period != "S-1/1") is restarted


# --- dunning status -----------------------------------------------


@pytest.mark.parametrize(
    ("status", "age"), [("Initial", 0), ("Due", 15), ("PastDue", 60), ("Final", 90), ("3", 30), (5, 90)]
)
def test_a_dunning_status_puts_a_new_bill_at_its_step(status: str | int, age: int) -> None:
    desk = Desk(bill_aging=BillAging.BASED_ON_DUNNING_STATUS, configuration_id=TWO_DUE_STEPS)
    desk.takes(dunningStatus=status)
    assert desk.bill().age_on(TODAY) == age


def test_with_natural_aging_a_dunning_status_moves_nothing() -> None:
    desk = Desk()
    received = desk.takes(dunningStatus="Final")
    assert (desk.bill().age_on(TODAY), received.warnings) == (0, ())


def test_a_dunning_status_that_the_preset_lacks_is_a_warning() -> None:
    desk = Desk(bill_aging=BillAging.BASED_ON_DUNNING_STATUS, configuration_id=TWO_DUE_STEPS)
    received = desk.takes(dunningStatus="17")
    assert [warning.pointer for warning in received.warnings] == ["/dunningStatus"]
    assert desk.bill().age_on(TODAY) == 0


@pytest.mark.parametrize("status", ["Due", "2", "3"])
def test_repeating_the_status_that_the_bill_is_at_moves_nothing(status: str) -> None:
    desk = Desk(bill_aging=BillAging.BASED_ON_DUNNING_STATUS, configuration_id=TWO_DUE_STEPS)
    desk.takes()
    day = {"Due": 20, "2": 20, "3": 40}[status]
    desk.takes(days=day, dunningStatus=status)
    assert desk.bill().age_on(desk.now.date()) == day
    assert desk.bill().aging_period == "S-1/1"


def test_a_type_that_the_bills_step_has_moves_nothing_although_its_first_step_is_lower() -> None:
    desk = Desk(bill_aging=BillAging.BASED_ON_DUNNING_STATUS, configuration_id=TWO_DUE_STEPS)
    desk.takes()
    desk.takes(days=40, dunningStatus="Due")  # level 3, which is a Due step too
    assert desk.bill().effective_created_date == TODAY


def test_a_status_below_the_bills_level_sends_that_step_again() -> None:
    desk = Desk(bill_aging=BillAging.BASED_ON_DUNNING_STATUS, configuration_id=TWO_DUE_STEPS)
    desk.takes(dunningStatus="PastDue")
    desk.sends()
    assert desk.scheduled() == []
    desk.takes(days=7, dunningStatus="Initial")
    assert desk.scheduled() == ["Initial"]


def test_a_status_above_the_bills_level_sends_that_step() -> None:
    desk = Desk(bill_aging=BillAging.BASED_ON_DUNNING_STATUS, configuration_id=TWO_DUE_STEPS)
    desk.takes()
    desk.sends()
    desk.takes(days=1, dunningStatus="Final")
    assert desk.scheduled() == ["Final"]


# --- notices after an update -----------------------------------------------


@pytest.mark.parametrize("told", [True, False])
def test_an_update_of_the_balance_tells_the_step_again_where_that_is_set(told: bool) -> None:  # noqa: FBT001 - a table
    desk = Desk(communications_on_bill_update=told)
    desk.takes()
    desk.sends()
    desk.takes(days=1, statementMessage="the balance is the same")
    assert desk.scheduled() == []
    desk.takes(days=1, totalBalance="50.00")
    assert desk.scheduled() == (["Initial"] if told else [])


# --- the account -----------------------------------------------


def test_what_a_statement_doesnt_say_of_the_guarantor_stands() -> None:
    desk = Desk()
    desk.takes(guarantor__language="es", billTo={"name": "Aunt May"})
    desk.takes(
        guarantor__email=...,
        guarantor__mobilePhone=...,
        guarantor__address=...,
        guarantor__language=...,
        guarantor__dateOfBirth=...,
        guarantor__lastName="Sample",
    )
    guarantor = desk.known.account.guarantor
    assert guarantor.name == "Ada Sample"
    assert (guarantor.email, guarantor.mobile_phone) == ("ada@example.com", "+15185550111")
    assert (guarantor.language, guarantor.date_of_birth) == (Language.SPANISH, date(1980, 2, 29))
    assert guarantor.address is not None
    assert desk.known.account.bill_to is not None
    assert desk.known.account.time_zones == ("America/New_York",)


def test_new_contact_data_replaces_the_old_and_is_tried_again() -> None:
    desk = Desk()
    desk.takes()
    bounced = replace(desk.known.account, undeliverable=frozenset(Channel))
    desk.book = replace(desk.known, account=bounced)
    desk.takes(guarantor__email="new@example.com", guarantor__address__line1="1 Elm St")
    assert desk.known.account.guarantor.email == "new@example.com"
    assert isinstance(desk.known.account.guarantor.address, Address)
    assert desk.known.account.undeliverable == {Channel.SMS}


def test_contact_data_that_cant_be_used_takes_the_old_away() -> None:
    desk = Desk()
    desk.takes()
    received = desk.takes(guarantor__email="no address", guarantor__mobilePhone="12")
    assert [warning.pointer for warning in received.warnings] == ["/guarantor/email", "/guarantor/mobilePhone"]
    assert (desk.known.account.guarantor.email, desk.known.account.guarantor.mobile_phone) == ("", "")


def test_an_opt_out_stops_what_is_pending_and_a_later_statement_doesnt_undo_it() -> None:
    desk = Desk()
    desk.takes()
    desk.plans()
    desk.takes(electronicOptOut="E")
    stopped = {notice.channel for notice in desk.known.notices if notice.status is NoticeStatus.CANCELLED}
    assert stopped == {Channel.EMAIL}
    desk.takes(electronicOptOut=None)
    assert desk.known.account.opt_outs == OptOuts(email=True)
    desk.takes(electronicOptOut="M")
    assert desk.known.account.opt_outs == OptOuts(email=True, sms=True)


def test_an_opt_out_of_the_last_channel_leaves_paper_open() -> None:
    desk = Desk()
    desk.takes()
    refused_paper = replace(desk.known.account, opt_outs=OptOuts(email=True, print=True))
    desk.book = replace(desk.known, account=refused_paper)
    desk.takes(electronicOptOut="M")
    assert desk.known.account.opt_outs == OptOuts(email=True, sms=True, print=False)


def test_holds_and_version_are_no_matter_of_a_statement() -> None:
    desk = Desk()
    desk.takes()
    before = replace(desk.known.account, holds=frozenset({Hold.DISPUTE}), version=7)
    desk.book = replace(desk.known, account=before)
    desk.takes(totalBalance="1.00")
    after = desk.known.account
    assert (after.holds, after.version) == (before.holds, 7)


# --- Lifetime -----------------------------------------------


def test_a_lifetime_statement_amends_the_active_bill_of_its_patient_and_aging_goes_on() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1")
    desk.sends()
    received = desk.takes("L-2", days=10, totalBalance="99.00")
    assert received.result is UPDATED
    old, new = desk.bill("L-1"), desk.bill("L-2")
    assert (old.status, old.status_reason) == (BillStatus.CANCELLED, "replaced by statement L-2")
    assert (new.status, new.balance, new.effective_created_date) == (BillStatus.DUE, 99_00, TODAY)
    assert [event.event for event in new.history] == ["BillCreated", "BillAmended"]
    assert desk.scheduled() == []  # what was told of the old one counts for the new one


def test_what_was_paid_on_an_amended_bill_shows_on_the_new_one_alone() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1")
    paid = replace(desk.bill("L-1"), paid=10_00)
    desk.book = replace(desk.known, bills=(paid,))
    desk.takes("L-2", days=40, totalBalance="64.60")
    assert (desk.bill("L-1").paid, desk.bill("L-2").paid) == (0, 10_00)


def test_what_is_pending_about_an_amended_bill_goes_on_with_the_new_one() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1")
    desk.plans()
    link = PaymentLink(
        link_id="lnk",
        org_id="org_1",
        account_id="G-1",
        statement_id="L-1",
        token_hash="t",
        created_at=NOW,
        expires_at=NOW,
    )
    checkout = Checkout(
        reference="ref", org_id="org_1", account_id="G-1", link_id="lnk", statement_id="L-1", amount=1, created_at=NOW
    )
    desk.book = replace(desk.known, links=(link,), checkouts=(checkout,))
    desk.takes("L-2")
    assert {notice.statement_ids for notice in desk.known.notices} == {("L-2",)}
    assert {notice.status for notice in desk.known.notices} == {NoticeStatus.SCHEDULED}
    told = {(entry.reason, entry.at, entry.actor) for *_, entry in (row.status_history for row in desk.known.notices)}
    assert told == {("replaced by statement L-2", NOW, "partner")}
    assert {notice.reason for notice in desk.known.notices} == {""}
    assert [each.statement_id for each in desk.known.links] == ["L-2"]
    assert [each.statement_id for each in desk.known.checkouts] == ["L-2"]


@pytest.mark.parametrize("ending", ["paid", "zero"])
def test_a_lifetime_bill_starts_anew_after_its_end(ending: str) -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1")
    desk.sends()
    desk.pays(74_60, statement_id="L-1") if ending == "paid" else desk.takes("L-1", totalBalance="0.00")
    assert desk.takes("L-2", days=30).result is CREATED
    assert desk.bill("L-2").effective_created_date == TODAY + timedelta(days=30)
    assert desk.bill("L-1").status in {BillStatus.PAID, BillStatus.CANCELLED}
    assert desk.scheduled() == ["Initial"]


def test_patients_of_one_guarantor_have_a_lifetime_bill_each() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1")
    assert desk.takes("L-2", patients__0__accountId="P-2").result is CREATED
    assert {bill.status for bill in desk.known.bills} == {BillStatus.DUE}


def test_a_lifetime_statement_of_before_a_payment_is_ignored_under_a_new_id_too() -> None:
    desk = Desk(BillType.LIFETIME, days_to_ignore_after_transaction=5)
    desk.takes("L-1")
    desk.pays(74_60, statement_id="L-1")
    assert desk.takes("L-2", days=2).result is IGNORED


def test_a_payment_update_for_an_amended_bill_goes_to_the_one_in_its_place() -> None:
    desk = Desk(BillType.LIFETIME)
    desk.takes("L-1")
    desk.takes("L-2")
    assert update(desk, "L-1", {"transactionId": "T-1", "transactionAmt": "24.60"}).result is UPDATED
    assert desk.bill("L-2").balance == 50_00
    assert update(desk, "L-2", {"transactionId": "T-1", "transactionAmt": "24.60"}).result is IGNORED


# --- another guarantor -----------------------------------------------


def leaving(desk: Desk, statement_id: str) -> Departure | None:
    """What leaves an account because a statement came for the same person under another key."""
    return depart(desk.known, [statement_id], desk.known.account.guarantor, "G-2", desk.delivery())


def test_a_statement_for_another_guarantor_takes_its_bill_along() -> None:
    old, new = Desk(), Desk()
    old.takes()
    old.plans()
    released = leaving(old, "S-1")
    assert released is not None
    old.apply(released.left)
    assert (old.bill().status, old.bill().moved_to) == (BillStatus.CANCELLED, "G-2")
    assert {notice.status for notice in old.known.notices} == {NoticeStatus.CANCELLED}
    assert old.known.account.planning_at == NOW

    received = new.takes(days=35, departures=[released], guarantor__guarantorId="G-2")
    assert received.result is UPDATED
    assert (new.bill().status, new.bill().effective_created_date) == (BillStatus.DUE, TODAY)
    assert [event.event for event in new.bill().history] == ["BillCreated", "BillMoved", "BillUpdated"]
    assert new.scheduled() == ["Due"]


def test_a_message_on_demand_about_a_bill_that_goes_to_another_guarantor_is_stopped_too() -> None:
    desk = Desk()
    desk.takes()
    asked = notice(notification_type=NotificationType.ON_DEMAND, status=NoticeStatus.QUEUED)
    receipt = notice(notice_id="rcp_1", notification_type=NotificationType.RECEIPT)
    desk.book = with_notices(desk.known, (asked, receipt))
    released = leaving(desk, "S-1")
    assert released is not None
    desk.apply(released.left)
    assert {row.notice_id: row.status for row in desk.known.notices} == {
        "ntc_1": NoticeStatus.CANCELLED,
        "rcp_1": NoticeStatus.SCHEDULED,
    }


def test_a_bill_that_went_on_isnt_let_go_twice() -> None:
    desk = Desk()
    desk.takes()
    released = leaving(desk, "S-1")
    assert released is not None
    desk.apply(released.left)
    assert leaving(desk, "S-1") is None
    assert leaving(desk, "S-9") is None


def test_a_bill_that_comes_back_is_due_again() -> None:
    desk = Desk()
    desk.takes()
    released = leaving(desk, "S-1")
    assert released is not None
    desk.apply(released.left)
    assert desk.takes(departures=[released]).result is UPDATED  # the very document that it had here before
    assert (desk.bill().status, desk.bill().moved_to) == (BillStatus.DUE, "")


# --- payment updates -----------------------------------------------


def update(desk: Desk, statement_id: str, *transactions: dict[str, Any], file: str = "") -> Received:
    """A payment update in a file of its own, or in one that may come again."""
    desk.files += 1
    document = {
        "statementId": statement_id,
        "clientId": "NORTH",
        "partnerTransactions": [{"transactionDate": "2026-03-05"} | transaction for transaction in transactions],
    }
    read = read_payment_update(DECODER.decode(json.dumps(document))).update
    received = receive_payment_update(
        desk.book, replace(read, origin=file or f"file {desk.files}, place 0"), desk.delivery()
    )
    desk.apply(received.change)
    return received


def test_a_positive_transaction_lowers_the_balance_and_a_negative_one_raises_it_back() -> None:
    desk = Desk()
    desk.takes()
    assert update(desk, "S-1", {"transactionId": "T-1", "transactionAmt": "74.60"}).result is UPDATED
    assert (desk.bill().status, desk.bill().balance) == (BillStatus.PAID, 0)
    assert update(desk, "S-1", {"transactionId": "T-2", "transactionAmt": "-20.00"}).result is UPDATED
    assert (desk.bill().status, desk.bill().balance) == (BillStatus.DUE, 20_00)


def test_a_transaction_that_is_posted_already_is_ignored() -> None:
    desk = Desk()
    desk.takes()
    first = {"transactionId": "T-1", "transactionAmt": "10.00"}
    assert update(desk, "S-1", first, {"transactionId": "T-2", "transactionAmt": "5.00"}).result is UPDATED
    assert update(desk, "S-1", first) == Received(result=IGNORED)
    assert update(desk, "S-1", first, {"transactionId": "T-3", "transactionAmt": "1.00"}).result is UPDATED
    assert desk.bill().balance == 58_60
    assert len(desk.known.payments) == 3


MISSING_ID = ["/partnerTransactions/0/transactionId", "/partnerTransactions/1/transactionId"]


def test_equal_transactions_without_an_id_are_all_posted_with_a_warning_for_each() -> None:
    desk = Desk()
    desk.takes()
    equal = {"transactionAmt": "10.00"}
    both = update(desk, "S-1", equal, equal)
    assert (both.result, [warning.pointer for warning in both.warnings]) == (UPDATED, MISSING_ID)
    one = update(desk, "S-1", equal)
    assert (one.result, [warning.pointer for warning in one.warnings]) == (UPDATED, MISSING_ID[:1])
    assert desk.bill().balance == 44_60


def test_the_same_file_again_posts_none_of_them_and_says_so() -> None:
    desk = Desk()
    desk.takes()
    equal = {"transactionAmt": "10.00"}
    update(desk, "S-1", equal, equal, file="the same bytes, place 0")
    again = update(desk, "S-1", equal, equal, file="the same bytes, place 0")
    assert (again.result, [warning.pointer for warning in again.warnings]) == (IGNORED, MISSING_ID)
    assert desk.bill().balance == 54_60


def test_a_transaction_with_an_id_is_no_cause_for_a_warning() -> None:
    desk = Desk()
    desk.takes()
    assert update(desk, "S-1", {"transactionId": "T-1", "transactionAmt": "10.00"}).warnings == ()


def test_a_payment_update_stops_what_was_going_to_be_sent_about_a_paid_bill() -> None:
    desk = Desk()
    desk.takes()
    desk.plans()
    update(desk, "S-1", {"transactionId": "T-1", "transactionAmt": "74.60"})
    assert {notice.reason for notice in desk.known.notices} == {Reason.PAYMENT_MADE}


def test_a_payment_update_for_an_unknown_bill_fails() -> None:
    desk = Desk()
    transaction = {"transactionId": "T-1", "transactionAmt": "1.00"}
    assert [error.pointer for error in update(desk, "S-1", transaction).errors] == ["/statementId"]
    desk.takes()
    received = update(desk, "S-2", transaction)
    assert received == Received(result=FAILED, errors=(Remark("/statementId", "There is no bill for this statement."),))


# --- a book and its changes -----------------------------------------------


def test_two_changes_as_one_leave_the_book_as_one_after_the_other() -> None:
    book = AccountBook(account=account(), notices=(notice(),))
    first = Change(account=replace(book.account, credit=1), notices=(replace(notice(), level=2),))
    second = Change(
        account=replace(book.account, credit=2),
        notices=(replace(notice(), level=3), notice(notice_id="ntc_2")),
    )
    assert book.after(first.then(second)) == book.after(first).after(second)
    assert [each.level for each in book.after(first.then(second)).notices] == [3, 1]


# --- what staff cancelled (docs/rules.md#staff-cancelled) -------------------------------------------------------------


def cancels(desk: Desk, status: BillStatus = BillStatus.CANCELLED) -> None:
    desk.apply(set_status(desk.known, "S-1", status, "billed in error", desk.now, "key:k1"))


@pytest.mark.parametrize("reset", [None, True])
def test_a_bill_that_staff_cancelled_stays_so_whatever_a_statement_asks_for(*, reset: bool | None) -> None:
    """The nightly file knows nothing of it; a reset doesn't help where the organization takes none."""
    desk = Desk()
    desk.takes()
    cancels(desk)
    for balance in ("80.00", "0.00", "90.00"):
        received = desk.takes(days=1, totalBalance=balance, resetBill=reset)
        assert received.result is IngestionResult.UPDATED
        assert ("/totalBalance" in {warning.pointer for warning in received.warnings}) is (balance != "0.00")
        bill = desk.bill()
        assert (bill.status, bill.status_reason) == (BillStatus.CANCELLED, "billed in error")
    assert desk.bill().balance == 90_00


def test_a_reset_that_the_organization_takes_opens_what_staff_cancelled() -> None:
    desk = Desk(enable_bill_reset=True)
    desk.takes()
    cancels(desk)
    assert desk.takes(days=3, totalBalance="80.00", resetBill=True).warnings == ()
    bill = desk.bill()
    assert (bill.status, bill.effective_created_date) == (BillStatus.DUE, desk.delivery().today)


def test_staff_reopen_what_they_cancelled_and_statements_count_again() -> None:
    desk = Desk()
    desk.takes()
    cancels(desk)
    cancels(desk, BillStatus.DUE)
    assert desk.takes(days=1, totalBalance="80.00").warnings == ()
    assert desk.bill().status is BillStatus.DUE
    desk.takes(days=1, totalBalance="0.00")
    assert desk.takes(days=1, totalBalance="81.00").warnings == ()
    assert desk.bill().status is BillStatus.DUE
