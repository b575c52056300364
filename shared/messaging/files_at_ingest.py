"""Hands statement files that aren't done to ingest, which goes on with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from shared.contracts.messages import FileToTakeUp


@dataclass(frozen=True, slots=True)
class FilesAtIngest:
    """Calls ingest by the name of its alias, and doesn't wait for what it does."""

    client: "LambdaClient"
    function: str

    def take_up(self, file: "FileToTakeUp") -> None:
        """Have a file gone on with. Raises what the client raises; then its lease brings it back."""
        self.client.invoke(
            FunctionName=self.function, InvocationType="Event", Payload=file.model_dump_json(by_alias=True).encode()
        )
