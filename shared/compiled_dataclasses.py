"""Dataclasses made of byte code that the build compiled, instead of compiling each class's methods at every cold start.

`dataclasses` writes the methods of a class as text and compiles it when the class is defined: with some hundred classes
that was a quarter of a function's start. The build notes every text with its byte code
(local/stack/compile_dataclasses.py); what is compiled here is found there, and a text that isn't there is compiled as
ever. Where there are none, in tests and on a developer's machine, nothing changes.
"""

import dataclasses
import marshal
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType

FILE = "compiled_dataclasses.bin"

type Texts = dict[str, bytes]
"""From each class's text to its byte code, marshalled by itself: a function defines few of all classes."""


def install(file: Path) -> None:
    """Have dataclasses look here first; nothing, where there is no file or one of another Python."""
    try:
        written = file.read_bytes()
    except FileNotFoundError:
        return
    if not written.startswith(MAGIC_NUMBER):
        return
    compiled: Texts = marshal.loads(written[len(MAGIC_NUMBER) :])  # noqa: S302 - our own artifact, beside this code

    def execute(text: str, names: dict[str, Any], made: dict[str, Any]) -> None:
        code = compiled.get(text)
        known: CodeType | str = marshal.loads(code) if code else text  # noqa: S302 - as above
        exec(known, names, made)  # noqa: S102 - what dataclasses does

    # The module's own name before the builtin's: dataclasses calls exec(text, names, made), once a class.
    vars(dataclasses)["exec"] = execute


def as_file(texts: Texts) -> bytes:
    """What `install` reads."""
    return MAGIC_NUMBER + marshal.dumps(texts)
