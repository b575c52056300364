"""Sending one notice: judged again, claimed, given to the provider once, recorded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.account import Account
from shared.domain.beside import Beside
from shared.domain.book import AccountBook, Change
from shared.domain.contacts import BILL_TO, PATIENT, Contact
from shared.domain.delivery import (
    LEASE,
    Accepted,
    Answer,
    Order,
    Postponed,
    Rejected,
    Unanswered,
    masked,
    may_be_taken,
)
from shared.domain.link_secrets import secret_hash
from shared.domain.notice import BillLevel, Notice, moved
from shared.domain.payment import Payment
from shared.domain.payment_link import PaymentLink
from shared.domain.policy import DunningSettings, MessageContacts, Organization
from shared.domain.reconciliation import lease_over
from shared.domain.statement import Address, BillTo, OptOuts, Patient
from shared.domain.words import (
    AccountStatus,
    BillStatus,
    Channel,
    CommunicationStatus,
    Language,
    LinkStatus,
    NoticeStatus,
    NotificationType,
)
from shared.messaging.delivery import TRIES, Delivery, NoticeBusyError
from shared.rendering.facts import message_variables, readable_phone
from shared.storage.account_books import ConcurrentChangeError
from tests.examples import NOW, account, bill, book, notice, organization

IDS = "org_1", "G-1", "ntc_1"


def queued(**changes: Any) -> Notice:
    return notice(status=NoticeStatus.QUEUED, lease_until=NOW + timedelta(minutes=15), **changes)


@dataclass
class Table:
    """Book, rows and organization in memory, with the conditions that storage puts on every write."""

    book: AccountBook
    organization: Organization = field(default_factory=organization)
    calls: list[str] = field(default_factory=list)
    before_claim: Callable[["Table"], None] = lambda _: None
    before_move: Callable[["Table"], None] = lambda _: None

    def row(self) -> Notice:
        return next(row for row in self.book.notices if row.notice_id == "ntc_1")

    def put(self, after: Notice) -> None:
        others = tuple(row for row in self.book.notices if row.notice_id != after.notice_id)
        self.book = replace(self.book, notices=(*others, after))

    def change_account(self, **changes: Any) -> None:
        changed = replace(self.book.account, version=self.book.account.version + 1, **changes)
        self.book = replace(self.book, account=changed)

    # Books

    def load_book(self, *_: str) -> AccountBook:
        self.calls.append("load")
        return self.book

    def commit(self, change: Change) -> Account:
        self.calls.append("commit")
        if change.account.version != self.book.account.version:
            raise ConcurrentChangeError
        self.book = replace(self.book, account=replace(change.account, version=change.account.version + 1))
        for row in change.notices:
            self.put(row)
        return self.book.account

    def change(self, _org: str, _account: str, decide: Callable[[AccountBook], Change | None]) -> AccountBook:
        change = decide(self.load_book())
        if change:
            self.commit(change)
        return self.book

    # Rows

    def load_row(self, *_: str) -> Notice:
        self.calls.append("load row")
        return self.row()

    def claim(
        self,
        before: Notice,
        after: Notice,
        judged: Account,
        links: tuple[PaymentLink, ...],
        beside: tuple[Beside, ...] = (),
    ) -> bool:
        self.calls.append("claim")
        self.before_claim(self)
        if judged.version != self.book.account.version or not self._still(before):
            return False
        self.change_account()
        kept = tuple(link for link in self.book.links if link.link_id not in {new.link_id for new in links})
        self.book = replace(self.book, links=(*kept, *links))
        self.put(after)
        return True

    def move(self, before: Notice, after: Notice) -> bool:
        self.calls.append("move")
        self.before_move(self)
        if not self._still(before):
            return False
        self.put(after)
        return True

    def _still(self, before: Notice) -> bool:
        current = self.row()
        return _version(current) == _version(before)

    # Organizations

    def get(self, _: str) -> Organization:
        self.calls.append("organization")
        return self.organization


def _version(row: Notice) -> tuple[NoticeStatus, int, int]:
    return row.status, row.attempt, len(row.status_history)


@dataclass
class Books:
    table: Table

    def load(self, *ids: str) -> AccountBook:
        return self.table.load_book(*ids)

    def commit(self, change: Change) -> Account:
        return self.table.commit(change)

    def change(self, org_id: str, account_id: str, decide: Callable[[AccountBook], Change | None]) -> AccountBook:
        return self.table.change(org_id, account_id, decide)


@dataclass
class Rows:
    table: Table

    def load(self, *ids: str) -> Notice:
        return self.table.load_row(*ids)

    def claim(
        self,
        before: Notice,
        after: Notice,
        account: Account,
        links: tuple[PaymentLink, ...],
        beside: tuple[Beside, ...] = (),
    ) -> bool:
        return self.table.claim(before, after, account, links, beside)

    def move(self, before: Notice, after: Notice) -> bool:
        return self.table.move(before, after)


@dataclass
class Provider:
    """A channel whose provider gives the answers that a test wants."""

    answers: Iterator[Answer] = field(default_factory=lambda: iter([Accepted(message_id="m-1")]))
    orders: list[Order] = field(default_factory=list)
    sent: list[Order] = field(default_factory=list)
    breaks: bool = False

    def prepare(self, order: Order) -> Callable[[], Answer]:
        if self.breaks:
            raise KeyError("Ada Example")
        self.orders.append(order)

        def send() -> Answer:
            self.sent.append(order)
            return next(self.answers)

        return send


def world(*answers: Answer, row: Notice | None = None, practice: Organization | None = None, **changes: Any) -> "World":
    table = Table(book(notices=(row or queued(),), **changes), practice or organization())
    provider = Provider(iter(answers)) if answers else Provider()
    return World(table, provider)


@dataclass
class World:
    table: Table
    provider: Provider

    def deliver(self, now: Any = NOW, patient: Patient | None = None) -> Notice | None:
        delivery = Delivery(Books(self.table), Rows(self.table), self.table, self.provider)
        if patient is not None:
            delivery.patient_of = lambda _: patient
        return delivery.deliver(*IDS, now)

    @property
    def row(self) -> Notice:
        return self.table.row()


def statuses(row: Notice) -> list[NoticeStatus]:
    return [entry.status for entry in row.status_history]


# --- the way it goes -----------------------------------------------


def test_a_notice_is_claimed_sent_once_and_recorded_in_three_calls() -> None:
    it = world()
    it.deliver()
    assert len(it.provider.sent) == 1
    assert it.table.calls == ["load", "organization", "claim", "move"]
    assert it.row.status is NoticeStatus.SENT
    assert (it.row.sent_at, it.row.provider_message_id, it.row.attempt) == (NOW, "m-1", 1)
    assert it.row.sent_to == "a***@example.com"
    assert it.row.lease_until is None


def test_the_history_tells_by_whom_at_which_level_with_which_template() -> None:
    it = world()
    it.deliver()
    assert statuses(it.row) == [NoticeStatus.SENDING, NoticeStatus.SENT]
    assert {(entry.actor, entry.level, entry.template_id) for entry in it.row.status_history} == {
        ("send_email", 1, "<System Default>")
    }


def test_a_batch_reads_its_organization_once() -> None:
    it = world(row=queued(channel=Channel.EMAIL))
    delivery = Delivery(Books(it.table), Rows(it.table), it.table, it.provider)
    for _ in range(10):
        delivery.deliver(*IDS, NOW)
    assert it.table.calls.count("organization") == 1


def test_a_notice_in_the_providers_hands_has_a_lease() -> None:
    it = world()
    it.provider.prepare = lambda order: lambda: seen.append(it.row) or Accepted(message_id="m-1")  # type: ignore[method-assign, func-returns-value] # looks at the row in the middle
    seen: list[Notice] = []
    it.deliver()
    assert [(row.status, row.lease_until) for row in seen] == [(NoticeStatus.SENDING, NOW + LEASE)]


def test_the_message_follows_the_level_of_the_moment_not_of_the_plan() -> None:
    it = world()
    it.table.book = replace(it.table.book, bills=(bill(effective_created_date=NOW.date() - timedelta(days=61)),))
    it.deliver()
    assert (it.row.level, it.row.notification_type) == (3, NotificationType.PAST_DUE)
    assert it.row.bills == (BillLevel(statement_id="S-1", aging_period="S-1/1", level=3),)


@pytest.mark.parametrize(
    "status",
    [status for status in NoticeStatus if status not in {NoticeStatus.QUEUED, NoticeStatus.SCHEDULED}],
)
def test_a_message_that_comes_again_does_nothing(status: NoticeStatus) -> None:
    it = world(row=notice(status=status))
    assert it.deliver() is None
    assert it.provider.orders == []
    assert it.row == notice(status=status)


def test_a_notice_whose_lease_was_given_back_may_go_when_its_time_has_come() -> None:
    assert may_be_taken(notice(scheduled_for=NOW), NOW)
    assert not may_be_taken(notice(scheduled_for=NOW + timedelta(seconds=1)), NOW)


@pytest.mark.parametrize("unknown", ["account", "organization", "notice"])
def test_a_message_about_what_is_not_there_does_nothing(unknown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    it = world()
    if unknown == "account":
        monkeypatch.setattr(Books, "load", lambda *_: None)
    if unknown == "organization":
        monkeypatch.setattr(Table, "get", lambda *_: None)
    if unknown == "notice":
        it.table.book = replace(it.table.book, notices=())
    assert it.deliver() is None
    assert it.provider.sent == []


# --- refused and put off -----------------------------------------------


def test_a_refused_notice_says_why_and_its_account_is_planned_anew() -> None:
    it = world(bills=(bill(status=BillStatus.PAID, balance=0),))
    it.deliver()
    assert it.provider.orders == []
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")
    assert it.table.book.account.planning_at == NOW
    assert it.table.calls == ["load", "organization", "commit"]


def test_an_organization_that_is_not_active_sends_nothing() -> None:
    it = world(practice=organization(account_status=AccountStatus.SUSPENDED))
    it.deliver()
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "organization is not active")


def test_what_is_queued_at_a_disabled_organization_still_goes() -> None:
    it = world(practice=organization(communication_status=CommunicationStatus.DISABLED))
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


def test_outside_the_hours_a_notice_goes_back_until_they_open() -> None:
    it = world()
    it.deliver(NOW + timedelta(hours=12))
    assert it.provider.orders == []
    assert it.row.status is NoticeStatus.SCHEDULED
    assert it.row.scheduled_for.date() == date(2026, 3, 3)
    assert it.row.reason == "outside the permitted hours"
    assert it.row.lease_until is None


# --- races -----------------------------------------------


def test_a_payment_between_judging_and_claiming_stops_the_notice() -> None:
    it = world()

    def paid(table: Table) -> None:
        table.before_claim = lambda _: None
        table.change_account()
        table.book = replace(table.book, bills=(bill(status=BillStatus.PAID, balance=0),))

    it.table.before_claim = paid
    it.deliver()
    assert it.provider.sent == []
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")


def test_a_change_that_does_not_matter_only_makes_it_judge_again() -> None:
    it = world()

    def touched(table: Table) -> None:
        table.before_claim = lambda _: None
        table.change_account()

    it.table.before_claim = touched
    it.deliver()
    assert len(it.provider.sent) == 1
    assert it.row.status is NoticeStatus.SENT


def test_of_two_consumers_one_sends() -> None:
    it = world()
    other = World(it.table, Provider())

    def other_is_quicker(table: Table) -> None:
        table.before_claim = lambda _: None
        other.deliver()

    it.table.before_claim = other_is_quicker
    assert it.deliver() is None
    assert len(other.provider.sent) == 1
    assert it.provider.sent == []


def test_an_account_that_never_holds_still_sends_nothing_and_comes_back() -> None:
    it = world()
    it.table.before_claim = lambda table: table.change_account()
    with pytest.raises(NoticeBusyError):
        it.deliver()
    assert it.provider.sent == []
    assert it.table.calls.count("claim") == TRIES
    assert it.row.status is NoticeStatus.QUEUED


def test_a_refusal_that_comes_too_late_is_judged_again() -> None:
    it = world(bills=(bill(status=BillStatus.PAID, balance=0),))
    commit = it.table.commit

    def beaten(change: Change) -> Account:
        it.table.commit = commit  # type: ignore[method-assign] # the second time it is as always
        it.table.change_account()
        it.table.book = replace(it.table.book, bills=(bill(),))
        return commit(change)

    it.table.commit = beaten  # type: ignore[method-assign] # somebody else is quicker once
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


# --- what the provider answers -----------------------------------------------


def test_no_answer_leaves_the_notice_unknown_and_it_is_not_taken_again() -> None:
    it = world(Unanswered(reason="the provider may have it"))
    it.deliver()
    assert (it.row.status, it.row.reason, it.row.attempt) == (NoticeStatus.UNKNOWN, "the provider may have it", 1)
    assert it.row.sent_to == "a***@example.com"
    assert it.deliver() is None
    assert len(it.provider.sent) == 1


def test_a_pause_at_the_provider_uses_up_no_attempt_and_loses_nothing() -> None:
    paused = Postponed(reason="sending is stopped at the provider", pause=timedelta(minutes=30))
    it = world(*[paused] * 5, Accepted(message_id="m-6"))
    now = NOW
    for _ in range(5):
        it.deliver(now)
        assert (it.row.status, it.row.attempt) == (NoticeStatus.SCHEDULED, 0)
        assert it.row.scheduled_for == now + timedelta(minutes=30)
        now = it.row.scheduled_for
    it.deliver(now)
    assert (it.row.status, it.row.attempt, it.row.provider_message_id) == (NoticeStatus.SENT, 1, "m-6")
    assert len(it.table.book.links) == 1


def test_an_address_that_cannot_be_reached_is_remembered_and_the_account_planned_anew() -> None:
    it = world(Rejected(reason="the provider cannot send to this address", undeliverable=True))
    it.deliver()
    assert it.row.status is NoticeStatus.UNDELIVERABLE_PERMANENT
    assert it.table.book.account.undeliverable == {Channel.EMAIL}
    assert it.table.book.account.planning_at == NOW


def test_an_address_of_somebody_else_says_nothing_about_the_guarantors() -> None:
    row = queued(notification_type=NotificationType.ON_DEMAND, send_to=BILL_TO)
    payer = BillTo(name="Acme Insurance", email="claims@example.org")
    it = world(Rejected(reason="x", undeliverable=True), row=row, account=account(bill_to=payer))
    it.deliver()
    assert it.row.status is NoticeStatus.UNDELIVERABLE_PERMANENT
    assert it.table.book.account.undeliverable == frozenset()


def test_a_refused_message_is_a_delivery_error_and_leaves_the_address_alone() -> None:
    it = world(Rejected(reason="the provider refused the message"))
    it.deliver()
    assert (it.row.status, it.row.reason) == (NoticeStatus.DELIVERY_ERROR, "the provider refused the message")
    assert it.table.book.account.undeliverable == frozenset()


def test_an_address_that_cannot_be_reached_opts_out_of_its_channel_where_the_organization_wants_it() -> None:
    practice = organization(dunning=DunningSettings(opt_out_after_undeliverable=True))
    it = world(Rejected(reason="the provider cannot send to this address", undeliverable=True), practice=practice)
    it.deliver()
    assert it.table.book.account.opt_outs.email


def test_a_text_that_goes_clears_the_errors_before_it_on_that_number_with_one_change_more() -> None:
    it = world(row=queued(channel=Channel.SMS))
    failed = notice(notice_id="ntc_0", channel=Channel.SMS, bills=(), created_at=NOW - timedelta(days=30))
    it.table.put(replace(failed, status=NoticeStatus.DELIVERY_ERROR))
    it.deliver()
    rows = {row.notice_id: row.status for row in it.table.book.notices}
    assert rows == {"ntc_0": NoticeStatus.ARCHIVED, "ntc_1": NoticeStatus.SENT}
    assert it.table.calls == ["load", "organization", "claim", "move", "load", "commit"]


def test_a_rejection_that_was_settled_otherwise_meanwhile_changes_nothing() -> None:
    it = world(Rejected(reason="the provider refused the message"))

    def events_first(order: Order) -> Callable[[], Answer]:
        def send() -> Answer:
            it.table.put(moved(order.notice, NoticeStatus.DELIVERED, NOW, "provider"))
            return Rejected(reason="the provider refused the message")

        return send

    it.provider.prepare = events_first  # type: ignore[method-assign] # an event comes while the call is under way
    it.deliver()
    assert it.row.status is NoticeStatus.DELIVERED


def test_an_event_that_was_quicker_than_the_record_stands() -> None:
    it = world()

    def delivered(table: Table) -> None:
        table.before_move = lambda _: None
        table.put(moved(table.row(), NoticeStatus.DELIVERED, NOW, "provider"))

    it.table.before_move = delivered
    it.deliver()
    assert it.row.status is NoticeStatus.DELIVERED


def test_a_late_record_still_settles_a_notice_that_was_given_up() -> None:
    it = world()

    def given_up(table: Table) -> None:
        table.before_move = lambda _: None
        table.put(lease_over(table.row(), NOW + LEASE, NOW))

    it.table.before_move = given_up
    it.deliver()
    assert statuses(it.row)[-2:] == [NoticeStatus.UNKNOWN, NoticeStatus.SENT]


def scheduled_again(row: Notice) -> Notice:
    """The row of a message in the provider's hands, as the clock leaves it when nobody reports back for long."""
    return lease_over(lease_over(row, NOW + LEASE, NOW), NOW + LEASE, NOW)


