"""S4 and its table: every route has an entry, and each guard that is missing is found out."""

from collections.abc import Iterator

import pytest

from bridge.selftest import credentials
from bridge.selftest.beside.towns import Towns
from bridge.selftest.report import Report
from bridge.selftest.route_access import REFUND
from bridge.selftest.run_context import RunContext
from bridge.selftest.system_under_test import INTENTS, PAYMENTS
from tests.selftest import guardless

SHOW = ("GET", f"{INTENTS}/{{payment_intent_id}}")
GUARDS = {
    "forgets_permissions": "a write key",
    "forgets_revocations": "a revoked key",
    "forgets_expiry": "a past key",
    "forgets_networks": "a wrong network's key",
    "lets_everybody_refund": "a no-refunds key",
    "mixes_stores": "is told from what is missing",
    "believes_every_address": "a stranger's https",
    "tells_of_payments": "whoever may not hears of",
    "opens_a_known_route": "nobody",
}


@pytest.fixture(scope="module")
def towns() -> Iterator[Towns]:
    with RunContext(size="slice") as context, context.listening(Report("", "", 1)):
        yield Towns(context, "sqlite")


def violations(towns: Towns, subject: str, *routes: tuple[str, str]) -> str:
    report = Report("S4", "", 1)
    with (
        RunContext(size="slice", subject=subject) as context,
        towns.open("1") as town,
        credentials.playing(context, town, "manual", "documented", "1") as scene,
    ):
        credentials.play(scene, routes, report, "1", 300, 1)
    return "\n".join(report.violations)


def test_the_battery_names_a_route_without_an_entry(towns: Towns) -> None:
    route = ("GET", f"{PAYMENTS}/deposits/{{deposit_id}}")
    found = violations(towns, f"{guardless.__name__}:has_a_new_route", route)
    assert "deposits/{deposit_id} has no entry in the table of who may do what" in found


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_missing_is_found_out(towns: Towns, name: str) -> None:
    route = ("POST", REFUND) if name == "lets_everybody_refund" else SHOW
    found = violations(towns, f"{guardless.__name__}:{name}", route)
    assert GUARDS[name] in found
    assert "the run broke" not in found


def test_a_bridge_with_all_its_guards_is_not(towns: Towns) -> None:
    assert violations(towns, "bridge.selftest.system_under_test:open_bridge", SHOW, ("POST", REFUND)) == ""
