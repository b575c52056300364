"""What operators are alarmed by."""

import json
from datetime import timedelta

import pytest

from functions.ingest.tallies import tally_rows
from functions.scheduler.dispatch import count_troubled
from shared.domain.records.ingestion import StatementRow
from shared.domain.records.notice import Notice
from shared.domain.vocabulary.words import IngestionResult, NoticeStatus
from shared.messaging.metrics import count, measure
from tests.worlds.examples import NOW, as_if, notice


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


def test_a_length_of_time_is_measured_in_seconds_under_the_same_dimension(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Dunlin/dunlin-prod")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "scheduler")
    measure("NoticesLate", timedelta(minutes=2))
    told = json.loads(capsys.readouterr().out)
    (metric,) = told["_aws"]["CloudWatchMetrics"]
    assert (metric["Namespace"], metric["Dimensions"]) == ("Dunlin/dunlin-prod", [["service"]])
    assert metric["Metrics"] == [{"Name": "NoticesLate", "Unit": "Seconds"}]
    assert (told["service"], told["NoticesLate"]) == ("delivery", [120.0])


def test_what_the_business_did_is_counted_by_closed_words_apart_from_what_rings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Dunlin/dunlin-prod")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ingest")
    rows = [StatementRow(statement_id=f"S-{n}", result=IngestionResult.CREATED) for n in range(3)]
    tally_rows([*rows, StatementRow(statement_id=None, result=IngestionResult.FAILED)])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["service"], line["result"], line["Statements"]) for line in told] == [
        ("business", "Created", [3.0]),
        ("business", "Failed", [1.0]),
    ]
    (metric,) = told[0]["_aws"]["CloudWatchMetrics"]
    assert (metric["Namespace"], sorted(metric["Dimensions"][0])) == ("Dunlin/dunlin-prod", ["result", "service"])
    assert "S-" not in str(told)


def queued(late: timedelta, since: NoticeStatus = NoticeStatus.SCHEDULED) -> Notice:
    """A notice that was queued so long after it was due."""
    row = as_if(notice(scheduled_for=NOW), since, NOW - timedelta(days=1), "scheduler")
    return as_if(row, NoticeStatus.QUEUED, NOW + late, "scheduler")


def measured(rows: list[Notice], capsys: pytest.CaptureFixture[str]) -> list[float]:
    count_troubled(rows)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [length for line in told for length in line.get("NoticesLate", [])]


def test_how_late_notices_are_queued_is_measured_by_the_latest_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [queued(timedelta(seconds=3)), queued(timedelta(minutes=40)), queued(timedelta(minutes=1))]
    assert measured(rows, capsys) == [2400.0]


@pytest.mark.parametrize("since", [NoticeStatus.QUEUED, NoticeStatus.UNKNOWN])
def test_what_is_queued_once_more_and_what_is_not_queued_is_not_late(
    since: NoticeStatus, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was on its way in time; a lease or a wait for the provider's report isn't lateness."""
    given_up = as_if(queued(timedelta()), NoticeStatus.UNKNOWN, NOW + timedelta(hours=2), "scheduler")
    assert measured([queued(timedelta(hours=2), since), given_up], capsys) == []
    assert measured([], capsys) == []
