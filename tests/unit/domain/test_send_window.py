"""When a channel may be used: business days, federal holidays, opening and quiet hours, daylight-saving nights."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar.send_window import (
    first_moment,
    first_waking_moment,
    hours_return,
    is_business_day,
    local_date,
    permitted,
    place_in_window,
    start_of_day,
    waking_hours_on,
    windows_on,
)
from shared.domain.records.policy import Organization, SendWindow
from shared.domain.vocabulary.words import Channel
from tests.worlds.bounds import some
from tests.worlds.dunning_world import EMAIL, MONDAY, NEW_YORK, PRINT, SMS, an_account, an_organization, at
from tests.worlds.properties import tried

WINDOW = SendWindow()
HONOLULU, GUAM, LOS_ANGELES = "Pacific/Honolulu", "Pacific/Guam", "America/Los_Angeles"


@pytest.mark.parametrize(
    ("day", "business"),
    [
        ("2026-01-01", False),  # New Year's Day
        ("2026-01-02", True),
        ("2026-01-03", False),  # a Saturday
        ("2026-01-04", False),  # a Sunday
        ("2026-01-19", False),  # Martin Luther King, Jr.
        ("2026-06-19", False),  # Juneteenth
        ("2026-07-03", False),  # Independence Day, observed on the Friday
        ("2027-07-05", False),  # the same, observed on the Monday
        ("2021-12-31", False),  # New Year's Day of the next year, a Saturday
        ("2026-12-31", True),
        ("2026-11-26", False),  # Thanksgiving Day
        ("2026-11-27", True),
    ],
)
def test_business_days_leave_out_weekends_and_federal_holidays(day: str, *, business: bool) -> None:
    """By default Monday to Friday."""
    assert is_business_day(date.fromisoformat(day), WINDOW) is business


def test_an_organization_may_open_on_holidays_and_other_days() -> None:
    """Both are settings."""
    own = SendWindow(business_days=frozenset({5}), federal_holidays=False)
    assert is_business_day(date(2026, 1, 3), own)
    assert not is_business_day(MONDAY, own)
    assert is_business_day(date(2026, 6, 19), replace(WINDOW, federal_holidays=False))


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2026-01-05", "2026-01-05T14:45Z", "2026-01-05T23:00Z"),  # winter time
        ("2026-03-06", "2026-03-06T14:45Z", "2026-03-06T23:00Z"),  # the Friday before the clocks go forward
        ("2026-03-09", "2026-03-09T13:45Z", "2026-03-09T22:00Z"),  # the Monday after
        ("2026-10-30", "2026-10-30T13:45Z", "2026-10-30T22:00Z"),  # the Friday before they go back
        ("2026-11-02", "2026-11-02T14:45Z", "2026-11-02T23:00Z"),  # the Monday after
    ],
)
def test_hours_are_local_on_both_sides_of_a_daylight_saving_night(day: str, opens: str, closes: str) -> None:
    """9:45 to 18:00 by the wall clock."""
    (window,) = windows_on(date.fromisoformat(day), EMAIL, an_organization(), an_account())
    assert (window.start, window.end) == (datetime.fromisoformat(opens), datetime.fromisoformat(closes))


def in_zone(window_zone: str, *zones: str, **changes: object) -> list[tuple[str, str]]:
    """The windows of a text on a Monday, by the organization's clock."""
    organization = an_organization(time_zone=window_zone, **changes)
    account = an_account(time_zones=zones)
    return [
        (f"{window.start.astimezone(organization.zone):%d %H:%M}", f"{window.end.astimezone(organization.zone):%H:%M}")
        for window in windows_on(MONDAY, SMS, organization, account)
    ]


ALL_DAY = SendWindow(opens=time(0), closes=time(23, 59))


