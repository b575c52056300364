"""Whether messages go at the moment, as a partner reads it: for the banner of whoever waits for them."""

from typing import TYPE_CHECKING

import pytest

from shared.domain.vocabulary.words import Channel
from shared.storage.channel_gates import NEVER_SEEN, ChannelGates
from shared.storage.stops import Stops
from tests.worlds.aws import TABLE
from tests.worlds.examples import NOW
from tests.worlds.manage_api import FOREIGN, ORGANIZATION, OWN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SENDING = f"{ORGANIZATION}/sending"
WHY = "a wrong file of North"


def test_a_stop_is_shown_with_its_beginning_and_without_the_operators_words(manage_table: "DynamoDBClient") -> None:
    stops = Stops(ChannelGates(manage_table, TABLE))
    assert OWN.get(SENDING).body == {"stopped": []}
    stops.stop(NOW, WHY)
    shown = OWN.get(SENDING)
    assert [each["channel"] for each in shown.body["stopped"]] == sorted(map(str, Channel))
    assert {(each["since"], each["cause"]) for each in shown.body["stopped"]} == {
        ("2026-03-02T15:00:00.000Z", "Operator")
    }
    assert WHY not in shown.text
    stops.go()
    assert OWN.get(SENDING).body == {"stopped": []}


def test_a_restored_table_is_shown_as_one(manage_table: "DynamoDBClient") -> None:
    ChannelGates(manage_table, TABLE).save(Channel.EMAIL, NEVER_SEEN, NEVER_SEEN.state)
    manage_table.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "G#email"}, "sk": {"S": "@"}},
        UpdateExpression="SET written_in = :before",
        ExpressionAttributeValues={":before": {"S": "the-table-before"}},
    )
    shown = OWN.get(SENDING).body["stopped"]
    assert {each["channel"] for each in shown} == set(map(str, Channel))
    assert {(each["since"], each["cause"]) for each in shown} == {(None, "Restored")}


@pytest.mark.usefixtures("manage_table")
def test_nobody_reads_it_at_anothers_organization() -> None:
    assert FOREIGN.get(SENDING).status == 404
