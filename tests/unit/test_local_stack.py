from __future__ import annotations

import os
import socket
import subprocess
import sys
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from local.stack import build, processes
from local.stack.compile_artifacts import compile_artifacts
from local.stack.deploy import Deployment, pack
from local.stack.errors import LocalStackError, NotRunningError
from local.stack.stack import main
from local.stack.supervisor import supervisor_words
from local.stack.watch import LocalStack
from local.stack.workspace import SUPERVISOR, Workspace, latest_port, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTPUTS = {
    "ApiId": "abc",
    "SchedulerFunction": "dunlin-Scheduler",
    "TableName": "dunlin-Table",
    "DropBucket": "drops",
    "PrintBucket": "prints",
    "EmailQueueUrl": "http://q/email",
    "SmsQueueUrl": "http://q/sms",
    "PrintQueueUrl": "http://q/print",
    "EmailDeadLetterQueueUrl": "http://q/email-dead",
    "SmsDeadLetterQueueUrl": "http://q/sms-dead",
    "PrintDeadLetterQueueUrl": "http://q/print-dead",
}
RECORD = Deployment("http://127.0.0.1:4566", "http://127.0.0.1:4566/_aws/execute-api/abc/live", OUTPUTS).record(42)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that looks like a supervisor on port 5001 and only waits."""
    words = ["--port", "5001", "--state-dir", "state"]
    command = [sys.executable, "-c", "import time; time.sleep(60)", SUPERVISOR, *words]
    process = subprocess.Popen(command)  # noqa: S603 - this interpreter, with words of the test's own
    yield process
    process.kill()
    process.wait()


def test_the_record_has_the_shape_of_the_contract() -> None:
    """stack.json is what docs/rules.md#stack-record says, no more."""
    assert RECORD == {
        "apiUrl": "http://127.0.0.1:4566/_aws/execute-api/abc/live",
        "endpointUrl": "http://127.0.0.1:4566",
        "region": "us-east-1",
        "stackName": "dunlin",
        "schedulerFunction": "dunlin-Scheduler",
        "tableName": "dunlin-Table",
        "dropBucket": "drops",
        "printBucket": "prints",
        "queues": {"email": "http://q/email", "print": "http://q/print", "sms": "http://q/sms"},
        "deadLetterQueues": {
            "email": "http://q/email-dead",
            "print": "http://q/print-dead",
            "sms": "http://q/sms-dead",
        },
        "pid": 42,
    }


def test_a_stack_is_loaded_from_its_record(tmp_path: Path) -> None:
    """And the absence of one is said in words."""
    write_json(tmp_path / "stack.json", RECORD)
    stack = LocalStack.load(tmp_path / "stack.json")
    assert (stack.api_url, stack.queues["sms"], stack.pid) == (RECORD["apiUrl"], "http://q/sms", 42)
    assert stack.environment["AWS_ENDPOINT_URL"] == RECORD["endpointUrl"]
    with pytest.raises(NotRunningError, match="make local"):
        LocalStack.load(tmp_path / "none.json")


def test_the_latest_stack_is_the_one_started_last(tmp_path: Path) -> None:
    """Two run side by side; each keeps its own file."""
    first, second = Workspace(5001, tmp_path), Workspace(5002, tmp_path)
    first.publish({**RECORD, "pid": 1})
    second.publish({**RECORD, "pid": 2})
    assert latest_port(tmp_path) == 5002
    assert read_json(first.stack_file) == {**RECORD, "pid": 1}


