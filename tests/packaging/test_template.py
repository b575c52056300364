"""What the local AWS can't show is asserted from the template, expanded as CloudFormation sees it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.messaging.metrics import SERVICE
from tests.worlds import template
from tests.worlds.bounds import some

PROJECT = Path(__file__).resolve().parent.parent.parent
FUNCTIONS = {
    "Authorize",
    "DeliveryEvents",
    "Ingest",
    "Manage",
    "PaymentLink",
    "RenderPrint",
    "Scheduler",
    "SendEmail",
    "SendSms",
}
ENCRYPTED_IN_FLIGHT = {"Bool": {"aws:SecureTransport": "false"}}


def policies() -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every role, with the role's name."""
    return [
        (name, statement)
        for name, role in template.resources("AWS::IAM::Role").items()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_the_expanded_template_passes_the_linter(tmp_path: Path) -> None:
    file = tmp_path / "expanded.json"
    file.write_text(json.dumps(template.expanded(), default=str))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1", "--template", str(file)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    assert outcome.returncode == 0, outcome.stdout


def test_there_are_the_nine_functions() -> None:
    assert set(template.resources("AWS::Lambda::Function")) == FUNCTIONS


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_each_function_has_a_log_group_of_its_own_whose_logs_expire(name: str) -> None:
    group = template.resources("AWS::Lambda::Function")[name]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert "RetentionInDays" in template.resources("AWS::Logs::LogGroup")[group]["Properties"]


@pytest.mark.parametrize("channel", ["Email", "Sms", "Print"])
def test_each_channel_has_a_queue_with_a_dead_letter_queue(channel: str) -> None:
    queue = template.resources("AWS::SQS::Queue")[f"{channel}Queue"]["Properties"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == f"{channel}DeadLetterQueue"
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


@pytest.mark.parametrize("channel", ["Email", "Sms", "Print"])
def test_a_message_stays_invisible_for_six_times_its_consumers_timeout(channel: str) -> None:
    function = {"Email": "SendEmail", "Sms": "SendSms", "Print": "RenderPrint"}[channel]
    timeout = template.resources("AWS::Lambda::Function")[function]["Properties"]["Timeout"]
    queue = template.resources("AWS::SQS::Queue")[f"{channel}Queue"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * timeout


def test_consumers_report_which_messages_of_a_batch_failed() -> None:
    sources = template.resources("AWS::Lambda::EventSourceMapping").values()
    assert len(sources) == 3
    assert all(source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for source in some(sources))
    assert all(source["Properties"]["ScalingConfig"]["MaximumConcurrency"] >= 2 for source in some(sources))


def test_the_table_has_three_indexes_is_encrypted_and_can_be_restored() -> None:
    table = template.resources("AWS::DynamoDB::Table")["Table"]
    properties = table["Properties"]
    assert {index["IndexName"] for index in properties["GlobalSecondaryIndexes"]} == {
        "due",
        "organization",
        "statement",
    }
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["UpdateReplacePolicy"] == "Retain"


def test_buckets_are_private_encrypted_and_speak_tls_only() -> None:
    for bucket in some(template.resources("AWS::S3::Bucket").values()):
        properties = bucket["Properties"]
        assert all(some(properties["PublicAccessBlockConfiguration"].values()))
        assert properties["BucketEncryption"]
        assert properties["LifecycleConfiguration"]
    for policy in some(template.resources("AWS::S3::BucketPolicy").values()):
        statement = policy["Properties"]["PolicyDocument"]["Statement"][0]
        assert (statement["Effect"], statement["Condition"]) == ("Deny", ENCRYPTED_IN_FLIGHT)


def test_no_role_may_do_everything_or_anything_everywhere() -> None:
    for role, statement in some(policies()):
        if statement["Effect"] == "Deny":
            continue
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], (role, actions)
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        # A text goes to a phone number, which has no ARN; a second statement denies topics. Nor has an SES account one.
        assert "*" not in resources or actions in (["sns:Publish"], ["ses:GetAccount"]), (role, actions)


def test_no_function_may_scan_the_table() -> None:
    assert not [role for role, statement in policies() if "dynamodb:Scan" in statement["Action"]]


def test_only_the_senders_may_send() -> None:
    senders = {role for role, statement in policies() if {"ses:SendEmail", "sns:Publish"} & set(statement["Action"])}
    # What a recipient texts is answered where it is heard.
    assert senders == {"SendEmailRole", "SendSmsRole", "DeliveryEventsRole"}


def test_who_sends_texts_may_publish_to_no_topic() -> None:
    for name in ("SendSmsRole", "DeliveryEventsRole"):
        denied = [each["Resource"] for role, each in policies() if role == name and each["Effect"] == "Deny"]
        assert denied == [[{"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}]]


def test_only_the_logs_of_this_accounts_texts_may_call_delivery_events() -> None:
    [permission] = [
        each["Properties"]
        for each in template.resources("AWS::Lambda::Permission").values()
        if each["Properties"]["Principal"] == "logs.amazonaws.com"
    ]
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert "DirectPublishToPhoneNumber" in permission["SourceArn"]["Fn::Sub"]


def test_simulated_time_and_the_simulated_processor_are_off_by_default() -> None:
    parameters = template.expanded()["Parameters"]
    assert parameters["AllowSimulatedTime"]["Default"] == "false"
    assert parameters["SandboxProcessorUrl"]["Default"] == ""


def test_only_pages_and_the_document_need_no_key() -> None:
    [api] = template.resources("AWS::ApiGateway::RestApi").values()
    paths = api["Properties"]["Body"]["paths"]
    free = {path for path, methods in paths.items() for method in methods.values() if not method.get("security")}
    free |= {
        path
        for path, methods in paths.items()
        for method in methods.values()
        if method.get("security") == [{"NONE": []}]
    }
    assert free
    assert not {path for path in free if path.startswith("/v1/")}


def test_the_gateways_own_answers_are_problem_details() -> None:
    [api] = template.resources("AWS::ApiGateway::RestApi").values()
    answers = api["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    assert {"UNAUTHORIZED", "DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "REQUEST_TOO_LARGE"} <= set(answers)
    for answer in some(answers.values()):
        body = json.loads(answer["responseTemplates"]["application/json"])
        assert {"type", "title", "status", "detail"} <= set(body)
        assert answer["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"


def test_the_access_log_holds_no_path_because_a_path_may_hold_a_links_secret() -> None:
    [stage] = template.resources("AWS::ApiGateway::Stage").values()
    assert "$context.path" not in stage["Properties"]["AccessLogSetting"]["Format"]
    assert "$context.resourcePath" in stage["Properties"]["AccessLogSetting"]["Format"]


def test_the_schedule_rests_where_time_comes_from_outside() -> None:
    [schedule] = template.resources("AWS::Scheduler::Schedule").values()
    assert schedule["Properties"]["State"] == {"Fn::If": ["SimulatedTime", "DISABLED", "ENABLED"]}


def alarms() -> dict[str, dict[str, Any]]:
    return {name: alarm["Properties"] for name, alarm in template.resources("AWS::CloudWatch::Alarm").items()}


def test_whatever_is_counted_for_operators_has_an_alarm_that_asks_for_it_as_it_is_counted() -> None:
    """test_metrics.py shows that it is counted into the namespace that the function's environment names."""
    sources = [path for folder in ("shared", "functions") for path in (PROJECT / folder).rglob("*.py")]
    counted = {name for path in sources for name in re.findall(r'\bcount\(\s*"(\w+)"', path.read_text())}
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
    for name, alarm in some(alarms().items()):
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
    found = {alarm["MetricName"]: alarm for alarm in alarms().values() if alarm["Namespace"] == "AWS/Lambda"}
    assert set(found) == {"Invocations", "Errors"}
    assert all(alarm["Dimensions"][0]["Value"] == {"Ref": "Scheduler"} for alarm in some(found.values()))
    assert found["Invocations"]["ComparisonOperator"] == "LessThanThreshold"
    assert found["Invocations"]["TreatMissingData"] == {"Fn::If": ["SimulatedTime", "notBreaching", "breaching"]}
    assert found["Errors"]["ComparisonOperator"] == "GreaterThanThreshold"


def test_events_that_the_function_fails_on_are_kept() -> None:
    function = template.resources("AWS::Lambda::Function")["DeliveryEvents"]["Properties"]
    assert function["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0] == "EventsDeadLetterQueue"
