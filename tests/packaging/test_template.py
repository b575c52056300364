"""What the local AWS can't show is asserted from the template, expanded as CloudFormation sees it."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from functions.scheduler.invocation import LEDGER_CHECK, REPORTS
from shared.domain.paying.code_tries import TRIES_OF_ADDRESS, WINDOW
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
    "SendWebhooks",
}
LONG_STACK_NAME = "dunlin-production"
READ_BY_SAM = {"GradualDeployments"}
"""Parameters that say what there is: nothing of them is left in the expanded template."""

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
    expanded = template.expanded()
    left = {name: each for name, each in expanded["Parameters"].items() if name not in READ_BY_SAM}
    file.write_text(json.dumps({**expanded, "Parameters": left}, default=str))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1", "--template", str(file)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    assert outcome.returncode == 0, outcome.stdout


def test_there_are_the_ten_functions() -> None:
    assert set(template.resources("AWS::Lambda::Function")) == FUNCTIONS


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_each_function_has_a_log_group_of_its_own_whose_logs_expire(name: str) -> None:
    group = template.resources("AWS::Lambda::Function")[name]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert "RetentionInDays" in template.resources("AWS::Logs::LogGroup")[group]["Properties"]


@pytest.mark.parametrize("channel", ["Email", "Sms", "Print", "Webhook"])
def test_each_channel_has_a_queue_with_a_dead_letter_queue(channel: str) -> None:
    queue = template.resources("AWS::SQS::Queue")[f"{channel}Queue"]["Properties"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == f"{channel}DeadLetterQueue"
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


@pytest.mark.parametrize("channel", ["Email", "Sms", "Print", "Webhook"])
def test_a_message_stays_invisible_for_six_times_its_consumers_timeout(channel: str) -> None:
    function = {"Email": "SendEmail", "Sms": "SendSms", "Print": "RenderPrint", "Webhook": "SendWebhooks"}[channel]
    timeout = template.resources("AWS::Lambda::Function")[function]["Properties"]["Timeout"]
    queue = template.resources("AWS::SQS::Queue")[f"{channel}Queue"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * timeout


def test_consumers_report_which_messages_of_a_batch_failed() -> None:
    sources = template.resources("AWS::Lambda::EventSourceMapping").values()
    assert len(sources) == 4
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


def test_whoever_reads_accounts_may_write_out_what_a_large_change_left() -> None:
    """Else an account whose large change was cut off is an error to all but a few functions."""

    def of_accounts(action: str) -> set[str]:
        return {
            role
            for role, statement in policies()
            if action in statement["Action"]
            and "A#*"
            in statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["A#*"])
        }

    readers = of_accounts("dynamodb:Query")
    assert len(readers) == len(FUNCTIONS - {"Authorize", "SendWebhooks"})
    assert readers <= of_accounts("dynamodb:PutItem") & of_accounts("dynamodb:DeleteItem")


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
        headers = {name.rpartition(".")[2]: value for name, value in answer["responseParameters"].items()}
        assert headers["Content-Type"] == "'application/problem+json'"
        # They come on the paths of partners and of patients alike.
        assert headers["Cache-Control"] == "'no-store'"
        assert headers["X-Robots-Tag"] == "'noindex, nofollow'"


STATUS_OF_AN_ANSWER = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 404,  # 403, unless it is said otherwise
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
"""The gateway's own answers, with their statuses."""


