"""Plays the example tables of docs/dunning.md on the real engine, and answers each table as it really comes out.

A table stands under a heading. A line above it that begins with "Given" names what is different from the defaults. Two
kinds of tables are played, known by their first column:

    Day            a story: each row is a day on which something happens, or on which something goes
    anything else  cases: each row is a guarantor of their own, on one Monday; what comes out stands under Email, Text,
                   Letter and Why nothing is planned
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from shared.domain.account.account_changes import opted_out_of
from shared.domain.calendar.send_window import windows_on
from shared.domain.delivery.settlement import DeliveryOutcome
from shared.domain.dunning import plan
from shared.domain.records.account import Account
from shared.domain.records.policy import MessageContacts, Organization, PaymentRule, SendWindow
from shared.domain.records.presets import CONFIGURATIONS
from shared.domain.records.statement import Guarantor, OptOuts
from shared.domain.vocabulary.money import cents, dollars
from shared.domain.vocabulary.reasons import Reason
from shared.domain.vocabulary.words import (
    AccountStatus,
    AddressStatus,
    BillAging,
    BillStatus,
    BillType,
    Channel,
    CommunicationStatus,
    DunningReset,
    Hold,
    NoticeStatus,
)
from tests.worlds.dunning_practice import SECOND, Practice, Went, a_statement
from tests.worlds.dunning_world import NEW_YORK, a_bill, a_guarantor, an_account, an_organization

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "dunning.md"

CHANNELS = {"email": Channel.EMAIL, "text": Channel.SMS, "letter": Channel.PRINT}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONDAY = date(2026, 1, 5)
"""The day of every table of cases."""

NEVER = "\N{EN DASH}"
TURNS = {"on": True, "off": False}


@dataclass(frozen=True)
class Table:
    """A table of the document: under which heading, with which line of givens, and its rows by their columns."""

    heading: str
    given: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    line: int


def tables(text: str) -> list[Table]:
    """The tables of a document, in their order."""
    found, heading, given, block = list[Table](), "", "", list[list[str]]()
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.startswith("|"):
            block.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif block:
            columns, rows = tuple(block[0]), tuple(dict(zip(block[0], row, strict=True)) for row in block[2:])
            found.append(Table(heading, given, columns, rows, number - len(block)))
            block, given = [], ""
        if line.startswith("#"):
            heading, given = line.lstrip("# "), ""
        if line.startswith("Given"):
            given = line.removeprefix("Given").strip().rstrip(":.")
    return found


# --- settings, in the document's words ---------------------------------------------------------------------------


def _money(text: str) -> int:
    return cents(Decimal(text))


def _hours(text: str) -> tuple[time, time]:
    opens, closes = (time.fromisoformat(hour.strip().zfill(5)) for hour in text.split("to"))
    return opens, closes


def _payment_rule(text: str) -> PaymentRule | None:
    if text == "none":
        return None
    found = re.fullmatch(r"at least ([\d.]+)( %)?, (Zero|MinusOne)", text)
    assert found, text
    amount, percent, reset = found.groups()
    return PaymentRule(
        minimum_amount=None if percent else _money(amount),
        minimum_percent=int(amount) if percent else None,
        dunning_reset=DunningReset(reset),
    )


def _days(text: str) -> frozenset[int]:
    first, _, last = text.partition(" to ")
    return frozenset(range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1))


SETTINGS: dict[str, Callable[[str], dict[str, Any]]] = {
    "configuration": lambda text: {"configuration_id": text},
    "minimum electronic": lambda text: {"minimum_electronic": _money(text)},
    "minimum print": lambda text: {"minimum_print": _money(text)},
    "bill aging": lambda text: {"bill_aging": BillAging(text)},
    "communications on bill update": lambda text: {"communications_on_bill_update": TURNS[text]},
    "enable bill reset": lambda text: {"enable_bill_reset": TURNS[text]},
    "reset on fields changing": lambda text: {"reset_on_fields_changing": TURNS[text]},
    "reset fields": lambda text: {"reset_fields": tuple(text.split())},
    "drop to paper on opt-out": lambda text: {"drop_to_paper_on_opt_out": TURNS[text]},
    "skip paper when electronic available": lambda text: {"skip_paper_when_electronic_available": TURNS[text]},
    "payment rule": lambda text: {"payment_rule": _payment_rule(text)},
    "no dunning limit": lambda text: {"no_dunning_limit": TURNS[text]},
    "days until due": lambda text: {"days_until_due": int(text)},
    "days to ignore after transaction": lambda text: {"days_to_ignore_after_transaction": int(text)},
    "opt out after undeliverable": lambda text: {"opt_out_after_undeliverable": TURNS[text]},
    "drop to paper after undeliverable days": lambda text: {
        "drop_to_paper_after_undeliverable_days": None if text == "none" else int(text)
    },
    "hours": lambda text: dict(zip(("opens", "closes"), _hours(text), strict=True)),
    "business days": lambda text: {"business_days": _days(text)},
    "federal holidays": lambda text: {"federal_holidays": {"kept": True, "not kept": False}[text]},
    "texts": lambda text: dict(zip(("quiet_until", "quiet_from"), _hours(text), strict=True)),
}

OF_ORGANIZATION: dict[str, Callable[[str], dict[str, Any]]] = {
    "organization": lambda text: {"account_status": AccountStatus(text)},
    "communications": lambda text: {"communication_status": CommunicationStatus(text)},
    "time zone": lambda text: {"time_zone": text},
    "bill type": lambda text: {"bill_type": BillType(text)},
}


def with_setting(organization: Organization, name: str, value: str) -> Organization:
    """The organization with one thing set, by the name that the document has for it."""
    if name.casefold() in OF_ORGANIZATION:
        return replace(organization, **OF_ORGANIZATION[name.casefold()](value))
    changes, dunning = SETTINGS[name.casefold()](value), organization.dunning
    hours = {field_: changes.pop(field_) for field_ in tuple(changes) if field_ in SendWindow.__dataclass_fields__}
    window = replace(dunning.send_window, **hours)
    return replace(organization, dunning=replace(dunning, send_window=window, **changes))


# --- cases: one row, one guarantor, one Monday -------------------------------------------------------------------


def _contact(text: str) -> dict[str, Any]:
    has = {"nothing": (), "all": tuple(CHANNELS)}.get(text, tuple(text.split(", ")))
    full = a_guarantor()
    return {
        "email": full.email if "email" in has else "",
        "mobile_phone": full.mobile_phone if "text" in has else "",
        "address": full.address if "letter" in has else None,
    }


def _opt_outs(text: str) -> OptOuts:
    choice = {"nothing": (), "all": tuple(CHANNELS)}.get(text, tuple(text.split(", ")))
    return OptOuts(email="email" in choice, sms="text" in choice, print="letter" in choice)


ADDRESS_STATUSES = {"none": None, **{str(status): status for status in AddressStatus}}


@dataclass
class Case:
    """What a row of a table of cases says."""

    organization: Organization
    bills: list[tuple[int, int]] = field(default_factory=lambda: [(40_00, 0)])
    guarantor: Guarantor = field(default_factory=lambda: a_guarantor(guarantor_id="G-1"))
    account: dict[str, Any] = field(default_factory=dict)
    statuses: list[BillStatus] = field(default_factory=list)

    def take(self, column: str, cell: str) -> None:  # noqa: C901, PLR0912 - one case a column
        """Take one cell that describes the case."""
        match column:
            case "Balance":
                self.bills = [(_money(cell), self.bills[0][1])]
            case "Bill age":
                self.bills = [(self.bills[0][0], int(cell))]
            case "Bills":
                parts = (re.fullmatch(r"([\d.]+) at (\d+) days", part) for part in cell.split(", "))
                self.bills = [(_money(part[1]), int(part[2])) for part in parts if part]
            case "Bill status":
                self.statuses = [BillStatus(cell)]
            case "Can be reached by":
                self.guarantor = replace(self.guarantor, **_contact(cell))
            case "Address status":
                self.guarantor = replace(self.guarantor, address_status=ADDRESS_STATUSES[cell])
            case "Opted out of":
                self.account["opt_outs"] = _opt_outs(cell)
            case "Bounced permanently":
                self.account["undeliverable"] = frozenset({CHANNELS[cell]} if cell in CHANNELS else ())
            case "Test contacts":
                everywhere = MessageContacts(**_contact("nothing" if cell == "none" else cell))
                self.organization = replace(self.organization, test_contacts=None if cell == "none" else everywhere)
            case "Hold":
                self.account["holds"] = frozenset({Hold(cell)} if cell != "none" else ())
            case _:
                self.organization = with_setting(self.organization, column, cell)

    def play(self) -> Practice:
        """Let the bills arrive, each at its time, with nobody looking; then let the Monday pass."""
        practice = Practice(organization=self.organization, now=_at(MONDAY))
        for name, (balance, age) in zip("ABC", self.bills, strict=False):
            practice.now = _at(MONDAY - timedelta(days=age))
            practice.statement(a_statement(name, self.guarantor, balance), self.organization.bill_type)
        practice.now = _at(MONDAY)
        practice.change_account("G-1", lambda account: replace(account, **self.account))
        for status in self.statuses:
            practice.set_status("G-1", "A", status)
        practice.run_until(_at(MONDAY + timedelta(days=1)))
        return practice


def _at(day: date, clock: time = time(0, 0)) -> datetime:
    return datetime.combine(day, clock, NEW_YORK)


def given(line: str) -> Case:
    """The case that a line of givens describes: "name: value; name: value"."""
    case = Case(an_organization())
    for part in filter(None, (part.strip() for part in line.split(";"))):
        name, _, value = part.partition(": ")
        case.take(name[0].upper() + name[1:], value)
    return case


def played_case(table: Table, row: dict[str, str]) -> dict[str, str]:
    """The row as it comes out."""
    case = given(table.given)
    outcomes = {*(name.capitalize() for name in CHANNELS), "Why nothing is planned"}
    for column, cell in row.items():
        if column not in outcomes:
            case.take(column, cell)
    practice = case.play()
    several = len(case.bills) > 1
    came = {name.capitalize(): _outcome(practice, channel, several=several) for name, channel in CHANNELS.items()}
    came["Why nothing is planned"] = (
        plan(practice.books["G-1"], practice.organization, practice.now).rest_reason or NEVER
    )
    return row | {column: outcome for column, outcome in came.items() if column in row}


def _outcome(practice: Practice, channel: Channel, *, several: bool) -> str:
    sent = [notice for notice in practice.books["G-1"].notices if notice.channel is channel]
    for notice in sent:
        if notice.status is NoticeStatus.SENT:
            about = f" about {_names(notice.statement_ids)}" if several else ""
            return f"{notice.notification_type}{about}"
    return next((notice.reason for notice in sent if notice.status is not NoticeStatus.SCHEDULED), NEVER)


def _names(statement_ids: Iterable[str]) -> str:
    return " and ".join(sorted(statement_ids))


# --- stories: one row, one day -----------------------------------------------------------------------------------


@dataclass
class Story:
    """A practice with one household, G-1, and another one, G-2, that statements may move to."""

    practice: Practice
    guarantor: Guarantor
    results: list[str] = field(default_factory=list)
    runs: bool = True

    def happens(self, sentence: str) -> None:
        """Let something happen, told in the document's words."""
        for pattern, act in SENTENCES:
            found = re.fullmatch(pattern, sentence)
            if found:
                act(self, **found.groupdict())
                return
        raise ValueError(f"the document's language has no such sentence: {sentence}")

    def statement(self, name: str, balance: str, more: str | None) -> None:
        """A statement comes, with whatever else it says."""
        said: dict[str, Any] = {}
        household, language = "G-1", self.practice.organization.bill_type
        for extra in filter(None, (more or "").split(", ")):
            if extra == "for another guarantor":
                household = "G-2"
            elif extra == "that asks for a reset":
                said["reset_bill"] = True
            elif extra.startswith("with dunning status "):
                said["dunning_status"] = extra.removeprefix("with dunning status ")
            elif extra.startswith("with the message "):
                said["message"] = extra.removeprefix("with the message ")
            elif extra.startswith("dated "):
                said["dated"] = date.fromisoformat(extra.removeprefix("dated "))
            else:
                raise ValueError(f"a statement can't be {extra}")
        known = self.practice.books.get(household)
        guarantor = known.account.guarantor if known else replace(self.guarantor, guarantor_id=household)
        made = a_statement(name, guarantor, _money(balance), **said)
        self.results.append(self.practice.statement(made, language).result)

    def pays(self, amount: str, name: str | None) -> None:
        """The guarantor pays."""
        self.practice.payment("G-1", _money(amount), name or "")

    def goes_back(self, method: str, amount: str, name: str) -> None:
        """Money goes back."""
        self.practice.payment("G-1", -_money(amount), name, method)

    def account(self, change: Callable[[Account], Account]) -> None:
        """The account is changed by staff."""
        self.practice.change_account("G-1", change)

    def contact(self, channel: str) -> None:
        """The contact of a channel is corrected."""
        members: dict[str, Any] = {
            "email": {"email": "new@example.org"},
            "text": {"mobile_phone": "+12125550109"},
        }[channel]
        self.account(
            lambda account: replace(
                account,
                guarantor=replace(account.guarantor, **members),
                undeliverable=account.undeliverable - {CHANNELS[channel]},
            )
        )

    def bounces(self, channel: str, how: str) -> None:
        """The last message on a channel bounces."""
        last = [went for went in self.practice.went if went.channel is CHANNELS[channel]][-1]
        self.practice.event("G-1", last.notice_id, DeliveryOutcome(f"bounced {how}"))

    def settings(self, name: str, value: str) -> None:
        """A setting is changed."""
        self.practice.configure(with_setting(self.practice.organization, name, value))

    def scheduler(self, does: str) -> None:
        """The scheduler stops, or runs again."""
        self.runs = does == "runs again"

    def pass_until(self, end: datetime) -> None:
        """Time goes on, with the scheduler or without."""
        if self.runs:
            self.practice.run_until(end)
        else:
            self.practice.now = max(self.practice.now, end)


