"""Data flows one way: contract → domain → storage or messaging. These tests hold the walls."""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent

PURE = {"__future__", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib", "hmac"}
PURE |= {"itertools", "math", "operator", "re", "secrets", "types", "typing", "zoneinfo", "string", "json"}
PURE |= {"unicodedata"}
PURE |= {"holidays"}  # a calculation, without I/O

MAY_IMPORT = {
    "domain": {"domain"},
    "contracts": {"contracts", "domain"},
    "storage": {"storage", "domain"},
    "messaging": {"messaging", "contracts", "domain", "storage", "rendering", "http"},
    "rendering": {"rendering", "contracts", "domain"},
    "http": {"http", "contracts", "domain", "storage"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def files(folder: str) -> list[Path]:
    return sorted((PROJECT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("shared/domain"), ids=lambda path: path.name)
def test_the_domain_imports_nothing_but_itself_and_calculation(path: Path) -> None:
    outside = {name for name in imports(path) if not name.startswith("shared.domain")}
    assert {name.split(".")[0] for name in outside} <= PURE


@pytest.mark.parametrize("path", files("shared"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_part_of_shared_imports_only_what_stands_before_it(path: Path) -> None:
    part = path.relative_to(PROJECT / "shared").parts[0]
    if part not in MAY_IMPORT:
        pytest.fail(f"shared/{part} has no place in the order") if part != "__init__.py" else None
        return
    used = {name.split(".")[1] for name in imports(path) if name.startswith("shared.") and "." in name}
    assert used <= MAY_IMPORT[part]


@pytest.mark.parametrize("path", files("shared"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shared_never_imports_a_function(path: Path) -> None:
    assert not {name for name in imports(path) if name.startswith(("functions", "local", "cli"))}


@pytest.mark.parametrize("path", files("functions"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_function_never_imports_another(path: Path) -> None:
    own = path.relative_to(PROJECT / "functions").parts[0]
    foreign = {name for name in imports(path) if name.startswith("functions.") and name.split(".")[1] != own}
    assert not foreign


@pytest.mark.parametrize(
    "path", files("shared") + files("functions"), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_nothing_reads_the_environment_at_import(path: Path) -> None:
    outside_functions = [
        node
        for statement in ast.parse(path.read_text()).body
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef))
        for node in ast.walk(statement)
    ]
    reads = [
        node for node in outside_functions if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert not reads


@pytest.mark.parametrize(
    "path", files("shared") + files("functions"), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_the_heavy_ways_into_aws_are_not_taken(path: Path) -> None:
    text = path.read_text()
    assert "boto3.resource" not in text
    assert "aws_xray_sdk" not in text
    assert "utilities.idempotency" not in text


def test_no_file_is_a_drawer_for_leftovers() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    names = {path.stem for folder in ("shared", "functions", "local", "cli") for path in (PROJECT / folder).rglob("*")}
    assert not names & drawers


def test_every_exception_from_the_rules_carries_its_reason() -> None:
    """A reason stands behind the code: `- why` after noqa, `# why` after type: ignore."""
    unexplained = re.compile(
        r"# noqa(?!: [A-Z0-9, ]+ - \S)|# type: ignore(?!\[[a-z, -]+\] +# \S)|pragma: no (cover|branch)"
    )
    folders = ("shared", "functions", "local", "cli", "tests")
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for folder in folders
        for path in files(folder)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if unexplained.search(line) and path != Path(__file__)
    ]
    assert found == []
