"""One table of what a start, a notice and a statement cost, beside budget and floor: `python -m local.measure.bench`.

A start is a new process that imports the built handler and makes its ports, as Lambda does; a bare handler is one that
imports nothing. Both run alternately, and their CPU time is compared, the system's for them included: the quickest of
each, so that the ratio holds on a machine that does other things too, with the middle one beside it as its spread.
Where valgrind is there, the instructions of each are counted as well: they are the same at every run, but leave out
what the system does to start a process.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from local.measure import costs
from local.measure.costs import CostLine
from local.stack.build import artifacts, build
from local.stack.workspace import PROJECT

BUDGET = 18.0
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
"""What the table stands between in a document."""
BARE = "def lambda_handler(event, context):\n    return None\n"
MEASURED_FUNCTIONS = {
    "Authorize": "authorize",
    "Ingest": "ingest",
    "Manage": "manage",
    "Scheduler": "scheduler",
    "SendEmail": "send_email",
    "SendSms": "send_sms",
    "RenderPrint": "render_print",
    "PaymentLink": "payment_link",
    "DeliveryEvents": "delivery_events",
}
TIGHTER = dict.fromkeys(("Authorize", "Scheduler", "SendEmail", "SendSms", "RenderPrint"), 14.0)
"""Budgets of those that somebody waits for at every request, or that start most often."""

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "TABLE_NAME": "bench",
    "EMAIL_QUEUE_URL": "https://example.com/email",
    "SMS_QUEUE_URL": "https://example.com/sms",
    "PRINT_QUEUE_URL": "https://example.com/print",
    "WEBHOOK_QUEUE_URL": "https://example.com/webhooks",
    "WEBHOOK_KEY": "bench",
    "INGEST_FUNCTION": "ingest",
    "DROP_BUCKET": "bench",
    "PRINT_BUCKET": "bench",
    "SENDER_ADDRESS": "billing@example.com",
    "PUBLIC_BASE_URL": "https://pay.example.com",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "PYTHONHASHSEED": "0",
}
BARE_START = "import bare"
START_SCRIPT = """
import functions.{name}.handler
from functions.{name}.ports import ports
ports()
"""
_INSTRUCTIONS = re.compile(r"I\s+refs:\s+([\d,]+)")


@dataclass
class Start:
    """One function's start: what it runs, where that lies, and what its runs cost in seconds of CPU time."""

    script: str
    paths: list[Path]
    seconds: list[float] = field(default_factory=list)
    instructions: int = 0

    def run(self) -> None:
        """Start once, and note the CPU time."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(self._command, env=self._environment, cwd="/", check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def count(self) -> None:
        """Start once under valgrind, and note the instructions."""
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        done = subprocess.run(
            [*tool, *self._command], env=self._environment, cwd="/", check=True, capture_output=True, text=True
        )
        found = _INSTRUCTIONS.search(done.stderr)
        self.instructions = int(found[1].replace(",", "")) if found else 0

    @property
    def _command(self) -> list[str]:
        return [str(PROJECT / ".venv-runtime" / "bin" / "python"), "-c", self.script]

    @property
    def _environment(self) -> dict[str, str]:
        return {**ENVIRONMENT, "PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, self.paths))}


@dataclass(frozen=True)
class ColdStart:
    """A function's start as a multiple of a bare handler's: quickest, middle, and by instructions (0: not counted)."""

    quickest: float
    middle: float
    instructions: float


def measure(rounds: int) -> dict[str, ColdStart]:
    """Each function's start, against a bare handler's."""
    build(PROJECT, PROJECT / ".aws-sam" / "bench-build.log")
    built = artifacts(PROJECT)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare.py").write_text(BARE, encoding="utf-8")
        bare = Start(BARE_START, [Path(folder)])
        starts = {
            function: Start(START_SCRIPT.format(name=name), [built / function, built / "SharedLayer" / "python"])
            for function, name in MEASURED_FUNCTIONS.items()
        }
        for start in (bare, *starts.values()):
            start.run()  # the first also writes the byte code of what Lambda's runtime has compiled
            start.seconds.clear()
            if shutil.which("valgrind"):
                start.count()
        for _ in range(rounds):
            for start in (bare, *starts.values()):
                start.run()
    return {function: _against(bare, start) for function, start in starts.items()}


def _against(bare: Start, start: Start) -> ColdStart:
    return ColdStart(
        quickest=min(start.seconds) / min(bare.seconds),
        middle=statistics.median(start.seconds) / statistics.median(bare.seconds),
        instructions=start.instructions / bare.instructions if bare.instructions else 0,
    )


def lines(rounds: int) -> list[tuple[CostLine, str]]:
    """Each line of the table, and what is to be said of its spread."""
    starts = [
        (
            CostLine(f"cold start of {name}, times a bare handler's", cold.quickest, TIGHTER.get(name, BUDGET), "3.5"),
            f"middle {cold.middle:.1f}, by instructions {cold.instructions:.1f}",
        )
        for name, cold in measure(rounds).items()
    ]
    return [*starts, *((line, "") for line in costs.measured())]


def table(found: list[tuple[CostLine, str]]) -> str:
    """The table, as docs/performance.md has it."""
    rows = []
    for line, spread in found:
        over = " **over**" if line.is_over else ""
        rows.append(f"| {line.what} | {line.measured:.4g}{over} | {line.budget:g} | {line.floor} | {spread} |")
    return "\n".join(["| what | measured | budget | floor | spread |", "| --- | --- | --- | --- | --- |", *rows])


def main() -> int:
    """Measure and print; the status says whether every line is within its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each function is started (default 7)")
    parser.add_argument("--write", type=Path, help="also put the table into this document, between its marks")
    arguments = parser.parse_args()
    found = lines(arguments.rounds)
    print(table(found))
    if arguments.write:
        before, _, rest = arguments.write.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        arguments.write.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")
    return 1 if any(line.is_over for line, _ in found) else 0


if __name__ == "__main__":
    sys.exit(main())