def test_a_late_record_keeps_a_message_that_was_accepted_from_being_sent_once_more() -> None:
    it = world()

    def given_up(table: Table) -> None:
        table.before_move = lambda _: None
        table.put(scheduled_again(table.row()))

    it.table.before_move = given_up
    it.deliver()
    assert statuses(it.row)[-3:] == [NoticeStatus.UNKNOWN, NoticeStatus.SCHEDULED, NoticeStatus.SENT]
    assert (it.row.provider_message_id, it.row.possible_duplicate) == ("m-1", False)
    assert it.deliver(NOW + timedelta(days=1)) is None
    assert len(it.provider.sent) == 1


def test_a_late_record_looks_again_when_the_clock_moves_the_row_under_it() -> None:
    it = world()

    def moves_on(table: Table) -> None:
        if table.row().status is not NoticeStatus.SCHEDULED:
            table.put(lease_over(table.row(), NOW + LEASE, NOW))

    it.table.before_move = moves_on
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


def test_a_rejection_heard_of_late_settles_a_notice_that_was_given_up() -> None:
    it = world(Rejected(reason="the provider cannot send to this address", undeliverable=True))

    def slow(order: Order) -> Callable[[], Answer]:
        def send() -> Answer:
            it.table.put(scheduled_again(order.notice))
            return next(it.provider.answers)

        return send

    it.provider.prepare = slow  # type: ignore[method-assign] # the provider takes longer than the lease
    it.deliver()
    assert it.row.status is NoticeStatus.UNDELIVERABLE_PERMANENT
    assert it.table.book.account.undeliverable == {Channel.EMAIL}