def test_every_answer_of_the_gateways_own_says_the_status_that_it_has() -> None:
    """One that isn't spelled out gets the text of DEFAULT_4XX or DEFAULT_5XX, but keeps its own status."""
    [api] = template.resources("AWS::ApiGateway::RestApi").values()
    answers = api["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    assert set(answers) <= {*STATUS_OF_AN_ANSWER, "DEFAULT_4XX", "DEFAULT_5XX"}
    for kind, status in STATUS_OF_AN_ANSWER.items():
        answer = answers.get(kind, answers[f"DEFAULT_{status // 100}XX"])
        assert int(answer.get("statusCode", status)) == status
        assert json.loads(answer["responseTemplates"]["application/json"])["status"] == status, kind
    assert answers["THROTTLED"]["responseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_gateways_permissions_fit_into_the_policy_that_a_function_may_have() -> None:
    """SAM makes one for each event, and Lambda refuses more than 20 KB of them, which no local AWS shows."""
    sizes = Counter[str]()
    for name, found in template.resources("AWS::Lambda::Permission").items():
        permission = found["Properties"]
        if permission["Principal"] != "apigateway.amazonaws.com":
            continue
        function = json.dumps(permission["FunctionName"])
        statement = {
            "Sid": f"{LONG_STACK_NAME}-{name}-ABCDEFGHIJKL",
            "Effect": "Allow",
            "Principal": {"Service": permission["Principal"]},
            "Action": permission["Action"],
            "Resource": f"arn:aws:lambda:ap-southeast-2:123456789012:function:{LONG_STACK_NAME}-payment-link",
            "Condition": {"ArnLike": {"AWS:SourceArn": json.dumps(permission["SourceArn"])}},
        }
        sizes[function] += len(json.dumps(statement))
    assert len(sizes) == 4
    assert max(sizes.values()) < 20_480, sizes


def test_the_access_log_holds_no_path_because_a_path_may_hold_a_links_secret() -> None:
    [stage] = template.resources("AWS::ApiGateway::Stage").values()
    assert "$context.path" not in stage["Properties"]["AccessLogSetting"]["Format"]
    assert "$context.resourcePath" in stage["Properties"]["AccessLogSetting"]["Format"]


def test_the_schedules_rest_where_time_comes_from_outside() -> None:
    for schedule in some(template.resources("AWS::Scheduler::Schedule").values()):
        assert schedule["Properties"]["State"] == {"Fn::If": ["SimulatedTime", "DISABLED", "ENABLED"]}


def test_each_schedule_asks_for_its_work_in_words_that_the_function_knows() -> None:
    """Any other event is a sweep."""
    schedules = [each["Properties"] for each in template.resources("AWS::Scheduler::Schedule").values()]
    asked = {each["ScheduleExpression"]: each["Target"].get("Input") for each in schedules}
    assert asked == {
        "rate(1 minute)": None,
        "rate(1 hour)": json.dumps({"work": REPORTS}),
        "rate(15 minutes)": json.dumps({"work": LEDGER_CHECK}),
    }


@pytest.mark.parametrize(
    ("name", "queue"), [("DeliveryEvents", "EventsDeadLetterQueue"), ("Ingest", "IngestDeadLetterQueue")]
)
def test_events_that_the_function_fails_on_are_kept(name: str, queue: str) -> None:
    function = template.resources("AWS::Lambda::Function")[name]["Properties"]
    assert function["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0] == queue
    role = template.source()["Resources"][f"{name}Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert [{"Fn::GetAtt": [queue, "Arn"]}] in [
        each["Resource"] for each in role if "sqs:SendMessage" in each["Action"]
    ]


# --- what a fresh account would have refused, or left open ------------------------------------------------------------


def test_the_only_stage_that_answers_is_the_one_with_limits_and_a_log() -> None:
    [stage] = template.resources("AWS::ApiGateway::Stage").values()
    assert stage["Properties"]["StageName"] == "live"
    assert stage["Properties"]["MethodSettings"]
    assert stage["Properties"]["AccessLogSetting"]
    # A deployment that names a stage makes one.
    deployments = template.resources("AWS::ApiGateway::Deployment").values()
    assert deployments
    assert [each["Properties"] for each in deployments if "StageName" in each["Properties"]] == []


OWN_NAMES = {
    "AWS::ApiGateway::DomainName": "DomainName",
    "AWS::Backup::BackupVault": "BackupVaultName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SES::ConfigurationSet": "Name",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::WAFv2::WebACL": "Name",
}
"""What an account has one of by each name, and the property that sets it."""


def test_two_stacks_fit_into_an_account() -> None:
    """Whatever sets a name of its own has the stack's in it."""
    names = [
        each["Properties"][OWN_NAMES[each["Type"]]]
        for each in template.expanded()["Resources"].values()
        if OWN_NAMES.get(each["Type"]) in each.get("Properties", {})
    ]
    assert len(names) > len(FUNCTIONS)
    own = ("AWS::StackName", "CustomDomain")
    assert [name for name in names if not any(part in json.dumps(name) for part in own)] == []


def test_the_role_by_which_the_api_logs_is_made_only_where_asked_for_and_before_the_api() -> None:
    assert template.expanded()["Parameters"]["ManageApiLogRole"]["Default"] == "false"
    [account] = template.resources("AWS::ApiGateway::Account").values()
    role = template.resources("AWS::IAM::Role")["ApiLogRole"]
    assert account["Condition"] == role["Condition"] == "WithApiLogRole"
    # Other stacks of the account log by it: neither goes with this one.
    assert account["DeletionPolicy"] == role["DeletionPolicy"] == "RetainExceptOnCreate"
    description = template.resources("AWS::ApiGateway::RestApi")["Api"]["Properties"]["Description"]
    assert description["Fn::If"][0] == "WithApiLogRole"
    assert "${ApiLogAccount}" in description["Fn::If"][1]["Fn::Sub"]


def test_email_goes_over_tls_only() -> None:
    [kept] = template.resources("AWS::SES::ConfigurationSet").values()
    assert kept["Properties"]["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}


def test_email_comes_from_the_stacks_address_alone() -> None:
    statements = [each for role, each in policies() if role == "SendEmailRole" and "ses:SendEmail" in each["Action"]]
    granted = [each["Condition"]["StringLike"]["ses:FromAddress"] for each in statements]
    assert granted == [[{"Ref": "SenderAddress"}]]


def test_a_web_acl_counts_the_bill_codes_of_each_address_where_it_is_asked_for() -> None:
    parameter = template.expanded()["Parameters"]["BillCodeTries"]
    assert parameter["Default"] == 0
    [acl] = template.resources("AWS::WAFv2::WebACL").values()
    [association] = template.resources("AWS::WAFv2::WebACLAssociation").values()
    assert acl["Condition"] == association["Condition"] == "WithWebAcl"
    [rule] = acl["Properties"]["Rules"]
    counted = rule["Statement"]["RateBasedStatement"]
    assert (counted["AggregateKeyType"], counted["Limit"]) == ("IP", {"Ref": "BillCodeTries"})
    searched = [each["ByteMatchStatement"] for each in counted["ScopeDownStatement"]["AndStatement"]["Statements"]]
    assert [(each["SearchString"], each["PositionalConstraint"]) for each in searched] == [
        ("POST", "EXACTLY"),
        ("/bill", "ENDS_WITH"),
    ]
    assert association["Properties"]["ResourceArn"]["Fn::Sub"][1] == {"Stage": {"Ref": "ApiliveStage"}}


def test_all_addresses_together_may_try_more_bill_codes_than_any_one_of_them() -> None:
    [stage] = template.resources("AWS::ApiGateway::Stage").values()
    [bill] = [each for each in stage["Properties"]["MethodSettings"] if each["ResourcePath"] == "/~1bill"]
    assert bill["ThrottlingRateLimit"] * WINDOW.total_seconds() > 100 * TRIES_OF_ADDRESS
    assert bill["ThrottlingBurstLimit"] > TRIES_OF_ADDRESS


def test_limits_of_a_single_route_name_one_that_there_is_with_its_slashes_written_as_the_gateway_wants_them() -> None:
    [api] = template.resources("AWS::ApiGateway::RestApi").values()
    [stage] = template.resources("AWS::ApiGateway::Stage").values()
    routes = {
        (f"/{path.replace('/', '~1')}", method.upper())
        for path, methods in api["Properties"]["Body"]["paths"].items()
        for method in methods
    }
    limited = {(each["ResourcePath"], each["HttpMethod"]) for each in stage["Properties"]["MethodSettings"]}
    assert ("/*", "*") in limited
    assert limited - {("/*", "*")} <= routes


def test_a_domain_of_our_own_leads_to_the_same_stage_by_tls_1_2_and_links_begin_with_it() -> None:
    [domain] = template.resources("AWS::ApiGateway::DomainName").values()
    [mapping] = template.resources("AWS::ApiGateway::BasePathMapping").values()
    assert domain["Condition"] == mapping["Condition"] == "WithCustomDomain"
    assert domain["Properties"]["SecurityPolicy"] == "TLS_1_2"
    assert mapping["Properties"]["Stage"] == {"Ref": "ApiliveStage"}
    assert "BasePath" not in mapping["Properties"]
    address = template.resources("AWS::SSM::Parameter")["PublicAddress"]["Properties"]["Value"]
    _, own, told = address["Fn::If"]
    assert told == {"Ref": "PublicBaseUrl"}
    assert own["Fn::If"][:2] == ["WithCustomDomain", {"Fn::Sub": "https://${CustomDomain}"}]


# --- deployments ------------------------------------------------------------------------------------------------------


def test_whoever_calls_a_function_calls_its_alias() -> None:
    aliases = {f"{name}Aliaslive" for name in FUNCTIONS}
    assert set(template.resources("AWS::Lambda::Alias")) == aliases
    callers = [
        each["Properties"]["FunctionName"]
        for kind in ("AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping")
        for each in template.resources(kind).values()
    ]
    callers += [each["Properties"]["Target"]["Arn"] for each in template.resources("AWS::Scheduler::Schedule").values()]
    callers += [
        each["Properties"]["Endpoint"]
        for each in template.resources("AWS::SNS::Subscription").values()
        if each["Properties"]["Protocol"] == "lambda"
    ]
    drops = template.resources("AWS::S3::Bucket")["DropBucket"]["Properties"]["NotificationConfiguration"]
    callers += [each["Function"] for each in drops["LambdaConfigurations"]]
    scheduler = template.resources("AWS::Lambda::Function")["Scheduler"]["Properties"]
    callers.append(scheduler["Environment"]["Variables"]["INGEST_FUNCTION"])
    assert {each["Ref"] for each in callers} == aliases


def test_a_new_layer_is_a_new_version_of_every_function() -> None:
    functions = [
        each for each in template.source()["Resources"].values() if each["Type"] == "AWS::Serverless::Function"
    ]
    assert len(functions) == len(FUNCTIONS)
    assert all(each["Properties"]["AutoPublishAliasAllProperties"] is True for each in some(functions))


def test_calls_go_over_bit_by_bit_only_where_asked_for_and_back_when_the_functions_alarm_rings() -> None:
    assert not [each for each in template.expanded()["Resources"].values() if "CodeDeploy" in each["Type"]]
    found = template.expanded(GradualDeployments="true")["Resources"]
    for name in FUNCTIONS:
        group = found[f"{name}DeploymentGroup"]["Properties"]
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": f"{name}ErrorsAlarm"}}]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert "CodeDeployLambdaAliasUpdate" in found[f"{name}Aliaslive"]["UpdatePolicy"]


def test_a_sweep_is_never_run_again_nor_late_and_a_file_is_tried_three_times() -> None:
    configured = {
        each["Properties"]["FunctionName"]["Ref"]: each["Properties"]
        for each in template.resources("AWS::Lambda::EventInvokeConfig").values()
    }
    assert (configured["Scheduler"]["MaximumRetryAttempts"], configured["Scheduler"]["MaximumEventAgeInSeconds"]) == (
        0,
        60,
    )
    assert configured["Ingest"]["MaximumRetryAttempts"] == 2


# --- records and copies -----------------------------------------------------------------------------------------------


def test_every_log_group_is_encrypted_by_the_stacks_own_key() -> None:
    groups = template.resources("AWS::Logs::LogGroup").values()
    assert len(groups) == len(FUNCTIONS) + 1
    assert all(each["Properties"]["KmsKeyId"] == {"Fn::GetAtt": ["LogsKey", "Arn"]} for each in some(groups))
    assert all(each["Properties"]["EnableKeyRotation"] for each in some(template.resources("AWS::KMS::Key").values()))


def test_who_reads_or_writes_files_is_kept() -> None:
    buckets = template.resources("AWS::S3::Bucket")
    for name in ("DropBucket", "PrintBucket"):
        logged = buckets[name]["Properties"]["LoggingConfiguration"]
        assert logged["DestinationBucketName"] == {"Ref": "AccessLogBucket"}
    statements = template.resources("AWS::S3::BucketPolicy")["AccessLogBucketPolicy"]["Properties"]["PolicyDocument"][
        "Statement"
    ]
    [allowed] = [each for each in statements if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_table_is_backed_up_every_day_where_asked_for() -> None:
    assert template.expanded()["Parameters"]["DailyBackups"]["Default"] == "false"
    [selection] = template.resources("AWS::Backup::BackupSelection").values()
    assert selection["Properties"]["BackupSelection"]["Resources"] == [{"Fn::GetAtt": ["Table", "Arn"]}]
    found = [each for each in template.expanded()["Resources"].values() if each["Type"].startswith("AWS::Backup::")]
    assert len(found) == 3
    assert all(each["Condition"] == "BackedUp" for each in some(found))


def test_each_safeguard_says_where_it_is_and_names_resources_that_are_there() -> None:
    """Files and folders in it are held by test_documents.py."""
    document = (template.PROJECT / "docs/compliance.md").read_text()
    table = document.split("| safeguard | what we do | where |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in some(table)]
    assert [row[0] for row in rows if len(row) != 4] == []
    assert [row[0] for row in rows if not row[2] and not row[1].startswith("None")] == []
    named = {name for row in rows for name in re.findall(r"`([A-Z][A-Za-z]+)`", row[2])}
    assert set(some(named)) <= set(template.expanded()["Resources"])
