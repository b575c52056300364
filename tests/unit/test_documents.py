"""What documents and settings name is there, so that renaming a file, a target or a command can't leave them behind."""

import re
import tomllib
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import typer

from cli.main import app
from tests.worlds.bounds import some

PROJECT = Path(__file__).parents[2]
FOLDERS = ("cli", "docs", "events", "functions", "local", "requirements", "shared", "tests")
DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]
FILE = re.compile(r"`((?:\w[\w-]*/)*[\w-]+\.(?:py|md|toml|yaml|typ|html|txt|css))`")
FOLDER = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w/-]*)`")
LINK = re.compile(r"\]\(([^)#:]+)[^):]*\)")
TARGET = re.compile(r"`make ([a-z-]+)")
COMMAND = re.compile(r"`dunlin ([a-z]+)(?: ([a-z]+)\b)?")


def in_documents[T](told: Callable[[Path], Iterable[T]]) -> list[tuple[str, T]]:
    """What is told of each document, with the document's name."""
    return [(str(path.relative_to(PROJECT)), found) for path in some(DOCUMENTS) for found in told(path)]


def files() -> list[str]:
    inside = chain.from_iterable((PROJECT / folder).rglob("*") for folder in FOLDERS)
    return [f"/{path.relative_to(PROJECT)}" for path in (*PROJECT.glob("*"), *inside)]


def test_documents_name_files_that_are_there() -> None:
    """A file may be named by the end of its path."""
    named, known = in_documents(lambda path: FILE.findall(path.read_text())), files()
    assert [found for found in some(named) if not any(path.endswith(f"/{found[1]}") for path in known)] == []


def test_documents_name_folders_that_are_there() -> None:
    named, known = in_documents(lambda path: FOLDER.findall(path.read_text())), files()
    assert [
        found for found in some(named) if not (PROJECT / found[1]).exists() and f"/{found[1]}.py" not in known
    ] == []


def test_documents_link_to_documents_that_are_there() -> None:
    def missing(path: Path) -> list[str]:
        return [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]

    assert [link for path in DOCUMENTS for link in LINK.findall(path.read_text())]
    assert [found for found in in_documents(missing) if not found[1].startswith("http")] == []


def test_documents_name_targets_and_commands_that_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = in_documents(lambda path: TARGET.findall(path.read_text()))
    assert [found for found in some(named) if found[1] not in targets] == []
    commands = {(name, "") for name in words_of(app)} | {
        (group.name or "", word) for group in app.registered_groups for word in words_of(group.typer_instance)
    }
    called = in_documents(
        lambda path: [
            (name, "" if (name, "") in commands else word) for name, word in COMMAND.findall(path.read_text())
        ]
    )
    assert [found for found in some(called) if found[1] not in commands] == []


def words_of(commands: typer.Typer | None) -> set[str]:
    registered = commands.registered_commands if commands else []
    return {command.name or command.callback.__name__ for command in registered if command.callback}


def test_the_mutants_are_tried_against_tests_that_are_there() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["mutmut"]
    named = settings["pytest_add_cli_args_test_selection"] + settings["also_copy"]
    assert [name for name in named if not (PROJECT / name).exists()] == []
