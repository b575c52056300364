"""Bodies of reports, as JSON and as files of lines."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from fractions import Fraction
from io import StringIO
from itertools import groupby
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.contracts.wire import Day, Instant, Money, WireModel
from shared.domain.paying.account_ledger import PostingKind
from shared.domain.records.policy import PRICE_UNITS, Organization
from shared.domain.reporting.postings import PostingLine
from shared.domain.reporting.tables import Activity, ActivityRow, AgeingRow, CollectionsRow, DeliveryRow
from shared.domain.vocabulary.words import Channel

COMMA, PIPE = ",", "|"

Ratio = Annotated[str, Field(pattern=r"^-?\d+\.\d{4}$", examples=["0.4022"])]
"""An exact share, to four places."""


class ActivityItem(WireModel):
    """How often something happened on a day."""

    day: Day = Field(alias="date")
    activity: Activity
    channel: str | None = Field(description="Of the notice; of a payment: of the notice that it counts for.")
    notification_type: str | None
    level: int | None = Field(description="Of the step; 0: no step asked for the notice.")
    status: str | None = Field(description="That notices came into on the day.")
    count: int
    amount: Money | None = Field(description="Of payments.")

    @classmethod
    def of(cls, row: ActivityRow) -> Self:
        """A row of the table."""
        told: dict[str, Any] = {name: None if value == "" else value for name, value in asdict(row).items()}
        return cls(**told)


class AgeingItem(WireModel):
    """What was owed at the end of a day in bills of an age."""

    day: Day = Field(alias="date")
    age: str = Field(description="Days since the bill's effective created date.", examples=["31-60"])
    bills: int
    owed: Money

    @classmethod
    def of(cls, row: AgeingRow) -> Self:
        """A row of the table."""
        return cls(**asdict(row))


class DeliveryItem(WireModel):
    """What became of a channel's messages on a day."""

    day: Day = Field(alias="date")
    channel: Channel
    sent: int
    delivered: int
    bounced: int = Field(description="For good.")
    bounced_for_now: int
    failed: int = Field(description="Refused by the provider.")
    unknown: int = Field(description="The provider gave no answer.")
    complaints: int
    opt_outs: int

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        """A row of the table."""
        return cls(**asdict(row))


class CollectionsItem(WireModel):
    """How well bills are collected, and at what cost."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    bills: int = Field(description="Made on these days.")
    billed: Money = Field(description="What of these bills was paid or is still owed.")
    collected: Money = Field(description="What of these bills was paid, whenever.")
    days_to_pay: int | None = Field(description="After so many days half of what was collected had come.")
    share_by_day_30: Ratio | None = Field(description="null until every one of these bills is older than that.")
    share_by_day_60: Ratio | None
    share_by_day_90: Ratio | None
    received: Money = Field(description="Money that came in on these days, less what went back.")
    digital_share: Ratio | None = Field(description="The part of it that was paid online.")
    letters_avoided: int
    emails: int
    texts: int
    letters: int
    cost: Ratio = Field(description="Of these messages, in dollars, by the organization's noticePrices.")
    cost_per_dollar: Ratio | None = Field(description="The cost for each dollar received.")

    @classmethod
    def of(cls, row: CollectionsRow) -> Self:
        """A row of the table."""
        told: dict[str, Any] = asdict(row)
        told |= {name: _ratio(value) for name, value in told.items() if isinstance(value, Fraction)}
        return cls(**told | {"cost": _ratio(Fraction(row.cost, PRICE_UNITS))})


class ReconciliationItem(WireModel):
    """A part of a posting: what of it went to one bill, or to the account's credit."""

    day: Day = Field(alias="date")
    posted_at: Instant
    payment_id: str
    account_id: str
    kind: PostingKind
    method: str
    reference: str = Field(description="The transaction's own id, else the paymentId.")
    reverses: str | None = Field(description="The payment that this one takes back.")
    statement_id: str | None = Field(description="null: the account's credit.")
    amount: Money = Field(description="Negative for money that went back, or out of the credit.")
    payment_amount: Money = Field(description="Of the whole posting: the sum of its lines.")

    @classmethod
    def of(cls, line: PostingLine, zone: ZoneInfo) -> Self:
        """A line of a posting."""
        told: dict[str, Any] = {name: None if value == "" else value for name, value in asdict(line).items()}
        return cls(day=line.posted_at.astimezone(zone).date(), **told | {"method": line.method})


