"""What the functions share; shipped as one Lambda layer."""

from pathlib import Path

from shared import compiled_dataclasses

compiled_dataclasses.install(Path(__file__).with_name(compiled_dataclasses.FILE))