@pytest.mark.parametrize(
    ("zone", "zones", "expected"),
    [
        ("America/New_York", ("America/New_York",), [("05 09:45", "18:00")]),
        ("America/New_York", (), [("05 09:45", "18:00")]),  # no zone known: the organization's
        ("America/New_York", (LOS_ANGELES,), [("05 12:00", "18:00")]),  # 9:00 there
        (LOS_ANGELES, ("America/New_York",), [("05 09:45", "17:00")]),  # 20:00 there
        ("America/New_York", ("America/New_York", LOS_ANGELES), [("05 12:00", "18:00")]),
        ("America/New_York", (HONOLULU,), [("05 14:00", "18:00")]),
        ("America/New_York", (HONOLULU, GUAM), []),  # 14:00 to 1:00, and 18:00 to 5:00: after we close
        (GUAM, (HONOLULU,), [("05 09:45", "16:00")]),  # it is Sunday there
        (HONOLULU, (GUAM,), [("05 13:00", "18:00")]),  # it is Tuesday there
    ],
)
def test_a_text_keeps_to_the_hours_of_every_zone_the_recipient_may_be_in(
    zone: str, zones: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """The organization's hours, where 9:00 to 20:00 of all those zones overlap."""
    assert in_zone(zone, *zones) == expected


def test_the_hours_of_a_text_may_fall_into_two() -> None:
    """Somebody far west sleeps in the middle of our day, if we are open around the clock."""
    assert in_zone("America/New_York", GUAM, send_window=ALL_DAY) == [("05 00:00", "05:00"), ("05 18:00", "23:59")]


def test_quiet_hours_are_settings() -> None:
    """An organization may keep wider or narrower ones."""
    narrow = in_zone("America/New_York", quiet_until=time(11), quiet_from=time(12))
    assert narrow == [("05 11:00", "12:00")]


@pytest.mark.parametrize("channel", [EMAIL, PRINT])
def test_quiet_hours_are_for_texts_only(channel: Channel) -> None:
    """An email or a letter wakes nobody."""
    organization = an_organization(quiet_until=time(12), quiet_from=time(12))
    assert len(windows_on(MONDAY, channel, organization, an_account())) == 1
    assert windows_on(MONDAY, SMS, organization, an_account()) == ()


@pytest.mark.parametrize(("opens", "closes"), [(time(9), time(9)), (time(10), time(9))])
def test_hours_that_end_before_they_begin_permit_nothing(opens: time, closes: time) -> None:
    """Such settings are refused when saved; the engine answers all the same."""
    organization = an_organization(send_window=SendWindow(opens=opens, closes=closes))
    assert windows_on(MONDAY, EMAIL, organization, an_account()) == ()
    assert first_moment(EMAIL, organization, an_account(), at("2026-01-05 10:00")) is None


@pytest.mark.parametrize(
    ("instant", "channel", "allowed"),
    [
        ("2026-01-05 09:44:59", EMAIL, False),
        ("2026-01-05 09:45", EMAIL, True),
        ("2026-01-05 17:59:59", EMAIL, True),
        ("2026-01-05 18:00", EMAIL, False),
        ("2026-01-03 12:00", EMAIL, False),
        ("2026-06-19 12:00", PRINT, False),
        ("2026-01-05 11:59:59", SMS, False),
        ("2026-01-05 12:00", SMS, True),
    ],
)
def test_opening_counts_as_open_and_closing_as_closed(instant: str, channel: Channel, *, allowed: bool) -> None:
    """The recipient of the text is in Los Angeles, the organization in New York."""
    account = an_account(time_zones=(LOS_ANGELES,))
    assert permitted(at(instant), channel, an_organization(), account) is allowed


def moment(now: datetime, channel: Channel = EMAIL, organization: Organization | None = None) -> datetime | None:
    return first_moment(channel, organization or an_organization(), an_account(), now)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-01-05 00:00", "2026-01-05"),
        ("2026-01-05 17:59", "2026-01-05"),
        ("2026-01-05 17:59:59.5", "2026-01-06"),  # no whole second is left
        ("2026-01-05 18:00", "2026-01-06"),
        ("2026-01-02 18:00", "2026-01-05"),
        ("2026-01-03 00:00", "2026-01-05"),
        ("2026-06-18 18:00", "2026-06-22"),  # Juneteenth, a Friday, and the weekend
        ("2026-12-31 18:00", "2027-01-04"),
        ("2025-12-31 12:00", "2025-12-31"),
    ],
)
def test_a_notice_goes_today_or_else_on_the_next_business_day(now: str, day: str) -> None:
    """If today is no business day, or its window is over."""
    found = moment(at(now))
    assert found
    assert local_date(found, NEW_YORK) == date.fromisoformat(day)
    assert found >= at(now)
    assert permitted(found, EMAIL, an_organization(), an_account())


