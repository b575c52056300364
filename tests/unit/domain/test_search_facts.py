"""By what an account is found, however it is written, and what lists show of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.account.search_facts import alike, alike_name, may_be_name, most_facts, search_facts
from shared.domain.account.summary import last_notice, next_notice, summarized
from shared.domain.records.book import Change
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import BillStatus, Channel, NoticeStatus
from tests.worlds.examples import NOW, bill, book, notice

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("+15185550111", "5185550111"),
        ("(518) 555-0111", "5185550111"),
        ("1-518-555.0111", "5185550111"),
        ("518555011", "518555011"),
        ("25185550111", "25185550111"),
        ("\u0665185550111", "\u0665185550111"),
        (" Ada@Example.COM ", "ada@example.com"),
        ("2/9/1980", "1980-02-09"),
        ("02/09/1980", "1980-02-09"),
        ("1980-02-09", "1980-02-09"),
        ("2/31/1980", "2/31/1980"),
        ("A-12 34", "a-1234"),
    ],
)
def test_a_fact_is_compared_in_one_form(written: str, compared: str) -> None:
    assert alike(written) == compared


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("O'Neil-Ruiz", "oneilruiz"),
        ("MÉNDEZ", "mendez"),
        ("de la Cruz", "delacruz"),
        ("李", "李"),
        ("x" * 60, "x" * 24),
        ("7", ""),
    ],
)
def test_of_a_last_name_the_letters_count(name: str, letters: str) -> None:
    assert alike_name(name) == letters


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("Sm", True),
        ("O\u2019Neil", True),
        ("de la Cruz", True),
        ("S-1", False),
        ("a@b", False),
        ("", False),
        ("-ab", False),
    ],
)
def test_a_name_has_letters_alone(term: str, *, name: bool) -> None:
    assert may_be_name(term) is name


def test_a_bill_that_went_to_another_account_is_found_there() -> None:
    went = bill("S-2", patient_account_ids=("P-2",), patient_names=("Kidd",), moved_to="G-2")
    there = book(bills=(bill(patient_names=("Example",)), went))
    facts = search_facts(there)
    assert facts.names == {"example"}
    assert facts.whole == {"p-1", "2015-06-07", "1980-02-29", "ada@example.com", "5185550111"}
    assert summarized(there).patient_names == ()
    assert summarized(replace(there, bills=(replace(went, moved_to=""),))).patient_names == ("kidd",)


def test_an_account_is_never_thought_to_have_fewer_facts_than_it_has() -> None:
    """By their number, transactions are filled."""
    twice = bill(patient_names=("Kidd", "KIDD"), patient_contacts=("ada@example.com", "ADA@example.com"))
    for bills in ((), (twice,), (twice, bill("S-2", patient_account_ids=("P-2",)))):
        there = book(bills=bills)
        facts = search_facts(there)
        assert most_facts(there.account, bills) >= len(facts.names) + len(facts.whole)
    assert most_facts(book().account, (bill(patient_names=("Example",)),)) == 6


def test_a_summary_tells_apart_what_is_owed_past_due_suspended_and_kept() -> None:
    day = timedelta(days=1)
    bills = (
        bill("S-1", balance=1_00, effective_created_date=TODAY - 30 * day),
        bill("S-2", balance=2_00, effective_created_date=TODAY - 31 * day),
        bill("S-3", balance=4_00, effective_created_date=TODAY - 31 * day),
        bill("S-4", balance=8_00, effective_created_date=TODAY - 90 * day, status=BillStatus.SUSPENDED),
        bill("S-5", balance=16_00, status=BillStatus.CANCELLED),
        bill("S-6", balance=-5_00),
    )
    found = summarized(book(bills=bills))
    assert (found.owed, found.past_due(TODAY, 30), found.open_bills, found.credit) == (15_00, 6_00, 3, 5_00)
    assert found.owing_since == TODAY - 90 * day
    assert summarized(book(bills=bills[4:])).owing_since is None


def test_a_summary_names_the_first_notice_on_each_channel_and_the_last_that_went() -> None:
    def row(name: str, channel: Channel, days: int, *, sent: bool = False) -> Notice:
        at = NOW + timedelta(days=days)
        status = NoticeStatus.SENT if sent else NoticeStatus.SCHEDULED
        return notice(notice_id=name, channel=channel, scheduled_for=at, status=status, sent_at=at if sent else None)

    rows = (
        row("late", Channel.EMAIL, 9),
        row("soon", Channel.EMAIL, 2),
        row("text", Channel.SMS, 1),
        row("old", Channel.PRINT, -9, sent=True),
        row("last", Channel.EMAIL, -1, sent=True),
        notice(notice_id="gone", status=NoticeStatus.CANCELLED),
    )
    there = book(notices=rows)
    assert set(summarized(there).notice_ids) == {"soon", "text", "last"}
    coming, went = next_notice(there.notices), last_notice(there.notices)
    assert coming is not None
    assert went is not None
    assert (coming.notice_id, went.notice_id) == ("text", "last")
    assert (next_notice(()), last_notice(())) == (None, None)


def test_the_entries_that_were_read_stay_with_the_book() -> None:
    read = book(search_entries=frozenset({"e"}))
    assert read.after(Change(account=read.account)).search_entries == {"e"}
    assert date(1980, 2, 29).isoformat() in search_facts(read).whole
