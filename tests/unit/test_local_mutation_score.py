"""The score of the mutants: what counts as noticed, and which survivors have no reason."""

import json
from pathlib import Path

import pytest

from local.measure.mutation_score import main, scores, whole, without_a_reason

CODES: dict[str, int | None] = {"noticed": 1, "survived": 0, "untested": 33, "endless": 36, "not run": None}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two modules as mutmut leaves them; the second was run to its end."""
    folder = tmp_path / "shared"
    folder.mkdir()
    modules: dict[str, dict[str, int | None]] = {"money": CODES, "steps": {"noticed": 3}}
    for module, codes in modules.items():
        named = {f"shared.domain.vocabulary.{module}.{name}": code for name, code in codes.items()}
        (folder / f"{module}.py.meta").write_text(json.dumps({"exit_code_by_key": named}))
    return tmp_path


def test_a_mutant_is_noticed_that_a_test_failed_on_or_that_ran_for_ever(results: Path) -> None:
    """One that no test comes to survives; one that wasn't run doesn't count."""
    money, steps = scores(results)
    assert (money.mutants, money.timed_out, money.not_run, money.percent) == (4, 1, 1, 50.0)
    assert money.survivors == ("shared.domain.vocabulary.money.survived", "shared.domain.vocabulary.money.untested")
    assert (steps.mutants, steps.percent) == (1, 100.0)
    assert (whole([money, steps]).mutants, whole([money, steps]).percent) == (5, 60.0)


def test_a_run_to_its_end_succeeds(results: Path) -> None:
    (results / "shared" / "money.py.meta").unlink()
    assert main(["--folder", str(results), "--minimum", "100"]) == 0


def test_a_run_below_the_minimum_or_of_a_part_or_of_nothing_fails(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(results), "--minimum", "50"]) == 1
    assert "1 mutants were not run: this is the score of a part." in capsys.readouterr().out
    codes = {"exit_code_by_key": {"shared.domain.vocabulary.money.survived": 0}}
    (results / "shared" / "money.py.meta").write_text(json.dumps(codes))
    assert main(["--folder", str(results), "--minimum", "50"]) == 0
    assert main(["--folder", str(results), "--minimum", "51"]) == 1
    (tmp_path / "empty").mkdir()
    assert main(["--folder", str(tmp_path / "empty")]) == 1


def test_a_survivor_has_a_reason_where_the_document_names_it() -> None:
    document = "| `money.x_cents__mutmut_1, 4` | why | and `steps.x_level__mutmut_7` too |"
    names = [
        f"shared.domain.vocabulary.{name}"
        for name in ("money.x_cents__mutmut_4", "money.x_cents__mutmut_41", "steps.x_level__mutmut_7")
    ]
    assert without_a_reason(names, document) == ["shared.domain.vocabulary.money.x_cents__mutmut_41"]
