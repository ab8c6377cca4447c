"""`/bridge/v1/metrics` for Prometheus: there only with a token of the owner's, who is asked for it, and with it the
`metrics` extra. Numbers come from the database, so every process tells the same."""

import hmac
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from bridge.http.auth import refuse_guess
from bridge.http.rate_limit import Limits
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.errors import forbidden, no_route
from bridge.operations.metrics import Metrics, collect_metrics
from bridge.refusals import CREDENTIALS, MESSAGE
from bridge.services import Services

PREFIX = "wcpay_bridge_"


def add_routes(blueprint: Blueprint, services: Services, settings: HttpSettings, limits: Limits) -> None:
    refusals = ("rest_forbidden", "rest_no_route", "wcpay_rate_limited")

    @blueprint.route("/bridge/v1/metrics", methods=["GET"], public=True, refusals=refusals, tags=["Health"])
    @blueprint.doc(summary="Numbers for Prometheus", security=[])
    @blueprint.alt_response(401, description="The token is not the owner's.")
    @blueprint.alt_response(404, description="The owner has set no token.")
    @blueprint.response(200, description="Prometheus' text format.")
    def metrics() -> Response:
        """How many payments, messages and updates are under way, and for how long. Needs `Authorization: Bearer` and
        the owner's BRIDGE_METRICS_TOKEN."""
        if not settings.metrics_token:
            raise no_route()
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {settings.metrics_token}".encode()):
            refuse_guess(services, settings, limits, request, "wrong_token", kind="metrics")
            raise forbidden()
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        registry = CollectorRegistry()
        registry.register(_Collector(collect_metrics(services)))
        headers = {"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST}
        return Response(generate_latest(registry), 200, headers)


class _Collector:
    """The measures in Prometheus' words."""

    def __init__(self, measures: Metrics) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        found = self._measures
        for name, told, counts in (
            ("intents_open", "Open payments", found.open_intents),
            ("intents_recent", "Payments that were started within a day", found.recent_intents),
        ):
            family = GaugeMetricFamily(PREFIX + name, told, labels=["status"])
            for status, count in sorted(counts.items()):
                family.add_metric([status], count)
            yield family
        for kind, name, told in (
            (CREDENTIALS, "credentials_refused", "Credentials that were refused"),
            (MESSAGE, "messages_refused", "Messages that were refused"),
        ):
            counter = CounterMetricFamily(PREFIX + name, told, labels=["reason"])
            for each in found.refused:
                if each.kind == kind:
                    counter.add_metric([each.reason], each.count)
            yield counter
        for name, told, value in _numbers(found):
            if value is not None:
                yield GaugeMetricFamily(PREFIX + name, told, value=value)


def _numbers(found: Metrics) -> Iterator[tuple[str, str, float | None]]:
    yield "unknown_outcomes", "Requests to providers whose outcome nobody knows", found.unknown.waiting
    yield "unknown_oldest_seconds", "Age of the oldest unknown outcome", found.age(found.unknown.oldest) or 0.0
    yield "flagged_intents", "Payments that need an operator", found.flagged
    yield "stores_unable", "Stores whose account at the provider cannot take payments", found.unable_stores
    yield (
        "keys_refused_by_stores",
        "Keys that stores refuse or have restricted",
        found.keys_refused_by_stores,
    )
    yield "stores_misdirected", "Stores whose provider sends its messages elsewhere", found.misdirected_stores
    for queue, told, counted in (
        ("inbox", "Messages from providers", found.inbox),
        ("outbox", "Updates for stores", found.outbox),
    ):
        yield f"{queue}_waiting", f"{told} that wait", counted.waiting
        yield f"{queue}_oldest_seconds", f"{told}: age of the oldest that waits", found.age(counted.oldest) or 0.0
        yield f"{queue}_dead", f"{told} that are dead letters", counted.dead
    yield "worker_heartbeat_age_seconds", "Seconds since a worker was last alive", found.age(found.heartbeat)
    yield "sweep_lateness_seconds", "How late the sweep of open payments' orders is", found.age(found.sweep_due) or 0.0
    yield "jobs_failing", "Periodic jobs whose last run failed", found.failing_jobs
