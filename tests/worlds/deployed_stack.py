"""The stack on a local AWS, and what an operator does with it."""

import json
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import boto3
import pytest

from cli import main as command
from local.stack.watch import LocalStack
from local.stack.workspace import PROJECT
from tests.worlds.aws import forget_clients

ALL_SCOPES = "statements:write,read,manage,send,payments:write"


def local_stack(*words: str) -> None:
    """Run `python -m local.stack.stack`, as the Makefile does."""
    command = [sys.executable, "-m", "local.stack.stack", *words]
    outcome = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def dunlin(stack: LocalStack, *words: str) -> Any:
    """Run the operators' command in this process, and answer what it printed as JSON."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        forget_clients()
        with pytest.raises(SystemExit) as ended:
            command.main([*words, "--json"])
    forget_clients()
    assert not ended.value.code, words
    return json.loads(out.getvalue())


def new_key(stack: LocalStack, scopes: str = ALL_SCOPES) -> str:
    """Create a partner; answers a key of theirs."""
    partner_id = dunlin(stack, "partner", "create", "--name", "Example Billing")["partnerId"]
    return str(dunlin(stack, "key", "create", "--partner", partner_id, "--scopes", scopes)["key"])
