"""What the routes of this function stand on: the log, and the frame that calls them."""

from functools import partial

from aws_lambda_powertools import Logger

from functions.ingest.ports import ports
from shared.http.partner_api import PartnerApi
from shared.http.routes import Route

logger = Logger()
api = PartnerApi(logger, ports=ports)
route = partial(Route, api)
"""Decorates the function that answers a route with all that is true of the route."""