def test_sends_are_spread_over_the_window_and_end_before_it_closes() -> None:
    """Evenly, always alike for an account, with a quarter of an hour to spare."""
    organization = an_organization()
    accounts = [an_account(account_id=f"acc_{number}") for number in range(400)]
    moments = [first_moment(EMAIL, organization, account, at("2026-01-05 00:00")) for account in accounts]
    assert moments == [first_moment(EMAIL, organization, account, at("2026-01-05 01:00")) for account in accounts]
    known = sorted(found for found in moments if found)
    assert len(known) == 400
    assert at("2026-01-05 09:45") <= known[0] < at("2026-01-05 09:55")
    assert at("2026-01-05 17:35") < known[-1] <= at("2026-01-05 17:45")
    middle = known[200] - at("2026-01-05 13:45")
    assert abs(middle) < timedelta(minutes=30)
    assert all(found.microsecond == 0 and found.tzinfo is UTC for found in some(known))


def test_a_notice_planned_after_opening_goes_between_now_and_the_close() -> None:
    """Spread over what is left; in the last quarter of an hour it goes at once."""
    share = place_in_window("org_1", "acc_1")
    assert 0 <= share < 1
    left = at("2026-01-05 17:45") - at("2026-01-05 13:00")
    expected = at("2026-01-05 13:00") + timedelta(minutes=int(share * (left // timedelta(minutes=1))))
    assert moment(at("2026-01-05 13:00")) == expected
    assert moment(at("2026-01-05 17:50")) == at("2026-01-05 17:50")
    assert moment(at("2026-01-05 17:50:00.25")) == at("2026-01-05 17:51")


def test_in_a_short_window_a_quarter_is_kept_free() -> None:
    """So that there is a window left to spread over."""
    organization = an_organization(send_window=SendWindow(opens=time(10), closes=time(10, 20)))
    found = [
        first_moment(EMAIL, organization, an_account(account_id=str(number)), at("2026-01-05 00:00"))
        for number in range(200)
    ]
    known = [each for each in found if each]
    assert max(known) == at("2026-01-05 10:14")


def test_another_organization_spreads_the_same_account_number_elsewhere() -> None:
    """Account numbers are only the organization's own."""
    assert place_in_window("org_1", "acc_1") != place_in_window("org_2", "acc_1")


def test_a_day_that_is_taken_is_passed_over() -> None:
    """At most one dunning notice a day on a channel."""
    taken = {date(2026, 1, 5), date(2026, 1, 6)}
    found = first_moment(EMAIL, an_organization(), an_account(), at("2026-01-05 10:00"), taken.__contains__)
    assert found
    assert local_date(found, NEW_YORK) == date(2026, 1, 7)


def test_where_no_hour_is_ever_permitted_there_is_no_moment() -> None:
    """Honolulu and Guam together leave no hour of a New York office day."""
    account = an_account(time_zones=(HONOLULU, GUAM))
    assert first_moment(SMS, an_organization(), account, at("2026-01-05 10:00")) is None
    assert first_moment(EMAIL, an_organization(), account, at("2026-01-05 10:00")) is not None


def test_one_business_day_a_week_is_found_past_holidays() -> None:
    """Only Mondays, two of which in a row may be holidays."""
    organization = an_organization(send_window=replace(WINDOW, business_days=frozenset({0})))
    found = moment(at("2026-01-12 18:00"), organization=organization)
    assert found
    assert local_date(found, NEW_YORK) == date(2026, 1, 26)  # the 19th is a holiday


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        ("2026-03-08", "America/New_York", "2026-03-08T05:00Z"),
        ("2026-03-09", "America/New_York", "2026-03-09T04:00Z"),
        ("2026-11-01", "America/New_York", "2026-11-01T04:00Z"),
        ("2026-11-02", "America/New_York", "2026-11-02T05:00Z"),
        ("2026-03-08", "America/Havana", "2026-03-08T05:00Z"),  # midnight is skipped: the day begins at 1:00
    ],
)
def test_a_day_begins_at_local_midnight_on_daylight_saving_nights_too(day: str, zone: str, instant: str) -> None:
    """At the first instant that bears its date."""
    begin = start_of_day(date.fromisoformat(day), ZoneInfo(zone))
    assert begin == datetime.fromisoformat(instant)
    assert local_date(begin, ZoneInfo(zone)) == date.fromisoformat(day)
    assert local_date(begin - timedelta(seconds=1), ZoneInfo(zone)) < date.fromisoformat(day)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-04 12:00", "2026-01-04 12:00"),  # a Sunday noon: no business hours, but nobody sleeps
        ("2026-01-04 08:59", "2026-01-04 09:00"),
        ("2026-01-04 20:00", "2026-01-05 09:00"),
        ("2026-01-04 19:59:59", "2026-01-04 19:59:59"),
    ],
)
def test_a_text_on_demand_waits_only_for_the_quiet_hours(now: str, expected: str) -> None:
    """Business hours don't concern it."""
    assert first_waking_moment(an_organization(), an_account(), at(now)) == at(expected)


