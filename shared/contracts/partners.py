"""Bodies of a partner in the partner API."""

from shared.contracts.wire import Instant, WireModel
from shared.domain.records.partner import Partner
from shared.domain.vocabulary.words import AccountStatus


class PartnerAnswer(WireModel):
    """The partner that the key belongs to."""

    partner_id: str
    name: str
    account_status: AccountStatus
    created_at: Instant

    @classmethod
    def of(cls, partner: Partner) -> "PartnerAnswer":
        """A partner as stored."""
        return cls(
            partner_id=partner.partner_id,
            name=partner.name,
            account_status=partner.account_status,
            created_at=partner.created_at,
        )