class ReconciliationSum(WireModel):
    """All lines of a kind and method together. `amount` is `toBills` and `toCredit` together."""

    kind: PostingKind
    method: str
    postings: int
    amount: Money
    to_bills: Money
    to_credit: Money


class _Report(WireModel):
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    rolled_up_at: Instant | None = Field(description="When something was last counted; what changed since isn't yet.")


class DailyActivityReport(_Report):
    """What happened, day by day."""

    report: Literal["daily-activity"] = "daily-activity"
    items: list[ActivityItem]


class AgeingReport(_Report):
    """How old what is owed was, day by day."""

    report: Literal["ageing"] = "ageing"
    items: list[AgeingItem]


class CollectionsReport(_Report):
    """How well bills are collected, and at what cost; one item."""

    report: Literal["collections"] = "collections"
    items: list[CollectionsItem]


class DeliveryReport(_Report):
    """What became of messages, day by day."""

    report: Literal["delivery"] = "delivery"
    items: list[DeliveryItem]


class ReconciliationReport(_Report):
    """Every posting, by the day that it was posted, line by line."""

    report: Literal["reconciliation"] = "reconciliation"
    items: list[ReconciliationItem]
    sums: list[ReconciliationSum]


type Report = DailyActivityReport | AgeingReport | CollectionsReport | DeliveryReport | ReconciliationReport


def sums_of(lines: Iterable[ReconciliationItem]) -> list[ReconciliationSum]:
    """The sums of lines by kind and method."""
    groups = defaultdict[tuple[PostingKind, str], list[ReconciliationItem]](list)
    for line in lines:
        groups[line.kind, line.method].append(line)
    return [
        ReconciliationSum(
            kind=kind,
            method=method,
            postings=len({(line.account_id, line.payment_id) for line in found}),
            amount=sum(line.amount for line in found),
            to_bills=sum(line.amount for line in found if line.statement_id),
            to_credit=sum(line.amount for line in found if not line.statement_id),
        )
        for (kind, method), found in sorted(groups.items())
    ]


def report_body(model: type[WireModel], rows: Iterable[WireModel], delimiter: str = COMMA) -> str:
    """Rows as text, a line each under a header with the names of the fields (RFC 4180); null is empty."""
    out = StringIO()
    names = [field.alias or name for name, field in model.model_fields.items()]
    writer = csv.DictWriter(out, names, delimiter=delimiter)
    writer.writeheader()
    for row in rows:
        writer.writerow(row.model_dump(mode="json", by_alias=True))
    return out.getvalue()


def reconciliation_files(lines: Iterable[PostingLine], organization: Organization) -> Iterator[tuple[str, str, bytes]]:
    """The files of the days of these lines, which come by day: each one's name, media type and content."""
    found = (ReconciliationItem.of(line, organization.zone) for line in lines)
    for day, items in groupby(found, key=lambda item: item.day):
        of_day = list(items)
        place = reconciliation_place(organization.org_id, day)
        yield f"{place}.csv", "text/csv", report_body(ReconciliationItem, of_day).encode()
        yield f"{place}.psv", "text/plain", report_body(ReconciliationItem, of_day, PIPE).encode()
        yield f"{place}-sums.csv", "text/csv", report_body(ReconciliationSum, sums_of(of_day)).encode()


def reconciliation_place(org_id: str, day: date) -> str:
    """Where in the print bucket the files of a day lie, without their endings."""
    return f"reconciliation/{org_id}/{day.isoformat()}"


def items_of(report: Report) -> tuple[type[WireModel], Sequence[Any]]:
    """A report's rows, and of what kind they are."""
    kinds: dict[str, type[WireModel]] = {
        "daily-activity": ActivityItem,
        "ageing": AgeingItem,
        "collections": CollectionsItem,
        "delivery": DeliveryItem,
        "reconciliation": ReconciliationItem,
    }
    return kinds[report.report], report.items


def _ratio(value: Fraction) -> str:
    whole = round(value * PRICE_UNITS)
    sign, size = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{size // PRICE_UNITS}.{size % PRICE_UNITS:04d}"
