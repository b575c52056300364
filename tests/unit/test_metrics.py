"""What operators are alarmed by."""

import json

import pytest

from shared.messaging.metrics import count


def test_an_occurrence_is_one_line_that_the_stacks_alarms_count_whichever_function_saw_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm names the dimensions that it asks for."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Dunlin/dunlin-prod")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "scheduler")
    count("NoticeUnknown", channel="email", org_id="org_1")
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    (metric,) = told["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Dunlin/dunlin-prod"
    assert metric["Dimensions"] == [["service"]]
    assert metric["Metrics"] == [{"Name": "NoticeUnknown", "Unit": "Count"}]
    assert (told["service"], told["channel"], told["NoticeUnknown"]) == ("delivery", "email", [1.0])
    assert told["org_id"] == "org_1", "the runbook finds by it whose notices to reconcile"
    assert set(told) == {"_aws", "service", "channel", "org_id", "NoticeUnknown"}