def test_what_is_sent_once_more_is_judged_as_ever() -> None:
    it = world(Unanswered(reason="no answer"))
    it.deliver()
    it.table.put(lease_over(it.row, NOW + timedelta(hours=1), NOW))
    it.table.book = replace(it.table.book, bills=(bill(status=BillStatus.PAID, balance=0),))
    it.deliver(NOW + timedelta(hours=1))
    assert (it.row.status, it.row.reason) == (NoticeStatus.WILL_NOT_SEND, "payment made")
    assert len(it.provider.sent) == 1


def test_what_is_unknown_and_what_is_sent_once_more_is_counted_for_operators(
    capsys: pytest.CaptureFixture[str],
) -> None:
    it = world(Unanswered(reason="no answer"), Accepted(message_id="m-2"))
    it.deliver()
    assert '"NoticeUnknown":[1.0]' in capsys.readouterr().out.replace(" ", "")
    it.table.put(lease_over(it.row, NOW + timedelta(hours=1), NOW))
    it.deliver(NOW + timedelta(hours=1))
    assert '"PossibleDuplicate":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert (it.row.status, it.row.possible_duplicate, it.row.attempt) == (NoticeStatus.SENT, True, 2)


def test_a_message_that_cannot_be_composed_is_shown_to_people_and_never_looks_sent() -> None:
    it = world()
    it.provider.breaks = True
    it.deliver()
    assert it.row.status is NoticeStatus.DELIVERY_ERROR
    assert it.row.reason == "could not be composed (KeyError)"
    assert it.row.attempt == 0
    assert "claim" not in it.table.calls


