"""What operators are warned of, counted in CloudWatch: alarms are in template.yaml, answers in docs/runbook.md.

All functions of a stack count into its own namespace under one dimension, so that one alarm watches them together.
"""

import os
from datetime import timedelta

NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
SERVICE = "delivery"
BUSINESS = "business"


def count(name: str, *, channel: str = "", org_id: str = "") -> None:
    """Count one occurrence of `name`. Channel and organization, if any, are logged with it; they are no dimensions.

    It is a log line in CloudWatch's embedded metric format, so it costs no call and can't fail a sending.
    """
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415 - rare: no cold start pays for it

    namespace = os.environ.get(NAMESPACE) or "Dunlin"
    with single_metric(name=name, unit=MetricUnit.Count, value=1, namespace=namespace) as metric:
        metric.service = ""  # the function's own would be a dimension too
        metric.add_dimension(name="service", value=SERVICE)
        if channel:
            metric.add_metadata("channel", str(channel))
        if org_id:
            metric.add_metadata("org_id", org_id)


def measure(name: str, length: timedelta) -> None:
    """Measure how long something took or waited, in seconds, as `count` counts."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415 - as above

    namespace, seconds = os.environ.get(NAMESPACE) or "Dunlin", length.total_seconds()
    with single_metric(name=name, unit=MetricUnit.Seconds, value=seconds, namespace=namespace) as metric:
        metric.service = ""
        metric.add_dimension(name="service", value=SERVICE)


def tally(name: str, number: int = 1, **by: str) -> None:
    """Count what the business did, by closed words such as a channel and a status, for the dashboard; nothing rings.

    Each combination of words is a metric of its own, which costs: so no ids, and nothing that grows with the customers.
    """
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415 - as above

    namespace = os.environ.get(NAMESPACE) or "Dunlin"
    with single_metric(name=name, unit=MetricUnit.Count, value=number, namespace=namespace) as metric:
        metric.service = ""
        metric.add_dimension(name="service", value=BUSINESS)
        for word, value in by.items():
            metric.add_dimension(name=word, value=str(value))
