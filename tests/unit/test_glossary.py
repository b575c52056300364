"""One word per thing, one thing per word: names that stand once, docs/glossary.md, and words that are gone."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from shared.contracts.print_batches import PrintBatchStatus
from shared.domain.account.queue_actions import QueueAction
from shared.domain.records.ingestion import IngestionSource, IngestionStatus
from shared.domain.records.transitions import By
from shared.domain.vocabulary import actors, words
from tests.worlds.sources import text, tree

PROJECT = Path(__file__).parents[2]
GLOSSARY = PROJECT / "docs" / "glossary.md"
PRODUCT = ("shared", "functions", "cli", "local")

MAY_STAND_TWICE = {
    "lambda_handler": "each function's entry point, as template.yaml names it",
    "dependencies": "each function's own wiring",
    "main": "each command's entry point",
}
"""Public names that may stand in several files, and why."""

FURTHER: tuple[type[StrEnum], ...] = (By, IngestionSource, IngestionStatus, PrintBatchStatus, QueueAction)
"""Closed vocabularies outside of `shared/domain/vocabulary` whose words people read."""

DIALECT = (
    r"lead(s|ing)? nowhere",
    r"[Kk]eep a notification from going|off the worklist, or",
    r"[Pp]ut (a notification|it|away)? ?away|put away by",
    r"[Tt]ell each rule|rule looked at",
    r"[Gg]et an address to upload",
    r"by which way|by what way",
    r"in which words",
    r"(c[ao]me|comes) back for (good|now)|(?i:bounced?) for good",
    r"[Ss]ome members|members of the body",
    r"dead letters stay|in another's hands",
    r"it is only told",
    r"[Ee]nds well",
    r"say whose",
    r"one of ours, and finished",
    r'"by a person"|lookedAtAgain',
    r"\bWish\b|\bwish:|\bpatience\b|\bNO_WORD\b|\bSILENCE\b|turn\.heard",
    r"\bBeside\b|\bbeside\(|\bbeside_write\b",
    r"OPEN_TO_WORD|(late|provider's|a) word (about|of a|that) ",
    r"\.hear\(|def hear\b|hears_nothing|HeardText|\bListeners\b",
    r"not moved on|nobody takes|gate not told|left to its lease|for want of time\"|notice looked at",
    r"shall have, say once",
    r"no word (came|after)|a person has to find out|left to people",
    r"Rests because",
    r"\bFate\b|\bin_vain\b|\bin_question\b|\bin_doubt\b|\bover_through\b",
)
"""What the house said among itself; each has a plain word now."""

STORED = {"crowded_until": ("shared/storage/channel_gates.py", "docs/glossary.md")}
"""Names that rows in the table still have, and the only places that know them."""


def parsed(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            yield str(path.relative_to(PROJECT)), tree(path)


def defined(statement: ast.stmt) -> list[str]:
    """The public classes, types and constants that a statement of a module defines."""
    match statement:
        case ast.ClassDef(name=name) | ast.TypeAlias(name=ast.Name(id=name)):
            names = [name]
        case ast.Assign(targets=targets):
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            names = [name]
        case _:
            names = []
    return [name for name in names if name[:1].isupper()]


def standing_twice(found: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    places = defaultdict[str, list[str]](list)
    for name, place in found:
        places[name].append(place)
    assert len(places) > 100, "too few names to be all of them"
    return {name: files for name, files in places.items() if len(files) > 1 and name not in MAY_STAND_TWICE}


def test_no_public_class_type_or_constant_stands_twice() -> None:
    assert (
        standing_twice(
            (name, path)
            for path, module in parsed(*PRODUCT)
            for statement in module.body
            for name in defined(statement)
        )
        == {}
    )


def test_no_public_function_of_shared_stands_twice() -> None:
    assert (
        standing_twice(
            (statement.name, path)
            for path, module in parsed("shared")
            for statement in module.body
            if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_")
        )
        == {}
    )


# --- the glossary ---------------------------------------------------------------------------------------------------


def glossary() -> list[str]:
    """The words of the table, as they stand in it."""
    rows = re.findall(r"^\| (.+?) \| .+ \|$", GLOSSARY.read_text(), re.MULTILINE)
    return [row for row in rows if row not in {"word", "---"}]


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    bare = [word.strip("`").casefold() for word in glossary()]
    assert len(bare) > 100
    assert [word for word in bare if bare.count(word) > 1] == []
    assert bare == sorted(bare)


def test_every_word_of_a_closed_vocabulary_is_in_the_glossary() -> None:
    closed: list[type[StrEnum]] = [
        kind
        for module in (words, actors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
    ]
    assert len(closed) > 10
    said = {word.strip("`") for word in glossary()}
    missing = {f"{kind.__name__}.{word}" for kind in [*closed, *FURTHER] for word in kind if word not in said}
    assert missing == set()


# --- the house's dialect --------------------------------------------------------------------------------------------


def texts() -> Iterator[tuple[str, str]]:
    folders = (PROJECT / name for name in ("shared", "functions", "cli", "docs"))
    paths = [PROJECT / "template.yaml", *(path for folder in folders for path in folder.rglob("*") if path.is_file())]
    for path in paths:
        if path.suffix in {".py", ".md", ".yaml", ".typ", ".html", ".txt", ".toml", ".json"}:
            yield str(path.relative_to(PROJECT)), text(path)


def test_the_dialect_is_gone() -> None:
    dialect = re.compile("|".join(DIALECT))
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, said in texts()
        for number, line in enumerate(said.splitlines(), start=1)
        if dialect.search(line)
    ]
    assert found == []


def test_a_stored_name_is_known_only_to_storage_and_to_the_glossary() -> None:
    """Both ways: where a row still has the name, storage has to know it."""
    for stored, places in STORED.items():
        assert {name for name, said in texts() if re.search(rf"\b{stored}\b", said)} == set(places)
