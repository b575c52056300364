"""What the routes of this function begin with: the log, and the frames of pages and of webhooks."""

from aws_lambda_powertools import Logger

from functions.payment_link.ports import ports
from functions.payment_link.site import Site
from shared.http.api import Api

logger = Logger()
site = Site(
    logger,
    base_url=lambda: ports().base_url,
    allow_simulated_time=lambda: ports().settings.allow_simulated_time,
)
api = Api(logger, allow_simulated_time=lambda: ports().settings.allow_simulated_time)
