"""The stack that a command works on: found in the AWS account that the usual environment names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from secrets import token_bytes
from typing import TYPE_CHECKING, Annotated

import boto3
import typer
from botocore.exceptions import ClientError

from cli.errors import CommandError
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.words import Channel
from shared.messaging import clients
from shared.storage.account_books import AccountBooks
from shared.storage.api_keys import ApiKeys
from shared.storage.channel_gates import ChannelGates
from shared.storage.organizations import Organizations
from shared.storage.partner_defaults import PartnersDefaults
from shared.storage.queue_lists import QueueLists
from shared.storage.search_entries import search_key
from shared.storage.set_asides import SetAsides
from shared.storage.stack_keys import StackKeys
from shared.storage.stops import Stops

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

StackOption = Annotated[
    str, typer.Option("--stack", envvar="DUNLIN_STACK", help="The CloudFormation stack.", show_default=False)
]
"""Which stack a command works on."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""Whether a program reads the answer."""


def cloudformation() -> "CloudFormationClient":
    """A client of the service that knows the stacks."""
    return boto3.client("cloudformation")


def functions() -> "LambdaClient":
    """A client of the service that runs functions."""
    return boto3.client("lambda")


@dataclass(frozen=True)
class DeployedStack:
    """A deployed stack, by what it says of itself in its outputs."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, name: str) -> "DeployedStack":
        """Read a stack's outputs. Raises CommandError when there is no such stack."""
        try:
            (stack,) = cloudformation().describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                raise CommandError(f"there is no stack {name} in this account and region") from None
            raise
        found = {output.get("OutputKey", ""): output.get("OutputValue", "") for output in stack.get("Outputs", [])}
        given = {each.get("ParameterKey", ""): each.get("ParameterValue", "") for each in stack.get("Parameters", [])}
        return cls(name, found, given)

    def output(self, name: str) -> str:
        """One output. Raises CommandError when the stack doesn't have it."""
        if name not in self.outputs:
            raise CommandError(
                f"the stack {self.name} has no output {name}; is it a Dunlin stack, and has it finished deploying?"
            )
        return self.outputs[name]

    def parameter(self, name: str) -> str:
        """A parameter as it was deployed. Raises CommandError when the stack doesn't have it."""
        if name not in self.parameters:
            raise CommandError(f"the stack {self.name} has no parameter {name}: deploy this release first")
        return self.parameters[name]

    @cached_property
    def organizations(self) -> Organizations:
        """Its partners and organizations."""
        return Organizations(clients.dynamodb(), self.output("TableName"))

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Its partners' API keys."""
        return ApiKeys(clients.dynamodb(), self.output("TableName"))

    @property
    def defaults(self) -> PartnersDefaults:
        """What its partners' organizations inherit."""
        return PartnersDefaults(clients.dynamodb(), self.output("TableName"))

    @cached_property
    def books(self) -> AccountBooks:
        """Its account books."""
        table = clients.dynamodb(), self.output("TableName")
        return AccountBooks(*table, search_key=search_key(StackKeys(*table), token_bytes))

    @cached_property
    def lists(self) -> QueueLists:
        """Its lists of bills and notices."""
        return QueueLists(clients.dynamodb(), self.output("TableName"))

    def stops(self, table: str | None = None) -> Stops:
        """Which of its channels are stopped; or those of another table, such as a restored one."""
        return Stops(ChannelGates(clients.dynamodb(), table or self.output("TableName")))

    @cached_property
    def set_asides(self) -> SetAsides:
        """What its scheduler has set aside because it failed."""
        return SetAsides(clients.dynamodb(), self.output("TableName"))

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client of its queues."""
        return clients.sqs()

    @cached_property
    def functions(self) -> "LambdaClient":
        """A client of its functions."""
        return functions()

    def chosen(self, partner: str | None, organization: str | None) -> list[Organization]:
        """The organization that a command is about, or all of a partner's. Raises CommandError for anything else."""
        if partner and not organization:
            if self.organizations.partner(partner) is None:
                raise CommandError(f"there is no partner {partner}")
            return self.organizations.list(partner)
        if organization and not partner:
            known = self.organizations.get(organization)
            if known is None:
                raise CommandError(f"there is no organization {organization}")
            return [known]
        raise CommandError("pass --partner or --organization")

    def queue(self, channel: Channel) -> str:
        """Address of a channel's queue."""
        return self.output(f"{channel.capitalize()}QueueUrl")

    def dead_letters(self, channel: Channel) -> str:
        """Address of the queue of what a channel couldn't handle."""
        return self.output(f"{channel.capitalize()}DeadLetterQueueUrl")
