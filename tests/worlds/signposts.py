"""What points where: signposts in code to a rule, links between documents, and the places that docs/rules.md names."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RULES = PROJECT / "docs" / "rules.md"

FOLDERS = (".ci", "cli", "docs", "events", "functions", "local", "requirements", "shared", "tests")
TEXT = frozenset({".css", ".html", ".json", ".md", ".py", ".toml", ".txt", ".typ", ".yaml"})
WITHOUT_SUFFIX = frozenset({"Makefile", "run"})

NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SIGNPOST = re.compile(rf"\brules\.md(#{NAME}(?:(?:,\s+(?:and\s+)?|\s+and\s+)#{NAME})*)")
"""A rule, or several: docs/rules.md#minimum, docs/rules.md#minimum and #opt-out."""

LINK = re.compile(r"\]\(([^)#:\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINKED_WORDS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")

ITEM = re.compile(r"^- (\w+): (.+(?:\n  .+)*)", re.MULTILINE)
PLACE = re.compile(r"`([\w./-]*)(?:::([\w.]+))?`")


@dataclass(frozen=True)
class Place:
    """A file of the project, and what is defined in it: a function, a class, a member, a constant; "": the file."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}::{self.name}" if self.name else self.path

    @property
    def is_there(self) -> bool:
        return (PROJECT / self.path).is_file() and (not self.name or self.name in definitions(PROJECT / self.path))


@dataclass(frozen=True)
class WrittenRule:
    """A rule of docs/rules.md: what it says, where it is decided, and which tests hold it."""

    name: str
    says: str
    code: tuple[Place, ...]
    tests: tuple[Place, ...]


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Each file of the project that people write, by its path: code, tests, templates, documents."""
    inside = (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*"))
    named = (path for path in (*PROJECT.glob("*"), *inside) if path.suffix in TEXT or path.name in WITHOUT_SUFFIX)
    return tuple((str(path.relative_to(PROJECT)), path.read_text()) for path in sorted(named) if path.is_file())


def signposts(text: str) -> list[str]:
    """The names of the rules that a text points to."""
    return [name for found in SIGNPOST.findall(text) for name in re.findall(f"#({NAME})", found)]


def links(text: str) -> list[tuple[str, str]]:
    """Links of a document to a heading: the document ("": itself) and the heading's anchor."""
    return LINK.findall(FENCED.sub("", text))


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings as GitHub makes them; the second of a kind ends with -1, and so on."""
    found, times = set[str](), Counter[str]()
    for heading in HEADING.findall(FENCED.sub("", text)):
        words = LINKED_WORDS.sub(r"\1", heading).lower()
        anchor = NOT_IN_AN_ANCHOR.sub("", words).replace(" ", "-")
        found.add(f"{anchor}-{times[anchor]}" if times[anchor] else anchor)
        times[anchor] += 1
    return found


def rules(text: str) -> list[WrittenRule]:
    """The rules of a text in the form of docs/rules.md, in their order."""
    found = list[WrittenRule]()
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = re.split(r"^## ", section, flags=re.MULTILINE)[0].partition("\n")
        items = dict(ITEM.findall(rest))
        says = rest[: rest.find("\n- ")].strip()
        found.append(WrittenRule(name, says, tuple(_places(items, "Code")), tuple(_places(items, "Test"))))
    return found


def _places(items: dict[str, str], kind: str) -> Iterator[Place]:
    """The places of an item. A name without a file is of the file before it."""
    file = ""
    for path, name in PLACE.findall(items.get(kind, "")):
        file = path or file
        yield Place(file, name)


@cache
def definitions(path: Path) -> frozenset[str]:
    """What a Python file defines at its top, and the members of its classes as `Class.member`."""
    found = set[str]()
    for node in ast.parse(path.read_text()).body:
        found |= _named(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{member}" for inner in node.body for member in _named(inner)}
    return frozenset(found)


def _named(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.TypeAlias(name=ast.Name(id=name)):
            return {name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case _:
            return set()
