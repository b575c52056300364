"""The template as CloudFormation sees it, for tests that hold it to its promises."""

from functools import cache
from pathlib import Path
from typing import Any

from local.stack.expansion import LOOP, expand

PROJECT = Path(__file__).resolve().parents[2]


@cache
def source() -> dict[str, Any]:
    """Parse template.yaml, with its SAM resources; what a loop makes is in `expanded` only."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - slow to import, and few tests need it

    parsed: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    parsed["Resources"] = {name: each for name, each in parsed["Resources"].items() if not name.startswith(LOOP)}
    return parsed


@cache
def expanded(**parameters: str) -> dict[str, Any]:
    """Expand template.yaml, loops first, then SAM; some faults show only there."""
    return expand(PROJECT / "template.yaml", parameters)


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """All expanded resources of a CloudFormation type, by logical id."""
    return {name: found for name, found in expanded()["Resources"].items() if found["Type"] == kind}


def functions() -> list[str]:
    """The folders of all functions, `send_email`, by the handlers that the template names."""
    found = [each for each in source()["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    return sorted(each["Properties"]["Handler"].split(".")[1] for each in found)