SENTENCES: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"statement (?P<name>\w+) of (?P<balance>-?[\d.]+)(, (?P<more>.+))?", Story.statement),
    (r"pays (?P<amount>[\d.]+)( on (?P<name>\w+))?", Story.pays),
    (r"(?P<method>refund|chargeback) of (?P<amount>[\d.]+) on (?P<name>\w+)", Story.goes_back),
    (
        r"opts out of (?P<channel>email|text|letter)",
        lambda story, channel: story.account(
            lambda account: replace(account, opt_outs=opted_out_of(account.opt_outs, CHANNELS[channel]))
        ),
    ),
    (r"opts in again", lambda story: story.account(lambda account: replace(account, opt_outs=OptOuts()))),
    (
        r"hold (?P<hold>\w+)",
        lambda story, hold: story.account(lambda account: replace(account, holds=frozenset({Hold(hold)}))),
    ),
    (r"holds lifted", lambda story: story.account(lambda account: replace(account, holds=frozenset()))),
    (
        r"(?P<name>\w+) is made (?P<status>\w+)",
        lambda story, name, status: story.practice.set_status("G-1", name, BillStatus(status)),
    ),
    (r"(?P<channel>email|text) corrected", Story.contact),
    (r"(?P<channel>email|text|letter) bounces (?P<how>permanently|for now)", Story.bounces),
    (r"scheduler (?P<does>stops|runs again)", Story.scheduler),
    (r"(?P<name>[A-Za-z -]+): (?P<value>.+)", Story.settings),
)

