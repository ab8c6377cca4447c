"""The triggers of a Forte project, managed by people; and what `stores check` says of them and of the rest."""

import pytest

from bridge.adapters import Finding, ProviderConfused, ProviderRefused, ProviderUnreachable, Refused
from bridge.adapters.forte_platform.webhook_registration import Trigger
from bridge.simulators.faults import Fault
from tests.adapters.forte_platform_provider import forte
from tests.adapters.orders import CUSTOMER

BOTH = ("PAYMENT_COMPLETED", "PAYMENT_REFUNDED")
PATH = "/bridge/v1/webhooks/shop"


@pytest.fixture
def world():
    with forte() as world:
        yield world


@pytest.fixture
def service(world):
    return world.simulator.add_service(world.project)


def test_a_trigger_is_made_listed_and_removed(world, service):
    triggers = world.adapter().triggers
    assert triggers.list() == ()
    made = triggers.create("Bridge", service, PATH)
    assert made == Trigger(made.id, "Bridge", service, PATH, BOTH, True)
    other = triggers.create("Other", service, "/x", ["PAYMENT_REFUNDED", "PAYMENT_REFUNDED"], enabled=False)
    assert (other.events, other.enabled) == (("PAYMENT_REFUNDED",), False)
    assert triggers.list() == (made, other)
    triggers.delete(made.id)
    assert triggers.list() == (other,)


def test_99_a_change_sends_the_whole_trigger(world, service):
    triggers = world.adapter().triggers
    made = triggers.create("Bridge", service, PATH, ["PAYMENT_COMPLETED"], enabled=False)
    changed = triggers.update(made.id, events=BOTH)
    assert changed == Trigger(made.id, "Bridge", service, PATH, BOTH, False)
    [sent] = world.door.calls("PUT", made.id)
    assert sent.body == {
        "displayName": "Bridge",
        "targetServiceId": service,
        "targetPath": PATH,
        "events": list(BOTH),
        "enabled": False,
    }
    other = world.simulator.add_service(world.project)
    again = triggers.update(made.id, name="B", service=other, path="/y", enabled=True)
    assert again == Trigger(made.id, "B", other, "/y", BOTH, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"path": "hook"}, "targetPath: It has to start with /."),
        ({"path": ""}, "targetPath: It has to start with /."),
        ({"path": "/" + "x" * 500}, "targetPath: Longer than maximum length 500."),
        ({"name": ""}, "displayName: Length must be between 1 and 120."),
        ({"name": "n" * 121}, "displayName: Length must be between 1 and 120."),
        ({"service": ""}, "targetServiceId: Shorter than minimum length 1."),
        ({"events": []}, "events: Length must be between 1 and 3."),
        (
            {"events": ["payment_completed"]},
            "events.0: Must be one of: PAYMENT_COMPLETED, PAYMENT_REFUNDED, PAYMENT_FAILED.",
        ),
    ],
)
def test_99_what_forte_would_not_take_is_refused_before_it_is_sent(world, service, changes, problem):
    with pytest.raises(Refused) as caught:
        world.adapter().triggers.create(**{"name": "Bridge", "service": service, "path": PATH} | changes)
    assert str(caught.value) == f"Forte does not accept this trigger: {problem}"
    assert world.door.sent == []


def test_99_the_service_has_to_be_of_the_same_project(world):
    foreign = world.simulator.add_service(world.simulator.add_project())
    with pytest.raises(ProviderRefused) as caught:
        world.adapter().triggers.create("Bridge", foreign, PATH)
    assert caught.value.code == "PAYMENT_TRIGGER_TARGET_SERVICE_NOT_FOUND"


def test_a_trigger_that_is_not_there_is_neither_changed_nor_removed(world):
    triggers = world.adapter().triggers
    with pytest.raises(ProviderRefused) as caught:
        triggers.update("pmt_trigger_none", enabled=True)
    assert caught.value.reason == "trigger_missing"
    with pytest.raises(ProviderRefused) as caught:
        triggers.delete("pmt_trigger_none")
    assert caught.value.code == "PAYMENT_TRIGGER_NOT_FOUND"
    asked = len(world.door.sent)
    for name in ("", "..", "a/b", "a?b"):
        with pytest.raises(ProviderRefused):
            triggers.delete(name)
    assert len(world.door.sent) == asked


def test_answers_about_triggers_that_make_no_sense_are_told(world, service):
    triggers = world.adapter().triggers
    world.faults.next(Fault.WRONG_JSON, match="GET ")
    with pytest.raises(ProviderConfused):
        triggers.list()
    world.faults.next(Fault.WRONG_JSON, match="POST ")
    with pytest.raises(ProviderConfused):
        triggers.create("Bridge", service, PATH)
    world.faults.next(Fault.ERROR_503, match="GET ")
    with pytest.raises(ProviderUnreachable):
        triggers.list()


def check(world, **settings):
    return world.adapter(**settings).check()


def test_a_project_that_is_all_right_is_told_so(world, service):
    adapter = world.adapter(trigger_path=PATH)
    made = adapter.triggers.create("Bridge", service, PATH)
    assert adapter.check() == [
        Finding(True, f"User {world.user} can be charged in USD."),
        Finding(True, f"Trigger {made.id} is enabled, with PAYMENT_COMPLETED and PAYMENT_REFUNDED."),
    ]
    assert world.simulator.payments == ()


def test_96_a_trigger_that_is_missing_incomplete_or_disabled_is_told_and_not_mended(world, service):
    assert check(world, trigger_path=PATH)[-1] == Finding(
        False, f"The project does not have a trigger with targetPath {PATH}."
    )
    triggers = world.adapter().triggers
    made = triggers.create("Bridge", service, PATH, ["PAYMENT_COMPLETED"])
    why = "Forte never reports what happens in the meantime."
    assert check(world, trigger_path=PATH)[-1] == Finding(False, f"Trigger {made.id} lacks PAYMENT_REFUNDED: {why}")
    triggers.update(made.id, events=BOTH, enabled=False)
    assert check(world, trigger_path=PATH)[-1] == Finding(False, f"Trigger {made.id} is disabled: {why}")
    triggers.create("Second", service, PATH)
    assert check(world, trigger_path=PATH)[-1].ok


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("NO_AUTHORIZATION_CREDENTIAL", "API key"),
        ("PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER", "Payments are not set up"),
        ("PAYMENTS_REQUIRE_APPROVED_COMPLIANCE", "has not approved the compliance registration"),
        ("USER_SUSPENDED", "suspended or deleted"),
    ],
)
def test_81_what_is_missing_is_found_by_the_check(world, code, told):
    world.simulator.refuse_next(code)
    [finding] = check(world)
    assert (finding.ok, told in finding.text) == (False, True)


def test_a_check_quotes_in_a_currency_that_is_accepted(world):
    assert check(world, currencies="GBP,EUR")[0].text.endswith("in EUR.")
    assert check(world, currencies="GBP,AUD")[0].text.endswith("in AUD.")


def test_a_check_without_a_user_asks_whether_users_can_be_found(world):
    [finding] = check(world, users="", user_lookup="email")
    assert (finding.ok, "no user to quote for" in finding.text) == (True, True)
    world.simulator.refuse_next("INSUFFICIENT_PERMISSIONS", match="/users")
    [finding] = check(world, users="", user_lookup="email")
    assert not finding.ok


def test_a_check_of_a_server_that_is_away_never_raises(world):
    assert check(world, host="http://127.0.0.1:9") == [Finding(False, "Forte could not be reached.")]
    assert check(world, users=f"{CUSTOMER}=usr_nobody")[0].ok is False
