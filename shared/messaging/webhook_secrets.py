"""The secrets that webhooks are signed with, encrypted by a key of the stack that never leaves KMS.

Who makes a secret may only encrypt, who signs may only decrypt. What is encrypted belongs to one endpoint: in another's
place it can't be read.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from shared.contracts.standard_webhooks import SECRET_PREFIX
from shared.domain.vocabulary.randomness import RandomBytes

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """Seals and opens secrets by one key of KMS."""

    client: Any
    key: str

    def new(self, partner_id: str, endpoint_id: str, random: RandomBytes) -> tuple[str, str]:
        """Make a secret: as its receiver gets it, once, and sealed."""
        secret = random(SECRET_BYTES)
        answer = self.client.encrypt(
            KeyId=self.key, Plaintext=secret, EncryptionContext=_belongs_to(partner_id, endpoint_id)
        )
        return SECRET_PREFIX + b64encode(secret).decode(), b64encode(answer["CiphertextBlob"]).decode()

    def open(self, partner_id: str, endpoint_id: str, sealed: str) -> bytes:
        """The bytes that events are signed with. Raises what the client raises."""
        answer = self.client.decrypt(
            KeyId=self.key, CiphertextBlob=b64decode(sealed), EncryptionContext=_belongs_to(partner_id, endpoint_id)
        )
        secret: bytes = answer["Plaintext"]
        return secret


def _belongs_to(partner_id: str, endpoint_id: str) -> dict[str, str]:
    return {"partnerId": partner_id, "endpointId": endpoint_id}