SEVEN = time(7, 0)
"""When things happen on their day: before any window opens."""


def played_story(table: Table) -> list[dict[str, str]]:
    """The table as it comes out. What goes on a day without a row is told in a row of its own."""
    case = given(table.given)
    first = _day(table.rows[0]["Day"])
    story = Story(Practice(organization=case.organization, now=_at(first)), case.guarantor)
    came = list[dict[str, str]]()
    for row, next_row in zip(table.rows, [*table.rows[1:], None], strict=True):
        day, next_day = _day(row["Day"]), _day(next_row["Day"]) if next_row else None
        story.results.clear()
        start = len(story.practice.went)
        rows_before = _rows(story)
        for sentence in filter(None, row["What happens"].split("; ")):
            clock = re.search(r" at (\d\d:\d\d)$", sentence)
            story.pass_until(_at(day, time.fromisoformat(clock[1]) if clock else SEVEN))
            story.happens(sentence[: clock.start()] if clock else sentence)
        story.pass_until(_at(day + timedelta(days=1)))
        came.append(_sent(story, table, row, story.practice.went[start:], rows_before))
        if next_day:
            start = len(story.practice.went)
            story.pass_until(_at(next_day) - SECOND)  # what is planned at midnight belongs to the next day
            came += [_unexpected(table, went) for went in story.practice.went[start:]]
    return came


