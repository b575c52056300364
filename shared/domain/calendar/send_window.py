"""When a channel may be used, and the moment within its window at which an account's notice goes.

A day is always a date of the organization's calendar; an instant is always in UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from shared.domain.calendar.federal_holidays import is_federal_holiday
from shared.domain.records.account import Account
from shared.domain.records.policy import Organization, SendWindow
from shared.domain.vocabulary.words import Channel

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

MARGIN = timedelta(minutes=15)
"""How long before closing the last notice is planned, so that a sweep that comes later still finds the window open."""

FURTHEST_DAYS = 35
"""How far to look for a day with a permitted hour: past any run of holidays, even with one business day a week."""

A_YEAR = 366
"""In days: what no season's clocks allow, no later one does."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From an instant to another, the end not included."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def within(self, other: "Interval") -> "Interval | None":
        """The part that both have."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in a zone."""
    return instant.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day; where the clock skips midnight, the instant at which it does."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def is_business_day(day: date, window: SendWindow) -> bool:
    """Whether an organization sends at all on a day."""
    return day.weekday() in window.business_days and not (window.federal_holidays and is_federal_holiday(day))


def _hours(day: date, opens: time, closes: time, zone: ZoneInfo) -> Interval:
    return Interval(
        datetime.combine(day, opens, zone).astimezone(UTC), datetime.combine(day, closes, zone).astimezone(UTC)
    )


def windows_on(day: date, channel: Channel, organization: Organization, account: Account) -> tuple[Interval, ...]:
    """The hours of a day in which a channel may be used for an account, earliest first; usually one stretch.

    For a text: where the organization's hours and those of each of the recipient's zones overlap. A day there may begin
    before or after the organization's, so the neighbouring days count too.
    """
    hours = organization.dunning.send_window
    if not is_business_day(day, hours) or hours.closes <= hours.opens:
        return ()
    office = _hours(day, hours.opens, hours.closes, organization.zone)
    return _awake(office, day, organization, account) if channel is Channel.SMS else (office,)


def waking_hours_on(day: date, organization: Organization, account: Account) -> tuple[Interval, ...]:
    """The hours of a day, business day or not, in which no quiet hours forbid a text."""
    whole_day = Interval(start_of_day(day, organization.zone), start_of_day(day + DAY, organization.zone))
    return _awake(whole_day, day, organization, account)


def _awake(span: Interval, day: date, organization: Organization, account: Account) -> tuple[Interval, ...]:
    """The parts of a span outside of the quiet hours of every zone that the recipient may be in."""
    settings = organization.dunning
    spans = [span]
    for name in account.time_zones or (organization.time_zone,):
        waking = [
            _hours(near, settings.quiet_until, settings.quiet_from, ZoneInfo(name))
            for near in (day - DAY, day, day + DAY)
        ]
        spans = [both for part in spans for awake in waking if (both := part.within(awake))]
    return tuple(spans)


def permitted(instant: datetime, channel: Channel, organization: Organization, account: Account) -> bool:
    """Whether a channel may be used for an account at an instant."""
    day = local_date(instant, organization.zone)
    return any(instant in window for window in windows_on(day, channel, organization, account))


def place_in_window(org_id: str, account_id: str) -> float:
    """Where in a window an account's notices go, from 0 up to 1: always the same, and even over all accounts."""
    digest = sha256(f"{org_id}\n{account_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _moment_in(window: Interval, not_before: datetime, share: float) -> datetime | None:
    """The moment in what is left of a window; None when it is over."""
    begin = max(window.start, _whole_minute(not_before))
    if begin >= window.end:
        return None
    margin = min(MARGIN, (window.end - window.start) / 4)
    last = max(begin, window.end - margin)
    return begin + MINUTE * int(share * ((last - begin) // MINUTE))


def _whole_minute(instant: datetime) -> datetime:
    """The instant, or the next whole minute after it: the scheduler looks once a minute."""
    whole = instant.replace(second=0, microsecond=0)
    return whole if whole == instant else whole + MINUTE


def first_moment(
    channel: Channel,
    organization: Organization,
    account: Account,
    now: datetime,
    taken: Callable[[date], bool] = lambda _day: False,
) -> datetime | None:
    """The next moment at which a notice on a channel may go to an account, in UTC; None: there never is one.

    `taken` says of a day that no (other) notice may go on it.
    """
    today = local_date(now, organization.zone)
    share = place_in_window(organization.org_id, account.account_id)
    for day in (today + ahead * DAY for ahead in range(FURTHEST_DAYS)):
        for window in windows_on(day, channel, organization, account):
            moment = _moment_in(window, now.astimezone(UTC), share)
            if moment is not None and not taken(day):
                return moment
    return None


def hours_return(channel: Channel, organization: Organization, account: Account, now: datetime) -> date | None:
    """The day from which `first_moment`, which finds nothing now, finds a moment again; None: it never will.

    Zones change their clocks on different days or not at all, so hours that don't meet in summer may meet in winter.
    """
    today = local_date(now, organization.zone)
    for day in (today + ahead * DAY for ahead in range(FURTHEST_DAYS, FURTHEST_DAYS + A_YEAR)):
        if windows_on(day, channel, organization, account):
            return day - (FURTHEST_DAYS - 1) * DAY
    return None


def first_waking_moment(organization: Organization, account: Account, now: datetime) -> datetime | None:
    """The next instant outside of the recipient's quiet hours: now, if it is; None: there never is one."""
    now = now.astimezone(UTC)
    today = local_date(now, organization.zone)
    for day in (today + ahead * DAY for ahead in range(FURTHEST_DAYS)):
        for window in waking_hours_on(day, organization, account):
            if now < window.end:
                return max(now, window.start)
    return None
