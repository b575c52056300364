"""The template as CloudFormation sees it, for tests that hold it to its promises."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
LOOP = "Fn::ForEach::"


class _NoManagedPolicies:
    """The template names no managed policies, so none have to be looked up."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def source() -> dict[str, Any]:
    """Parse template.yaml, with its SAM resources; what a loop makes is in `expanded` only."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - slow to import, and few tests need it

    parsed: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    parsed["Resources"] = {name: each for name, each in parsed["Resources"].items() if not name.startswith(LOOP)}
    return parsed


@cache
def expanded(**parameters: str) -> dict[str, Any]:
    """Expand template.yaml as CloudFormation does, loops first, then SAM; some faults show only there.

    Few parameters change what there is: SAM has to know those, the others stay what they are called.
    """
    from samtranslator.translator.transform import transform  # noqa: PLC0415 - the same

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = _without_loops()
    for resource in template["Resources"].values():
        for location in ("CodeUri", "ContentUri"):
            if location in resource.get("Properties", {}):
                resource["Properties"][location] = "s3://artifacts/key"
    result: dict[str, Any] = transform(template, parameters, _NoManagedPolicies())
    return result


def _without_loops() -> dict[str, Any]:
    """The template after the transform AWS::LanguageExtensions, as the linter reads it: loops and lookups are gone."""
    from cfnlint.decode import decode  # noqa: PLC0415 - the same
    from cfnlint.template import Template  # noqa: PLC0415 - the same

    file = str(PROJECT / "template.yaml")
    parsed, faults = decode(file)
    both = parsed["Transform"]
    parsed["Transform"] = ["AWS::LanguageExtensions"]  # else it merges SAM's globals as well
    template = Template(file, parsed, [os.environ["AWS_DEFAULT_REGION"]])
    faults += template.transform()
    if faults:
        raise ValueError(faults)
    unrolled: dict[str, Any] = json.loads(json.dumps(template.template, default=str))
    del unrolled["Mappings"]
    return {**unrolled, "Transform": both[1:]}


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """All expanded resources of a CloudFormation type, by logical id."""
    return {name: found for name, found in expanded()["Resources"].items() if found["Type"] == kind}


def functions() -> list[str]:
    """The folders of all functions, `send_email`, by the handlers that the template names."""
    found = [each for each in source()["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    return sorted(each["Properties"]["Handler"].split(".")[1] for each in found)
