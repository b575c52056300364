"""The two practices of the demo: every setting that matters differs between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from local.sample.generator import SampleOrganization

if TYPE_CHECKING:
    from shared.domain.vocabulary.json_documents import Json

SEED = 2


@dataclass(frozen=True)
class Practice:
    """A practice: what the sample needs to know of it, and the bodies that the API gets.

    `minimums` are cents by channel, as in `dunning`.
    """

    client_id: str
    name: str
    short_name: str
    bill_type: str
    time_zone: str
    body: Json
    dunning: Json
    minimums: dict[str, int]
    drops_to_paper: bool

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its calendar."""
        return ZoneInfo(self.time_zone)

    @property
    def sample(self) -> SampleOrganization:
        """The practice as the sample's generator knows it."""
        return SampleOrganization(self.client_id, self.name, self.bill_type)

    @property
    def organization(self) -> Json:
        """The body that creates it."""
        return {
            "name": self.name,
            "shortName": self.short_name,
            "clientId": self.client_id,
            "billType": self.bill_type,
            "timeZone": self.time_zone,
            "payments": {"processor": "sandbox"},
            **self.body,
        }


BAY = Practice(
    client_id="BAY-100",
    name="Example Bay Family Practice",
    short_name="Example Bay",
    bill_type="Episodic",
    time_zone="America/New_York",
    body={
        "phone": "+16175550142",
        "address": {"line1": "1 Sample Wharf", "city": "Boston", "state": "MA", "postalCode": "02116"},
        "amountInEmail": False,
    },
    dunning={"configurationId": "standard-30", "minimumElectronic": "0.00", "minimumPrint": "5.00"},
    minimums={"email": 0, "sms": 0, "print": 500},
    drops_to_paper=False,
)

RIDGE = Practice(
    client_id="RIDGE-200",
    name="Sample Ridge Pediatrics",
    short_name="Sample Ridge",
    bill_type="Lifetime",
    time_zone="America/Los_Angeles",
    body={
        "phone": "+12135550177",
        "address": {"line1": "200 Placeholder Ridge", "city": "Los Angeles", "state": "CA", "postalCode": "90026"},
        "amountInEmail": True,
    },
    dunning={
        "configurationId": "text-first",
        "minimumElectronic": "10.00",
        "minimumPrint": "10.00",
        "dropToPaperOnOptOut": True,
    },
    minimums={"email": 1_000, "sms": 1_000, "print": 1_000},
    drops_to_paper=True,
)

PRACTICES = (BAY, RIDGE)
