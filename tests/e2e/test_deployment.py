"""Deploying: once, again with no change, and away; and the command that works on what is deployed."""

import json
import os
import subprocess
from pathlib import Path

import boto3
import httpx
import pytest

from local.stack.watch import LocalStack
from local.stack.workspace import PROJECT
from tests.worlds.deployed_stack import local_stack

pytestmark = pytest.mark.e2e


def test_the_template_deploys_deploys_again_without_change_and_deletes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_stack("start", "--port", "0", "--state-dir", str(tmp_path))
    try:
        stack = LocalStack.load(tmp_path / "stack.json")
        for name, value in stack.environment.items():
            monkeypatch.setenv(name, value)
        cloudformation = boto3.client("cloudformation")
        before = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
        gateway = boto3.client("apigateway")
        stages = [gateway.get_stages(restApiId=api["id"])["item"] for api in gateway.get_rest_apis()["items"]]
        assert [[stage["stageName"] for stage in each] for each in stages] == [["live"]]

        port = stack.endpoint.rsplit(":", 1)[1]
        local_stack("start", "--port", port, "--state-dir", str(tmp_path))
        after = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
        assert after["Outputs"] == before["Outputs"]
        assert httpx.get(f"{stack.api_url}/openapi.json", timeout=60).status_code == 200

        cloudformation.delete_stack(StackName=stack.name)
        with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
            cloudformation.describe_stacks(StackName=stack.name)
        functions = boto3.client("lambda").list_functions()["Functions"]
        assert not [function for function in functions if function["FunctionName"].startswith(f"{stack.name}-")]
    finally:
        local_stack("stop", "--state-dir", str(tmp_path))


def test_the_installed_command_works_on_the_stack(stack: LocalStack) -> None:
    """Other tests call it within their own process."""
    words = [str(PROJECT / ".venv/bin/dunlin"), "partner", "create", "--name", "Example Billing", "--json"]
    environment = {**os.environ, **stack.environment}
    outcome = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["partnerId"].startswith("prt_")
