"""The rules of print batches: when a day's is closed, which letters it lists, and what its manifest says."""

import hashlib
from datetime import date, datetime, timedelta
from secrets import token_bytes
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.render_print.print_batch import ListedLetter, Manifest
from shared.domain.account.contacts import Contact
from shared.domain.calendar.send_window import DAY, local_date
from shared.domain.delivery.claim_records import BatchedLetter, OpenPrintBatch, claim_records
from shared.domain.delivery.orders import Accepted, Order, answered
from shared.domain.delivery.print_batch import (
    LetterState,
    OpenBatch,
    WaitingLetter,
    batch_of,
    closes_at,
    last_closable_day,
    letter_state,
    next_batch,
    open_batches,
)
from shared.domain.paying.link_secrets import new_payment_link
from shared.domain.records.notice import StoredLetter
from shared.domain.vocabulary.words import Channel, NoticeStatus
from tests.worlds.examples import ADDRESS, NOW, book, notice, organization

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 3, day) for day in (2, 3, 4, 5))
STORED = StoredLetter(pages=2, sha256="ab" * 32)
ZONES = st.sampled_from(
    [
        "America/New_York",
        "Pacific/Honolulu",
        "Pacific/Kiritimati",
        "America/Santiago",
        "Asia/Beirut",
        "Australia/Lord_Howe",
    ]
).map(ZoneInfo)


def waiting(day: date, number: int = 1) -> WaitingLetter:
    return WaitingLetter(account_id=f"G-{number}", notice_id=f"ntc_{number}", day=day, claimed_at=NOW)


def sending(channel: Channel = Channel.PRINT, now: datetime = NOW, zone: str = "America/New_York") -> Order:
    row = notice(channel=channel, status=NoticeStatus.SENDING)
    link = new_payment_link(
        org_id="org_1", account_id="G-1", now=now, lives=timedelta(days=30), with_code=True, random=token_bytes
    )
    contact = Contact(channel=channel, name="Ada Example", address=ADDRESS, destination="ada@example.com")
    practice = organization(time_zone=zone)
    return Order(notice=row, book=book(), organization=practice, contact=contact, link=link, now=now)


@pytest.mark.parametrize(
    ("day", "zone", "closed"),
    [
        ("2026-03-02", "America/New_York", "2026-03-03T01:00-05:00"),
        ("2026-03-07", "America/New_York", "2026-03-08T01:00-05:00"),  # the clock goes forward an hour later
        ("2026-03-08", "America/New_York", "2026-03-09T01:00-04:00"),  # a day of 23 hours
        ("2026-10-31", "America/New_York", "2026-11-01T01:00-04:00"),  # the first of the two
        ("2026-11-01", "America/New_York", "2026-11-02T01:00-05:00"),  # a day of 25 hours
        ("2026-09-05", "America/Santiago", "2026-09-06T02:00-03:00"),  # a day that begins at one
        ("2026-03-02", "Pacific/Honolulu", "2026-03-03T01:00-10:00"),
    ],
)
def test_a_batch_is_closed_an_hour_after_its_local_day(day: str, zone: str, closed: str) -> None:
    assert closes_at(date.fromisoformat(day), ZoneInfo(zone)) == datetime.fromisoformat(closed)


@given(now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=ZONES))  # noqa: DTZ001 - the zones are drawn beside them
def test_the_last_day_that_is_over_is_the_last_whose_batch_may_be_closed(now: datetime) -> None:
    zone = now.tzinfo
    assert isinstance(zone, ZoneInfo)
    over = last_closable_day(now, zone)
    assert closes_at(over, zone) <= now < closes_at(over + DAY, zone)


@given(now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=ZONES))  # noqa: DTZ001 - as above
def test_a_claims_own_batch_stays_open_for_longer_than_a_sender_lives(now: datetime) -> None:
    zone = now.tzinfo
    assert isinstance(zone, ZoneInfo)
    assert closes_at(local_date(now, zone), zone) - now > timedelta(minutes=59)


@pytest.mark.parametrize(
    ("day", "closed_through", "over", "batch"),
    [
        (MONDAY, None, MONDAY, MONDAY),
        (TUESDAY, MONDAY, MONDAY, TUESDAY),
        (MONDAY, MONDAY, MONDAY, TUESDAY),  # late: the next
        (MONDAY, TUESDAY, MONDAY, WEDNESDAY),
        (MONDAY, MONDAY, THURSDAY, THURSDAY),  # late, and so is the scheduler: no empty batches on the way
    ],
)
def test_a_letter_belongs_to_its_own_day_or_when_late_to_the_next_to_be_closed(
    day: date, closed_through: date | None, over: date, batch: date
) -> None:
    assert batch_of(day, closed_through, over) == batch


