"""Tells which characters the fonts of a printed statement have, as typst exports them under PDF/UA-1 in both weights.

`python -m local.measure.printable --write` keeps the table that letters go by; run it after a change of fonts or typst.
"""

import argparse
import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import batched

import typst

from functions.render_print.printable_text import ASSETS, failed_texts
from functions.render_print.statement_pdf import FAMILIES, fonts

TOGETHER = 8000
"""How many characters one page tries; typst names all that it can't show."""

NOT_PRINTED = "\N{REPLACEMENT CHARACTER}"
"""Shows that a character was lost before it came: it is never printed as if it were one."""

_NEVER = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"))

_PAGE = b"""
#set document(title: "-")
#let asked = json(bytes(sys.inputs.asked))
#set text(font: asked.fonts, lang: "en")
#for shown in asked.characters { par(shown); par(text(weight: 600, shown)) }
"""


BASES = ("", "\N{DOTTED CIRCLE}", "a", "1", "\N{ARABIC LETTER ALEF}")
"""What a mark is tried on, for it must join whatever it stands on; any other character is tried by itself."""


def candidates() -> Iterator[str]:
    """Every assigned character that is printed as itself."""
    for point in range(0x20, sys.maxunicode + 1):
        if unicodedata.category(chr(point)) not in _NEVER and chr(point) != NOT_PRINTED:
            yield chr(point)


def printable(characters: Iterable[str]) -> Iterator[str]:
    """Those that can be shown."""
    compiler = typst.Compiler(font_paths=fonts())
    for page in batched(characters, TOGETHER, strict=False):
        marks = {character for character in page if unicodedata.category(character)[0] == "M"}
        left = {character: BASES[1:] if character in marks else BASES[:1] for character in page}
        while left:
            failed = _failed(compiler, left)
            if not failed:
                break
            left = {character: bases for character, bases in left.items() if character not in failed}
        yield from (character for character in page if character in left)


def _failed(compiler: typst.Compiler, characters: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Those of some characters that can't be shown on all of their bases."""
    shown = [base + character for character, bases in characters.items() for base in bases]
    asked = json.dumps({"fonts": FAMILIES, "characters": shown})
    try:
        compiler.compile(input=_PAGE, format="pdf", pdf_standards=["ua-1"], sys_inputs={"asked": asked})
    except typst.TypstError as error:
        # Of a mark and its base, typst may name both.
        return {text[-1] for text in failed_texts(error) if text} & characters.keys() - set(BASES) or set(characters)
    return set()


def ranges(points: list[int]) -> Iterator[str]:
    """Runs of code points, as the table writes them."""
    start = 0
    for end in range(1, len(points) + 1):
        if end == len(points) or points[end] != points[end - 1] + 1:
            first, last = points[start], points[end - 1]
            yield f"{first:04X}" if first == last else f"{first:04X}-{last:04X}"
            start = end


def main() -> int:
    """Measure, and print the table or keep it."""
    parser = argparse.ArgumentParser(prog="python -m local.measure.printable", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the table in the function's assets")
    wanted = parser.parse_args()
    found = sorted({ord(character) for character in printable(candidates())} | {ord(" ")})
    table = "\n".join(ranges(found)) + "\n"
    if wanted.write:
        (ASSETS / "coverage.txt").write_text(table, "ascii")
    print(f"{len(found)} characters" if wanted.write else table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