def _rows(story: Story) -> set[tuple[str, NoticeStatus]]:
    return {(notice.notice_id, notice.status) for book in story.practice.books.values() for notice in book.notices}


def _day(text: str) -> date:
    name, day = text.split()
    parsed = date.fromisoformat(day)
    assert WEEKDAYS[parsed.weekday()] == name, f"{text} is a {WEEKDAYS[parsed.weekday()]}"
    return parsed


def _sent(
    story: Story, table: Table, row: dict[str, str], went: list[Went], before: set[tuple[str, NoticeStatus]]
) -> dict[str, str]:
    several = any("statement B" in other["What happens"] for other in table.rows)
    told = {
        "Day": row["Day"],
        "What happens": row["What happens"],
        "What goes": _goes(went, several=several),
        "Why not": _why_not(story, before),
        "Result": ", ".join(story.results),
        "Bills then": _bills(story.practice),
        "Note": row.get("Note", ""),
    }
    return {column: told[column] for column in table.columns}


def _goes(went: list[Went], *, several: bool) -> str:
    """Such as "email, text: Due (2) about A"."""
    groups = dict[str, list[str]]()
    for one in sorted(went, key=lambda one: list(Channel).index(one.channel)):
        name = next(name for name, channel in CHANNELS.items() if channel is one.channel)
        about = f" about {_names(entry.statement_id for entry in one.bills)}" if several else ""
        kind = f"{one.kind} ({one.level}){about}"
        to = "" if one.account_id == "G-1" else " to the other guarantor"
        groups.setdefault(kind + to, []).append(name)
    return "; ".join(f"{', '.join(names)}: {kind}" for kind, names in groups.items()) or NEVER


