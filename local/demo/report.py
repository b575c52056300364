"""What the demo shows when it is over: the table of both practices, one explanation in full, and addresses to open."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from local.demo.input import ELSEWHERE, ONLINE, STATEMENTS
from local.demo.practices import PRACTICES
from local.demo.scenes import dollars
from local.sample.generator import Result
from shared.domain.vocabulary.json_documents import Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.demo.ledger import Ledger
    from local.demo.run import DemoRun
    from shared.domain.vocabulary.json_documents import Json

type ReportRow = tuple[str, Sequence[str]]
type Section = tuple[str, list[ReportRow]]

_CHANNELS = ("email", "sms", "print")
_KINDS = ("Initial", "Due", "PastDue", "Final", "OnDemand", "PaymentLink", "Receipt")


def sections(run: DemoRun, ledgers: Mapping[str, Ledger]) -> list[Section]:
    """Return the rows of the table, by heading; one cell for each practice."""
    return [
        ("Settings", _settings(run)),
        ("Statements by result", _statements(run)),
        ("Notices by channel, type and status", _notices(ledgers)),
        ("Reasons for not sending", _reasons(ledgers)),
        ("Money", _money(run, ledgers)),
    ]


def table(run: DemoRun, ledgers: Mapping[str, Ledger]) -> Table:
    """Return the table, ready to print."""
    shown = Table(title=f"{run.first_day} to {run.last_day}", title_justify="left")
    shown.add_column("", min_width=44)
    for practice in PRACTICES:
        shown.add_column(practice.name, justify="right")
    for heading, rows in sections(run, ledgers):
        shown.add_section()
        shown.add_row(Text(heading, style="bold"), *("" for _ in PRACTICES))
        for name, cells in rows:
            shown.add_row(Text(f"  {name}"), *(Text(cell) for cell in cells))
    return shown


def explanation(answer: Json) -> Table:
    """Return an explanation of the API as a table: each rule checked, its finding, and the outcome."""
    shown = Table(title=f"Why bill {answer['statementId']} is where it is, at {answer['at']}", title_justify="left")
    for heading in ("rule", "channel", "found", "outcome"):
        shown.add_column(heading)
    for finding in answer["findings"]:
        cells = (finding["rule"], finding["channel"] or "", finding["found"], finding["outcome"])
        shown.add_row(*(Text(str(cell)) for cell in cells))
    rests = answer["reason"] or "goes on"
    shown.add_row(Text("next planning"), "", Text(str(answer["nextPlanningAt"] or "none")), Text(rests))
    return shown


def _settings(run: DemoRun) -> list[ReportRow]:
    def row(name: str, key: str, missing: str = "") -> ReportRow:
        return name, [str(practice.dunning.get(key, missing)) for practice in PRACTICES]

    return [
        row("dunning configuration", "configurationId"),
        ("bill type", [practice.bill_type for practice in PRACTICES]),
        ("time zone", [practice.time_zone for practice in PRACTICES]),
        row("minimum, electronic", "minimumElectronic"),
        row("minimum, print", "minimumPrint"),
        ("drop to paper on opt-out", ["on" if practice.drops_to_paper else "off" for practice in PRACTICES]),
        ("amount in email", ["on" if practice.body["amountInEmail"] else "off" for practice in PRACTICES]),
        ("accounts", [str(len(run.input.of(practice))) for practice in PRACTICES]),
    ]


def _statements(run: DemoRun) -> list[ReportRow]:
    counts = {practice.client_id: Counter[str]() for practice in PRACTICES}
    for file, rows in run.answers:
        # Every file is of one practice; statements with a wrong client id are in the file of the practice that sent it.
        practice = next(each for each in PRACTICES if f"-{each.client_id.lower()}-" in file.name)
        counts[practice.client_id].update(row["result"] for row in rows)
    rows_shown = [(str(result), [f"{counts[each.client_id][result]:,}" for each in PRACTICES]) for result in Result]
    return [*rows_shown, ("total", [f"{counts[each.client_id].total():,}" for each in PRACTICES])]


def _notices(ledgers: Mapping[str, Ledger]) -> list[ReportRow]:
    counts = [ledgers[practice.client_id].by_status() for practice in PRACTICES]
    keys = sorted(
        {key for count in counts for key in count},
        key=lambda key: (_CHANNELS.index(key[0]), _KINDS.index(key[1]), key[2]),
    )
    return [(" ".join(key), [_number(count[key]) for count in counts]) for key in keys]


def _reasons(ledgers: Mapping[str, Ledger]) -> list[ReportRow]:
    counts = [ledgers[practice.client_id].by_reason() for practice in PRACTICES]
    keys = sorted({key for count in counts for key in count}, key=lambda key: (key[1], _CHANNELS.index(key[0])))
    return [
        (f"{reason} ({channel})", [_number(count[channel, reason]) for count in counts]) for channel, reason in keys
    ]


def _money(run: DemoRun, ledgers: Mapping[str, Ledger]) -> list[ReportRow]:
    def moved(cause: str, sign: int) -> list[str]:
        return [
            dollars(
                sign * sum(bill.moved.get(cause, 0) for account in run.input.of(practice) for bill in account.bills)
            )
            for practice in PRACTICES
        ]

    shown = [ledgers[practice.client_id] for practice in PRACTICES]
    return [
        ("billed, by the statements", moved(STATEMENTS, 1)),
        ("paid online, by the patients", moved(ONLINE, -1)),
        ("paid elsewhere, by files and desk", moved(ELSEWHERE, -1)),
        ("of that more than was owed", [dollars(ledger.credit) for ledger in shown]),
        ("open", [dollars(ledger.open) for ledger in shown]),
    ]


def _number(count: int) -> str:
    return f"{count:,}" if count else "–"  # noqa: RUF001 - the sign for nothing in a table