def test_a_stack_that_ends_leaves_the_other_as_the_latest(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """Only one that still runs can be the latest; when none does, the file is gone."""
    running, ended = Workspace(5001, tmp_path), Workspace(5002, tmp_path)
    running.publish({**RECORD, "pid": sleeper.pid})
    ended.publish({**RECORD, "pid": 2**22 + 1})
    ended.withdraw()
    assert latest_port(tmp_path) == 5001
    running.withdraw()
    assert not running.latest_file.exists()
    running.withdraw()


def test_half_a_file_is_no_record(tmp_path: Path) -> None:
    """A file that is cut off counts as none."""
    (tmp_path / "stack.json").write_text('{"apiUrl":')
    assert read_json(tmp_path / "stack.json") is None


def test_only_a_process_with_our_words_is_ended(sleeper: subprocess.Popen[bytes]) -> None:
    """A pid may have been used again by a stranger."""
    assert not processes.stop(sleeper.pid, [SUPERVISOR, "--port", "5002"], 5)
    assert sleeper.poll() is None
    assert processes.stop(sleeper.pid, [SUPERVISOR, "--port", "5001"], 5)
    assert not processes.is_ours(sleeper.pid, [SUPERVISOR])
    assert not processes.stop(sleeper.pid, [SUPERVISOR, "--port", "5001"], 5)


def test_a_stack_is_told_by_port_and_folder(tmp_path: Path) -> None:
    """Two stacks' supervisors have different words."""
    assert supervisor_words(Workspace(5001, tmp_path)) != supervisor_words(Workspace(5002, tmp_path))


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status isn't 0 and nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["start", "--port", str(port), "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: port {port} is in use by another program: choose another with PORT=n\n"
    assert list(tmp_path.iterdir()) == []


def test_stopping_nothing_is_fine(tmp_path: Path) -> None:
    """Twice in a row, too."""
    assert main(["stop", "--state-dir", str(tmp_path)]) == 0
    assert main(["stop", "--state-dir", str(tmp_path), "--port", "5001"]) == 0


def test_a_fingerprint_follows_the_sources(tmp_path: Path) -> None:
    """Any byte of template, shared or functions counts; what Python leaves behind doesn't."""
    (tmp_path / "template.yaml").write_text("Resources: {}")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.py").write_text("A = 1")
    before = build.fingerprint(tmp_path, "arm64")
    (tmp_path / "shared" / "__pycache__").mkdir()
    (tmp_path / "shared" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert build.fingerprint(tmp_path, "arm64") == before
    (tmp_path / "shared" / "a.py").write_text("A = 2")
    assert build.fingerprint(tmp_path, "arm64") != before


def test_a_folder_packs_to_the_same_bytes(tmp_path: Path) -> None:
    """The address of an artifact is its digest, so packing again must not change it."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "y.py").write_text("Y = 1")
    (tmp_path / "x.py").write_text("X = 1")
    first = pack(tmp_path)
    os.utime(tmp_path / "x.py", (1, 1))
    assert pack(tmp_path) == first
    assert zipfile.ZipFile(BytesIO(first)).namelist() == ["b/y.py", "x.py"]


def test_compiled_artifacts_are_used_whatever_their_time_stamps(tmp_path: Path) -> None:
    """An unchecked hash: unpacking gives new times, and the byte code still counts."""
    module = tmp_path / "build" / "Layer" / "python" / "shared" / "a.py"
    module.parent.mkdir(parents=True)
    module.write_text("A = 1")
    (tmp_path / "build" / "template.yaml").write_text("")
    assert compile_artifacts(tmp_path / "build") == 1
    [compiled] = module.parent.rglob("*.pyc")
    assert compiled.read_bytes()[4:8] == (0b01).to_bytes(4, "little")
    assert b"/opt/python/shared/a.py" in compiled.read_bytes()


def test_compiling_nothing_is_an_error(tmp_path: Path) -> None:
    """`make build` before compiling."""
    with pytest.raises(LocalStackError, match="nothing was built"):
        compile_artifacts(tmp_path / "build")


def test_a_module_that_cannot_be_compiled_is_an_error(tmp_path: Path) -> None:
    """Rather now than in Lambda."""
    (tmp_path / "Function").mkdir()
    (tmp_path / "Function" / "a.py").write_text("def")
    with pytest.raises(LocalStackError, match="can't be compiled"):
        compile_artifacts(tmp_path)
