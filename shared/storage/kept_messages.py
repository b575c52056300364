"""How a message lies in the table that is kept as it was sent.

Most of an email is its layout, the same in every other. So it is compressed by a dictionary of what the system's emails
say, and is one write unit's size instead of three. An item names its dictionary, which is never changed again.
"""

import zlib
from functools import cache
from pathlib import Path

from shared.domain.delivery.kept_messages import KeptMessage
from shared.storage import attributes, keys
from shared.storage.attributes import Item, number

DICTIONARY = 1
"""The dictionary that messages are compressed by now; earlier ones are kept for those that were."""


def dictionary_file(which: int) -> Path:
    """Where a dictionary lies."""
    return Path(__file__).parent / "dictionaries" / f"messages-{which}.bin"


@cache
def _dictionary(which: int) -> bytes:
    return dictionary_file(which).read_bytes()


def document_of(message: KeptMessage) -> bytes:
    """A message as it is compressed."""
    return attributes.dumped(KeptMessage, message)


def message_item(message: KeptMessage) -> Item:
    """`H#`: a message as it was sent, apart from its account, which is read far more often than it."""
    compress = zlib.compressobj(level=9, zdict=_dictionary(DICTIONARY))
    return {
        **attributes.key(keys.kept_message(message.notice_id)),
        "dictionary": number(DICTIONARY),
        "body": {"B": compress.compress(document_of(message)) + compress.flush()},
    }


def message_of(item: Item) -> KeptMessage:
    """The message of its item; one of the first had no dictionary."""
    if "dictionary" not in item:
        return attributes.unpack(KeptMessage, item["body"])
    read = zlib.decompressobj(zdict=_dictionary(int(item["dictionary"]["N"])))
    return attributes.parsed(KeptMessage, read.decompress(item["body"]["B"]))
