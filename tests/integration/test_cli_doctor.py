"""`dunlin doctor`, run whole against an account whose answers have the shapes that AWS gives them."""
# ruff: noqa: F811 - the fixtures of test_cli.py are asked for by their names

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
import dns.exception
import dns.resolver
import httpx
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.validate import validate_parameters

from cli.doctor import reading
from cli.doctor.command import EXAMINATIONS
from shared.domain.records.partner import Partner
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.messaging import clients
from shared.storage.organizations import Organizations
from shared.storage.stack_keys import StackKeys
from tests.integration.test_cli import (
    CloudFormation,
    Run,
    run,  # noqa: F401 - a fixture
    stack,  # noqa: F401 - a fixture that every test here needs
)
from tests.worlds.aws import TABLE, listen
from tests.worlds.examples import NOW, organization

REFUSED = object()
"""The credentials may not ask that."""

TOPIC = "arn:aws:sns:us-east-1:111122223333:alarms"
PARAMETERS = {
    "SenderAddress": "billing@mail.example.com",
    "TextSpendWarning": "400",
    "AlarmTopicArn": TOPIC,
    "CustomDomain": "pay.example.com",
    "AllowSimulatedTime": "false",
}
READS = ("Get", "List", "Describe", "Query", "BatchGet")
"""How every operation begins that changes nothing."""

VERSION = "11111111-2222-3333-4444-555555555555"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:"


def mapping(function: str, most: int) -> dict[str, Any]:
    return {"FunctionArn": f"{FUNCTION}{function}:live", "ScalingConfig": {"MaximumConcurrency": most}}


READY: dict[str, Any] = {
    "sesv2.GetAccount": {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"},
    "sesv2.GetEmailIdentity": {"VerifiedForSendingStatus": True},
    "sns.GetSMSSandboxAccountStatus": {"IsInSandbox": False},
    "sns.GetSMSAttributes": {
        "attributes": {
            "MonthlySpendLimit": "500",
            "DeliveryStatusIAMRole": "arn:aws:iam::111122223333:role/texts",
            "DeliveryStatusSuccessSamplingRate": "100",
        }
    },
    "sns.ListOriginationNumbers": {"PhoneNumbers": [{"Status": "ACTIVE", "NumberCapabilities": ["SMS"]}]},
    "sns.ListSubscriptionsByTopic": {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
    "apigateway.GetAccount": {"cloudwatchRoleArn": "arn:aws:iam::111122223333:role/logs"},
    "apigateway.GetBasePathMappings": {"items": [{"basePath": "(none)", "restApiId": "api1", "stage": "live"}]},
    "lambda.GetAccountSettings": {"AccountLimit": {"UnreservedConcurrentExecutions": 100}},
    "lambda.ListEventSourceMappings": {
        "EventSourceMappings": [
            mapping("dunlin-test-send-email", 10),
            mapping("dunlin-test-send-sms", 5),
            mapping("dunlin-test-render-print", 5),
            mapping("dunlin-test-2-send-email", 10),  # another stack's
        ]
    },
    "cloudformation.ListStackResources": {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": "SchedulerEveryMinute",
                "PhysicalResourceId": "dunlin-test-EveryMinute-1",
                "ResourceType": "AWS::Scheduler::Schedule",
                "LastUpdatedTimestamp": NOW,
                "ResourceStatus": "CREATE_COMPLETE",
            }
        ]
    },
    "scheduler.GetSchedule": {"State": "ENABLED", "ScheduleExpression": "rate(1 minute)"},
    "secretsmanager.DescribeSecret": {"VersionIdsToStages": {VERSION: ["AWSCURRENT"]}},
}


def absent(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no such thing"}}, "Anything")


@cache
def client_of(service: str, endpoint: str) -> Any:
    """Making a client takes longer than asking it."""
    return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint)  # type: ignore[call-overload] # any service


class Aws:
    """An account that answers as it is told, in the services' own shapes, and notes what it is asked."""

    def __init__(self, told: Mapping[str, Any], endpoint: str) -> None:
        self.told, self.endpoint, self.asked = dict(told), endpoint, list[str]()

    def client(self, service: str) -> Any:
        """A client of the SDK's own that is answered here, before a request goes out; the table is the tests'."""
        if service == "dynamodb":
            made = clients.dynamodb()
            listen(made, "before-parameter-build.dynamodb", self._note)
            return made
        made = client_of(service, self.endpoint)
        listen(made, "before-call", self._answer)
        return made

    def _note(self, model: Any, **_: Any) -> None:
        self.asked.append(model.name)

    def _answer(self, model: Any, **_: Any) -> Any:
        name = f"{model.service_model.service_name}.{model.name}"
        self.asked.append(model.name)
        told = self.told[name]
        if told is REFUSED:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, model.name)
        if isinstance(told, Exception):
            raise told
        validate_parameters(told, model.output_shape)  # raises where the service could not have answered so
        return type("Answer", (), {"status_code": 200})(), told


