"""Every function is wired in one way: settings, ports, handler. docs/architecture.md tells how."""

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest

from shared.messaging import clients
from shared.settings import FunctionSettings

PROJECT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.name for path in (PROJECT / "functions").iterdir() if (path / "handler.py").is_file())
LONGEST_HANDLER = 60

SETTINGS = {
    "TABLE_NAME": "t",
    "EMAIL_QUEUE_URL": "https://example.com/email",
    "SMS_QUEUE_URL": "https://example.com/sms",
    "PRINT_QUEUE_URL": "https://example.com/print",
    "WEBHOOK_QUEUE_URL": "https://example.com/webhooks",
    "WEBHOOK_KEY": "key",
    "INGEST_FUNCTION": "ingest",
    "DROP_BUCKET": "drops",
    "PRINT_BUCKET": "letters",
    "SENDER_ADDRESS": "billing@example.com",
    "PUBLIC_BASE_URL": "https://pay.example.com",
}

MADE_AT_ONCE = {
    "scheduler": ["dynamodb", "sqs"],
    "send_email": ["dynamodb", "ses"],
    "send_sms": ["dynamodb", "sns"],
    "render_print": ["dynamodb", "s3"],
    "send_webhooks": ["dynamodb", "kms"],
}
"""The clients that every invocation needs. All others need the table's only; what few need is made when it is used."""

each_function = pytest.mark.parametrize("function", FUNCTIONS)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clients that are made from now on, none of which can do anything. The environment holds the settings."""
    names = list[str]()

    def note(name: str) -> Callable[[], Any]:
        def make() -> Any:
            names.append(name)
            return SimpleNamespace()

        return make

    for name in ("dynamodb", "sqs", "s3", "ses", "sns", "ssm", "kms", "lambda_functions"):
        monkeypatch.setattr(clients, name, note(name))
    for variable, value in SETTINGS.items():
        monkeypatch.setenv(variable, value)
    return names


def ports_of(function: str) -> Any:
    return importlib.import_module(f"functions.{function}.ports").ports


def test_all_ten_functions_are_looked_at() -> None:
    assert len(FUNCTIONS) == 10


@each_function
def test_a_functions_ports_are_a_frozen_dataclass_named_after_it_and_begin_with_its_settings(
    function: str, made: list[str]
) -> None:
    ports = ports_of(function)()
    name = f"{function.title().replace('_', '')}Ports"
    assert type(ports).__name__ == name
    assert is_dataclass(type(ports))
    assert ports.__dataclass_params__.frozen
    assert get_type_hints(ports_of(function))["return"] is type(ports)
    assert isinstance(ports.settings, FunctionSettings)
    assert type(ports.settings).__name__ == name.replace("Ports", "Settings")
    assert ports.settings.__dataclass_params__.frozen  # type: ignore[attr-defined] # mypy knows no dataclass parameters


@each_function
def test_each_port_says_what_it_is(function: str, made: list[str]) -> None:
    for port in fields(ports_of(function)()):
        assert port.type not in {Any, object, dict, "Any"}
        assert "dict" not in str(port.type)


@each_function
def test_ports_are_made_once_a_process_with_the_clients_that_every_invocation_needs(
    function: str, made: list[str]
) -> None:
    ports = ports_of(function)
    assert ports() is ports()
    assert made == MADE_AT_ONCE.get(function, ["dynamodb"])


def test_importing_a_function_reads_no_setting_and_makes_no_client() -> None:
    """In a process of its own, in which either fails."""
    handlers = "\n".join(f"import functions.{function}.handler" for function in FUNCTIONS)
    program = f"""
import botocore.session
from shared.settings import FunctionSettings

def refuse(*_, **__):
    raise AssertionError("at import")

botocore.session.Session.create_client = refuse
FunctionSettings.from_environment = classmethod(refuse)
{handlers}
"""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(PROJECT)}
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, check=True)  # noqa: S603 - our own program


def calls(path: Path, module: str) -> Iterator[str]:
    """What a file takes of a module that it imported by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
            yield node.attr


def test_only_ports_make_clients_and_only_settings_are_read_from_the_environment() -> None:
    sources = sorted((PROJECT / "functions").rglob("*.py"))
    assert {path.name for path in sources if list(calls(path, "clients"))} == {"ports.py"}
    assert [path for path in sources if {"environ", "getenv"} & set(calls(path, "os"))] == []
    readers = {path.name for path in sources if "from_environment" in path.read_text()}
    assert readers == {"ports.py"}


@each_function
def test_a_handler_can_be_read_at_a_glance(function: str) -> None:
    assert len((PROJECT / "functions" / function / "handler.py").read_text().splitlines()) <= LONGEST_HANDLER
