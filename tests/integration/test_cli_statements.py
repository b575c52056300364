"""`dunlin statements send`: what it reports, and what it says when not all could be sent."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import statements
from tests.integration.test_cli import KEY, Api, Run, api, run, stack, statement, write

__all__ = ["api", "run", "stack"]

SEND = ("statements", "send")


def many(count: int, *bad: int) -> list[dict[str, Any]]:
    return [statement(n, "bad" if n in bad else "5.00") for n in range(count)]


@pytest.mark.parametrize(
    "answers",
    [[httpx.Response(503)] * statements.REQUEST_TRIES, [httpx.Response(401, json={"detail": "Send a valid key."})]],
    ids=["out of order", "key revoked"],
)
def test_what_was_answered_is_reported_though_a_later_request_fails(
    run: Run, api: Api, tmp_path: Path, answers: list[httpx.Response]
) -> None:
    path = write(tmp_path, *many(1_200, 7))
    answer = api.answer
    later = iter(answers)
    api_answers = {"after": 1}

    def failing(request: httpx.Request) -> httpx.Response:
        if len(api.requests) >= api_answers["after"] and (failure := next(later, None)):
            api.requests.append(request)
            return failure
        return answer(request)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Api, "answer", lambda _, request: failing(request))
        patched.setattr(httpx, "Client", _client_of(failing))
        status, out, errors = run(*SEND, path, "--key", KEY, "--json", "--report", str(tmp_path / "r.jsonl"))
    told = json.loads(out.splitlines()[0])
    assert status == statements.NOT_ALL_SENT
    assert (told["counts"]["created"], told["counts"]["failed"], told["notSent"]) == (499, 1, 700)
    assert "--from 501" in errors.replace("\n", " ")
    assert KEY not in errors + out
    assert json.loads((tmp_path / "r.jsonl").read_text())["line"] == 8


def _client_of(answer: Any) -> Any:
    transport, client = httpx.MockTransport(answer), ORIGINAL
    return lambda **options: client(transport=transport, **options)


ORIGINAL = httpx.Client


def test_it_goes_on_where_it_was_told_to_and_knows_what_came_before(run: Run, api: Api, tmp_path: Path) -> None:
    path = write(tmp_path, *many(700), statement(3, "9.00"), statement(4))
    status, out, _ = run(*SEND, path, "--key", KEY, "--json", "--from", "501")
    assert status == statements.SOME_FAILED
    assert json.loads(out)["counts"] == {"total": 202, "created": 200, "updated": 0, "ignored": 1, "failed": 1}
    assert [len(body["statements"]) for body in api.sent] == [200]


def test_statements_of_a_request_that_is_refused_for_its_body_fail_and_the_others_go(
    run: Run, api: Api, tmp_path: Path
) -> None:
    api.answers = [httpx.Response(400, json={"detail": "The body isn't UTF-8."})]
    status, out, _ = run(*SEND, write(tmp_path, *many(600)), "--key", KEY, "--json")
    told = json.loads(out)
    assert status == statements.SOME_FAILED
    assert (told["counts"]["failed"], told["counts"]["created"]) == (500, 100)
    assert told["statements"][0]["errors"][0]["detail"] == "the API answered 400: The body isn't UTF-8."


def answered(*rows: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"statements": list(rows)})


def row(n: int, result: str, errors: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    told = {
        kind: [{"pointer": pointer, "detail": "is wrong"} for pointer in found]
        for kind, found in (("errors", errors), ("warnings", warnings))
    }
    return {"statementId": f"S-{n}", "result": result, **told}


def test_errors_come_first_and_like_ones_are_one_line_with_their_count(run: Run, api: Api, tmp_path: Path) -> None:
    rows = [row(n, "Created", warnings=("/guarantor/email",)) for n in range(40)]
    rows += [row(n, "Failed", errors=("/totalBalance",)) for n in range(40, 43)]
    api.answers = [answered(*rows)]
    _, out, _ = run(*SEND, write(tmp_path, *many(43)), "--key", KEY)
    assert out.index("/totalBalance") < out.index("/guarantor/email")
    assert out.count("/totalBalance") == out.count("/guarantor/email") == 1
    lines = {line.split("│")[2].strip(): line.split("│")[1].strip() for line in out.splitlines() if "is wrong" in line}
    assert lines == {"/totalBalance": "3", "/guarantor/email": "40"}
    assert "41 (S-40), 42 (S-41), 43 (S-42)" in out


def test_the_report_has_each_remark_with_its_line_errors_first(run: Run, api: Api, tmp_path: Path) -> None:
    document = json.dumps({"statements": many(3)}, indent=1)
    api.answers = [
        answered(row(0, "Created", warnings=("/a", "/b")), row(1, "Failed", errors=("/c",)), row(2, "Ignored"))
    ]
    report = tmp_path / "remarks.jsonl"
    run(*SEND, write(tmp_path, document), "--key", KEY, "--report", str(report))
    found = [json.loads(line) for line in report.read_text().splitlines()]
    told = [(each["kind"], each["line"], each["statementId"], each["pointer"]) for each in found]
    assert told == [("error", 8, "S-1", "/c"), ("warning", 3, "S-0", "/a"), ("warning", 3, "S-0", "/b")]


@pytest.mark.parametrize("good", [0, 3, 600])
def test_the_bar_ends_at_the_end_whatever_was_refused_here(
    run: Run, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    bars = list[Any]()
    progress = statements._progress  # noqa: SLF001 - the bar is what is looked at

    def watched() -> Any:
        bars.append(progress())
        return bars[-1]

    monkeypatch.setattr(statements, "_progress", watched)
    run(*SEND, write(tmp_path, *many(good), *many(good), "{oops", statement(9_999)), "--key", KEY)
    (task,) = bars[0].tasks
    assert (task.completed, task.total) == (2 * good + 2, 2 * good + 2)
