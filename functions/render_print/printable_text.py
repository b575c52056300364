"""Text as the fonts of a printed statement can show it.

PDF/UA forbids text without glyphs, and typst refuses to export it. What no font has is therefore set as U+25A1 (a box),
and the fields concerned are named: a letter whose names or addresses are among them doesn't go (`print_job.py`).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typst

ASSETS = Path(__file__).parent / "typst_assets"

_REPLACEMENT = "\N{WHITE SQUARE}"
_ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
_LONG_WORD = re.compile(r"\S{31,}")
_PIECE = 15
_FAILED = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPE = re.compile(r"\\u\{([0-9a-f]{1,6})\}|\\(.)")


class PrintableText:
    """Text as the fonts can show it, and the pointers to where that isn't what was given."""

    def __init__(self, plain: Callable[[str], bool] = lambda _: False) -> None:
        """`plain` says of a text that it is to be shown by its Latin part alone."""
        self.not_shown: list[str] = []
        self._plain = plain

    def line(self, value: str, pointer: str, *, breakable: bool = True) -> str:
        """Return `value` on one line; `breakable` lets a word wider than a column go on in the next line."""
        if not (value.isascii() and value.isprintable()):
            value = self._shown(value, pointer)
        value = " ".join(value.split())
        return _LONG_WORD.sub(_let_break, value) if breakable else value

    def lines(self, values: Iterable[str], pointer: str) -> list[str]:
        """Return each value on its line; what is empty is left out."""
        shown = (self.line(value, f"{pointer}/{number}") for number, value in enumerate(values))
        return [line for line in shown if line]

    def paragraphs(self, value: str, pointer: str) -> list[str]:
        """Return the lines of `value`; what is empty is left out."""
        return [line for part in value.splitlines() if (line := self.line(part, pointer))]

    def _shown(self, value: str, pointer: str) -> str:
        composed = unicodedata.normalize("NFC", value)
        plain = self._plain(composed)
        unprintable = _unprintable(plain=plain)
        visible: list[str] = []
        joined = False
        for character in composed:
            category = unicodedata.category(character)
            if category[0] == "Z" or character in "\t\n\r":
                visible.append(" ")
            elif category == "Cf" or "\N{VARIATION SELECTOR-1}" <= character <= "\N{VARIATION SELECTOR-16}":
                pass  # invisible: joiners, direction overrides, soft hyphens
            elif plain and category[0] == "M":
                self.not_shown.append(pointer)
            elif unprintable.match(character):
                self.not_shown.append(pointer)
                # An emoji made of several is one box.
                if not (joined or category == "Sk"):
                    visible.append(_REPLACEMENT)
            else:
                visible.append(character)
            joined = character == _ZERO_WIDTH_JOINER
        return "".join(visible)


def _let_break(word: re.Match[str]) -> str:
    whole = word.group()
    pieces, start = list[str](), 0
    while start < len(whole):
        end = start + _PIECE
        while end < len(whole) and unicodedata.category(whole[end])[0] == "M":
            end += 1  # a mark stays with its letter
        pieces.append(whole[start:end])
        start = end
    return _ZERO_WIDTH_SPACE.join(pieces)


def failed_texts(error: "typst.TypstError") -> frozenset[str]:
    """The texts that typst couldn't show, as its error names them."""
    return frozenset(_ESCAPE.sub(_unescaped, found) for found in _FAILED.findall(str(error.diagnostic)))


def _unescaped(escape: re.Match[str]) -> str:
    point, other = escape.groups()
    return chr(int(point, 16)) if point else {"n": "\n", "t": "\t", "r": "\r"}.get(other, other)


@cache
def _unprintable(*, plain: bool) -> re.Pattern[str]:
    """Match one character that the fonts don't have.

    coverage.txt lists, as ranges of code points, what typst exports under PDF/UA-1 in both weights, as
    local/measure/printable.py finds it; `plain` is the Latin part of it, which Source Sans 3 has by itself.
    """
    if plain:
        return re.compile(f"[^ -~\u00a1-\u00ac\u00ae-\u024f\u2013-\u201d\u2026\u20ac{_REPLACEMENT}]")
    ranges = (line.split("-") for line in (ASSETS / "coverage.txt").read_text("ascii").splitlines())
    shown = "".join(f"\\U{int(ends[0], 16):08x}-\\U{int(ends[-1], 16):08x}" for ends in ranges)
    return re.compile(f"[^{shown}]")
