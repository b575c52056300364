"""From a secret that a patient or a processor holds to the account that it is about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.storage import keys
from shared.storage.records import Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Where a link or checkout lies. reference: ours, of the checkout."""

    org_id: str
    account_id: str
    link_id: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """The pointers of one table."""

    client: "DynamoDBClient"
    table: str

    def by_secret_hash(self, secret_hash: str) -> LinkOwner | None:
        """Whose link has a token or bill code with this hash; None: nobody's."""
        return self._owner(keys.link_secret(secret_hash))

    def by_reference(self, reference: str) -> LinkOwner | None:
        """Whose checkout a processor's reference names; None: nobody's."""
        return self._owner(keys.checkout_reference(reference))

    def by_processor_payment(self, org_id: str, processor_payment: str) -> LinkOwner | None:
        """Whose checkout led to a payment that the organization's processor names; None: no known one."""
        return self._owner(keys.processor_payment(org_id, processor_payment))

    def _owner(self, partition: str) -> LinkOwner | None:
        item = Records(self.client, self.table).item(partition)
        if item is None:
            return None
        link_id = item["link_id"]["S"] if "link_id" in item else ""
        reference = item["reference"]["S"] if "reference" in item else ""
        return LinkOwner(item["org_id"]["S"], item["account_id"]["S"], link_id, reference)