@pytest.fixture
def aws_account(stack: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Aws:
    """An account in which nothing is missing."""
    account = Aws(READY, "https://sns.us-east-1.amazonaws.com")
    stack["ApiId"] = "api1"
    monkeypatch.setattr("cli.stack.cloudformation", lambda: Described({"dunlin-test": stack}))
    monkeypatch.setattr(reading, "client", account.client)
    monkeypatch.setattr(reading, "text_records", lambda name: RECORDS.get(name, []))
    monkeypatch.setattr(reading, "answers", lambda url: url == "https://pay.example.com/openapi.json")
    StackKeys(clients.dynamodb(), TABLE).of("cursors", bytes)
    organizations = Organizations(clients.dynamodb(), TABLE)
    organizations.create_partner(Partner(partner_id="prt_1", name="Acme Billing", created_at=NOW))
    stripe: Any = {"stripe_secret_name": "practice/stripe", "stripe_webhook_secret_name": "practice/hook"}
    organizations.create(organization(payments=PaymentSettings(processor=Processor.STRIPE, **stripe)))
    return account


RECORDS = {
    "_dmarc.example.com": ["v=DMARC1; p=quarantine"],
    "_dmarc.practice.example": ["v=DMARC1; p=none"],
    "_dmarc.mail.example.com": ["something else"],
}


class Described(CloudFormation):
    """Knows the parameters of a stack too."""

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - the service's own spelling
        answer = super().describe_stacks(StackName=StackName)
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
        answer["Stacks"][0]["Parameters"] = given
        return answer


def examined(run: Run, *options: str) -> tuple[int, dict[str, str]]:
    """The exit status, and each check's health."""
    status, out, _ = run("doctor", "--json", *options)
    return status, {row["check"]: row["health"] for row in json.loads(out)["checks"]}


def test_an_account_in_which_nothing_is_missing_is_good_throughout(run: Run, aws_account: Aws) -> None:
    status, found = examined(run, "--partner", "prt_1", "--strict")
    assert found == {each.name: "good" for each in EXAMINATIONS}
    assert status == 0


def test_it_only_reads(run: Run, aws_account: Aws) -> None:
    """Not even the key of cursors is made, which whoever asks the stack's keys for it would make."""
    clients.dynamodb().delete_item(TableName=TABLE, Key={"pk": {"S": "Z#cursors"}, "sk": {"S": "@"}})
    _, found = examined(run, "--partner", "prt_1")
    assert found["key of cursors"] == "good"
    assert len(set(aws_account.asked)) >= len(READY)
    assert [name for name in aws_account.asked if not name.startswith(READS)] == []
    assert "Item" not in clients.dynamodb().get_item(TableName=TABLE, Key={"pk": {"S": "Z#cursors"}, "sk": {"S": "@"}})


@pytest.mark.parametrize(
    ("asked", "told", "check"),
    [
        ("sesv2.GetAccount", {"ProductionAccessEnabled": False, "SendingEnabled": True}, "email account"),
        ("sesv2.GetEmailIdentity", {"VerifiedForSendingStatus": False}, "sender identities"),
        ("sesv2.GetEmailIdentity", absent("NotFoundException"), "sender identities"),
        ("sns.GetSMSSandboxAccountStatus", {"IsInSandbox": True}, "text sandbox"),
        ("sns.GetSMSAttributes", {"attributes": {}}, "text spending"),
        ("sns.GetSMSAttributes", {"attributes": {}}, "text reports"),
        ("sns.ListOriginationNumbers", {"PhoneNumbers": []}, "origination numbers"),
        (
            "sns.ListOriginationNumbers",
            {"PhoneNumbers": [{"Status": "ACTIVE", "NumberCapabilities": ["VOICE"]}]},
            "origination numbers",
        ),
        ("sns.ListSubscriptionsByTopic", {"Subscriptions": [{"SubscriptionArn": "Deleted"}]}, "alarms are heard"),
        ("sns.ListSubscriptionsByTopic", absent("NotFound"), "alarms are heard"),
        ("apigateway.GetAccount", {}, "API Gateway's log role"),
        ("apigateway.GetBasePathMappings", {"items": [{"restApiId": "another"}]}, "custom domain"),
        ("apigateway.GetBasePathMappings", absent("NotFoundException"), "custom domain"),
        (
            "lambda.GetAccountSettings",
            {"AccountLimit": {"UnreservedConcurrentExecutions": 10}},
            "functions at a time",
        ),
        ("cloudformation.ListStackResources", {"StackResourceSummaries": []}, "schedule"),
        ("scheduler.GetSchedule", {"State": "DISABLED", "ScheduleExpression": "rate(1 minute)"}, "schedule"),
        ("scheduler.GetSchedule", absent("ResourceNotFoundException"), "schedule"),
        ("secretsmanager.DescribeSecret", absent("ResourceNotFoundException"), "Stripe secrets"),
        ("secretsmanager.DescribeSecret", {"VersionIdsToStages": {VERSION: ["AWSPREVIOUS"]}}, "Stripe secrets"),
        (
            "secretsmanager.DescribeSecret",
            {"DeletedDate": NOW, "VersionIdsToStages": {VERSION: ["AWSCURRENT"]}},
            "Stripe secrets",
        ),
    ],
)
def test_what_is_missing_fails_the_command_and_only_its_own_check(
    run: Run, aws_account: Aws, asked: str, told: Any, check: str
) -> None:
    aws_account.told[asked] = told
    status, found = examined(run, "--partner", "prt_1")
    assert status == 1
    missing = {name for name, health in found.items() if health == "missing"}
    assert check in missing
    assert missing <= {check, "text spending", "text reports"}


@pytest.mark.parametrize(
    "told", [REFUSED, ConnectTimeoutError(endpoint_url="https://sns")], ids=["refused", "no answer"]
)
@pytest.mark.parametrize("asked", sorted(READY))
def test_what_the_credentials_may_not_see_is_named_and_no_reason_to_fail_unless_asked(
    run: Run, aws_account: Aws, asked: str, told: Any
) -> None:
    aws_account.told[asked] = told
    status, found = examined(run, "--partner", "prt_1")
    unseen = {name for name, health in found.items() if health == "unseen"}
    assert status == 0
    assert unseen
    assert set(found.values()) == {"good", "unseen"}
    assert examined(run, "--partner", "prt_1", "--strict")[0] == 1
    assert all(name in run("doctor", "--partner", "prt_1")[1].split("Not seen from here: ")[1] for name in unseen)


def test_without_a_partner_no_secret_is_looked_at(run: Run, aws_account: Aws) -> None:
    assert examined(run)[1]["Stripe secrets"] == "unseen"
    assert "DescribeSecret" not in aws_account.asked


def test_a_local_aws_is_green_and_the_account_isnt_seen_there(
    run: Run, aws_account: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says of the account is made up, so it isn't even asked."""
    local = Aws({name: told for name, told in READY.items() if name.split(".")[1] in AT_LOCAL}, "http://127.0.0.1:4566")
    monkeypatch.setattr(reading, "client", local.client)
    status, found = examined(run, "--partner", "prt_1")
    assert status == 0
    assert {name for name, health in found.items() if health == "unseen"} == {
        each.name for each in EXAMINATIONS if each.of_account
    }


AT_LOCAL = {"GetEmailIdentity", "GetBasePathMappings", "ListStackResources", "GetSchedule", "DescribeSecret"}


# --- what isn't AWS ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "records"),
    [(dns.resolver.NXDOMAIN, []), (dns.resolver.NoAnswer, []), (dns.exception.Timeout, None)],
)
def test_a_name_without_records_isnt_a_name_that_dns_doesnt_answer_for(
    monkeypatch: pytest.MonkeyPatch, refusal: type[Exception], records: list[str] | None
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise refusal.__new__(refusal)

    monkeypatch.setattr(dns.resolver, "resolve", refuse)
    if records is None:
        with pytest.raises(reading.UnseenError):
            reading.text_records("_dmarc.example.com")
    else:
        assert reading.text_records("_dmarc.example.com") == records


def test_a_record_in_several_strings_is_read_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    record = type("Record", (), {"strings": (b"v=DMARC1; ", b"p=reject")})()
    monkeypatch.setattr(dns.resolver, "resolve", lambda *_, **__: [record])
    assert reading.text_records("_dmarc.example.com") == ["v=DMARC1; p=reject"]


@pytest.mark.parametrize(
    ("answer", "is_answer"),
    [(httpx.Response(200), True), (httpx.Response(403), False), (httpx.ConnectError("no such host"), False)],
)
def test_a_domain_answers_only_with_what_the_api_answers(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception, *, is_answer: bool
) -> None:
    def get(url: str) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(httpx, "get", get)
    assert reading.answers("https://pay.example.com/openapi.json") is is_answer
