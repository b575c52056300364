"""The AWS services' models as the build trimmed them to what is called here (local/stack/trim_service_models.py).

Where there are none, in tests and on a developer's machine, botocore reads its own, with every operation.
"""

import json
from pathlib import Path
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.loaders import Loader
from botocore.session import Session

OPERATIONS = {
    "dynamodb": (
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "DescribeEndpoints",  # botocore's own, where endpoints are discovered
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "kms": ("Decrypt", "Encrypt"),
    "lambda": ("Invoke",),
    "s3": ("GetObject", "HeadBucket", "HeadObject", "PutObject"),  # HeadBucket: botocore's, to find a bucket's region
    "secretsmanager": ("GetSecretValue",),
    "sesv2": ("GetAccount", "SendEmail"),
    "sns": ("Publish",),
    "sqs": ("SendMessage", "SendMessageBatch"),
    "ssm": ("GetParameter",),
}
"""All that is called of each service. A client of the built artifacts has no other method."""

SERVICE_MODEL, ENDPOINT_RULES = "service-2", "endpoint-rule-set-1"

COMMON_DOCUMENTS = ("endpoints", "partitions", "_retry", "sdk-default-configuration")
"""What botocore reads whatever the service."""

MODELS_FOLDER = "models"

_TRIMMED = Path(__file__).parent / MODELS_FOLDER


class TrimmedModels(Loader):
    """Reads a document of the build by its name. botocore's loader lists its four hundred services first."""

    def __init__(self, folder: Path) -> None:
        """Read from a folder."""
        super().__init__()
        self._folder = folder

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:  # noqa: ANN401, ARG002 - as botocore's; there is one version
        """A service's document. Raises FileNotFoundError for a service that isn't in OPERATIONS."""
        return self._read(f"{service_name}.{type_name}")

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """A document that is no service's, and where it lies."""
        return self._read(name), str(self._folder)

    def _read(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        return json.loads((self._folder / f"{name}.json").read_bytes())


def concerns(event: str) -> bool:
    """Whether a built-in handler of this event has to do with what is called here.

    An event is `kind`, `kind.service` or `kind.service.operation`.
    """
    kind, service, operation, *_ = [*event.split("."), "", ""]
    if kind == "docs" or not service:
        return kind != "docs"
    return service in OPERATIONS and operation in {"", "*", *OPERATIONS[service]}


def session(folder: Path = _TRIMMED) -> Session:
    """A session of botocore on the trimmed models, with the built-in handlers that have to do with them."""
    if not folder.is_dir():
        return Session()
    made = Session(include_builtin_handlers=False)
    made.register_component("data_loader", TrimmedModels(folder))
    events = made.get_component("event_emitter")
    register = {REGISTER_FIRST: events.register_first, REGISTER_LAST: events.register_last, None: events.register}
    for event, handler, *order in BUILTIN_HANDLERS:
        if concerns(event):
            register[order[0] if order else None](event, handler)
    return made
