"""What wakes an operator: each alarm has a topic and an answer in the runbook. And what the dashboard shows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.messaging.metrics import SERVICE
from tests.worlds import template
from tests.worlds.bounds import some

PROJECT = Path(__file__).resolve().parent.parent.parent
FUNCTIONS = sorted(template.resources("AWS::Lambda::Function"))


def alarms() -> dict[str, dict[str, Any]]:
    return {name: alarm["Properties"] for name, alarm in template.resources("AWS::CloudWatch::Alarm").items()}


def test_whatever_is_counted_for_operators_has_an_alarm_that_asks_for_it_as_it_is_counted() -> None:
    """test_metrics.py shows that it is counted into the namespace that the function's environment names."""
    sources = [path for folder in ("shared", "functions") for path in (PROJECT / folder).rglob("*.py")]
    counted = {name for path in sources for name in re.findall(r'\b(?:count|measure)\(\s*"(\w+)"', path.read_text())}
    ours = [alarm for alarm in alarms().values() if not str(alarm["Namespace"]).startswith("AWS/")]
    assert {alarm["MetricName"] for alarm in ours} == counted
    assert all(alarm["Dimensions"] == [{"Name": "service", "Value": SERVICE}] for alarm in some(ours))
    for function in some(template.resources("AWS::Lambda::Function").values()):
        namespace = function["Properties"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
        assert all(alarm["Namespace"] == namespace for alarm in some(ours))


def test_every_alarm_goes_to_the_operators_topic_and_has_an_answer_in_the_runbook() -> None:
    runbook = (PROJECT / "docs/runbook.md").read_text()
    topic = {"Fn::If": ["WithAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert alarms()
    for name, alarm in alarms().items():
        assert alarm["AlarmActions"] == topic, name
        assert f"`{name}`" in runbook


def test_every_dead_letter_queue_is_watched() -> None:
    watched = [
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in alarms().values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    ]
    assert sorted(watched) == sorted(name for name in template.resources("AWS::SQS::Queue") if "DeadLetter" in name)


def test_a_scheduler_that_does_not_run_and_one_that_fails_whenever_it_runs_are_both_noticed() -> None:
    """A run that fails is an invocation too."""
    silent, failing = alarms()["SchedulerSilentAlarm"], alarms()["SchedulerErrorsAlarm"]
    assert (silent["MetricName"], silent["ComparisonOperator"]) == ("Invocations", "LessThanThreshold")
    assert silent["Dimensions"] == failing["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Scheduler"}}]
    assert silent["TreatMissingData"] == {"Fn::If": ["SimulatedTime", "notBreaching", "breaching"]}
    assert failing["ComparisonOperator"] == "GreaterThanThreshold"
    # Five runs in five minutes: less than one in two may fail.
    assert failing["Threshold"] == 2


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_and_throttles_of_every_function_ring(name: str, metric: str) -> None:
    alarm = alarms()[f"{name}{metric}Alarm"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", metric, "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": name}}]


def test_a_refused_key_alone_rings_nothing() -> None:
    """The authorizer refuses by raising, which Lambda counts as an error: anybody could ring it."""
    assert alarms()["AuthorizeErrorsAlarm"]["Threshold"] >= 100


@pytest.mark.parametrize("channel", ["Email", "Sms", "Print"])
def test_a_message_that_waits_longer_than_its_five_receives_take_rings(channel: str) -> None:
    alarm = alarms()[f"{channel}WaitingAlarm"]
    queue = template.resources("AWS::SQS::Queue")[f"{channel}Queue"]["Properties"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": [f"{channel}Queue", "QueueName"]}
    assert alarm["Threshold"] >= queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]


@pytest.mark.parametrize(
    ("name", "namespace", "metric"),
    [
        ("ApiErrorsAlarm", "AWS/ApiGateway", "5XXError"),
        ("ApiSlowAlarm", "AWS/ApiGateway", "Latency"),
        ("EmailBouncesAlarm", "AWS/SES", "Reputation.BounceRate"),
        ("EmailComplaintsAlarm", "AWS/SES", "Reputation.ComplaintRate"),
        ("TableReadThrottlesAlarm", "AWS/DynamoDB", "ReadThrottleEvents"),
        ("TableWriteThrottlesAlarm", "AWS/DynamoDB", "WriteThrottleEvents"),
        ("TextSpendAlarm", "AWS/SNS", "SMSMonthToDateSpentUSD"),
    ],
)
def test_the_api_the_table_and_the_providers_are_watched(name: str, namespace: str, metric: str) -> None:
    assert (alarms()[name]["Namespace"], alarms()[name]["MetricName"]) == (namespace, metric)


def test_ses_warns_us_after_we_are_warned() -> None:
    """SES reviews an account from 5 % of bounces and 0.1 % of complaints on."""
    assert alarms()["EmailBouncesAlarm"]["Threshold"] < 0.05
    assert alarms()["EmailComplaintsAlarm"]["Threshold"] < 0.001


def test_the_apis_alarms_ask_for_it_by_the_name_and_stage_that_it_has() -> None:
    [api] = template.resources("AWS::ApiGateway::RestApi").values()
    [stage] = template.resources("AWS::ApiGateway::Stage").values()
    dimensions = {"ApiName": api["Properties"]["Name"], "Stage": stage["Properties"]["StageName"]}
    for name in ("ApiErrorsAlarm", "ApiSlowAlarm"):
        assert {each["Name"]: each["Value"] for each in alarms()[name]["Dimensions"]} == dimensions


def test_the_dashboard_shows_every_function_queue_and_count_that_an_alarm_asks_about() -> None:
    [dashboard] = template.resources("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])
    shown = json.dumps(body)
    for alarm in alarms().values():
        assert f'"{alarm["MetricName"]}"' in shown or alarm["MetricName"] in OTHERWISE_SHOWN, alarm["MetricName"]
    for name in FUNCTIONS:
        assert shown.count(f'"${{{name}}}"') == 3, name
    for name in template.resources("AWS::SQS::Queue"):
        assert f'"${{{name}.QueueName}}"' in shown, name


def test_the_dashboard_shows_all_that_the_business_did_by_the_words_that_it_is_counted_by() -> None:
    """A search finds metrics of exactly the dimensions that it names."""
    [dashboard] = template.resources("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])
    searches = [
        metric[0]["expression"]
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
        if isinstance(metric[0], dict)
    ]
    pattern = re.compile(r"""SEARCH\('{"Dunlin/\$\{AWS::StackName\}",([\w,]+)} MetricName="(\w+)"', 'Sum', 86400\)""")
    found = [match for search in searches if (match := pattern.fullmatch(search))]
    assert len(found) == len(searches)
    searched = {match[2]: set(match[1].split(",")) for match in found}
    sources = [path for folder in ("shared", "functions") for path in (PROJECT / folder).rglob("*.py")]
    tallied: dict[str, set[str]] = {}
    for path in sources:
        for name, by in re.findall(r'\btally\("(\w+)"((?:, [^()]+)?)\)', path.read_text()):
            tallied.setdefault(name, {"service"}).update(re.findall(r"(\w+)=", by))
    assert len(tallied) == 4
    assert searched == tallied


OTHERWISE_SHOWN = {
    "Invocations",  # a scheduler that stands still shows in what waits
    "Reputation.BounceRate",  # as counts of emails
    "Reputation.ComplaintRate",
}
