"""What documents and settings name is there, so that renaming a file, a target or a command can't leave them behind."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import typer

from cli.main import app

PROJECT = Path(__file__).parents[2]
FOLDERS = ("cli", "docs", "events", "functions", "local", "requirements", "shared", "tests")
DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]
FILE = re.compile(r"`((?:\w[\w-]*/)*[\w-]+\.(?:py|md|toml|yaml|typ|html|txt|css))`")
FOLDER = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w/-]*)`")
LINK = re.compile(r"\]\(([^)#:]+)[^):]*\)")
TARGET = re.compile(r"`make ([a-z-]+)")
COMMAND = re.compile(r"`dunlin ([a-z]+)(?: ([a-z]+)\b)?")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))


def files() -> list[str]:
    inside = chain.from_iterable((PROJECT / folder).rglob("*") for folder in FOLDERS)
    return [f"/{path.relative_to(PROJECT)}" for path in (*PROJECT.glob("*"), *inside)]


@each_document
def test_a_document_names_files_and_folders_that_are_there(document: Path) -> None:
    """A file may be named by the end of its path."""
    text, known = document.read_text(), files()
    missing = [name for name in FILE.findall(text) if not any(path.endswith(f"/{name}") for path in known)]
    assert missing == []
    assert [name for name in FOLDER.findall(text) if not (PROJECT / name).exists() and f"/{name}.py" not in known] == []


@each_document
def test_a_document_links_to_documents_that_are_there(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if not link.startswith("http")]
    assert [link for link in links if not (document.parent / link).exists()] == []


@each_document
def test_a_document_names_targets_and_commands_that_are_there(document: Path) -> None:
    text, makefile = document.read_text(), (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(TARGET.findall(text)) <= targets
    commands = {(name, "") for name in words_of(app)} | {
        (group.name or "", word) for group in app.registered_groups for word in words_of(group.typer_instance)
    }
    named = {(name, word if (name, "") not in commands else "") for name, word in COMMAND.findall(text)}
    assert named <= commands


def words_of(commands: typer.Typer | None) -> set[str]:
    registered = commands.registered_commands if commands else []
    return {command.name or command.callback.__name__ for command in registered if command.callback}


def test_the_mutants_are_tried_against_tests_that_are_there() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["mutmut"]
    named = settings["pytest_add_cli_args_test_selection"] + settings["also_copy"]
    assert [name for name in named if not (PROJECT / name).exists()] == []
