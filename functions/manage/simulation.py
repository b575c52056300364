"""What proposed dunning settings would change over an organization's open book. It reads, and writes nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import batched

from functions.manage.dunning_settings import proposed_for
from functions.manage.frame import api, logger, route
from functions.manage.ports import ports
from shared.contracts.simulation import HorizonBody, ProposedConfiguration, SimulationAnswer, SimulationBody
from shared.domain.dunning.simulation import simulate
from shared.domain.records.book import AccountBook
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.json_documents import Json
from shared.http.api import Answer, json_answer
from shared.http.partner_api import invalid

SIMULATION_RESERVE_MILLISECONDS = 5_000
"""Before a request's time ends, looking stops and the answer says how far it came."""

READERS = 8


@route(
    "POST",
    "/v1/organizations/{orgId}/dunning/simulation",
    operation="simulateDunningSettings",
    summary="Count the notifications of all open bills before and after a merge patch of the settings; changes nothing",
    tag="Dunning",
    scope=Scope.READ,
    body=SimulationBody,
    merges=True,
    answer=SimulationAnswer,
)
def simulate_settings(organization: Organization, patch: Json) -> Answer:
    """Foresee the notices of the open book with the settings in force, and with the proposed ones."""
    horizon = HorizonBody.model_validate({"horizonDays": patch.pop("horizonDays")} if "horizonDays" in patch else {})
    proposed = _proposed(organization, patch)
    books = OpenBooks(org_id=organization.org_id, time_is_up=_time_is_up)
    found = simulate(books, organization, proposed.dunning, api.now, timedelta(days=horizon.horizon_days))
    logger.info("settings simulated", extra={"org_id": organization.org_id, "accounts": found.accounts})
    return json_answer(
        SimulationAnswer.of(
            found, proposed.dunning, at=api.now, horizon_days=horizon.horizon_days, complete=books.complete
        )
    )


def _proposed(organization: Organization, patch: Json) -> Organization:
    """The organization as proposed, with a configuration that needn't be stored."""
    if "configuration" not in patch:
        return proposed_for(organization, patch)[0]
    if "configurationId" in patch:
        raise invalid("/configurationId", "must be left out where a configuration to try is given")
    wanted = ProposedConfiguration.model_validate({"configuration": patch.pop("configuration")}).configuration
    if wanted is None:
        return proposed_for(organization, patch)[0]
    tried = wanted.domain(api.new_id("dcf_"), organization.partner_id, version=1)
    return proposed_for(organization, patch | {"configurationId": tried.configuration_id}, tried)[0]


def _time_is_up() -> bool:
    left: int = api.routes.lambda_context.get_remaining_time_in_millis()
    return left < SIMULATION_RESERVE_MILLISECONDS


class OpenBooks:
    """The books of the accounts with an open bill, one after the other until time is up. `complete`: these were all."""

    def __init__(self, *, org_id: str, time_is_up: Callable[[], bool]) -> None:
        self._org_id, self._time_is_up = org_id, time_is_up
        self.complete = False

    def __iter__(self) -> Iterator[AccountBook]:
        accounts = ports().lists.open_accounts(self._org_id)
        with ThreadPoolExecutor(READERS) as pool:
            for batch in batched(accounts, READERS, strict=False):
                for book in pool.map(self._load, batch):
                    if self._time_is_up():
                        return
                    if book is not None:
                        yield book
        self.complete = True

    def _load(self, account_id: str) -> AccountBook | None:
        return ports().books.load(self._org_id, account_id)
