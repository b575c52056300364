"""The project's own sources, each read and parsed once for all tests that look at them."""

import ast
from functools import cache
from pathlib import Path


@cache
def text(path: Path) -> str:
    return path.read_text()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, wherever in it."""
    return tuple(ast.walk(tree(path)))
