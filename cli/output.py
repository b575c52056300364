"""What commands print: tables for people, JSON for programs, errors on their own stream."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


def errors() -> Console:
    """Where errors and progress go."""
    return Console(stderr=True, highlight=False)


def say_json(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Print one JSON document."""
    typer.echo(json.dumps(document, ensure_ascii=False))


def say(text: str) -> None:
    """Print a line."""
    typer.echo(text)


def say_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; whatever stands in a cell is shown as it is."""
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(highlight=False).print(table)


def say_error(text: str) -> None:
    """Print why a command stopped."""
    errors().print(Text(f"dunlin: {text}"))
