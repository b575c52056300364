"""What a newer version of the code wrote, read by this one (docs/rules.md#newer-records).

While a deployment goes on, and after one is taken back, two versions write the same items. A field that this version
doesn't know is passed on with the next write of its record. A word that it doesn't know is read as one that equals
none it knows, so that no rule acts on it, and is written as it was.
"""

import json
from collections.abc import Hashable
from dataclasses import replace
from enum import StrEnum
from functools import cache, partial
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from shared.domain.records.stored import StoredRecord

type JsonPart = Any
"""A JSON document, or a part of one."""


@cache
def _unknown_word(kind: type[StrEnum], word: str) -> StrEnum:
    """A member of its vocabulary that isn't among its members: equal to itself alone."""
    member = str.__new__(kind, word)
    member._name_ = member._value_ = word
    return member


def _read_word(kind: type[StrEnum], value: object, known: core_schema.ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - pydantic's own
    return _unknown_word(kind, value) if isinstance(value, str) and value not in kind else known(value)


def _open(schema: Any) -> Any:  # noqa: ANN401 - pydantic's schemas are dictionaries of dictionaries
    """A schema that takes any word wherever this one takes those of a vocabulary."""
    if isinstance(schema, dict):
        inner = {name: _open(value) for name, value in schema.items()}
        if schema.get("type") != "enum":
            return inner
        reference = {"ref": inner.pop("ref")} if "ref" in inner else {}
        read = partial(_read_word, schema["cls"])
        return core_schema.no_info_wrap_validator_function(read, cast("CoreSchema", inner)) | reference
    return [_open(each) for each in schema] if isinstance(schema, list) else schema


@cache
def _reader(kind: Hashable) -> SchemaValidator:
    return SchemaValidator(_open(TypeAdapter(kind).core_schema))


def read_newer[T](kind: type[T], raw: bytes) -> T:
    """Read a document that this version doesn't wholly know. Raises ValueError where what it does know is wrong."""
    value: T = _reader(cast("Hashable", kind)).validate_json(raw)
    return replace(value, as_read=raw.decode()) if isinstance(value, StoredRecord) else value


def with_unknown(written: bytes, as_read: str, known: bytes) -> bytes:
    """A document to be written, with what was read and isn't known. known: what was read, as far as it is known."""
    return json.dumps(_merged(json.loads(written), json.loads(as_read), json.loads(known))).encode()


def _merged(written: JsonPart, read: JsonPart, known: JsonPart) -> JsonPart:
    if isinstance(written, dict) and isinstance(read, dict) and isinstance(known, dict):
        unknown = {name: value for name, value in read.items() if name not in known}
        both = {name for name in written if name in read and name in known}
        inner = {name: _merged(written[name], read[name], known[name]) for name in both}
        return unknown | written | inner
    if isinstance(written, list) and isinstance(read, list) and isinstance(known, list):
        return _merged_entries(written, read, known)
    return written


def _merged_entries(written: list[JsonPart], read: list[JsonPart], known: list[JsonPart]) -> list[JsonPart]:
    """Entries have no names: one that is as it was read keeps what isn't known of it."""
    left = list(zip(known, read, strict=True)) if len(known) == len(read) else []
    merged = []
    for entry in written:
        same = next((n for n, (was, _) in enumerate(left) if was == entry), None)
        merged.append(entry if same is None else left.pop(same)[1])
    return merged
