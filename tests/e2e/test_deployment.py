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


def test_only_one_stage_of_the_api_is_deployed(stack: LocalStack) -> None:
    gateway = boto3.client("apigateway")
    stages = [gateway.get_stages(restApiId=api["id"])["item"] for api in gateway.get_rest_apis()["items"]]
    assert [[stage["stageName"] for stage in each] for each in stages] == [["live"]]


def test_deploying_again_without_a_change_changes_nothing(stack: LocalStack, state_folder: Path) -> None:
    cloudformation = boto3.client("cloudformation")
    before = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    local_stack("start", "--port", stack.endpoint.rsplit(":", 1)[1], "--state-dir", str(state_folder))
    after = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    assert after["Outputs"] == before["Outputs"]
    assert httpx.get(f"{stack.api_url}/openapi.json", timeout=60).status_code == 200


@pytest.mark.last
def test_the_stack_is_deleted_with_all_its_functions(stack: LocalStack) -> None:
    """After all other tests on it."""
    cloudformation, functions = boto3.client("cloudformation"), boto3.client("lambda")

    def deployed() -> list[str]:
        names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
        return [name for name in names if name.startswith(f"{stack.name}-")]

    assert deployed()
    cloudformation.delete_stack(StackName=stack.name)
    with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=stack.name)
    assert deployed() == []


def test_the_installed_command_works_on_the_stack(stack: LocalStack) -> None:
    """Other tests call it within their own process."""
    words = [str(PROJECT / ".venv/bin/dunlin"), "partner", "create", "--name", "Example Billing", "--json"]
    environment = {**os.environ, **stack.environment}
    outcome = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["partnerId"].startswith("prt_")
