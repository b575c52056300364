"""Compile the artifacts of `sam build` to byte code: `python -m local.stack.compile_artifacts`.

SAM ships no .pyc, and one whose source's time stamp changed is ignored; that doubles a function's cold start. The
files written here name their source by hash and are never checked against it, so unpacking can't invalidate them.
"""

from __future__ import annotations

import compileall
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

from local.stack.errors import LocalStackError
from local.stack.workspace import PROJECT

# Where Lambda unpacks a function and a layer: tracebacks show these instead of the folders of the build.
_TASK_ROOT = "/var/task"
_LAYER_ROOT = "/opt"


def compile_artifacts(build: Path) -> int:
    """Compile every artifact under a build folder and return how many .pyc files it holds then."""
    if not build.is_dir():
        raise LocalStackError(f"nothing was built: {build} doesn't exist")
    _require_runtime(build)
    artifacts = [path for path in sorted(build.iterdir()) if path.is_dir()]
    for artifact in artifacts:
        for stale in list(artifact.rglob("__pycache__")):
            shutil.rmtree(stale)
        compiled = compileall.compile_dir(
            artifact,
            quiet=1,
            force=True,
            workers=0,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            stripdir=str(artifact),
            prependdir=_LAYER_ROOT if (artifact / "python").is_dir() else _TASK_ROOT,
        )
        if not compiled:
            raise LocalStackError(f"a module in {artifact} can't be compiled")
    return sum(1 for artifact in artifacts for _ in artifact.rglob("*.pyc"))


def _require_runtime(build: Path) -> None:
    """Refuse to write byte code that the runtime's Python version wouldn't read."""
    pinned = build.parent.parent / ".python-version"
    wanted = pinned.read_text(encoding="utf-8").strip() if pinned.exists() else "3.13"
    running = ".".join(str(part) for part in sys.version_info[: wanted.count(".") + 1])
    if running != wanted:
        raise LocalStackError(f"the artifacts must be compiled by Python {wanted}, this is {running}")


def main() -> int:
    """Compile what `sam build` left in .aws-sam/build."""
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / ".aws-sam" / "build"
    try:
        count = compile_artifacts(build)
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"compiled {count} modules in {build}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
