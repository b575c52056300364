"""What a search finds accounts by: an item of the account for each fact, under a keyed hash of it.

Nobody without the key can tell from an entry what it stands for, nor try out whose it might be. The key is of the
stack, and the organization goes into each hash, so that the same person at two of them has no entry in common.

A last name is found by its beginning: its first two letters are hashed together, and each further one with all those
before it, in a few signs. So names that begin alike have entries that begin alike, and nothing else can be read off
them (docs/decisions/0069-account-search.md).
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b

from shared.domain.account.search_facts import SHORTEST_BEGINNING, SearchFacts
from shared.domain.vocabulary.randomness import RandomBytes
from shared.storage import keys
from shared.storage.attributes import Item, key, text
from shared.storage.stack_keys import StackKeys
from shared.storage.writes import Write, delete, put

FACT_BYTES = 12
"""Of a fact's hash: 96 bits, so that no two facts of an organization meet."""

LETTER_BYTES = 3
"""Of the hash of one more letter. Two letters that met would show an account too many, which whoever reads it drops."""

LETTERS_AFTER = "~"
"""Between the hash of a name's beginning and those of its further letters; in no hash."""


@dataclass(frozen=True, slots=True)
class SearchHashes:
    """The hashes of one organization's facts."""

    key: bytes
    org_id: str

    def whole(self, fact: str) -> str:
        """The entry of a fact that is found whole only."""
        return self._hash(FACT_BYTES, "whole", fact)

    def name(self, name: str) -> str:
        """The entry of a last name, and what those of all longer names begin with."""
        letters = (
            self._hash(LETTER_BYTES, "letter", name[:end]) for end in range(SHORTEST_BEGINNING + 1, len(name) + 1)
        )
        return self._hash(FACT_BYTES, "name", name[:SHORTEST_BEGINNING]) + LETTERS_AFTER + "".join(letters)

    def entries(self, facts: SearchFacts) -> frozenset[str]:
        """The entries of all facts of an account."""
        return frozenset({*map(self.whole, facts.whole), *map(self.name, facts.names)})

    def _hash(self, length: int, kind: str, fact: str) -> str:
        said = f"{self.org_id}\n{kind}\n{fact}".encode()
        return base64.urlsafe_b64encode(blake2b(said, key=self.key, digest_size=length).digest()).decode()


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What a change of an account does to its entries."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def writes(self, table: str, org_id: str, account_id: str) -> list[Write]:
        """The writes that it is; each does the same however often it is done."""
        partition = keys.collection(org_id, account_id)
        return [
            *(put(table, entry_item(org_id, account_id, entry)) for entry in self.added),
            *(delete(table, key(partition, keys.search_entry(entry))) for entry in self.dropped),
        ]


NO_ENTRY_CHANGE = EntryChange()


def entry_item(org_id: str, account_id: str, entry: str) -> Item:
    """`F#`: what an account is found by, in the organization index under its hash."""
    fact, letters = place_of(entry)
    return {
        **key(keys.collection(org_id, account_id), keys.search_entry(entry)),
        "org_pk": text(keys.search_entries(org_id, fact)),
        "org_sk": text(keys.search_place(letters, account_id)),
    }


def place_of(entry: str) -> tuple[str, str]:
    """The hash that an entry lies under, and the hashes of a name's further letters."""
    fact, _, letters = entry.partition(LETTERS_AFTER)
    return fact, letters


def search_key(stack_keys: StackKeys, random: RandomBytes) -> Callable[[], bytes]:
    """The stack's key of search entries, read once a process, at the first use."""
    return cache(partial(stack_keys.of, "search", random))
