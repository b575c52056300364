"""The template as CloudFormation sees it, for tests that hold it to its promises."""

import os
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


class _NoManagedPolicies:
    """The template names no managed policies, so none have to be looked up."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def source() -> dict[str, Any]:
    """Parse template.yaml, with its SAM resources."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - slow to import, and few tests need it

    parsed: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    return parsed


@cache
def expanded() -> dict[str, Any]:
    """Expand template.yaml as the SAM transform does; some faults show only there."""
    from samtranslator.translator.transform import transform  # noqa: PLC0415 - the same

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = source()
    for resource in template["Resources"].values():
        for location in ("CodeUri", "ContentUri"):
            if location in resource.get("Properties", {}):
                resource["Properties"][location] = "s3://artifacts/key"
    result: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    source.cache_clear()
    return result


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """All expanded resources of a CloudFormation type, by logical id."""
    return {name: found for name, found in expanded()["Resources"].items() if found["Type"] == kind}
