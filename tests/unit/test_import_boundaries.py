"""Data flows one way: contract → domain → storage or messaging. These tests hold the walls."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.worlds.sources import nodes, text, tree

PROJECT = Path(__file__).resolve().parents[2]

PURE = {"__future__", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib", "hmac"}
PURE |= {"fractions", "itertools", "math", "operator", "re", "types", "typing", "zoneinfo", "string", "json"}
PURE |= {"ipaddress", "unicodedata"}
PURE |= {"holidays"}  # a calculation, without I/O

MAY_IMPORT = {
    "clock": set[str](),
    "compiled_dataclasses": set[str](),
    "settings": set[str](),
    "domain": {"domain"},
    "contracts": {"contracts", "domain"},
    "storage": {"storage", "domain"},
    "rendering": {"rendering", "domain"},
    "messaging": {"messaging", "contracts", "domain"},
    "processors": {"processors", "contracts"},
    "sending": {"sending", "messaging", "contracts", "storage", "domain", "clock"},
    "http": {"http", "contracts", "domain", "storage", "clock"},
}
"""What each part of `shared` may import. Storage decides nothing, and messaging knows no HTTP."""

WINGS_BELOW = {
    "vocabulary": set[str](),
    "records": {"vocabulary"},
    "calendar": {"records", "vocabulary"},
    "account": {"calendar", "records", "vocabulary"},
    "paying": {"account", "calendar", "records", "vocabulary"},
    "dunning": {"account", "calendar", "records", "vocabulary"},
    "intake": {"account", "paying", "calendar", "records", "vocabulary"},
    "delivery": {"account", "dunning", "paying", "calendar", "records", "vocabulary"},
    "texting": {"account", "delivery", "records", "vocabulary"},
    "reporting": {"account", "paying", "calendar", "records", "vocabulary"},
}
"""Which wings of `shared/domain` a wing may import beside itself: no arrow runs back up, so there is no circle."""

LONGEST_DOMAIN_FILE = 300


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def files(*folders: str) -> list[Path]:
    found = sorted(chain.from_iterable((PROJECT / folder).rglob("*.py") for folder in folders))
    assert found
    return found


def arrows(folder: str) -> Iterator[tuple[str, str, Path]]:
    """Each import from one room of a folder to another: from, to, and the file that makes it."""
    package, base = folder.replace("/", "."), PROJECT / folder
    for path in files(folder):
        room = path.relative_to(base).parts[0].removesuffix(".py")
        for name in imports(path):
            if name.startswith(f"{package}."):
                yield room, name.removeprefix(f"{package}.").split(".")[0], path


def test_the_domain_imports_nothing_but_itself_and_calculation() -> None:
    outside = {
        (path.name, name.split(".")[0])
        for path in files("shared/domain")
        for name in imports(path)
        if not name.startswith("shared.domain")
    }
    assert {found for found in outside if found[1] not in PURE} == set()


def test_each_part_of_shared_imports_only_what_stands_before_it() -> None:
    parts = {
        path.stem for path in (PROJECT / "shared").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert parts - {"__init__"} == set(MAY_IMPORT)
    assert [arrow for arrow in arrows("shared") if arrow[1] not in MAY_IMPORT[arrow[0]]] == []


def test_each_wing_of_the_domain_imports_only_the_wings_below_it() -> None:
    wings = {path.name for path in (PROJECT / "shared/domain").iterdir() if (path / "__init__.py").is_file()}
    assert wings == set(WINGS_BELOW)
    assert [arrow for arrow in arrows("shared/domain") if arrow[1] not in WINGS_BELOW[arrow[0]] | {arrow[0]}] == []


def test_contracts_say_what_is_on_the_wire_and_decide_nothing() -> None:
    """Of the wings that hold rules they know the things that they show, and no function that judges."""
    words_and_records = {f"shared.domain.{wing}" for wing in ("vocabulary", "records")}
    rules = [
        (path.name, f"{node.module}.{alias.name}")
        for path in files("shared/contracts")
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shared.domain.")
        for alias in node.names
        if ".".join((node.module or "").split(".")[:3]) not in words_and_records and not alias.name[:1].isupper()
    ]
    assert rules == []


def test_the_wings_have_an_order() -> None:
    """Each may use only wings that stand before it in the table, so that there is no circle."""
    order = list(WINGS_BELOW)
    assert [wing for wing in order if not WINGS_BELOW[wing] <= set(order[: order.index(wing)])] == []


def test_no_file_of_the_domain_is_longer_than_one_subject() -> None:
    assert [path.name for path in files("shared/domain") if len(text(path).splitlines()) > LONGEST_DOMAIN_FILE] == []


def test_shared_never_imports_a_function() -> None:
    named = {name for path in files("shared") for name in imports(path)}
    assert [name for name in named if name.startswith(("functions", "local", "cli"))] == []


def test_a_function_never_imports_another() -> None:
    assert [arrow for arrow in arrows("functions") if arrow[0] != arrow[1]] == []


def test_what_is_deployed_imports_nothing_that_only_builds_or_tests() -> None:
    named = {name for path in files("shared", "functions") for name in imports(path)}
    assert [name for name in named if name.split(".")[0] in {"local", "cli", "tests"}] == []


def test_nothing_reads_the_environment_at_import() -> None:
    def reads(path: Path) -> bool:
        top = [node for node in tree(path).body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        inside = chain.from_iterable(map(ast.walk, top))
        return any(isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} for node in inside)

    assert [path for path in files("shared", "functions") if reads(path)] == []


def test_the_heavy_ways_into_aws_are_not_taken() -> None:
    heavy = re.compile(r"boto3\.resource|aws_xray_sdk|utilities\.idempotency")
    assert [path for path in files("shared", "functions") if heavy.search(text(path))] == []


def test_no_file_is_a_drawer_for_leftovers() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not {path.stem for path in files("shared", "functions", "local", "cli")} & drawers


def test_every_exception_from_the_rules_carries_its_reason() -> None:
    """A reason stands behind the code: `- why` after noqa, `# why` after type: ignore."""
    unexplained = re.compile(
        r"# noqa(?!: [A-Z0-9, ]+ - \S)|# type: ignore(?!\[[a-z, -]+\] +# \S)|pragma: no (cover|branch)"
    )
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in files("shared", "functions", "local", "cli", "tests")
        for number, line in enumerate(text(path).splitlines(), start=1)
        if unexplained.search(line) and path != Path(__file__)
    ]
    assert found == []
