"""What an account adds to reports, and the tables that are made of it."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from shared.domain.account.consents import OPTED_OUT_EVENT
from shared.domain.calendar.send_window import DAY
from shared.domain.paying.payments import PaymentReceived, post_payment
from shared.domain.paying.reversals import ONLINE_PAYMENT, REFUND, REVERSAL, Takeback, take_back
from shared.domain.records.book import AccountBook
from shared.domain.records.notice import Notice
from shared.domain.records.policy import Organization
from shared.domain.reporting.ageing import Ageing, ageing_on
from shared.domain.reporting.attribution import COUNTS_FOR, notice_before
from shared.domain.reporting.facts import OPENED_EVENT, account_facts
from shared.domain.reporting.looking_again import SETTLES_WITHIN, filed_at, look_again_at
from shared.domain.reporting.tables import (
    Activity,
    ActivityRow,
    CollectionsRow,
    DeliveryRow,
    collections,
    daily_activity,
    delivery_rows,
)
from shared.domain.vocabulary.history import HistoryEvent
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import BillStatus, Channel, ConsentSource, NoticeStatus, NotificationType
from tests.worlds.examples import NOW, as_if, bill, book, notice, organization

S = NoticeStatus
TODAY = NOW.date()


def paid(before: AccountBook, amount: int, at: Any = NOW, number: int = 1, **said: Any) -> AccountBook:
    facts = {"payment_id": f"pay_{number}", "method": "check", "received_on": at.date()} | said
    received = PaymentReceived(amount=amount, **facts)
    change = post_payment(before, organization(), received, at, "key:k1")
    assert change is not None
    return before.after(change)


def gone(row: Notice, at: Any = NOW, to: NoticeStatus = S.SENT) -> Notice:
    """A notice that was queued, taken and sent at a time."""
    for status in (S.SCHEDULED, S.QUEUED, S.SENDING, to):
        row = as_if(row, status, at, "scheduler")
    return row


def activity(found: AccountBook, practice: Organization | None = None) -> list[ActivityRow]:
    return list(daily_activity(account_facts(found, practice or organization()).days))


def of(found: AccountBook, kind: Activity) -> list[ActivityRow]:
    return [row for row in activity(found) if row.activity is kind]


def delivery(found: AccountBook) -> list[DeliveryRow]:
    return list(delivery_rows(account_facts(found, organization()).days))


def collected(found: AccountBook, today: date, prices: dict[Channel, int] | None = None) -> CollectionsRow:
    days = account_facts(found, organization()).days
    return collections(days, TODAY, TODAY, prices or {}, today)


def test_what_happens_late_in_the_evening_counts_for_the_day_at_the_practice() -> None:
    late = NOW.replace(hour=4, minute=59)  # a minute before midnight in New York
    later = late + timedelta(minutes=1)
    for at, day in ((late, TODAY - DAY), (later, TODAY)):
        [created] = of(book(bills=(bill(created_at=at),)), Activity.STATEMENTS_CREATED)
        assert (created.day, created.count) == (day, 1)


def test_a_further_statement_counts_as_an_update_and_staffs_own_changes_do_not() -> None:
    history = tuple(
        HistoryEvent(at=NOW, event=event, actor=actor)
        for event, actor in (("BillCreated", "partner"), ("BillUpdated", "partner"), ("BillReopened", "key:k1"))
    )
    [updated] = of(book(bills=(bill(history=history),)), Activity.STATEMENTS_UPDATED)
    assert updated.count == 1


def test_a_notice_counts_on_each_day_for_each_status_that_it_came_into() -> None:
    row = as_if(gone(notice()), S.DELIVERED, NOW + DAY, "provider")
    found = [(row.day, row.status, row.level, row.channel) for row in of(book(notices=(row,)), Activity.NOTICES)]
    on_its_day = {(TODAY, status, 1, "email") for status in (S.SCHEDULED, S.QUEUED, S.SENDING, S.SENT)}
    assert set(found) == on_its_day | {(TODAY + DAY, S.DELIVERED, 1, "email")}


def test_a_message_that_a_provider_took_is_sent_once_whatever_is_reported_of_it() -> None:
    row = gone(notice(), to=S.UNKNOWN)
    for status in (S.SENT, S.DELIVERED, S.UNDELIVERABLE_PERMANENT):
        row = as_if(row, status, NOW, "provider")
    [found] = delivery(book(notices=(row,)))
    assert (found.sent, found.delivered, found.bounced, found.unknown) == (1, 1, 1, 1)
    [refused] = delivery(book(notices=(gone(notice(), to=S.DELIVERY_ERROR),)))
    assert (refused.sent, refused.failed) == (0, 1)


def test_links_opened_opt_outs_and_complaints_come_from_the_accounts_history() -> None:
    def out(source: ConsentSource) -> HistoryEvent:
        facts = {"channel": "sms", "source": str(source)}
        return HistoryEvent(at=NOW, event=OPTED_OUT_EVENT, actor="patient", facts=facts)

    opened = HistoryEvent(at=NOW, event=OPENED_EVENT, actor="patient")
    found = book(history=(opened, out(ConsentSource.TEXT_MESSAGE), out(ConsentSource.COMPLAINT)))
    assert [row.count for row in of(found, Activity.LINKS_OPENED)] == [1]
    [texts] = delivery(found)
    assert (texts.channel, texts.opt_outs, texts.complaints) == (Channel.SMS, 1, 1)


def test_a_payment_counts_for_the_last_notice_that_asked_for_it() -> None:
    first = gone(notice())
    second = gone(notice(notice_id="ntc_2", channel=Channel.SMS, level=2), NOW + DAY)
    other = gone(notice(notice_id="ntc_3", level=3, bills=(replace(first.bills[0], statement_id="S-9"),)), NOW + DAY)
    receipt = gone(notice(notice_id="ntc_4", notification_type=NotificationType.RECEIPT, level=0), NOW + DAY)
    found = paid(book(notices=(first, second, other, receipt)), 10_00, NOW + 2 * DAY)
    [payment] = of(found, Activity.PAYMENTS)
    assert (payment.channel, payment.level, payment.count, payment.amount) == ("sms", 2, 1, 10_00)


@pytest.mark.parametrize(
    ("after", "to", "counts"),
    [
        (COUNTS_FOR, S.SENT, True),
        (COUNTS_FOR + timedelta(seconds=1), S.SENT, False),
        (timedelta(0), S.SENT, True),
        (-timedelta(seconds=1), S.SENT, False),
        (DAY, S.UNKNOWN, True),
        (DAY, S.UNDELIVERABLE_PERMANENT, False),
        (DAY, S.DELIVERY_ERROR, False),
    ],
)
def test_it_counts_for_none_that_had_not_gone_had_bounced_or_went_long_ago(
    after: timedelta,
    to: NoticeStatus,
    counts: bool,  # noqa: FBT001 - a parameter of the cases
) -> None:
    found = paid(book(notices=(gone(notice(), to=to),)), 10_00, NOW + after)
    assert (notice_before(found, found.payments[0]) is not None) is counts
    [payment] = of(found, Activity.PAYMENTS)
    assert payment.channel == ("email" if counts else "")


def test_money_at_the_desk_and_through_links_is_told_apart_and_refunds_go_off_their_own_kind() -> None:
    online = f"{ONLINE_PAYMENT}1"
    found = paid(paid(book(), 30_00, payment_id=online), 10_00, number=2)
    assert collected(found, TODAY).digital_share == Fraction(3, 4)
    assert collected(found, TODAY).received == 40_00
    wanted = Takeback(payment_id=online, kind=REFUND, reason="twice", amount=20_00)
    back = found.after(take_back(found, organization(), wanted, NOW, "key:k1")[0])
    assert (collected(back, TODAY).received, collected(back, TODAY).digital_share) == (20_00, Fraction(1, 2))


def test_the_share_collected_is_known_once_every_bill_is_that_old() -> None:
    found = paid(paid(book(), 30_00, NOW + 30 * DAY, 1), 20_00, NOW + 31 * DAY, 2)
    early, late = collected(found, TODAY + 30 * DAY), collected(found, TODAY + 91 * DAY)
    assert early.share_by_day_30 is early.share_by_day_90 is None
    assert (late.billed, late.collected) == (74_60, 50_00)
    assert (late.share_by_day_30, late.share_by_day_60) == (Fraction(30_00, 74_60), Fraction(50_00, 74_60))
    assert late.days_to_pay == 30


def test_what_a_cancelled_bill_asked_for_is_no_longer_billed() -> None:
    cancelled = book(bills=(bill(status=BillStatus.CANCELLED, paid=10_00),))
    assert collected(cancelled, TODAY).billed == 10_00


def test_the_cost_is_what_was_sent_at_the_practices_prices() -> None:
    rows = (gone(notice()), gone(notice(notice_id="ntc_2", channel=Channel.PRINT)))
    found = paid(book(notices=rows), 50_00)
    row = collected(found, TODAY, {Channel.EMAIL: 10, Channel.PRINT: 7_400})
    assert (row.emails, row.texts, row.letters, row.cost) == (1, 0, 1, 7_410)
    assert row.cost_per_dollar == Fraction(7_410, 50 * 10_000)
    assert collected(book(notices=rows), TODAY, {Channel.EMAIL: 10}).cost_per_dollar is None


def test_a_letter_is_avoided_where_the_step_had_one_and_an_electronic_channel_took_its_place() -> None:
    letter = as_if(notice(channel=Channel.PRINT), S.WILL_NOT_SEND, NOW, "scheduler", Reason.ELECTRONIC_AVAILABLE)
    assert collected(book(notices=(letter,)), TODAY).letters_avoided == 1
    other = as_if(notice(channel=Channel.PRINT), S.WILL_NOT_SEND, NOW, "scheduler", Reason.NO_ADDRESS)
    assert collected(book(notices=(other,)), TODAY).letters_avoided == 0


def test_each_line_of_the_postings_has_its_bill_or_the_credit_and_they_sum_up() -> None:
    found = paid(book(), 80_00)
    wanted = Takeback(payment_id="pay_1", kind=REVERSAL, reason="twice")
    back = found.after(take_back(found, organization(), wanted, NOW + DAY, "key:k1")[0])
    postings = account_facts(back, organization()).postings
    there, again = postings[TODAY.isoformat()], postings[(TODAY + DAY).isoformat()]
    assert [(line.statement_id, line.amount) for line in there] == [("S-1", 74_60), ("", 5_40)]
    assert [line.reverses for line in again] == ["pay_1", "pay_1"]
    sums = Counter[str]()
    for line in (*there, *again):
        sums[line.payment_id] += line.amount
        assert line.account_id == "G-1"
    assert list(sums.values()) == [80_00, -80_00]


def test_what_is_owed_ages_with_the_day() -> None:
    owed = account_facts(book(bills=(bill(), bill("S-2", balance=10_00))), organization()).owed
    for age, bucket in ((0, "0-30"), (30, "0-30"), (31, "31-60"), (61, "61-90"), (120, "91-120"), (121, "over 120")):
        assert ageing_on(TODAY + age * DAY, owed) == Ageing(bills={bucket: 2}, owed={bucket: 84_60})


def test_an_account_is_looked_at_again_when_a_notice_of_it_moves_or_its_day_is_filed() -> None:
    zone = organization().zone

    def again(found: AccountBook, filed_through: date = TODAY - DAY) -> Any:
        return look_again_at(found, account_facts(found, organization()), filed_through, zone, NOW)

    waiting = as_if(notice(scheduled_for=NOW + DAY), S.SCHEDULED, NOW, "scheduler")
    assert again(book()) is None
    assert NOW + DAY < again(book(notices=(waiting,))) < NOW + 2 * DAY
    assert again(paid(book(notices=()), 74_60)) == filed_at(TODAY, zone)
    assert again(replace(paid(book(), 74_60), notices=()), filed_through=TODAY) is None


def test_what_was_sent_is_looked_at_again_as_long_as_providers_report_what_became_of_it() -> None:
    """Such a report is written into its row alone. Of a letter none comes."""

    def again(row: Notice, after: timedelta) -> Any:
        found = book(notices=(row,))
        return look_again_at(found, account_facts(found, organization()), TODAY, organization().zone, NOW + after)

    sent = gone(notice())
    assert [again(sent, after) for after in (0 * DAY, DAY - SETTLES_WITHIN)] == [NOW + DAY] * 2
    assert [again(sent, after) for after in (DAY, 3 * DAY)] == [NOW + 4 * DAY] * 2
    assert again(sent, 4 * DAY) is None
    assert again(gone(notice(), to=S.UNDELIVERABLE_PERMANENT), 0 * DAY) is None
    assert again(gone(notice(channel=Channel.PRINT)), 0 * DAY) is None
