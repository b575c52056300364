"""How the facts that a claim stores together with its row lie in the table."""

from shared.domain.delivery.claim_records import BatchedLetter, ClaimRecord, OpenPrintBatch, TextedNumber
from shared.domain.delivery.kept_messages import KeptMessage
from shared.storage import items, keys, print_batches
from shared.storage.items import Item, text
from shared.storage.kept_messages import message_item
from shared.storage.writes import Write, put


def claim_record_write(table: str, fact: ClaimRecord) -> Write:
    """A fact's part of the claim's transaction."""
    match fact:
        case TextedNumber():
            return put(table, _texted_item(fact))
        case BatchedLetter():
            return put(table, print_batches.letter_item(fact))
        case KeptMessage():
            return put(table, message_item(fact))
        case OpenPrintBatch():
            return print_batches.opening(table, fact)


def _texted_item(fact: TextedNumber) -> Item:
    """`M#`: from a number, hashed, to an account that had a text sent to it."""
    return {
        **items.key(
            keys.texted_number(fact.number_hash), keys.texted_account(fact.recipient, fact.org_id, fact.account_id)
        ),
        "reached_at": text(keys.instant(fact.texted_at)),
    }
