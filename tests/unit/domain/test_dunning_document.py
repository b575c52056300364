"""docs/dunning.md is true: each of its tables is played on the real rules (tests/worlds/dunning_examples.py)."""

import pytest

from shared.domain.records.policy import DunningSettings
from tests.worlds.dunning_examples import DOCUMENT, SETTINGS, Table, played, tables

TEXT = DOCUMENT.read_text()
TABLES = tables(TEXT)


@pytest.mark.parametrize("table", TABLES, ids=[f"line {table.line}: {table.heading}" for table in TABLES])
def test_a_table_comes_out_as_the_document_says(table: Table) -> None:
    """Row by row."""
    assert played(table) == list(table.rows)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_tried_in_some_table(name: str) -> None:
    """As a column, above a table, or as something that happens."""
    columns = {column.casefold() for table in TABLES for column in table.columns}
    given = {part.split(":")[0].strip().casefold() for table in TABLES for part in table.given.split(";")}
    assert name in columns | given


def test_the_documents_words_reach_every_setting() -> None:
    """Each field of the settings has its words in SETTINGS, so that the test above speaks for all of them."""
    values = {
        "configuration": "standard-30",
        "bill aging": "Natural",
        "hours": "9:00 to 10:00",
        "texts": "9:00 to 10:00",
        "business days": "Mon to Fri",
        "federal holidays": "kept",
        "payment rule": "none",
        "reset fields": "",
    }
    amounts = {name: "1" for name in SETTINGS if name.startswith(("minimum", "days")) or name.endswith("days")}
    reached = {field for name, read in SETTINGS.items() for field in read((amounts | values).get(name, "on"))}
    # What an own configuration says is in docs/cadences.md.
    of_the_window = {"opens", "closes", "business_days", "federal_holidays"}
    assert reached - of_the_window == set(DunningSettings.__dataclass_fields__) - {"send_window", "own_configuration"}
