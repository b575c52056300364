"""The rows of reports, made of the figures of days (docs/reports.md has each column)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from shared.domain.reporting import figures
from shared.domain.reporting.ageing import BUCKET_NAMES, Ageing
from shared.domain.reporting.facts import Figures
from shared.domain.vocabulary.money import Cents
from shared.domain.vocabulary.words import Channel, NoticeStatus

type FiguresByDay = Mapping[str, Figures]
"""The figures of days by their dates (ISO 8601)."""

WINDOWS = (30, 60, 90)
"""By which days after a bill the share that was collected is told."""


class Activity(StrEnum):
    """What a row of the daily activity counts."""

    STATEMENTS_CREATED = "StatementsCreated"
    STATEMENTS_UPDATED = "StatementsUpdated"
    NOTICES = "Notices"
    LINKS_OPENED = "LinksOpened"
    PAYMENTS = "Payments"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """How often something happened on a day. level: of the step; 0: no step asked for it; None: of no notice."""

    day: date
    activity: Activity
    channel: str = ""
    notification_type: str = ""
    level: int | None = None
    status: str = ""
    count: int
    amount: Cents | None = None


def daily_activity(days: FiguresByDay) -> Iterator[ActivityRow]:
    """The daily activity, day by day."""
    for day, found in sorted(days.items()):
        for figure in sorted(found):
            row = _activity(date.fromisoformat(day), figure, found)
            if row is not None:
                yield row


PLAIN_ACTIVITIES = {
    figures.figure(figures.STATEMENTS_RECEIVED, figures.CREATED): Activity.STATEMENTS_CREATED,
    figures.figure(figures.STATEMENTS_RECEIVED, figures.UPDATED): Activity.STATEMENTS_UPDATED,
    figures.LINKS_OPENED: Activity.LINKS_OPENED,
}


def _activity(day: date, figure: str, found: Figures) -> ActivityRow | None:
    """The row of a figure; None: it is no activity, or stands in another's row."""
    if figure in PLAIN_ACTIVITIES:
        return ActivityRow(day=day, activity=PLAIN_ACTIVITIES[figure], count=found[figure])
    kind, *rest = figures.words_of(figure)
    if kind == figures.NOTICE_MOVES:
        channel, notification_type, level, status = rest
        return ActivityRow(
            day=day,
            activity=Activity.NOTICES,
            channel=channel,
            notification_type=notification_type,
            level=int(level),
            status=status,
            count=found[figure],
        )
    if kind == figures.PAYMENTS and rest[-1] == figures.COUNT:
        channel, notification_type, level = rest[:-1]
        return ActivityRow(
            day=day,
            activity=Activity.PAYMENTS,
            channel=channel,
            notification_type=notification_type,
            level=int(level) if level else None,
            count=found[figure],
            amount=found.get(figures.figure(kind, *rest[:-1], figures.CENTS), 0),
        )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingRow:
    """What was owed on a day in bills of an age."""

    day: date
    age: str
    bills: int
    owed: Cents


