"""template.yaml as CloudFormation sees it: its loops unrolled, its SAM resources expanded. For tests and scanners."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXPANDED_FOR_REGION = "us-east-1"
LOOP = "Fn::ForEach::"
_BUILT = ("CodeUri", "ContentUri")


class _NoManagedPolicies:
    """The template names no managed policies, so none have to be looked up."""

    def load(self) -> dict[str, str]:
        return {}


def expand(template: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Expand a template as CloudFormation does, loops first, then SAM; some faults show only there.

    Few parameters change what there is: SAM has to know those, the others stay what they are called. Raises ValueError
    for a template that the linter can't read, and whatever SAM's own transform raises for one that isn't valid.
    """
    from samtranslator.translator.transform import transform  # noqa: PLC0415 - slow to import, and few runs need it

    os.environ.setdefault("AWS_DEFAULT_REGION", EXPANDED_FOR_REGION)  # it looks up the partition by it
    unrolled = _without_loops(template)
    for resource in unrolled["Resources"].values():
        for location in _BUILT:
            if location in resource.get("Properties", {}):
                resource["Properties"][location] = "s3://artifacts/key"
    result: dict[str, Any] = transform(unrolled, dict(parameters), _NoManagedPolicies())
    return result


def _without_loops(file: Path) -> dict[str, Any]:
    """The template after the transform AWS::LanguageExtensions, as the linter reads it: loops and lookups are gone."""
    from cfnlint.decode import decode  # noqa: PLC0415 - the same
    from cfnlint.template import Template  # noqa: PLC0415 - the same

    parsed, faults = decode(str(file))
    if faults:
        raise ValueError(faults)
    both = parsed["Transform"]
    parsed["Transform"] = ["AWS::LanguageExtensions"]  # else it merges SAM's globals as well
    template = Template(str(file), parsed, [EXPANDED_FOR_REGION])
    faults = template.transform()
    if faults:
        raise ValueError(faults)
    unrolled: dict[str, Any] = json.loads(json.dumps(template.template, default=str))
    del unrolled["Mappings"]
    return {**unrolled, "Transform": both[1:]}
