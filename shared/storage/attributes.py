"""The attributes of an item as the low-level client has them, and the body: a domain object, compressed.

A compressed body keeps an item within one or two write units and keeps personal data out of consoles and exports.
"""

import json
import zlib
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from shared.domain.records.stored import StoredRecord
from shared.storage import keys

if TYPE_CHECKING:
    from pydantic import TypeAdapter

type Item = dict[str, Any]
"""A DynamoDB item in the wire form of the low-level client."""


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A number attribute."""
    return {"N": str(value)}


def key(pk: str, sk: str = keys.ROOT) -> Item:
    """The key of an item."""
    return {"pk": text(pk), "sk": text(sk)}


@cache
def _adapter(kind: Hashable) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter  # noqa: PLC0415 - a quarter of a start, which only the first body needs

    return TypeAdapter(kind)


def pack[T](
    kind: type[T], value: T, *, exclude: set[str] | None = None, stored_as: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Serialize a domain object to a compressed body attribute; defaults are left out.

    stored_as: the stored names of fields that were renamed since items with the old names were written.
    """
    raw = dumped(kind, value, exclude)
    as_read = value.as_read if isinstance(value, StoredRecord) else ""
    if as_read:
        from shared.storage.newer import read_newer, with_unknown  # noqa: PLC0415 - only what a newer version wrote needs it

        known = replace(read_newer(kind, as_read.encode()), as_read="")  # type: ignore[type-var] # a record, as above
        raw = with_unknown(raw, as_read, dumped(kind, known, exclude))
    return {"B": zlib.compress(_renamed(raw, stored_as) if stored_as else raw, 6)}


def dumped[T](kind: type[T], value: T, exclude: set[str] | None = None) -> bytes:
    """A domain object as JSON; defaults are left out."""
    left_out = {"as_read", *(exclude or ())} if isinstance(value, StoredRecord) else exclude
    return _adapter(cast("Hashable", kind)).dump_json(value, exclude=left_out, exclude_defaults=True)


def unpack[T](kind: type[T], attribute: dict[str, Any], *, stored_as: Mapping[str, str] | None = None) -> T:
    """Read a domain object back from its body attribute. stored_as: as it was packed with."""
    raw = zlib.decompress(attribute["B"])
    if stored_as:
        raw = _renamed(raw, {stored: field for field, stored in stored_as.items()})
    return parsed(kind, raw)


def parsed[T](kind: type[T], raw: bytes) -> T:
    """A domain object of its JSON."""
    try:
        value: T = _adapter(cast("Hashable", kind)).validate_json(raw, extra="forbid")
    except ValueError:  # pydantic's own
        from shared.storage.newer import read_newer  # noqa: PLC0415 - as above

        return read_newer(kind, raw)
    return value


def document(attribute: dict[str, Any]) -> dict[str, Any]:
    """What is in a body, as plain JSON: for the few small objects that are read without pydantic."""
    found: dict[str, Any] = json.loads(zlib.decompress(attribute["B"]))
    return found


def _renamed(raw: bytes, names: Mapping[str, str]) -> bytes:
    document: dict[str, Any] = json.loads(raw)
    return json.dumps({names.get(name, name): value for name, value in document.items()}).encode()