# --- links -----------------------------------------------


def test_each_notice_carries_a_link_to_the_account_for_as_long_as_the_organization_sets() -> None:
    it = world(practice=organization(link_days=45))
    it.deliver()
    [link] = it.table.book.links
    [order] = it.provider.sent
    assert it.row.link_id == link.link_id
    assert (link.notice_id, link.statement_id) == ("ntc_1", "")
    assert link.expires_at == NOW + timedelta(days=45)
    assert link.token_hash == secret_hash(order.link.token)
    assert link.code_hash == ""


def test_a_letter_carries_a_bill_code_too() -> None:
    it = world(row=queued(channel=Channel.PRINT))
    it.deliver()
    [order] = it.provider.sent
    assert it.table.book.links[0].code_hash == secret_hash(order.link.code)


def test_a_link_of_staff_keeps_its_id_bill_and_end_and_gets_its_secret_at_sending() -> None:
    link = PaymentLink(
        link_id="lnk_1",
        org_id="org_1",
        account_id="G-1",
        statement_id="S-1",
        token_hash="unsent",
        created_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=23),
        staff_name="Dana Whitfield",
    )
    row = queued(notification_type=NotificationType.PAYMENT_LINK, link_id="lnk_1")
    it = world(row=row, links=(link,))
    it.deliver()
    [order] = it.provider.sent
    assert it.table.book.links == (replace(link, token_hash=secret_hash(order.link.token), sent_to="a***@example.com"),)
    assert message_variables(order, "https://x").staff_name == "Dana Whitfield"