def _why_not(story: Story, before: set[tuple[str, NoticeStatus]]) -> str:
    """Why what isn't sent isn't: the rows that came to an end on this day."""
    ended = [
        notice
        for book in story.practice.books.values()
        for notice in book.notices
        if notice.status in {NoticeStatus.WILL_NOT_SEND, NoticeStatus.CANCELLED}
        and (notice.notice_id, notice.status) not in before
    ]
    names = {channel: name for name, channel in CHANNELS.items()}
    groups = dict[str, list[str]]()
    for notice in sorted(ended, key=lambda notice: list(Channel).index(notice.channel)):
        channels = groups.setdefault(notice.reason, [])
        if names[notice.channel] not in channels:
            channels.append(names[notice.channel])
    return "; ".join(f"{', '.join(channels)}: {reason}" for reason, channels in groups.items()) or NEVER


def _bills(practice: Practice) -> str:
    """Such as "A: 40.00 Due, age 30"."""
    told = [
        f"{bill.statement_id}: {dollars(bill.balance)} {bill.status}, age {bill.age_on(practice.today) - 1}"
        for book in practice.books.values()
        for bill in book.bills
        if not bill.moved_to
    ]
    return "; ".join(told)


def _unexpected(table: Table, went: Went) -> dict[str, str]:
    day = went.at.astimezone(NEW_YORK).date()
    told = {"Day": f"{WEEKDAYS[day.weekday()]} {day}", "What goes": _goes([went], several=True)}
    return {column: told.get(column, "") for column in table.columns}


