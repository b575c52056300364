"""What a text's claim stores beside its row, so that what comes back from a number finds the account."""

import pytest

from shared.domain.account.contacts import BILL_TO, GUARANTOR, number_hash
from shared.domain.delivery.claim_records import TEST_CONTACT, ClaimRecord, TextedNumber, claim_records
from shared.domain.records.policy import MessageContacts, Organization
from shared.domain.records.statement import BillTo
from shared.domain.vocabulary.words import Channel, NotificationType
from tests.worlds.examples import NOW, account, organization
from tests.worlds.sending_world import queued, world

OWN, THIRD_PARTYS, DESKS = "+15185550111", "+15185550122", "+15185550199"


def stored(send_to: str = GUARANTOR, practice: Organization | None = None) -> tuple[ClaimRecord, ...]:
    """What is stored beside the row of a text that staff sends now."""
    paid_by_another = account(bill_to=BillTo(name="Bo Example", mobile_phone=THIRD_PARTYS))
    row = queued(channel=Channel.SMS, notification_type=NotificationType.ON_DEMAND, send_to=send_to)
    it = world(row=row, practice=practice, account=paid_by_another)
    it.deliver()
    [order] = it.provider.sent
    return claim_records(order)


@pytest.mark.parametrize(("send_to", "number"), [(GUARANTOR, OWN), (BILL_TO, THIRD_PARTYS)])
def test_a_texts_claim_notes_whose_number_it_goes_to_and_when(send_to: str, number: str) -> None:
    """By its hash, for a key never holds the number itself."""
    assert stored(send_to) == (
        TextedNumber(
            org_id="org_1", account_id="G-1", number_hash=number_hash(number), recipient=send_to, texted_at=NOW
        ),
    )


@pytest.mark.parametrize("send_to", [GUARANTOR, BILL_TO])
def test_in_test_mode_the_number_is_the_test_contacts_whoever_the_text_is_for(send_to: str) -> None:
    """What the test contact answers says nothing of the guarantor."""
    testing = organization(test_contacts=MessageContacts(mobile_phone=DESKS))
    assert stored(send_to, testing) == (
        TextedNumber(
            org_id="org_1", account_id="G-1", number_hash=number_hash(DESKS), recipient=TEST_CONTACT, texted_at=NOW
        ),
    )
