"""Trim the AWS services' models to what is called: `python -m local.stack.trim_service_models` says what each came to.

botocore reads all operations of a service, and the regional addresses of all services, at the first client: a third of
a function's cold start. The build takes from botocore's own data what shared/messaging/service_models.py names, and
puts it into the layer. Nothing is written by hand, so a new botocore means a new build and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from local.stack.workspace import PROJECT
from shared.messaging.service_models import COMMON_DOCUMENTS, ENDPOINT_RULES, MODELS_FOLDER, OPERATIONS, SERVICE_MODEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

type Model = dict[str, Any]

PAGES = "paginators-1"
ENDPOINTS = "endpoints"
_RUNTIME = ".venv-runtime/bin/python"


def trim_service_models(build: Path) -> None:
    """Put the trimmed models into the layer of a build folder, from the data of the boto3 that is pinned for Lambda."""
    folder = build / "SharedLayer" / "python" / "shared" / "messaging" / MODELS_FOLDER
    command = [str(PROJECT / _RUNTIME), "-m", "local.stack.trim_service_models", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def trimmed_models() -> dict[str, Model]:
    """Each document by the name of its file, without `.json`."""
    loader = Loader()
    models: dict[str, Model] = {name: loader.load_data(name) for name in COMMON_DOCUMENTS}
    models[ENDPOINTS] = _addresses(models[ENDPOINTS], {_prefix(loader, service) for service in OPERATIONS})
    for service, operations in OPERATIONS.items():
        models[f"{service}.{SERVICE_MODEL}"] = trimmed(loader.load_service_model(service, SERVICE_MODEL), operations)
        models[f"{service}.{ENDPOINT_RULES}"] = loader.load_service_model(service, ENDPOINT_RULES)
        models[f"{service}.{PAGES}"] = _pages(loader, service, operations)
    return models


def trimmed(model: Model, operations: Collection[str]) -> Model:
    """A service's model with these operations, the shapes that they reach, and every error; without documentation.

    Raises KeyError for an operation that the service doesn't have.
    """
    kept = {name: model["operations"][name] for name in operations}
    shapes: Model = model["shapes"]
    waiting = {*_shapes_of(kept), *(name for name, shape in shapes.items() if shape.get("exception"))}
    reached = set[str]()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= set(_shapes_of(shapes[name])) - reached
    return {
        "version": model["version"],
        "metadata": model["metadata"],
        "operations": {name: _undocumented(operation) for name, operation in kept.items()},
        "shapes": {name: _undocumented(shape) for name, shape in shapes.items() if name in reached},
        **({"clientContextParams": model["clientContextParams"]} if "clientContextParams" in model else {}),
    }


def _shapes_of(part: object) -> Iterator[str]:
    """The shapes that a part of a model names, however deep: {"shape": name}."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for inner in part.values():
            yield from _shapes_of(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _shapes_of(inner)


def _undocumented(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without its texts. A member that is called `documentation` is an object, and stays."""
    if isinstance(part, dict):
        return {
            name: _undocumented(inner)
            for name, inner in part.items()
            if not (name.startswith("documentation") and isinstance(inner, str))
        }
    return [_undocumented(inner) for inner in part] if isinstance(part, list) else part


def _addresses(endpoints: Model, prefixes: set[str]) -> Model:
    """The partitions with their regions, and of their services only these."""
    return endpoints | {
        "partitions": [
            partition
            | {"services": {name: service for name, service in partition["services"].items() if name in prefixes}}
            for partition in endpoints["partitions"]
        ]
    }


def _prefix(loader: Loader, service: str) -> str:
    """The service's name in addresses."""
    prefix: str = loader.load_service_model(service, SERVICE_MODEL)["metadata"]["endpointPrefix"]
    return prefix


def _pages(loader: Loader, service: str, operations: Collection[str]) -> Model:
    """How lists of these operations go on; a service may have none."""
    try:
        pages: Model = loader.load_service_model(service, PAGES)["pagination"]
    except UnknownServiceError:
        pages = {}
    return {"pagination": {name: page for name, page in pages.items() if name in operations}}


def main() -> int:
    """Write the documents to a folder, if one is given, and say how large each is."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    for name, model in trimmed_models().items():
        document = json.dumps(model, separators=(",", ":"))
        print(f"{len(document):8} {name}")
        if folder:
            (folder / f"{name}.json").write_text(document, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
