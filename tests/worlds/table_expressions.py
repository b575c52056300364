"""The meaning of DynamoDB's expressions, as far as shared/storage uses them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

type Item = dict[str, Any]
type Names = dict[str, str]
type Meaning = Callable[[Item, Names, Item], Any]
"""What an expression says of an item, given the request's names and values."""


class NotInTheFakeError(BaseException):
    """The product asks for something that isn't known here; no `except Exception` may hide it."""


def always(_item: Item, _names: Names, _values: Item) -> bool:
    return True


TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),+-]|[:#]?\w+)")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


@cache
def condition(expression: str) -> Meaning:
    """The meaning of a condition, key condition or filter; an empty one always holds."""
    if not expression:
        return always
    reader = _Reader(expression)
    meaning = reader.any_of()
    reader.ends()
    return meaning


@cache
def update(expression: str) -> Meaning:
    """What an update sets: attribute to new value, None: removed."""
    reader = _Reader(expression)
    meaning = reader.clauses()
    reader.ends()
    return meaning


@dataclass
class _Reader:
    expression: str
    tokens: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = TOKEN.findall(self.expression)
        if "".join(self.tokens) != re.sub(r"\s", "", self.expression):
            raise NotInTheFakeError(self.expression)

    def next(self, expected: str = "") -> str:
        if not self.tokens or (expected and self.tokens[0].upper() != expected):
            raise NotInTheFakeError(self.expression)
        return self.tokens.pop(0)

    def follows(self, *words: str) -> bool:
        return bool(self.tokens) and self.tokens[0].upper() in words

    def ends(self) -> None:
        if self.tokens:
            raise NotInTheFakeError(self.expression)

    def any_of(self) -> Meaning:
        parts = [self.all_of()]
        while self.follows("OR"):
            self.next()
            parts.append(self.all_of())
        return lambda *given: any(part(*given) for part in parts)

    def all_of(self) -> Meaning:
        parts = [self.one()]
        while self.follows("AND"):
            self.next()
            parts.append(self.one())
        return lambda *given: all(part(*given) for part in parts)

    def one(self) -> Meaning:
        if self.follows("NOT"):
            self.next()
            denied = self.one()
            return lambda *given: not denied(*given)
        if self.follows("("):
            self.next()
            inside = self.any_of()
            self.next(")")
            return inside
        if self.follows("ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS"):
            wanted = self.next().lower() == "attribute_exists"
            [there] = self.arguments(1)
            return lambda *given: (there(*given) is not None) is wanted
        if self.follows("BEGINS_WITH"):
            self.next()
            whole, start = self.arguments(2)
            return lambda *given: (whole(*given) or {"S": ""})["S"].startswith(start(*given)["S"])
        if self.follows("CONTAINS"):
            self.next()
            whole, part = self.arguments(2)
            return lambda *given: _contains(whole(*given), part(*given))
        return self.comparison()

    def comparison(self) -> Meaning:
        left, word = self.operand(), self.next()
        if word.upper() == "BETWEEN":
            low = self.operand()
            self.next("AND")
            high = self.operand()
            return lambda *given: _holds("<=", low(*given), left(*given)) and _holds("<=", left(*given), high(*given))
        if word not in COMPARISONS:
            raise NotInTheFakeError(self.expression)
        right = self.operand()
        return lambda *given: _holds(word, left(*given), right(*given))

    def arguments(self, count: int) -> list[Meaning]:
        self.next("(")
        found = [self.operand()]
        for _ in range(count - 1):
            self.next(",")
            found.append(self.operand())
        self.next(")")
        return found

    def operand(self) -> Meaning:
        token = self.next()
        if token.startswith(":"):
            return lambda _item, _names, values: values[token]
        if token.startswith("#"):
            return lambda item, names, _values: item.get(names[token])
        if token == "if_not_exists":
            first, second = self.arguments(2)
            return lambda *given: first(*given) or second(*given)
        return lambda item, _names, _values: item.get(token)

    def clauses(self) -> Meaning:
        changes: list[tuple[str, Meaning]] = []
        while self.tokens:
            read = {"SET": self.assignment, "ADD": self.addition, "REMOVE": self.removal}.get(self.next().upper())
            if read is None:
                raise NotInTheFakeError(self.expression)
            changes.append(read())
            while self.follows(","):
                self.next()
                changes.append(read())
        return lambda item, names, values: {
            names.get(name, name): meaning(item, names, values) for name, meaning in changes
        }

    def removal(self) -> tuple[str, Meaning]:
        return self.next(), lambda _item, _names, _values: None

    def addition(self) -> tuple[str, Meaning]:
        name = self.next()
        return name, _sum(lambda item, names, _: item.get(names.get(name, name), {"N": "0"}), self.operand(), 1)

    def assignment(self) -> tuple[str, Meaning]:
        name = self.next()
        self.next("=")
        value = self.operand()
        while self.follows("+", "-"):
            sign, first, second = (1 if self.next() == "+" else -1), value, self.operand()
            value = _sum(first, second, sign)
        return name, value


def _sum(first: Meaning, second: Meaning, sign: int) -> Meaning:
    return lambda *given: {"N": str(Decimal(first(*given)["N"]) + sign * Decimal(second(*given)["N"]))}


def _contains(whole: Item | None, part: Item) -> bool:
    """Whether a text has another in it, or a set or list a member; what isn't there contains nothing."""
    [(kind, found)] = (whole or {"L": []}).items()
    [(sought_kind, sought)] = part.items()
    if kind == "L":
        return part in found
    return kind in {sought_kind, f"{sought_kind}S"} and sought in found


def _holds(word: str, left: Item | None, right: Item | None) -> bool:
    """Compare two attributes; one that isn't there, or of another type, only differs."""
    if left is None or right is None or left.keys() != right.keys():
        return word == "<>"
    [(kind, one)], [other] = left.items(), right.values()
    return COMPARISONS[word](Decimal(one), Decimal(other)) if kind == "N" else COMPARISONS[word](one, other)
