"""Compile what dataclasses would compile at each cold start; shared/compiled_dataclasses.py tells why, and uses it.

Every module of `shared` and `functions` is imported from the sources, by this Python, which is the runtime's version.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib
import marshal
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.compiled_dataclasses import FILE, Texts, as_file

_IN_ORDER = ("shared", "functions")


def compile_dataclasses(project: Path, build: Path) -> None:
    """Write the byte code of a project's dataclasses into the layer of its build folder.

    In a process of its own: a class that is defined already wouldn't be defined again.
    """
    target = build / "SharedLayer" / "python" / "shared" / FILE
    subprocess.run([sys.executable, "-m", "local.stack.compile_dataclasses", str(target)], cwd=project, check=True)


def collected(project: Path) -> Texts:
    """Each text that dataclasses compile while all modules of a project are imported, with its byte code."""
    texts: Texts = {}

    def noted(text: str, names: dict[str, Any], made: dict[str, Any]) -> None:
        code = compile(text, "<dataclass>", "exec")
        texts[text] = marshal.dumps(code)
        builtins.exec(code, names, made)  # noqa: S102 - what dataclasses do

    vars(dataclasses)["exec"] = noted
    for folder in _IN_ORDER:
        for path in sorted((project / folder).rglob("*.py")):
            parts = path.relative_to(project).with_suffix("").parts
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
    return texts


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(as_file(collected(Path.cwd())))
