"""Keys of the stack itself, each made at its first use: what is signed with one can be made by nobody else."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.vocabulary.randomness import RandomBytes
from shared.storage import items, keys
from shared.storage.records import Records
from shared.storage.writes import NEW

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class StackKeys:
    """The keys of one table's stack. Whoever may read its row could read the lists that the key signs for, too."""

    client: "DynamoDBClient"
    table: str

    def of(self, purpose: str, random: RandomBytes) -> bytes:
        """The key for a purpose.

        The condition closes the race of two processes that both find none: one makes it, the other reads that one.
        """
        records, partition = Records(self.client, self.table), keys.stack_key(purpose)
        found = records.item(partition)
        if found is None:
            made = {**items.key(partition), "key": {"B": random(KEY_BYTES)}}
            found = made if records.put(made, NEW) else records.item(partition)
        return bytes(found["key"]["B"]) if found else self.of(purpose, random)
