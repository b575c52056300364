"""Runs the scanners, each in the environment that it is installed in, and reads what they found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from local.audit.findings import AuditFinding
from local.stack.errors import LocalStackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

type Scan = Callable[[Path, Path, Path], list[AuditFinding]]
"""Takes the project, the expanded template, and a folder for what comes of it."""

_PATIENCE_SECONDS = 600


def lint(project: Path, _expanded: Path, _folder: Path) -> list[AuditFinding]:
    """The linter with its informational rules, on the template as it is written."""
    command = [str(project / ".venv/bin/cfn-lint"), "--include-checks", "I", "--format", "json"]
    return lint_findings(json.loads(_run([*command, str(project / "template.yaml")])))


def checkov(project: Path, expanded: Path, _folder: Path) -> list[AuditFinding]:
    """Checkov's rules for CloudFormation."""
    command = [str(project / ".venv-audit/bin/checkov"), "--file", str(expanded), "--framework", "cloudformation"]
    return checkov_findings(json.loads(_run([*command, "--compact", "--quiet", "--output", "json", "--skip-download"])))


def cdk_nag(project: Path, expanded: Path, folder: Path) -> list[AuditFinding]:
    """cdk-nag's rules from HIPAA's security rule; it runs on Node."""
    assembly = folder / "cdk"
    _run([str(project / ".venv-audit/bin/python"), str(project / "local/audit/nag.py"), str(expanded), str(assembly)])
    return nag_findings(json.loads((assembly / "validation-report.json").read_text(encoding="utf-8")))


def available() -> dict[str, Scan]:
    """The scanners that can run here, by the names that docs/audit.md has for them."""
    found: dict[str, Scan] = {"cfn-lint": lint, "checkov": checkov}
    return found | ({"cdk-nag": cdk_nag} if shutil.which("node") else {})


def lint_findings(matches: list[dict[str, Any]]) -> list[AuditFinding]:
    """Read the linter's report."""
    return [AuditFinding("cfn-lint", each["Rule"]["Id"], _resource(each["Location"]["Path"])) for each in matches]


def checkov_findings(report: dict[str, Any]) -> list[AuditFinding]:
    """Read Checkov's report."""
    failed = report["results"]["failed_checks"]
    return [AuditFinding("checkov", each["check_id"], each["resource"].rpartition(".")[2]) for each in failed]


def nag_findings(report: Mapping[str, Any]) -> list[AuditFinding]:
    """Read the CDK's report: of its plugins, cdk-nag's only."""
    return [
        AuditFinding("cdk-nag", violation["ruleName"], construct["constructPath"].rpartition("/")[2])
        for plugin in report["pluginReports"]
        if plugin["pluginName"] == "HIPAA.Security"
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def _resource(path: list[str | int]) -> str:
    """The logical id that a path into the template is about; the path's beginning where it is about none."""
    names = [str(part) for part in path]
    return names[1] if names[:1] == ["Resources"] and len(names) > 1 else ".".join(names[:2])


def _run(command: list[str]) -> str:
    """Run a scanner. Its status says whether it found something, so only what it printed tells whether it ran."""
    environment = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
    environment.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=_PATIENCE_SECONDS
    )
    if done.returncode < 0 or "Traceback" in done.stderr:
        raise LocalStackError(f"{command[0]} failed: {done.stderr[-1000:]}")
    return done.stdout
