"""What is known of a phone number, by its hash: the accounts that texted it, and how texts from it were handled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.account.contacts import GUARANTOR
from shared.domain.account.number_stops import STACK_SENDER, NumberStop
from shared.storage import items, keys
from shared.storage.batches import read_items
from shared.storage.items import Item, number, text
from shared.storage.records import Records
from shared.storage.writes import NEW, absent, below, equals

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HANDLED_TEXTS_KEPT_FOR = timedelta(days=30)
"""How long a handled text is recognised when it comes again: SNS retries for 23 days what it couldn't deliver."""


NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When an account had its last text that had none."""

NOT_STOPPED = absent("stopped") | equals("stopped", {"BOOL": False})
"""A number's item says that it takes texts, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextedAccount:
    """An account that had texts sent to the number. recipients: as whose number; texted_at: when the last one was."""

    org_id: str
    account_id: str
    recipients: frozenset[str]
    texted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandledText:
    """A text that came from the number and was handled. answered: whether it was answered by a text of ours.

    answer_id: the provider's own id of that answer; "": not known, or there is none.
    """

    inbound_message_id: str
    at: datetime
    answered: bool = False
    answer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNumber:
    """All that is known of a number. accounts: the one texted last first. handled: the texts that came from it."""

    accounts: tuple[TextedAccount, ...]
    handled: tuple[HandledText, ...]

    def has_handled(self, inbound_message_id: str) -> bool:
        """Whether a text that came from it was handled already."""
        return any(each.inbound_message_id == inbound_message_id for each in self.handled)


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
            ExpressionAttributeValues={":pk": text(keys.texted_number(number_hash))},
            ConsistentRead=True,
        )
        found: list[Item] = [item for page in pages for item in page["Items"]]
        handled = (_handled_text(item) for item in found)
        return KnownNumber(accounts=_accounts(found), handled=tuple(text for text in handled if text))

    def stops(self, number_hashes: Iterable[str], sender: str = STACK_SENDER) -> dict[str, NumberStop]:
        """What each of these numbers last said to a sender, a hundred a call; those that said nothing are left out."""
        sort = keys.number_stop(sender)
        asked = ((keys.texted_number(number_hash), sort) for number_hash in number_hashes)
        stops = map(_number_stop, read_items(self.client, self.table, asked))
        return {stop.number: stop for stop in stops}

    def stop(self, number_hash: str, sender: str = STACK_SENDER) -> NumberStop | None:
        """What a number last said to a sender; None: nothing."""
        item = Records(self.client, self.table).item(keys.texted_number(number_hash), keys.number_stop(sender))
        return _number_stop(item) if item else None

    def record_stop(self, stop: NumberStop, sender: str = STACK_SENDER) -> bool:
        """Record what a number said. False: it said something since, which stands, however late this comes."""
        item: Item = {
            **items.key(keys.texted_number(stop.number), keys.number_stop(sender)),
            "stopped": {"BOOL": stop.stopped},
            "wording": text(stop.wording),
            "said_at": text(keys.instant(stop.said_at)),
        }
        earlier = absent("said_at") | below("said_at", item["said_at"])
        return Records(self.client, self.table).put(item, earlier)

    def attach(self, number_hash: str, org_id: str, account_id: str, recipient: str = GUARANTOR) -> None:
        """Have texts from a number find an account that had none sent to it: a START has to open what a STOP closed."""
        item = {
            **items.key(keys.texted_number(number_hash), keys.texted_account(recipient, org_id, account_id)),
            "reached_at": text(keys.instant(NEVER)),
        }
        # Lost where it had a text: then it is found already.
        Records(self.client, self.table).put(item, NEW)

    def record_handled(self, number_hash: str, handled: HandledText) -> bool:
        """Record that a text was handled. False: it was recorded before.

        The condition closes the race of two deliveries of one text, of which only one may answer it.
        """
        return Records(self.client, self.table).put(_handled_item(number_hash, handled), NEW)

    def record_answer(self, number_hash: str, handled: HandledText) -> None:
        """Record the provider's id of an answer; nobody else writes this item after `record_handled`."""
        Records(self.client, self.table).put(_handled_item(number_hash, handled))


def _accounts(found: list[Item]) -> tuple[TextedAccount, ...]:
    """The accounts, each once, whoever's the number was for it."""
    recipients = dict[tuple[str, str], set[str]]()
    texted_at = dict[tuple[str, str], datetime]()
    for item in found:
        parts = keys.texted_account_parts(item["sk"]["S"])
        if parts is None:
            continue
        recipient, org_id, account_id = parts
        account, at = (org_id, account_id), keys.moment(item["reached_at"]["S"])
        recipients.setdefault(account, set()).add(recipient)
        texted_at[account] = max(at, texted_at.get(account, at))
    return tuple(
        TextedAccount(
            org_id=org_id, account_id=account_id, recipients=frozenset(recipients[org_id, account_id]), texted_at=at
        )
        for (org_id, account_id), at in sorted(texted_at.items(), key=lambda entry: entry[1], reverse=True)
    )


def _number_stop(item: Item) -> NumberStop:
    return NumberStop(
        number=keys.number_hash_of(item["pk"]["S"]),
        stopped=item["stopped"]["BOOL"],
        wording=item["wording"]["S"],
        said_at=keys.moment(item["said_at"]["S"]),
    )


def _handled_item(number_hash: str, handled: HandledText) -> Item:
    return {
        **items.key(keys.texted_number(number_hash), keys.inbound_text(handled.inbound_message_id)),
        "heard_at": text(keys.instant(handled.at)),
        "answered": {"BOOL": handled.answered},
        "answer_id": text(handled.answer_id),
        "expires_at": number(int((handled.at + HANDLED_TEXTS_KEPT_FOR).timestamp())),
    }


def _handled_text(item: Item) -> HandledText | None:
    inbound_message_id = keys.id_in(item["sk"]["S"], keys.INBOUND_TEXT_SORT)
    if inbound_message_id is None:
        return None
    return HandledText(
        inbound_message_id=inbound_message_id,
        at=keys.moment(item["heard_at"]["S"]),
        answered=item["answered"]["BOOL"],
        answer_id=item["answer_id"]["S"],
    )
