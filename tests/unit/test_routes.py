"""Each route once: the template deploys what the decorators say, and each function gets what its decorator promises."""

import inspect
import json
from dataclasses import replace
from itertools import chain
from typing import Any

from functions.ingest.handler import lambda_handler as ingest
from functions.manage.handler import lambda_handler as manage
from functions.payment_link.handler import lambda_handler as payment_link
from functions.payment_link.site import PageRequest
from local.openapi.routes import all_routes, declared
from shared.domain.records.partner import Scope
from shared.domain.records.policy import Organization
from shared.domain.vocabulary.json_documents import Json
from shared.http.routes import Route
from tests.worlds import template
from tests.worlds.bounds import some
from tests.worlds.manage_api import CONTEXT, OWN, event

HANDLERS = {"Ingest": ingest, "Manage": manage, "PaymentLink": payment_link}
PAGES = "Patient pages"
GREEDY = "{proxy+}"


def events(function: str) -> dict[tuple[str, str], bool]:
    """Method and path of each event of the REST API that a function gets, and whether a key is needed."""
    found = template.source()["Resources"][function]["Properties"].get("Events", {}).values()
    given = [event["Properties"] for event in found if event["Type"] == "Api"]
    routes = {(each["Method"].upper(), each["Path"]): each.get("Auth") != {"Authorizer": "NONE"} for each in given}
    assert len(routes) == len(given)
    return routes


def routes(function: str) -> list[Route]:
    return [route for route, _ in declared()[function]]


def functions() -> list[str]:
    found = template.source()["Resources"]
    return [name for name, resource in found.items() if resource["Type"] == "AWS::Serverless::Function"]


# --- the template ----------------------------------------------------------------------------------------------------


def test_only_functions_with_decorated_routes_get_events_of_the_gateway() -> None:
    assert {function for function in functions() if events(function)} == set(declared())


def test_the_gateway_sends_a_function_what_its_decorators_say() -> None:
    """A greedy event, of a function that answers 404 for what it doesn't know, stands for all that has none."""
    for function in declared():
        deployed = {route for route in events(function) if route[0] != "HEAD"}
        greedy = {(method, path.removesuffix(GREEDY)) for method, path in deployed if path.endswith(GREEDY)}
        said = {(route.method, route.path) for route in routes(function)}
        assert {route for route in deployed if not route[1].endswith(GREEDY)} <= said
        unnamed = said - deployed
        assert all(any(method == other and path.startswith(root) for other, root in greedy) for method, path in unnamed)
        others = {path for other in declared() if other != function for _, path in events(other)}
        assert {path for _, path in unnamed} & others == set(), "another function has this path, whatever the method"


def test_what_has_a_scope_needs_a_key_and_nothing_else_does() -> None:
    for function in declared():
        needs_key = {route.path: route.scope is not None for route in routes(function)}
        assert all(path.startswith("/v1/") == needed for path, needed in some(needs_key.items()))
        for (_, path), needed in events(function).items():
            assert needed == needs_key.get(path, path.startswith("/v1/")), path


def test_head_reaches_a_function_wherever_its_get_does_and_nowhere_else() -> None:
    """A greedy HEAD is taken where no function has one for just this path."""
    own = {function: {path for method, path in events(function) if method == "HEAD"} for function in declared()}
    exact = {path for paths in own.values() for path in paths if not path.endswith(GREEDY)}
    for function in declared():
        greedy = [path.removesuffix(GREEDY) for path in own[function] if path.endswith(GREEDY)]
        got = {route.path for route in routes(function) if route.method == "GET"}
        reached = own[function] | {path for path in got - exact if path.startswith(tuple(greedy))}
        assert got - reached == set()
        assert own[function] & exact <= got


# --- the functions ---------------------------------------------------------------------------------------------------


def test_a_function_takes_what_its_route_gives_it() -> None:
    for route, function in chain.from_iterable(declared().values()):
        expected: list[Any] = [PageRequest] if route.tag == PAGES else []
        expected += [str] * route.path.count("{")
        if route.scope and "{orgId}" in route.path:
            expected[0] = Organization
        if route.body and not route.reads_body:
            expected.append(Json if route.merge_patch else route.body)
        taken = [parameter.annotation for parameter in inspect.signature(function).parameters.values()]
        assert taken == expected, route
        assert route.path.find("{orgId}") in {-1, route.path.find("{")}


def test_a_route_that_changes_something_for_a_partner_is_no_read() -> None:
    """Only the simulation is: it changes nothing."""
    reads = {route.operation for route in all_routes() if route.scope is Scope.READ and route.method != "GET"}
    assert reads == {"simulateDunningSettings"}


# --- the query -------------------------------------------------------------------------------------------------------


TOLD = [(function, route) for function in declared() for route in routes(function) if route.tag != PAGES]


def asked(function: str, route: Route, *given: tuple[str, str], scopes: str = OWN.scopes) -> tuple[int, Any]:
    """The answer to a request, which nothing is stored for."""
    path = route.path.replace("{", "").replace("}", "")
    request = event(route.method, path, dict(given), None, replace(OWN, scopes=scopes), {})
    every = {name: [value for other, value in given if other == name] for name, _ in given}
    answer = HANDLERS[function](request | {"multiValueQueryStringParameters": every or None}, CONTEXT)
    return int(answer["statusCode"]), json.loads(answer["body"])


def test_a_query_parameter_that_a_route_does_not_have_is_a_400_that_names_it() -> None:
    for function, route in TOLD:
        known = [(name, "x") for name in route.parameters]
        for name in ("nope", "accountid", "Limit", "limit[]", "status ", "x" * 3_000, ""):
            status, problem = asked(function, route, (name, "1"))
            assert (status, problem["title"]) == (400, "Bad Request"), route
            assert f"no query parameter {name[:60]}" in problem["detail"]
            assert len(problem["detail"]) < 400
            assert all(other in problem["detail"] for other in route.parameters)
            assert asked(function, route, *known, (name, "1"))[0] == 400


def test_a_query_parameter_given_twice_is_a_400_because_one_of_them_would_not_count() -> None:
    lists = [(function, route) for function, route in TOLD if route.paged]
    assert len(lists) > 10
    for function, route in lists:
        for name in route.parameters:
            status, problem = asked(function, route, (name, "1"), (name, "2"))
            assert (status, f"parameter {name} " in problem["detail"]) == (400, True), route


def test_a_word_that_a_query_parameter_does_not_know_is_a_400_that_tells_those_that_it_does() -> None:
    words = [(*each, query) for each in TOLD for query in each[1].query if query.words]
    assert len(words) > 4
    for function, route, query in words:
        for wrong in (query.words[0].swapcase(), f"{query.words[0]} ", ""):
            status, problem = asked(function, route, (query.name, wrong))
            assert status == 400, (route, wrong)
            assert ", ".join(query.words) in problem["detail"]


def test_who_may_not_ask_is_told_so_before_what_is_wrong_with_the_question() -> None:
    for function, route in TOLD:
        if route.scope:
            others = " ".join(scope for scope in OWN.scopes.split() if scope != route.scope)
            assert asked(function, route, ("nope", "1"), scopes=others)[0] == 403