@given(
    days=st.lists(st.dates(MONDAY, THURSDAY), min_size=1),
    closed_through=st.none() | st.dates(MONDAY, THURSDAY),
    over=st.dates(MONDAY, THURSDAY),
)
def test_the_next_batch_is_after_every_closed_one_and_takes_a_letter(
    days: list[date], closed_through: date | None, over: date
) -> None:
    batch = next_batch([waiting(day) for day in days], closed_through, over)
    assert batch is not None
    assert closed_through is None or batch > closed_through
    assert min(days) <= batch


def test_without_letters_there_is_no_next_batch() -> None:
    assert next_batch([], MONDAY, MONDAY) is None


def test_days_that_wait_are_closed_in_their_order() -> None:
    letters = [waiting(WEDNESDAY, 1), waiting(MONDAY, 2), waiting(TUESDAY, 3)]
    assert next_batch(letters, None, THURSDAY) == MONDAY
    assert next_batch(letters, MONDAY, THURSDAY) == TUESDAY


def test_open_batches_count_the_letters_that_wait_for_them_newest_first() -> None:
    letters = [waiting(MONDAY, 1), waiting(TUESDAY, 2), waiting(TUESDAY, 3), waiting(WEDNESDAY, 4)]
    assert open_batches(letters, MONDAY, MONDAY) == [OpenBatch(WEDNESDAY, 1), OpenBatch(TUESDAY, 3)]


@pytest.mark.parametrize(
    ("status", "letter", "expected"),
    [
        (NoticeStatus.SENT, STORED, LetterState.LISTED),
        (NoticeStatus.ARCHIVED, STORED, LetterState.LISTED),
        (NoticeStatus.SENDING, None, LetterState.WAITS),
        (NoticeStatus.QUEUED, None, LetterState.DROPPED),
        (NoticeStatus.SCHEDULED, None, LetterState.DROPPED),
        (NoticeStatus.CANCELLED, None, LetterState.DROPPED),
        (NoticeStatus.WILL_NOT_SEND, None, LetterState.DROPPED),
        (NoticeStatus.DELIVERY_ERROR, None, LetterState.DROPPED),
    ],
)
def test_a_closing_batch_lists_what_was_stored_and_waits_for_what_is_being_sent(
    status: NoticeStatus, letter: StoredLetter | None, expected: LetterState
) -> None:
    assert letter_state(notice(channel=Channel.PRINT, status=status, letter=letter)) is expected


def test_a_letter_whose_row_is_gone_is_dropped() -> None:
    assert letter_state(None) is LetterState.DROPPED


def test_a_letters_claim_notes_the_letter_and_its_day_on_the_organizations_calendar() -> None:
    late = datetime.fromisoformat("2026-03-02T23:30-10:00")
    letter, opened = claim_records(sending(now=late, zone="Pacific/Honolulu"))
    assert letter == BatchedLetter(org_id="org_1", account_id="G-1", notice_id="ntc_1", day=MONDAY, claimed_at=late)
    assert opened == OpenPrintBatch(org_id="org_1", closes_at=datetime.fromisoformat("2026-03-03T01:00-10:00"))


def test_an_emails_claim_opens_no_batch() -> None:
    assert claim_records(sending(Channel.EMAIL)) == ()


def test_all_letters_of_a_day_open_the_same_batch() -> None:
    _, first = claim_records(sending(now=NOW))
    _, second = claim_records(sending(now=NOW + timedelta(hours=5)))
    assert first == second


def test_a_row_remembers_what_was_stored_of_its_letter() -> None:
    row = notice(channel=Channel.PRINT, status=NoticeStatus.SENDING)
    assert answered(row, Accepted(message_id="letters/org_1/ntc_1.json", letter=STORED), NOW).letter == STORED


def listed(number: int, **changes: Any) -> ListedLetter:
    return ListedLetter.of(
        "org_1", f"ntc_{number}", StoredLetter(**{"pages": number, "sha256": f"{number}" * 64, **changes})
    )


def test_a_manifest_counts_its_letters_and_pages_and_sums_up_their_checksums() -> None:
    manifest = Manifest.of("org_1", MONDAY, [listed(2), listed(1)], NOW)
    lines = f"{'1' * 64}  letters/org_1/ntc_1.pdf\n{'2' * 64}  letters/org_1/ntc_2.pdf\n"
    assert (manifest.print_batch_id, manifest.count, manifest.pages) == ("org_1_2026-03-02", 2, 3)
    assert [letter.print_job_id for letter in manifest.letters] == ["ntc_1", "ntc_2"]
    assert manifest.sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_a_manifest_is_the_same_whoever_finds_the_letters_in_whichever_order() -> None:
    letters = [listed(3), listed(1), listed(2)]
    assert Manifest.of("org_1", MONDAY, letters, NOW) == Manifest.of("org_1", MONDAY, reversed(letters), NOW)


def test_an_empty_manifest_says_so() -> None:
    manifest = Manifest.of("org_1", MONDAY, [], NOW)
    assert (manifest.count, manifest.pages, manifest.letters) == (0, 0, ())
    assert manifest.sha256 == hashlib.sha256(b"").hexdigest()
