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
    assert not {"aws_xray_sdk", "boto3.resources.factory", "requests", "stripe", "pytest"} & modules
    if function not in RENDERS:
        assert "jinja2" not in modules
    if function != "RenderPrint":
        assert not {"typst", "segno"} & modules


STARTS = """
import builtins, dataclasses, importlib, json, sys
importlib.import_module("shared")
compiled, ours = vars(dataclasses).get("exec", builtins.exec), []
compile_anew = compile
def watched(text, names, made):
    known = vars(builtins)["exec"]
    def noted(code, *rest):
        if isinstance(code, str) and names.get("__name__", "").startswith(("shared.", "functions.")):
            ours.append(names["__name__"])
        return known(code, *rest)
    vars(builtins)["exec"] = noted
    try:
        compiled(text, names, made)
    finally:
        vars(builtins)["exec"] = known
vars(dataclasses)["exec"] = watched
importlib.import_module(f"functions.{sys.argv[1]}.handler")
importlib.import_module(f"functions.{sys.argv[1]}.ports").ports()
print(json.dumps({"modules": sorted(sys.modules), "compiled_anew": ours}))
"""

SETTINGS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "TABLE_NAME": "t",
    "EMAIL_QUEUE_URL": "https://example.com/email",
    "SMS_QUEUE_URL": "https://example.com/sms",
    "PRINT_QUEUE_URL": "https://example.com/print",
    "INGEST_FUNCTION": "ingest",
    "WEBHOOK_QUEUE_URL": "https://example.com/webhooks",
    "WEBHOOK_KEY": "key",
    "DROP_BUCKET": "drops",
    "PRINT_BUCKET": "letters",
    "SENDER_ADDRESS": "billing@example.com",
    "PUBLIC_BASE_URL": "https://pay.example.com",
}


@cache
def started(function: str) -> dict[str, Any]:
    """Import a handler and make its ports, as a cold start does, and say what that loaded and compiled."""
    paths = [str(built() / function), str(built() / "SharedLayer/python")]
    outcome = subprocess.run(  # noqa: S603 - the project's own interpreter
        [str(PYTHON), "-c", STARTS, HANDLERS[function]],
        env={"PYTHONPATH": os.pathsep.join(paths), "PATH": os.defpath, **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert outcome.returncode == 0, outcome.stderr
    result: dict[str, Any] = json.loads(outcome.stdout)
    return result


NOT_AT_START = {"jinja2", "babel", "typst", "segno", "manimgx_fonts", "boto3", "requests", "phonenumbers", "zipcodes"}
"""What a function needs for some requests only, if at all."""

HTTP = {"Ingest", "Manage", "PaymentLink"}
"""What answers requests by pydantic's models and Powertools' routes from the first one on."""


@pytest.mark.parametrize("function", sorted(set(HANDLERS) - HTTP))
def test_what_answers_no_http_starts_without_pydantic_routes_or_asyncio(function: str) -> None:
    loaded = set(started(function)["modules"])
    assert not {"pydantic", "pydantic_core", "aws_lambda_powertools.event_handler", "asyncio"} & loaded


@pytest.mark.parametrize("function", HANDLERS)
def test_no_function_starts_with_what_few_requests_need(function: str) -> None:
    allowed = {"Ingest": {"phonenumbers", "zipcodes"}, "Manage": {"phonenumbers", "zipcodes"}, "PaymentLink": {"babel"}}
    assert not (NOT_AT_START - allowed.get(function, set())) & set(started(function)["modules"])


@pytest.mark.parametrize("function", HANDLERS)
def test_no_dataclass_of_ours_is_compiled_at_start(function: str) -> None:
    assert started(function)["compiled_anew"] == []


CALLS = """
import uuid
from botocore.session import Session
from shared.messaging import service_models

uuid.uuid4 = lambda: "one-token"
CHANGING = {"amz-sdk-invocation-id", "X-Amz-Date", "Authorization", "User-Agent"}

class Seen(Exception):
    pass

def requests(session):
    seen = {}
    for service, operations in service_models.OPERATIONS.items():
        client = session.create_client(service)
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        for operation in operations:
            def sent(request, **_):
                headers = {name: str(value) for name, value in request.headers.items() if name not in CHANGING}
                body = request.body.read() if hasattr(request.body, "read") else request.body
                seen[f"{service}.{operation}"] = request.method, request.url, headers, body
                raise Seen
            client.meta.events.register(f"before-send.{service}.{operation}", sent)
            shape = client.meta.service_model.operation_model(operation).input_shape
            try:
                getattr(client, methods[operation])(**needed(shape))
            except Seen:
                pass
    return seen

def needed(shape):
    return {name: sample(shape.members[name]) for name in shape.required_members}

def sample(shape):
    if shape.type_name == "structure":
        return needed(shape)
    if shape.type_name == "list":
        return [sample(shape.member)]
    if shape.type_name == "map":
        return {"name-1": sample(shape.value)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "name-1"
    return {"blob": b"1", "boolean": True}.get(shape.type_name, 1)

trimmed, whole = requests(service_models.session()), requests(Session())
assert len(whole) == sum(map(len, service_models.OPERATIONS.values())), sorted(whole)
assert trimmed == whole, {name: (trimmed.get(name), whole[name]) for name in whole if trimmed.get(name) != whole[name]}
"""


def test_every_call_by_the_trimmed_models_sends_what_botocores_own_would() -> None:
    outcome = subprocess.run(  # noqa: S603 - the project's own interpreter
        [str(PYTHON), "-c", CALLS],
        env={"PYTHONPATH": str(built() / "SharedLayer/python"), "PATH": os.defpath, **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert outcome.returncode == 0, outcome.stderr


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
