"""`sam build`, trimmed and compiled, skipped when nothing that goes into it has changed: `python -m local.stack.build`.

For this machine, or with `--architecture arm64` for the processor to deploy to.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.stack.compile_artifacts import compile_artifacts
from local.stack.compile_dataclasses import compile_dataclasses
from local.stack.errors import LocalStackError
from local.stack.trim_artifacts import trim
from local.stack.trim_service_models import trim_service_models
from local.stack.workspace import PROJECT, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = ("template.yaml", "shared", "functions", ".python-version")
_TOOLS = (
    "requirements/sam.txt",
    "requirements/runtime.txt",
    "local/stack/build.py",
    "local/stack/compile_artifacts.py",
    "local/stack/compile_dataclasses.py",
    "local/stack/trim_artifacts.py",
    "local/stack/trim_service_models.py",
)
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def host_architecture() -> str:
    """Return this machine's architecture by Lambda's name for it."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def artifacts(project: Path) -> Path:
    """Return the folder that `sam build` writes to."""
    return project / ".aws-sam" / "build"


def build(project: Path, log: Path, architecture: str | None = None) -> bool:
    """Build for an architecture, this machine's by itself; return False when what is there is up to date.

    Two stacks may be started at once, so a lock lets one of them build. What SAM says goes to `log`.
    """
    output = project / ".aws-sam"
    output.mkdir(exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with (output / "local-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        architecture = architecture or host_architecture()
        wanted = fingerprint(project, architecture)
        seal = output / "local-build.json"
        known = read_json(seal)
        if known is not None and known == {"sources": wanted, "artifacts": _artifacts_digest(project)}:
            return False
        seal.unlink(missing_ok=True)
        _sam_build(project, log, architecture)
        trim(artifacts(project))
        trim_service_models(artifacts(project))
        compile_dataclasses(project, artifacts(project))
        compile_artifacts(artifacts(project))
        write_json(seal, {"sources": wanted, "artifacts": _artifacts_digest(project)})
        return True


def fingerprint(project: Path, architecture: str) -> str:
    """Return a digest of all that the build depends on."""
    digest = hashlib.sha256(architecture.encode())
    for path in _source_files(project):
        digest.update(f"\0{path.relative_to(project)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _source_files(project: Path) -> Iterator[Path]:
    for name in (*_SOURCES, *_TOOLS):
        path = project / name
        if path.is_dir():
            yield from sorted(
                file for file in path.rglob("*") if file.is_file() and not _LEFT_OUT.intersection(file.parts)
            )
        elif path.is_file():
            yield path


def _artifacts_digest(project: Path) -> str:
    """Tell builds apart, one by hand for another architecture say, without reading what they made."""
    digest = hashlib.sha256()
    template = artifacts(project) / "template.yaml"
    if template.exists():
        digest.update(template.read_bytes())
        digest.update(str(template.stat().st_mtime_ns).encode())
    return digest.hexdigest()


def _sam_build(project: Path, log: Path, architecture: str) -> None:
    sam = project / ".venv-sam" / "bin" / "sam"
    if not sam.exists():
        sam = PROJECT / ".venv-sam" / "bin" / "sam"
    if not sam.exists():
        raise LocalStackError("the SAM CLI isn't installed: run `make setup`")
    environment = {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        # SAM looks for the runtime's interpreter, with pip, on the path; a virtual environment made by uv has no pip.
        "PATH": os.pathsep.join([str(Path(sys.base_prefix) / "bin"), os.environ.get("PATH", os.defpath)]),
    }
    environment.pop("VIRTUAL_ENV", None)
    # The template's loops: SAM unrolls them only where it is asked to, here or in samconfig.toml.
    command = [str(sam), "build", "--cached", "--parallel", "--language-extensions"]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    with log.open("w") as file:
        done = subprocess.run(command, cwd=project, env=environment, stdout=file, stderr=file, check=False)
    if done.returncode:
        raise LocalStackError("`sam build` failed", log)


def main() -> int:
    """Build, trim and compile the artifacts."""
    parser = argparse.ArgumentParser(prog="python -m local.stack.build", description=__doc__)
    parser.add_argument("--architecture", choices=("arm64", "x86_64"), default=host_architecture())
    architecture = parser.parse_args().architecture
    log = PROJECT / ".aws-sam" / "local-build.log"
    try:
        built = build(PROJECT, log, architecture)
    except LocalStackError as error:
        tail = log.read_text(encoding="utf-8", errors="replace")[-3000:] if error.log else ""
        print(f"{tail}error: {error}", file=sys.stderr)
        return 1
    print(f"{'built' if built else 'up to date'}: {artifacts(PROJECT)} ({architecture})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