def test_a_link_that_a_patient_asked_for_lives_for_a_day_and_is_for_its_bill() -> None:
    it = world(row=queued(notification_type=NotificationType.PAYMENT_LINK))
    it.deliver()
    [link] = it.table.book.links
    assert (link.expires_at, link.statement_id) == (NOW + timedelta(hours=24), "S-1")


def test_what_may_be_on_its_way_keeps_its_own_link() -> None:
    it = world(row=queued(attempt=1, link_id="lnk_old"), links=(replace(LINK, link_id="lnk_old"),))
    it.deliver()
    assert len(it.table.book.links) == 2
    assert it.row.link_id != "lnk_old"


LINK = PaymentLink(
    link_id="lnk_1",
    org_id="org_1",
    account_id="G-1",
    token_hash="x",
    created_at=NOW,
    expires_at=NOW,
    status=LinkStatus.SENT,
)


# --- to whom, and what it may tell -----------------------------------------------


def facts_of(it: World, **kwargs: Any) -> Any:
    it.deliver(**kwargs)
    [order] = it.provider.sent
    return message_variables(order, "https://pay.example.com")


def test_the_facts_of_a_message_name_the_practice_and_the_guarantors_first_name() -> None:
    facts = facts_of(world())
    assert (facts.practice, facts.short_name, facts.first_name) == ("Northside Family Practice", "Northside", "Ada")
    assert facts.phone == "(518) 555-0100"
    assert facts.address_lines == ("12 Juniper Way", "Albany, NY 12207")
    assert facts.link.startswith("https://pay.example.com/pay/")
    assert facts.unsubscribe_link == facts.link.replace("/pay/", "/unsubscribe/")