def ageing_rows(days: Mapping[str, Ageing]) -> Iterator[AgeingRow]:
    """The ageing of days, each bucket of each, youngest first."""
    for day, found in sorted(days.items()):
        for age in BUCKET_NAMES:
            yield AgeingRow(
                day=date.fromisoformat(day), age=age, bills=found.bills.get(age, 0), owed=found.owed.get(age, 0)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """What became of a channel's messages on a day, and who wanted no more."""

    day: date
    channel: Channel
    sent: int
    delivered: int
    bounced: int
    bounced_for_now: int
    failed: int
    unknown: int
    complaints: int
    opt_outs: int


def delivery_rows(days: FiguresByDay) -> Iterator[DeliveryRow]:
    """The delivery of days, each channel on which anything happened."""
    for day, found in sorted(days.items()):
        statuses = _by_status(found)
        for channel in Channel:
            came = statuses[channel]
            row = DeliveryRow(
                day=date.fromisoformat(day),
                channel=channel,
                sent=found.get(figures.figure(figures.SENDINGS, channel), 0),
                delivered=came[NoticeStatus.DELIVERED],
                bounced=came[NoticeStatus.UNDELIVERABLE_PERMANENT],
                bounced_for_now=came[NoticeStatus.UNDELIVERABLE_CAN_RETRY],
                failed=came[NoticeStatus.DELIVERY_ERROR],
                unknown=came[NoticeStatus.UNKNOWN],
                complaints=found.get(figures.figure(figures.COMPLAINTS, channel), 0),
                opt_outs=found.get(figures.figure(figures.OPT_OUTS_MADE, channel), 0),
            )
            if any((row.sent, row.delivered, row.bounced, row.bounced_for_now, row.failed, row.unknown)) or any(
                (row.complaints, row.opt_outs)
            ):
                yield row


def _by_status(found: Figures) -> dict[str, Counter[str]]:
    statuses: dict[str, Counter[str]] = {channel: Counter() for channel in Channel}
    for figure, n in found.items():
        kind, *rest = figures.words_of(figure)
        if kind == figures.NOTICE_MOVES:
            channel, _, _, status = rest
            statuses.setdefault(channel, Counter())[status] += n
    return statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsRow:
    """How well the bills of some days are collected, and what it cost (docs/rules.md#collections).

    Amounts are cents, cost ten-thousandths of a dollar, shares exact; None: not known yet, or of nothing. The first
    group is about bills made on these days, whenever they are paid; from `received` on, about what happened on them.
    """

    first: date
    last: date
    bills: int
    billed: Cents
    collected: Cents
    days_to_pay: int | None
    share_by_day_30: Fraction | None
    share_by_day_60: Fraction | None
    share_by_day_90: Fraction | None
    received: Cents
    digital_share: Fraction | None
    letters_avoided: int
    emails: int
    texts: int
    letters: int
    cost: int
    cost_per_dollar: Fraction | None


def collections(
    days: FiguresByDay, first: date, last: date, prices: Mapping[Channel, int], today: date
) -> CollectionsRow:
    """The collections from a day to another. prices: of one message by channel, in ten-thousandths of a dollar."""
    total = Counter[str]()
    for found in days.values():
        total.update(found)
    billed, collected = total[figures.BILLED], _collected(total)
    sent = {channel: total[figures.figure(figures.SENDINGS, channel)] for channel in Channel}
    cost = sum(prices.get(channel, 0) * n for channel, n in sent.items())
    online = total[figures.figure(figures.MONEY, figures.PAID_ONLINE)]
    received = online + total[figures.figure(figures.MONEY, figures.AT_THE_DESK)]
    by_30, by_60, by_90 = (
        _share(sum(cents for after, cents in collected.items() if after <= window), billed)
        if (today - last).days > window
        else None
        for window in WINDOWS
    )
    return CollectionsRow(
        first=first,
        last=last,
        bills=total[figures.figure(figures.STATEMENTS_RECEIVED, figures.CREATED)],
        billed=billed,
        collected=sum(collected.values()),
        days_to_pay=_median(collected),
        share_by_day_30=by_30,
        share_by_day_60=by_60,
        share_by_day_90=by_90,
        received=received,
        digital_share=_share(online, received),
        letters_avoided=total[figures.LETTERS_AVOIDED],
        emails=sent[Channel.EMAIL],
        texts=sent[Channel.SMS],
        letters=sent[Channel.PRINT],
        cost=cost,
        cost_per_dollar=_share(cost, received * 100),
    )


def _collected(total: Counter[str]) -> dict[int, Cents]:
    """Cents by how many days after their bills they came."""
    found = dict[int, Cents]()
    for figure, cents in total.items():
        kind, *rest = figures.words_of(figure)
        if kind == figures.COLLECTED:
            found[int(rest[0])] = cents
    return found


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole > 0 else None


def _median(collected: dict[int, Cents]) -> int | None:
    """After how many days half of what was collected had come; None: nothing was."""
    whole, so_far = sum(collected.values()), 0
    for after in sorted(collected):
        so_far += collected[after]
        if whole > 0 and so_far * 2 >= whole:
            return after
    return None
