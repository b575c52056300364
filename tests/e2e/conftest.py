"""One deployed stack for all end-to-end tests, on a free port, stopped at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from local.stack.watch import LocalStack
from tests.worlds.deployed_stack import local_stack, new_key
from tests.worlds.partner_at_work import Partner


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes the stack away behind the other tests of this folder."""
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ours = sorted((items[place] for place in places), key=lambda item: item.get_closest_marker("last") is not None)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is remembered."""
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="session")
def stack(state_folder: Path) -> Iterator[LocalStack]:
    """Deploy the unmodified template to a local AWS of its own."""
    local_stack("start", "--port", "0", "--state-dir", str(state_folder))
    try:
        yield LocalStack.load(state_folder / "stack.json")
    finally:
        local_stack("stop", "--state-dir", str(state_folder))


@pytest.fixture(autouse=True)
def _at_the_local_aws(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def new_partner(stack: LocalStack) -> Iterator[Callable[[], Partner]]:
    """Make partners, each with a key for everything."""
    clients: list[httpx.Client] = []

    def make() -> Partner:
        headers = {"Authorization": f"Bearer {new_key(stack)}"}
        clients.append(httpx.Client(base_url=stack.api_url, headers=headers, timeout=60))
        return Partner(stack, clients[-1])

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def partner(new_partner: Callable[[], Partner]) -> Partner:
    return new_partner()
