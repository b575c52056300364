"""Put the built template on the local AWS: pack the artifacts, create or update the stack, read its outputs.

What `sam deploy` does, with two differences that take it from 17 seconds to three: the artifacts are packed without
compressing them (the local AWS unpacks them for every worker that it starts), and no second process asks how it goes.
The template is changed only as `sam package` changes it: local folders become addresses in S3.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.stack.build import artifacts, host_architecture
from local.stack.errors import LocalStackError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

STACK_NAME = "dunlin"
REGION = "us-east-1"

# The local AWS takes a new API's id from this tag of the stack, so that the API's address is known before it is there.
_API_ID_TAG = "ms-custom-id"
_API_ID = "d0271001"
_CODE_BUCKET = "dunlin-local-artifacts"
_CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 120.0
_NOTHING_TO_DO = "No updates are to be performed"


STRIPE_SECRET, STRIPE_WEBHOOK_SECRET = f"{STACK_NAME}/stripe/simulated", f"{STACK_NAME}/stripe/simulated-webhook"
"""By which names an organization of a local stack pays through the simulated Stripe."""


@dataclass(frozen=True)
class Deployment:
    """A stack as it stands after a deployment."""

    endpoint: str
    api_url: str
    outputs: Mapping[str, str] = field(repr=False)

    def record(self, pid: int) -> dict[str, Any]:
        """Return what stack.json says (docs/rules.md#stack-record)."""
        return {
            "apiUrl": self.api_url,
            "endpointUrl": self.endpoint,
            "region": REGION,
            "stackName": STACK_NAME,
            "schedulerFunction": self.outputs.get("SchedulerFunction", ""),
            "tableName": self.outputs.get("TableName", ""),
            "dropBucket": self.outputs.get("DropBucket", ""),
            "printBucket": self.outputs.get("PrintBucket", ""),
            "queues": self._queues(r"(\w+?)(?<!DeadLetter)QueueUrl"),
            "deadLetterQueues": self._queues(r"(\w+?)DeadLetterQueueUrl"),
            "pid": pid,
        }

    def _queues(self, pattern: str) -> dict[str, str]:
        """Map a queue's name, `email`, to its address, from outputs named like `EmailQueueUrl`."""
        found = ((re.fullmatch(pattern, name), url) for name, url in sorted(self.outputs.items()))
        return {match[1][0].lower() + match[1][1:]: url for match, url in found if match}


class Deployer:
    """Deploys one project's built template to one local AWS."""

    def __init__(self, project: Path, endpoint: str) -> None:
        self._project = project
        self._endpoint = endpoint
        self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106 - the local AWS takes any
        self._config = Config(retries={"total_max_attempts": 2, "mode": "standard"}, read_timeout=120)
        self._cloudformation: CloudFormationClient = self._session.client(
            "cloudformation", endpoint_url=endpoint, config=self._config
        )

    def deploy(self, parameters: Mapping[str, str]) -> Deployment:
        """Create the stack or bring it up to date; returns it when it is complete.

        `parameters` may name ones that the template doesn't have: they are left out. Raises LocalStackError with the
        first reason that CloudFormation gives when the deployment fails.
        """
        try:
            return self._deploy(parameters)
        except (BotoCoreError, ClientError) as error:
            raise LocalStackError(f"the deployment failed: {error}") from error

    def _deploy(self, parameters: Mapping[str, str]) -> Deployment:
        template = self._package()
        existing = self._describe()
        api_id = _API_ID if existing is None else _outputs(existing).get("ApiId", _API_ID)
        url = self._api_url(template, api_id)
        self._apply(template, {**parameters, "PublicBaseUrl": url}, update=existing is not None)
        outputs = self._finished_outputs()
        if outputs.get("ApiId", api_id) != api_id:
            # An update that changes the API's routes replaces it here: its links need the new address.
            url = self._api_url(template, outputs["ApiId"])
            self._apply(template, {**parameters, "PublicBaseUrl": url}, update=True)
            outputs = self._finished_outputs()
        self._set_gateway_responses(template, outputs.get("ApiId", api_id), url.rpartition("/")[2])
        self._verify_sender(parameters["SenderAddress"])
        return Deployment(self._endpoint, url, outputs)

    def _package(self) -> dict[str, Any]:
        """Upload every artifact that the built template names and return the template with their addresses."""
        built = artifacts(self._project)
        template: dict[str, Any] = yaml.safe_load((built / "template.yaml").read_text(encoding="utf-8"))
        s3 = self._session.client("s3", endpoint_url=self._endpoint, config=self._config)
        s3.create_bucket(Bucket=_CODE_BUCKET)
        for resource in _declared(template):
            name = _CODE_PROPERTIES.get(resource["Type"])
            location = resource.get("Properties", {}).get(name) if name else None
            if isinstance(location, str) and (built / location).is_dir():
                archive = pack(built / location)
                key = hashlib.sha256(archive).hexdigest()
                s3.put_object(Bucket=_CODE_BUCKET, Key=key, Body=archive)
                resource["Properties"][name] = f"s3://{_CODE_BUCKET}/{key}"
        return template

    def _apply(self, template: dict[str, Any], parameters: Mapping[str, str], *, update: bool) -> None:
        """Start the creation or the update of the stack."""
        body = json.dumps(template, default=str).encode()
        key = f"{hashlib.sha256(body).hexdigest()}.template"
        self._session.client("s3", endpoint_url=self._endpoint, config=self._config).put_object(
            Bucket=_CODE_BUCKET, Key=key, Body=body
        )
        known = template.get("Parameters", {})
        common: dict[str, Any] = {
            "StackName": STACK_NAME,
            "TemplateURL": f"{self._endpoint}/{_CODE_BUCKET}/{key}",
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in sorted(parameters.items())
                if name in known
            ],
        }
        if not update:
            self._cloudformation.create_stack(**common, Tags=[{"Key": _API_ID_TAG, "Value": _API_ID}])
            return
        try:
            # Without the tag: an API that has to be replaced can't have the id of the one that still stands.
            self._cloudformation.update_stack(**common, Tags=[{"Key": "dunlin:local", "Value": "updated"}])
        except ClientError as error:
            if _NOTHING_TO_DO not in str(error):
                raise

    def _describe(self) -> StackTypeDef | None:
        try:
            return self._cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def _finished_outputs(self) -> dict[str, str]:
        """Wait until the operation is over and return the stack's outputs."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            stack = self._describe()
            status = stack["StackStatus"] if stack else "DELETED"
            if stack and status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                return _outputs(stack)
            if not status.endswith("IN_PROGRESS"):
                raise LocalStackError(f"the deployment failed: {self._reason()} (stack {STACK_NAME} is {status})")
            time.sleep(_POLL_SECONDS)
        raise LocalStackError(f"the deployment wasn't complete after {_PATIENCE_SECONDS:.0f} seconds")

    def _reason(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
        for event in sorted(events, key=lambda event: event["Timestamp"]):
            reason = event.get("ResourceStatusReason", "")
            if event.get("ResourceStatus", "").endswith("FAILED") and reason:
                return f"{event.get('LogicalResourceId')}: {reason}"
        return "CloudFormation gave no reason"

    def _api_url(self, template: Mapping[str, Any], api_id: str) -> str:
        """Return the API's address on the local AWS, in the form that needs no name resolution."""
        for resource in _declared(template):
            if resource["Type"] == "AWS::Serverless::Api":
                stage = resource["Properties"]["StageName"]
                if isinstance(stage, dict):
                    stage = template["Parameters"][stage["Ref"]]["Default"]
                return f"{self._endpoint}/_aws/execute-api/{api_id}/{stage}"
        raise LocalStackError("the template has no AWS::Serverless::Api")

    def _set_gateway_responses(self, template: Mapping[str, Any], api_id: str, stage: str) -> None:
        """Give the API its own error answers, which the local AWS doesn't take from the API's definition."""
        gateway = self._session.client("apigateway", endpoint_url=self._endpoint, config=self._config)
        for resource in _declared(template):
            if resource["Type"] != "AWS::Serverless::Api":
                continue
            for kind, response in resource["Properties"].get("GatewayResponses", {}).items():
                wanted: dict[str, Any] = {
                    "responseParameters": {
                        f"gatewayresponse.header.{name}": value
                        for name, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
                    },
                    "responseTemplates": response.get("ResponseTemplates", {}),
                }
                if "StatusCode" in response:
                    wanted["statusCode"] = str(response["StatusCode"])
                gateway.put_gateway_response(restApiId=api_id, responseType=kind, **wanted)
        gateway.create_deployment(restApiId=api_id, stageName=stage)

    def store_stripe_secrets(self, key: str, webhook_secret: str) -> None:
        """Put the simulated Stripe's secrets where a practice puts its own: under the stack's name."""
        secrets = self._session.client("secretsmanager", endpoint_url=self._endpoint, config=self._config)
        for name, value in ((STRIPE_SECRET, key), (STRIPE_WEBHOOK_SECRET, webhook_secret)):
            try:
                secrets.create_secret(Name=name, SecretString=value)
            except secrets.exceptions.ResourceExistsException:
                secrets.put_secret_value(SecretId=name, SecretString=value)

    def _verify_sender(self, address: str) -> None:
        """Make the sender's domain an identity that may send: nobody answers a verification here."""
        ses = self._session.client("sesv2", endpoint_url=self._endpoint, config=self._config)
        domain = address.rpartition("@")[2]
        try:
            verified = ses.get_email_identity(EmailIdentity=domain)["VerifiedForSendingStatus"]
        except ses.exceptions.NotFoundException:
            verified = False
        if not verified:
            ses.create_email_identity(EmailIdentity=domain)


def local_parameters(processor_url: str, processor_key: str, stripe_url: str) -> dict[str, str]:
    """Return the template parameters of a local stack, apart from its address."""
    return {
        "Architecture": host_architecture(),
        "AllowSimulatedTime": "true",
        "WebhooksToLoopback": "true",
        "SandboxProcessorUrl": processor_url,
        "SandboxProcessorKey": processor_key,
        "StripeApiUrl": stripe_url,
        "SenderAddress": "statements@dunlin.example.com",
    }


def pack(folder: Path) -> bytes:
    """Return a zip file of a folder, uncompressed, and the same for the same content."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _OLDEST_ZIP_TIME)
                entry.external_attr = (0o100755 if path.stat().st_mode & 0o111 else 0o100644) << 16
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _declared(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources outside of the template's loops: what a loop makes has no artifact and is no API."""
    return [each for name, each in template["Resources"].items() if not name.startswith("Fn::ForEach::")]


def _outputs(stack: StackTypeDef) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
