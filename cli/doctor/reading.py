"""What `dunlin doctor` looks at: each reader asks AWS, DNS or the API for one thing. None of them changes anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import dns.exception
import dns.resolver
import httpx
from botocore.exceptions import ClientError

from cli.doctor import checks
from cli.stack import DeployedStack
from shared.domain.records.policy import PaymentSettings
from shared.domain.vocabulary.words import Processor
from shared.storage import keys
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DNS_SECONDS = 5.0
CHANNELS = ("send-email", "send-sms", "render-print")
"""The functions that take from queues, by their names behind the stack's."""

NOT_THERE = frozenset({"NotFound", "NotFoundException", "ResourceNotFoundException"})
AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class UnseenError(Exception):
    """It can't be looked at from here; the text says why."""


def client(service: str) -> Any:  # noqa: ANN401 - eight services; each answer is read into a type of its own below
    """A client of one of the account's services."""
    return boto3.client(service)  # type: ignore[call-overload] # the services' names aren't known when it is checked


def text_records(name: str) -> list[str]:
    """The TXT records of a DNS name; none where there is no such name. Raises UnseenError when DNS doesn't answer."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise UnseenError(f"DNS doesn't answer: {type(error).__name__}") from None
    return [b"".join(record.strings).decode(errors="replace") for record in answer]


def answers(url: str) -> bool:
    """Whether an address answers with what it should be."""
    try:
        return httpx.get(url).status_code == HTTPStatus.OK
    except httpx.HTTPError:
        return False


SWEEPS = "SchedulerEveryMinute"
"""The schedule that has the scheduler sweep, as the template names it."""


@dataclass(frozen=True)
class Surroundings:
    """The account and the stack, as far as the credentials let see them. partner: whose organizations to ask about."""

    stack: DeployedStack
    partner: str | None = None

    @cached_property
    def is_local(self) -> bool:
        """Whether this is no AWS but a stand-in, which makes up what it says of the account."""
        host = urlsplit(str(client("cloudformation").meta.endpoint_url)).hostname or ""
        return not host.endswith(AWS_DOMAINS)

    @cached_property
    def _senders(self) -> list[str]:
        return [self.stack.parameter("SenderAddress")]

    def email_account(self) -> checks.EmailAccount:
        """What SES says of the account."""
        read = client("sesv2").get_account()
        return checks.EmailAccount(
            in_production=read.get("ProductionAccessEnabled", False),
            sending=read.get("SendingEnabled", False),
            enforcement=read.get("EnforcementStatus", "unknown"),
        )

    def sender_identities(self) -> Mapping[str, bool | None]:
        """Whether each sender's domain, or its address alone, is verified."""
        return {sender: self._verified(sender) for sender in self._senders}

    def _verified(self, sender: str) -> bool | None:
        identities = [_domain_of(sender), *([] if sender.startswith("*") else [sender])]
        known = [found for name in identities if (found := self._identity(name)) is not None]
        return any(known) if known else None

    def _identity(self, name: str) -> bool | None:
        found = _asked(lambda: client("sesv2").get_email_identity(EmailIdentity=name))
        return None if found is None else bool(found["VerifiedForSendingStatus"])

    def dmarc(self) -> Mapping[str, list[str]]:
        """The DMARC records of each sender's domain, or else of the nearest domain above it that has some."""
        return {found: _dmarc_records(found) for found in dict.fromkeys(map(_domain_of, self._senders))}

    def text_sandbox(self) -> bool:
        """Whether SNS texts verified numbers only."""
        return bool(client("sns").get_sms_sandbox_account_status()["IsInSandbox"])

    @cached_property
    def _text_attributes(self) -> dict[str, str]:
        return dict(client("sns").get_sms_attributes()["attributes"])

    def text_spending(self) -> checks.TextSpending:
        """What texts may cost, and when the alarm rings."""
        limit = self._text_attributes.get("MonthlySpendLimit") or checks.NEW_ACCOUNTS_LIMIT
        return checks.TextSpending(float(limit), float(self.stack.parameter("TextSpendWarning")))

    def origination_numbers(self) -> list[str]:
        """The status of each number that can text."""
        pages = client("sns").get_paginator("list_origination_numbers").paginate()
        numbers = [number for page in pages for number in page["PhoneNumbers"]]
        return [number.get("Status", "") for number in numbers if "SMS" in number.get("NumberCapabilities", [])]

    def text_reports(self) -> checks.TextReports:
        """How deliveries of texts are logged."""
        read = self._text_attributes
        sampled = int(read.get("DeliveryStatusSuccessSamplingRate") or 0)
        return checks.TextReports(read.get("DeliveryStatusIAMRole", ""), sampled)

    def log_role(self) -> str:
        """The role by which API Gateway writes logs; "" where there is none."""
        return str(client("apigateway").get_account().get("cloudwatchRoleArn", ""))

    def concurrency(self) -> checks.Concurrency:
        """How many functions may run, and how many the stack's queues may start."""
        functions = client("lambda")
        limit = functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
        pages = functions.get_paginator("list_event_source_mappings").paginate()
        channels = {f"{self.stack.name}-{function}" for function in CHANNELS}
        mappings = [each for page in pages for each in page["EventSourceMappings"] if _function(each) in channels]
        return checks.Concurrency(
            limit, sum(each.get("ScalingConfig", {}).get("MaximumConcurrency", 0) for each in mappings)
        )

    def alarm_topic(self) -> checks.AlarmTopic:
        """Who is subscribed to the alarms."""
        arn = self.stack.parameter("AlarmTopicArn")
        if not arn:
            return checks.AlarmTopic("", None)
        pages = client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        subscriptions = _asked(lambda: [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]])
        return checks.AlarmTopic(arn, subscriptions)

    def stripe_secrets(self) -> list[checks.Secret]:
        """The secrets that the partner's organizations name: described, never read."""
        if self.partner is None:
            raise UnseenError("pass --partner: the organizations of one are asked about")
        payments = [each.payments for each in self.stack.chosen(self.partner, None)]
        names = dict.fromkeys(name for each in payments for name in _secret_names(each))
        return [checks.Secret(name, self._usable(name)) for name in names]

    def _usable(self, name: str) -> bool | None:
        found = _asked(lambda: client("secretsmanager").describe_secret(SecretId=name))
        if found is None:
            return None
        stages = found.get("VersionIdsToStages", {}).values()
        return "DeletedDate" not in found and any("AWSCURRENT" in names for names in stages)

    def domain(self) -> checks.Domain:
        """Whether the custom domain is mapped to this API, and answers."""
        name = self.stack.parameter("CustomDomain")
        if not name:
            return checks.Domain("")
        mappings = _asked(lambda: client("apigateway").get_base_path_mappings(domainName=name).get("items", [])) or []
        mapped = any(each["restApiId"] == self.stack.output("ApiId") for each in mappings)
        return checks.Domain(name, mapped, answers(f"https://{name}/openapi.json"))

    def cursor_key(self) -> int | None:
        """How long the key of cursors is. It is read as an item, for asking the stack's keys would make one."""
        table: DynamoDBClient = client("dynamodb")
        item = Records(table, self.stack.output("TableName")).item(keys.stack_key("cursors"))
        return None if item is None else len(item["key"]["B"])

    def schedule(self) -> checks.ScheduleState:
        """The schedule of the sweeps that the stack made, by the name that it was given."""
        pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack.name)
        made = [each for page in pages for each in page["StackResourceSummaries"]]
        names = [each["PhysicalResourceId"] for each in made if each["LogicalResourceId"] == SWEEPS]
        found = _asked(lambda: client("scheduler").get_schedule(Name=names[0])) if names else None
        simulated = self.stack.parameter("AllowSimulatedTime") == "true"
        if found is None:
            return checks.ScheduleState(None, "", simulated)
        return checks.ScheduleState(found["State"], found["ScheduleExpression"], simulated)


def _asked(ask: Any) -> Any:  # noqa: ANN401 - whatever the service answers
    """What a service answers; None: it says that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_THERE:
            return None
        raise


def _function(mapping: dict[str, Any]) -> str:
    """The name in an ARN `arn:aws:lambda:<region>:<account>:function:<name>:<alias>`."""
    return str(mapping.get("FunctionArn", "")).partition(":function:")[2].partition(":")[0]


def _domain_of(sender: str) -> str:
    return sender.rpartition("@")[2].lower()


def _dmarc_records(domain: str) -> list[str]:
    """The records that count for a domain: its own, or those of the nearest domain above it (RFC 7489, 6.6.3)."""
    labels = domain.split(".")
    for above in range(max(1, len(labels) - 1)):
        found = [each for each in text_records(f"_dmarc.{'.'.join(labels[above:])}") if checks.is_dmarc(each)]
        if found:
            return found
    return []


def _secret_names(payments: PaymentSettings) -> list[str]:
    if payments.processor is not Processor.STRIPE:
        return []
    return [payments.stripe_secret_name, payments.stripe_webhook_secret_name]
