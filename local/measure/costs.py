"""What a notice and a statement cost, counted and measured beside their budgets, for `make bench`.

Counts are those that tests hold: each test tells what it counted, and is run here for that. Ratios are CPU time of the
same process, the quickest of several runs each, so that they hold on a machine that does other things too.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import jinja2

from functions.render_print.statement_page import (
    LetterPractice,
    StatementBill,
    StatementCharge,
    StatementPage,
    StatementVisit,
)
from functions.render_print.statement_pdf import render
from local.stack.workspace import PROJECT
from shared.contracts.statements import read_statement
from shared.domain.vocabulary.json_documents import DECODER
from shared.domain.vocabulary.words import Channel, Language, NotificationType
from shared.rendering.environment import html_environment
from shared.rendering.templates import system_template
from shared.rendering.variables import MessageVariables

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS, _IN_A_RUN = 9, 40


@dataclass(frozen=True)
class CostLine:
    """One line of the table. floor: what could be reached at best, in words; "": nobody knows."""

    what: str
    measured: float
    budget: float
    floor: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it is over its budget."""
        return self.measured > self.budget


COUNTS = {
    "due account to queued notice: calls": (3.2, "0.1"),
    "email from plan to delivered: write units": (20.0, ""),
    "send, in a batch of ten: calls to the table": (3.0, "2"),
    "send, alone: calls to the table": (3.0, "2"),
    "send: calls to the provider": (1.0, "1"),
    "idle sweep: reads": (4.0, "4, one a shard"),
    "new statement in a batch of 500: calls": (0.1, "0.04"),
    "new statement with its account: write units": (4.0, "2"),
    "identical statement: write units": (0.0, "0"),
}
"""The budget and the floor of each count, by the name under which its test tells it."""

COUNTING = (
    "test_costs.py",
    "test_send_email.py::test_a_notice_costs_three_calls_to_the_table_and_one_to_the_provider",
    "test_send_email.py::test_the_next_batch_asks_the_gate_once_and_the_provider_for_no_limits",
    "test_scheduler.py::test_an_idle_sweep_costs_one_query_a_shard",
    "test_ingest.py::test_a_batch_of_new_statements_costs_few_calls",
)


def counts() -> list[CostLine]:
    """What the tests count. Raises CalledProcessError where one of them fails."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "counts.xml"
        told = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
        tests = [f"tests/integration/{name}" for name in COUNTING]
        command = [sys.executable, "-m", "pytest", "-q", *told, *tests]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        properties = ET.parse(report).iter("property")  # noqa: S314 - our own file
        found = {one.get("name", ""): float(one.get("value", "")) for one in properties}
    return [CostLine(name, found[name], budget, floor) for name, (budget, floor) in COUNTS.items()]


def _seconds(work: Callable[[], object]) -> float:
    """CPU time of one piece of work, in the quickest run."""
    work()
    taken = list[float]()
    for _ in range(_RUNS):
        began = time.process_time()
        for _ in range(_IN_A_RUN):
            work()
        taken.append((time.process_time() - began) / _IN_A_RUN)
    return min(taken)


_VARIABLES = MessageVariables(
    practice="Northside Family Practice",
    short_name="Northside",
    first_name="Ada",
    phone="(518) 555-0100",
    address_lines=("12 Juniper Way", "Albany, NY 12207"),
    link="https://pay.example.com/pay/A1b2C3d4E5f6G7h8I9j0K1",
    unsubscribe_link="https://pay.example.com/unsubscribe/A1b2C3d4E5f6G7h8I9j0K1",
)


def email() -> CostLine:
    """An email's body by the sandboxed environment, against a plain one."""
    source = system_template(Channel.EMAIL, NotificationType.DUE, Language.ENGLISH).html
    empty = {name: "" if value is None else value for name, value in asdict(_VARIABLES).items()}
    context = {**empty, "phone_link": "5185550100", "link_expires": "April 1, 2026"}
    plain = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    ours, theirs = html_environment().from_string(source), plain.from_string(source)
    ratio = _seconds(lambda: ours.render(context)) / _seconds(lambda: theirs.render(context))
    return CostLine("email body, warm, against the plain environment", ratio, 1.5, "1.29")


def reading() -> CostLine:
    """A statement read and checked, against json.loads of the same bytes; nothing is written."""
    sample = json.loads((PROJECT / "events" / "statement-file.json").read_text(encoding="utf-8"))
    raw = json.dumps(sample["statements"][0])
    ratio = _seconds(lambda: read_statement(DECODER.decode(raw))) / _seconds(lambda: json.loads(raw))
    return CostLine("statement read and checked, against json.loads", ratio, 10.0, "6")


def letter() -> CostLine:
    """A statement of one page as PDF, warm, in milliseconds."""
    day = dt.date(2026, 3, 5)
    charge = StatementCharge(day, "Office visit", 12_000, 4_000, 540, 0, 7_460, "99213")
    visit = StatementVisit(day, "Dr. Grace Sample", "Main Street", (charge,))
    page = StatementPage(
        language=Language.ENGLISH,
        practice=LetterPractice("Northside Family Practice", ("12 Juniper Way", "Albany, NY 12207"), "(518) 555-0100"),
        recipient_name="Ada Example",
        recipient_address_lines=("12 Juniper Way", "Albany, NY 12207"),
        account_number="G-1",
        statement_date=day,
        due_date=day + dt.timedelta(days=30),
        amount_due=7_460,
        notification_type=NotificationType.INITIAL,
        message="Thank you for choosing us.",
        bills=(StatementBill("S-1", "Kim Example", 12_000, 7_460, (visit,)),),
        pay_url="https://pay.example.com/pay/A1b2C3d4E5f6G7h8I9j0K1",
        pay_page_url="https://pay.example.com/bill",
        bill_code="K7QM-42XP-9D",
    )
    numbers = count()  # another letter each time: typst remembers what it has set before

    def another() -> None:
        n = next(numbers)
        charged = replace(charge, description=f"Visit {n}", balance=7_460 + n)
        bill = StatementBill(f"S-{n}", "Kim Example", 12_000, 7_460 + n, (replace(visit, charges=(charged,)),))
        code = f"K7QM-{n % 10_000:04}-9D"
        render(replace(page, account_number=f"G-{n}", amount_due=7_460 + n, bill_code=code, bills=(bill,)))

    return CostLine("statement PDF, warm: milliseconds", 1000 * _seconds(another), 15.0, "7")


def measured() -> list[CostLine]:
    """All that is counted, and all that is measured in this process."""
    return [*counts(), reading(), email(), letter()]