# --- the other tables --------------------------------------------------------------------------------------------


def played_hours(row: dict[str, str]) -> dict[str, str]:
    """When a channel may be used on a day, by the practice's clock."""
    case = Case(an_organization())
    for column in ("Hours", "Business days", "Federal holidays", "Texts"):
        case.take(column, row[column])
    account = an_account(time_zones=tuple(row["Recipient's zones"].split(" and ")))
    spans = windows_on(_day(row["On"]), CHANNELS[row["Channel"]], case.organization, account)
    zone = case.organization.zone
    told = [f"{span.start.astimezone(zone):%H:%M} to {span.end.astimezone(zone):%H:%M}" for span in spans]
    return row | {"May go": ", ".join(told) or "not at all"}


def played_due_date(row: dict[str, str]) -> dict[str, str]:
    """When a bill is due, and from when it is past due."""
    bill = a_bill(on=_day(row["Effective created date"]))
    days_until_due = int(row["Days until due"])
    due = bill.due_date(days_until_due)
    days = (due + timedelta(days=ahead) for ahead in range(-5, 6))
    past_due = next(day for day in days if bill.past_due(day, days_until_due))
    return row | {"Due date": _told_day(due), "Past due from": _told_day(past_due)}


def _told_day(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"


def presets() -> list[dict[str, str]]:
    """The presets, as the document shows them."""
    return [
        {
            "Configuration": preset.configuration_id,
            "Dunning cycle": f"{preset.dunning_cycle_days} days",
            "Paper cycle": f"{preset.paper_cycle_days} days",
            "Steps": "; ".join(
                f"{step.bill_age} days {step.notification_type}: {', '.join(_channel_names(step.channels))}"
                for step in preset.steps
            ),
        }
        for preset in CONFIGURATIONS.values()
    ]


def _channel_names(channels: Iterable[Channel]) -> list[str]:
    return [name for name, channel in CHANNELS.items() if channel in channels]


def explanation(line: str) -> list[dict[str, str]]:
    """What is found for the bill of a case when its statement has just arrived."""
    case = given(line)
    practice = Practice(organization=case.organization, now=_at(MONDAY))
    practice.statement(a_statement("A", case.guarantor, case.bills[0][0]), case.organization.bill_type)
    findings = plan(practice.books["G-1"], practice.organization, practice.now).findings
    names = {channel: name for name, channel in CHANNELS.items()}
    return [
        {
            "Channel": names[entry.channel] if entry.channel else "all",
            "Rule": entry.rule,
            "Found": entry.found,
            "Outcome": entry.outcome,
        }
        for entry in findings
    ]


def reasons(table: Table) -> list[dict[str, str]]:
    """Every reason there is, with what the document says of it."""
    said = {row["Reason"]: row["When"] for row in table.rows}
    return [{"Reason": reason, "When": said.get(reason, "not told in the document")} for reason in Reason]


def played(table: Table) -> list[dict[str, str]]:  # noqa: PLR0911 - one answer a kind of table
    """A table as it really comes out."""
    match table.columns[0]:
        case "Day":
            return played_story(table)
        case "Configuration":
            return presets()
        case "Reason":
            return reasons(table)
        case "Channel" if "Rule" in table.columns:
            return explanation(table.given)
        case "Channel":
            return [played_hours(row) for row in table.rows]
        case "Days until due":
            return [played_due_date(row) for row in table.rows]
        case _:
            return [played_case(table, row) for row in table.rows]