def test_quiet_hours_may_leave_nothing() -> None:
    """Then a text never goes."""
    organization = an_organization(quiet_until=time(12), quiet_from=time(12))
    assert first_waking_moment(organization, an_account(), at("2026-01-05 12:00")) is None
    assert waking_hours_on(MONDAY, organization, an_account()) == ()


@tried(plain=100, thorough=10_000)
@given(
    st.datetimes(datetime(2025, 12, 1), datetime(2027, 1, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    st.sampled_from(Channel),
    st.sampled_from(["America/New_York", HONOLULU, GUAM, LOS_ANGELES]),
    st.lists(st.sampled_from(["America/New_York", HONOLULU, GUAM, LOS_ANGELES]), max_size=2, unique=True),
    st.text(max_size=5),
)
def test_every_moment_lies_inside_all_its_windows(
    now: datetime, channel: Channel, zone: str, zones: list[str], account_id: str
) -> None:
    """For any time, channel, zones and account; and none earlier than now."""
    organization = an_organization(time_zone=zone)
    account = an_account(account_id=account_id, time_zones=tuple(zones))
    found = first_moment(channel, organization, account, now)
    if found:
        assert found >= now
        assert permitted(found, channel, organization, account)
        local = found.astimezone(organization.zone)
        assert time(9, 45) <= local.time() < time(18)
        assert is_business_day(local.date(), WINDOW)
        if channel is SMS:
            theirs = [found.astimezone(ZoneInfo(name)).time() for name in zones or [zone]]
            assert all(time(9) <= clock < time(20) for clock in some(theirs))


@pytest.mark.parametrize("now", ["2026-01-05 10:00:30", "2026-01-05 10:00:00.5", "2026-01-05 09:00:30"])
def test_a_moment_is_a_whole_minute_not_before_now(now: str) -> None:
    """The scheduler looks once a minute."""
    for number in range(20):
        moment = first_moment(EMAIL, an_organization(), an_account(account_id=f"acc_{number}"), at(now))
        assert moment
        assert moment >= at(now)
        assert (moment.second, moment.microsecond) == (0, 0)


@pytest.mark.parametrize("now", ["2026-06-01 08:00", "2026-09-01 08:00", "2026-09-28 20:00"])
def test_hours_that_winter_brings_are_found_from_five_weeks_before_on(now: str) -> None:
    """A late morning on Guam is an afternoon in Los Angeles from November 1 on; the 2nd is a Monday."""
    zone = ZoneInfo(LOS_ANGELES)
    organization = an_organization(time_zone=LOS_ANGELES, quiet_until=time(11))
    account = an_account(time_zones=(LOS_ANGELES, GUAM))
    assert first_moment(SMS, organization, account, at(now, zone)) is None
    returned = hours_return(SMS, organization, account, at(now, zone))
    assert returned == date(2026, 9, 29)
    found = first_moment(SMS, organization, account, at("2026-09-29 00:00", zone))
    assert found
    assert local_date(found, zone) == date(2026, 11, 2)


def test_after_the_last_hour_of_winter_the_hours_return_in_the_next_one() -> None:
    """On Friday, March 6, the hours met for the last time; the clocks of Los Angeles change on Sunday."""
    organization = an_organization(time_zone=LOS_ANGELES, quiet_until=time(11))
    account = an_account(time_zones=(LOS_ANGELES, GUAM))
    friday = at("2026-03-06 17:30", ZoneInfo(LOS_ANGELES))
    assert permitted(friday, SMS, organization, account)
    evening = friday + timedelta(hours=2)
    assert first_moment(SMS, organization, account, evening) is None
    assert hours_return(SMS, organization, account, evening) == date(2026, 9, 29)


def test_hours_that_no_season_brings_are_not_waited_for() -> None:
    account = an_account(time_zones=(HONOLULU, GUAM))
    assert hours_return(SMS, an_organization(), account, at("2026-06-01 08:00")) is None
