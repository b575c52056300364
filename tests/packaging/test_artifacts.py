"""The built artifacts, imported as Lambda does: with the layer, the function, and boto3 of the runtime."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.stack.build import artifacts, build
from local.stack.trim_artifacts import SURPLUS
from tests.worlds.bounds import some

pytestmark = pytest.mark.packaging

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = PROJECT / ".venv-runtime/bin/python"
HANDLERS = {
    "Authorize": "authorize",
    "DeliveryEvents": "delivery_events",
    "Ingest": "ingest",
    "Manage": "manage",
    "PaymentLink": "payment_link",
    "RenderPrint": "render_print",
    "Scheduler": "scheduler",
    "SendEmail": "send_email",
    "SendSms": "send_sms",
    "SendWebhooks": "send_webhooks",
}
RENDERS = {"PaymentLink", "RenderPrint", "SendEmail", "SendSms"}

PROBE = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
files = {
    name: [found.__spec__.origin, found.__spec__.cached]
    for name, found in sys.modules.items()
    if name.startswith(("shared.", "functions.")) and getattr(found, "__spec__", None) and found.__spec__.has_location
}
print(json.dumps({"callable": callable(module.lambda_handler), "modules": sorted(sys.modules), "files": files}))
"""


@cache
def built() -> Path:
    build(PROJECT, PROJECT / ".aws-sam/test-build.log")
    return artifacts(PROJECT)


@cache
def imported(function: str) -> dict[str, Any]:
    """Import a handler in an environment with nothing but boto3 and no variables, and say what that loaded."""
    paths = [str(built() / function), str(built() / "SharedLayer/python")]
    outcome = subprocess.run(  # noqa: S603 - the project's own interpreter
        [str(PYTHON), "-W", "error::ImportWarning", "-c", PROBE, f"functions.{HANDLERS[function]}.handler"],
        env={"PYTHONPATH": os.pathsep.join(paths), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert outcome.returncode == 0, outcome.stderr
    result: dict[str, Any] = json.loads(outcome.stdout)
    return result


@pytest.mark.parametrize("function", HANDLERS)
def test_a_handler_imports_with_nothing_but_the_runtimes_boto3(function: str) -> None:
    assert imported(function)["callable"]


def test_shared_code_comes_from_the_layer_and_the_functions_own_from_its_artifact() -> None:
    for function in HANDLERS:
        for name, (origin, _) in some(imported(function)["files"].items()):
            part = "SharedLayer" if name.startswith("shared.") else function
            assert origin.startswith(str(built() / part)), name


def test_the_byte_code_in_the_artifact_is_used_whatever_its_time_stamp() -> None:
    for function in HANDLERS:
        for name, (origin, cached) in some(imported(function)["files"].items()):
            header = Path(cached).read_bytes()[:8]
            # PEP 552: bit 0, named by hash; bit 1, checked against the source. Ours: named and not checked.
            assert int.from_bytes(header[4:8], "little") == 0b01, (name, origin)


@pytest.mark.parametrize("function", HANDLERS)
def test_what_is_slow_to_import_is_imported_only_where_it_is_used(function: str) -> None:
    modules = set(imported(function)["modules"])
    assert not {"aws_xray_sdk", "boto3.resources.factory", "requests", "pytest"} & modules
    if function not in RENDERS:
        assert "jinja2" not in modules
    if function != "RenderPrint":
        assert not {"typst", "segno"} & modules


READS = """
import sys
from datetime import date, datetime
from zoneinfo import ZoneInfo
from babel.dates import format_date
from babel.numbers import format_currency
from email_validator import validate_email
from phonenumbers import is_valid_number, parse, timezone
from shared.domain.calendar.federal_holidays import is_federal_holiday

assert format_currency(1234.5, "USD", locale="es_US") and format_currency(1, "USD", locale="en_US") == "$1.00"
assert format_date(date(2026, 3, 8), "long", locale="es") == "8 de marzo de 2026"
assert timezone.time_zones_for_number(parse("+12075550100")) == ("America/New_York",)
assert is_valid_number(parse("+442079460000"))
assert is_federal_holiday(date(2026, 1, 19)) and not is_federal_holiday(date(2026, 1, 20))
assert datetime(2026, 3, 8, tzinfo=ZoneInfo("Pacific/Honolulu")).utcoffset()
assert validate_email("someone@example.com", check_deliverability=False).normalized
"""


def test_what_was_left_out_of_the_layer_is_not_missed() -> None:
    outcome = subprocess.run(  # noqa: S603 - the project's own interpreter
        [str(PYTHON), "-c", READS],
        env={"PYTHONPATH": str(built() / "SharedLayer/python"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert outcome.returncode == 0, outcome.stderr


def test_the_layer_holds_no_data_that_nothing_reads() -> None:
    layer = built() / "SharedLayer/python"
    assert {path.name.split("_")[0].split(".")[0] for path in (layer / "babel/locale-data").glob("*.dat")} == {
        "root",
        "en",
        "es",
    }
    assert [surplus.pattern for surplus in SURPLUS if not surplus.kept and list(layer.glob(surplus.pattern))] == []


def test_the_function_that_serves_the_document_carries_it_as_it_is_committed() -> None:
    carried = built() / "Manage/functions/manage/openapi.json"
    assert carried.read_bytes() == (PROJECT / "docs/openapi.json").read_bytes()


def test_only_the_print_function_carries_the_pdf_library() -> None:
    carriers = {path.parent.name for path in built().glob("*/typst")}
    assert carriers == {"RenderPrint"}


def test_neither_boto3_nor_a_development_tool_is_packed() -> None:
    packed = {path.name for folder in built().iterdir() if folder.is_dir() for path in folder.iterdir()}
    packed |= {path.name for path in (built() / "SharedLayer/python").iterdir()}
    assert not {"boto3", "botocore", "pytest", "moto", "tests", "local", "cli"} & packed


@pytest.mark.parametrize("function", HANDLERS)
def test_function_and_layer_fit_into_lambdas_limit_unpacked(function: str) -> None:
    size = sum(
        path.stat().st_size
        for folder in (built() / function, built() / "SharedLayer")
        for path in folder.rglob("*")
        if path.is_file()
    )
    assert size < 250_000_000
