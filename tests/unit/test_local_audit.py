"""The scanners' findings against what was decided about them."""

from pathlib import Path

import pytest

from local.audit.findings import AuditFinding, outlived, rulings, undecided
from local.audit.scanners import checkov_findings, lint_findings, nag_findings

DOCUMENT = """
| tool | rule | resources | reason |
| --- | --- | --- | --- |
| checkov | `CKV_1` | all | It holds for whatever there is. |
| checkov | `CKV_2` | `One`, `Other` | For these two. |
| cdk-nag | `HIPAA.Security-Three` | `One` | As `CKV_2`. |
"""
PROJECT = Path(__file__).resolve().parents[2]


def test_a_finding_is_decided_by_its_tool_its_rule_and_its_resource() -> None:
    found = [
        AuditFinding("checkov", "CKV_1", "Anything"),
        AuditFinding("checkov", "CKV_2", "Other"),
        AuditFinding("checkov", "CKV_2", "Third"),
        AuditFinding("cfn-lint", "CKV_1", "Anything"),
        AuditFinding("cdk-nag", "HIPAA.Security-Three", "One"),
        AuditFinding("cdk-nag", "HIPAA.Security-Four", "One"),
    ]
    assert undecided(found, rulings(DOCUMENT)) == [
        AuditFinding("cdk-nag", "HIPAA.Security-Four", "One"),
        AuditFinding("cfn-lint", "CKV_1", "Anything"),
        AuditFinding("checkov", "CKV_2", "Third"),
    ]


def test_a_ruling_about_what_nothing_finds_any_more_is_told_unless_its_tool_did_not_run() -> None:
    found = [AuditFinding("checkov", "CKV_1", "Anything")]
    assert [each.rule for each in outlived(found, rulings(DOCUMENT), ["checkov"])] == ["CKV_2"]
    assert [each.rule for each in outlived(found, rulings(DOCUMENT), ["checkov", "cdk-nag"])] == [
        "CKV_2",
        "HIPAA.Security-Three",
    ]


def test_nothing_is_decided_without_a_reason() -> None:
    with pytest.raises(ValueError, match="CKV_1"):
        rulings("| checkov | `CKV_1` | all | |")


def test_the_projects_rulings_can_be_read_and_each_is_about_a_tool_that_runs() -> None:
    decided = rulings((PROJECT / "docs/audit.md").read_text())
    assert {each.tool for each in decided} == {"checkov", "cdk-nag", "cfn-lint"}
    assert len({(each.tool, each.rule) for each in decided}) == len(decided)


def test_each_scanners_report_is_read() -> None:
    lint = [{"Rule": {"Id": "I3011"}, "Location": {"Path": ["Resources", "Queue", "Properties"]}}]
    assert lint_findings(lint) == [AuditFinding("cfn-lint", "I3011", "Queue")]
    failed = {"results": {"failed_checks": [{"check_id": "CKV_1", "resource": "AWS::SQS::Queue.Queue"}]}}
    assert checkov_findings(failed) == [AuditFinding("checkov", "CKV_1", "Queue")]
    construct = {"constructPath": "Dunlin/Template/Queue"}
    violation = {"ruleName": "HIPAA.Security-One", "violatingConstructs": [construct]}
    plugins = [
        {"pluginName": "HIPAA.Security", "violations": [violation]},
        {
            "pluginName": "CloudFormation Validate",
            "violations": [{"ruleName": "F1", "violatingConstructs": [construct]}],
        },
    ]
    assert nag_findings({"pluginReports": plugins}) == [AuditFinding("cdk-nag", "HIPAA.Security-One", "Queue")]
