"""What is known of a phone number, by its hash: whom texts to it were about, and what was done about texts from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.storage import items, keys
from shared.storage.items import Item, number, text
from shared.storage.records import Records
from shared.storage.writes import NEW

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR = timedelta(days=30)
"""How long a text that was seen to is known again: SNS goes on for 23 days with what it couldn't deliver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedAccount:
    """An account that had texts sent to the number. whose: as whose number; reached_at: when the last one was."""

    org_id: str
    account_id: str
    whose: frozenset[str]
    reached_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardText:
    """A text that came from the number and was seen to. answered: whether it was answered by a text of ours.

    answer_id: the provider's own id of that answer; "": not known, or there is none.
    """

    inbound_message_id: str
    at: datetime
    answered: bool = False
    answer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNumber:
    """All that is known of a number. accounts: the one reached last first."""

    accounts: tuple[ReachedAccount, ...]
    heard: tuple[HeardText, ...]

    def has_heard(self, inbound_message_id: str) -> bool:
        """Whether a text that came from it was seen to already."""
        return any(each.inbound_message_id == inbound_message_id for each in self.heard)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The phone numbers of one table."""

    client: "DynamoDBClient"
    table: str

    def known(self, number_hash: str) -> KnownNumber:
        """Read all about a number, consistently."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": text(keys.number(number_hash))},
            ConsistentRead=True,
        )
        found: list[Item] = [item for page in pages for item in page["Items"]]
        heard = (_heard_text(item) for item in found)
        return KnownNumber(accounts=_accounts(found), heard=tuple(text for text in heard if text))

    def hear(self, number_hash: str, heard: HeardText) -> bool:
        """Note that a text was seen to. False: it was noted before.

        The condition closes the race of two deliveries of one text, of which only one may answer it.
        """
        return Records(self.client, self.table).put(_heard_item(number_hash, heard), NEW)

    def answered(self, number_hash: str, heard: HeardText) -> None:
        """Note the provider's id of an answer; nobody else writes this item after `hear`."""
        Records(self.client, self.table).put(_heard_item(number_hash, heard))


def _accounts(found: list[Item]) -> tuple[ReachedAccount, ...]:
    """The accounts, each once, whoever's the number was for it."""
    whose = dict[tuple[str, str], set[str]]()
    reached_at = dict[tuple[str, str], datetime]()
    for item in found:
        parts = keys.reached_parts(item["sk"]["S"])
        if parts is None:
            continue
        party, org_id, account_id = parts
        account, at = (org_id, account_id), keys.moment(item["reached_at"]["S"])
        whose.setdefault(account, set()).add(party)
        reached_at[account] = max(at, reached_at.get(account, at))
    return tuple(
        ReachedAccount(org_id=org_id, account_id=account_id, whose=frozenset(whose[org_id, account_id]), reached_at=at)
        for (org_id, account_id), at in sorted(reached_at.items(), key=lambda entry: entry[1], reverse=True)
    )


def _heard_item(number_hash: str, heard: HeardText) -> Item:
    return {
        **items.key(keys.number(number_hash), keys.heard(heard.inbound_message_id)),
        "heard_at": text(keys.instant(heard.at)),
        "answered": {"BOOL": heard.answered},
        "answer_id": text(heard.answer_id),
        "expires_at": number(int((heard.at + KEPT_FOR).timestamp())),
    }


def _heard_text(item: Item) -> HeardText | None:
    inbound_message_id = keys.id_in(item["sk"]["S"], keys.HEARD)
    if inbound_message_id is None:
        return None
    return HeardText(
        inbound_message_id=inbound_message_id,
        at=keys.moment(item["heard_at"]["S"]),
        answered=item["answered"]["BOOL"],
        answer_id=item["answer_id"]["S"],
    )