def test_the_amount_is_told_only_where_the_organization_switched_it_on() -> None:
    two = (bill(), bill("S-2", balance=25_40), bill("S-3", status=BillStatus.SUSPENDED))
    assert facts_of(world(bills=two)).amount_due is None
    assert facts_of(world(bills=two, practice=organization(amount_in_email=True))).amount_due == 100_00


def test_a_suspended_bill_is_asked_for_only_where_a_person_sends_it() -> None:
    row = queued(notification_type=NotificationType.ON_DEMAND)
    suspended = (bill(status=BillStatus.SUSPENDED),)
    assert facts_of(world(row=row, bills=suspended, practice=organization(amount_in_email=True))).amount_due == 74_60


def test_a_receipt_tells_the_payment_and_not_what_is_owed() -> None:
    paid = Payment(payment_id="pay_1", amount=74_60, method="card", received_on=NOW.date(), posted_at=NOW)
    row = queued(notification_type=NotificationType.RECEIPT, payment_id="pay_1")
    facts = facts_of(world(row=row, payments=(paid,), practice=organization(amount_in_email=True)))
    assert (facts.amount_paid, facts.paid_on, facts.amount_due) == (74_60, date(2026, 3, 2), None)


def test_a_patient_is_written_to_at_their_own_address_and_not_called_by_the_guarantors_name() -> None:
    row = queued(notification_type=NotificationType.ON_DEMAND, send_to=PATIENT)
    patient = Patient(account_id="P-1", first_name="Kim", last_name="Example", email="kim@example.com")
    it = world(row=row)
    facts = facts_of(it, patient=patient)
    assert it.provider.sent[0].contact.destination == "kim@example.com"
    assert facts.first_name == ""


