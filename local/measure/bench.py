"""Measure what each function's cold start costs: `python -m local.measure.bench`.

A start is a new process that imports the built handler and makes its clients, as Lambda does; a bare handler is one
that imports nothing. Both run alternately in the same minute, and the quickest of each counts, so that the ratio holds
on a machine that does other things too. Budget: 18 times a bare handler.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.stack.build import artifacts, build
from local.stack.workspace import PROJECT

BUDGET = 18.0
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
}
BARE_START = "import bare"
START_SCRIPT = """
import functions.{name}.handler
from functions.{name}.ports import ports
ports()
"""


def seconds(start: str, paths: list[Path]) -> float:
    """How long one start takes, as a whole process."""
    environment = {**ENVIRONMENT, "PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    python = PROJECT / ".venv-runtime" / "bin" / "python"
    began = time.perf_counter()
    subprocess.run([str(python), "-c", start], env=environment, cwd="/", check=True)
    return time.perf_counter() - began


def measure(rounds: int) -> dict[str, float]:
    """Each function's quickest start, as a multiple of the bare handler's."""
    build(PROJECT, PROJECT / ".aws-sam" / "bench-build.log")
    built = artifacts(PROJECT)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare.py").write_text(BARE, encoding="utf-8")
        bare, best = float("inf"), dict.fromkeys(MEASURED_FUNCTIONS, float("inf"))
        for _ in range(rounds):
            bare = min(bare, seconds(BARE_START, [Path(folder)]))
            for function, name in MEASURED_FUNCTIONS.items():
                paths = [built / function, built / "SharedLayer" / "python"]
                best[function] = min(best[function], seconds(START_SCRIPT.format(name=name), paths))
    print(f"a bare handler: {bare * 1000:.0f} ms")
    return {function: taken / bare for function, taken in best.items()}


def main() -> int:
    """Measure and print; the status says whether every function is within its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each is started (default 7)")
    ratios = measure(parser.parse_args().rounds)
    for function, ratio in ratios.items():
        print(f"{function:16} {ratio:5.1f} times   budget {BUDGET:.0f}{'   over' if ratio > BUDGET else ''}")
    return 0 if max(ratios.values()) <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