def test_in_test_mode_nothing_reaches_a_guarantor() -> None:
    it = world(practice=organization(test_contacts=MessageContacts(email="go-live@practice.example")))
    it.deliver()
    assert it.provider.sent[0].contact.destination == "go-live@practice.example"
    assert it.row.sent_to == "g***@practice.example"


def test_a_receipt_reaches_even_someone_who_unsubscribed() -> None:
    row = queued(notification_type=NotificationType.RECEIPT)
    it = world(row=row, account=account(opt_outs=OptOuts(email=True)))
    it.deliver()
    assert it.row.status is NoticeStatus.SENT


def test_the_language_is_the_guarantors() -> None:
    guarantor = replace(account().guarantor, language=Language.SPANISH)
    it = world(account=account(guarantor=guarantor))
    it.deliver()
    assert it.provider.sent[0].book.account.guarantor.language is Language.SPANISH


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        (Contact(channel=Channel.EMAIL, name="", destination="ada.lovelace@example.com"), "a***@example.com"),
        (Contact(channel=Channel.SMS, name="", destination="+15185550111"), "***0111"),
        (
            Contact(
                channel=Channel.PRINT,
                name="",
                address=Address(line1="12 Juniper Way", city="Albany", state="NY", postal_code="12207"),
            ),
            "Albany, NY",
        ),
    ],
)
def test_where_something_went_is_told_so_that_a_stranger_learns_nothing(contact: Contact, shown: str) -> None:
    assert masked(contact) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("+15185550100", "(518) 555-0100"),
        ("518-555-0100", "(518) 555-0100"),
        ("1 (518) 555 0100", "(518) 555-0100"),
        ("+442079460000", "+442079460000"),
        ("518-555-0100 ext. 7", "518-555-0100 ext. 7"),
        ("1-800-FLOWERS", "1-800-FLOWERS"),
        ("", ""),
    ],
)
def test_phone_numbers_are_written_as_people_write_them(given: str, shown: str) -> None:
    assert readable_phone(given) == shown
