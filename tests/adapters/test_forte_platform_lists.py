"""Finding payments again at Forte Platforms: by attempt, by id, by what has changed; through lists of many pages."""

import pytest

from bridge.adapters import ProviderConfused, ProviderRefused, ProviderUnreachable, Status
from bridge.simulators.faults import Fault
from tests.adapters.forte_platform_provider import forte, payment
from tests.adapters.orders import CUSTOMER

DAY = 24 * 3600.0


@pytest.fixture
def world():
    with forte() as world:
        yield world


def several(world, adapter, count):
    return [world.create(adapter, attempt_id=f"{number:032x}") for number in range(count)]


def references(outcomes):
    return sorted(outcome.reference for outcome in outcomes)


def test_71_a_payment_is_found_by_its_attempt_among_many(world):
    adapter = world.adapter()
    made = several(world, adapter, 12)
    for number in (0, 7, 11):
        request = adapter.prepare(payment(attempt_id=f"{number:032x}"))
        found = adapter.find(request, "any:create", world.clock.now - 60)
        assert (found.reference, found.attempt_id) == (made[number].reference, f"{number:032x}")
    assert adapter.find(adapter.prepare(payment(attempt_id="f" * 32)), "any:create", 0.0) is None


def test_71_a_look_up_whose_filter_is_ignored_believes_the_metadata_only(world):
    adapter = world.adapter()
    made = several(world, adapter, 3)
    items = [world.simulator.payment(outcome.reference) for outcome in made]
    world.replace_next("GET ", {"items": items, "hasNextPage": False})
    assert adapter.find(adapter.prepare(payment(attempt_id=f"{1:032x}")), "k", 0.0).reference == made[1].reference
    world.replace_next("GET ", {"items": items, "hasNextPage": False})
    assert adapter.find(adapter.prepare(payment(attempt_id="f" * 32)), "k", 0.0) is None


def test_71_of_two_payments_of_an_attempt_the_one_with_money_counts(world):
    adapter = world.adapter()
    made = several(world, adapter, 2)
    world.pay(made[1])
    items = [world.simulator.payment(outcome.reference) for outcome in made]
    for item in items:
        item["metadata"] = items[0]["metadata"]
    world.replace_next("GET ", {"items": items, "hasNextPage": False})
    found = adapter.find(adapter.prepare(payment(attempt_id=f"{0:032x}")), "k", 0.0)
    assert (found.reference, found.status) == (made[1].reference, Status.SUCCEEDED)


def test_71_a_payment_is_found_although_its_user_has_another_address_now(world):
    adapter = world.adapter(users="", user_lookup="email")
    made = world.create(adapter, customer="cus_any")
    world.simulator.set_user_state(world.user, "SUSPENDED")
    assert adapter.find(adapter.prepare(payment(customer="cus_any")), "k", 0.0).reference == made.reference


@pytest.mark.parametrize("fetch_one", [True, False])
def test_90_a_payment_is_got_by_its_id_or_out_of_the_lists(fetch_one):
    with forte(fetch_one=fetch_one) as world:
        adapter = world.adapter()
        made = several(world, adapter, 12)
        world.pay(made[0])
        assert adapter.fetch(made[0].reference).status is Status.SUCCEEDED
        with pytest.raises(ProviderRefused) as caught:
            adapter.fetch("pay_nobody")
        assert caught.value.reason == "payment_missing"
        with pytest.raises(ProviderRefused):
            adapter.fetch("../users")


@pytest.mark.parametrize("paths", [{"payment_path": "none"}, {"payment_path": "none", "payments_path": "none"}])
def test_90_an_api_of_the_guides_time_is_enough(world, paths):
    for name in ("bea", "zoe"):
        world.simulator.add_user(world.project, f"{name}@example.com")
    adapter = world.adapter(**paths)
    [made] = several(world, adapter, 1)
    asked = len(world.door.sent)
    assert adapter.fetch(made.reference).reference == made.reference
    paths_asked = {sent.path.removeprefix(f"/api/v1/projects/{world.project}") for sent in world.door.sent[asked:]}
    assert paths_asked.isdisjoint({f"/payments/{made.reference}"})
    assert ("/payments" in paths_asked) is ("payments_path" not in paths)
    assert references(adapter.listed(0.0)) == [made.reference]


def test_90_users_that_cannot_be_read_hide_nothing(world):
    adapter = world.adapter(payment_path="none", payments_path="none")
    world.replace_next("GET ", {"items": [{"userId": 7}], "hasNextPage": False})
    with pytest.raises(ProviderConfused):
        adapter.fetch("pay_1")


def test_90_once_payments_can_be_got_by_id_one_that_is_not_there_is_not_looked_for(world):
    adapter = world.adapter()
    made = several(world, adapter, 1)[0]
    adapter.fetch(made.reference)
    asked = len(world.door.sent)
    with pytest.raises(ProviderRefused):
        adapter.fetch("pay_nobody")
    assert len(world.door.sent) == asked + 1


def test_91_a_payment_of_another_project_or_id_is_no_answer(world):
    adapter = world.adapter()
    made = several(world, adapter, 1)[0]
    for changes in ({"projectId": "prj_other"}, {"id": "pay_other"}):
        world.answer_next("GET ", **changes)
        with pytest.raises(ProviderConfused):
            adapter.fetch(made.reference)


def test_95_all_pages_are_listed_and_what_is_not_ours_is_left_out(world):
    adapter = world.adapter()
    made = several(world, adapter, 12)
    other = world.foreign_payment()
    world.pay(made[3])
    listed = list(adapter.listed(world.clock.now - 60))
    assert references(listed) == references(made)
    assert other not in references(listed)
    assert {outcome.attempt_id for outcome in listed} == {f"{number:032x}" for number in range(12)}
    assert [outcome.reference for outcome in listed if outcome.status is Status.SUCCEEDED] == [made[3].reference]


def test_95_a_payment_that_was_made_before_and_paid_since_is_listed(world):
    adapter = world.adapter()
    made = several(world, adapter, 2)
    world.clock.advance(20 * 3600)
    since = world.clock.now
    world.clock.advance(3600)
    world.pay(made[0])
    assert references(adapter.listed(since)) == [made[0].reference]


def test_95_97_a_refund_of_an_old_payment_is_listed_also_if_its_completion_was_missed(world):
    adapter = world.adapter()
    made = several(world, adapter, 3)
    for outcome in made:
        world.pay(outcome)
    world.clock.advance(200 * DAY)
    since = world.clock.now
    world.clock.advance(3600)
    world.simulator.refund_on_stripe(made[0].reference)
    world.simulator.refund_on_stripe(made[1].reference, 23)
    listed = {outcome.reference: outcome for outcome in adapter.listed(since)}
    assert listed.keys() == {made[0].reference, made[1].reference}
    assert [refund.amount for refund in listed[made[0].reference].refunds] == [1023]
    assert listed[made[1].reference].charge.amount_refunded == 23
    world.clock.advance(DAY)
    assert list(adapter.listed(world.clock.now)) == []


def test_95_an_api_without_partial_refunds_is_listed_all_the_same(world):
    adapter = world.adapter()
    made = several(world, adapter, 1)
    world.simulator.spoil_next(lambda body, status: (body, status), match="GET ")
    world.replace_next("GET ", {"errorCode": "REQUEST_VALIDATION_FAILED", "message": "state"}, 400)
    asked = len(world.door.sent)
    assert references(adapter.listed(0.0)) == references(made)
    assert [sent.query.get("state") for sent in world.door.sent[asked:]] == [None, "PARTIALLY_REFUNDED", "REFUNDED"]
    world.replace_next("GET ", {"errorCode": "REQUEST_VALIDATION_FAILED", "message": "time"}, 400)
    with pytest.raises(ProviderRefused):
        list(adapter.listed(0.0))


def test_95_a_payment_that_cannot_be_read_does_not_hide_the_others(world, caplog):
    adapter = world.adapter()
    made = several(world, adapter, 3)
    items = [world.simulator.payment(outcome.reference) for outcome in made]
    items[1]["amountCents"] = "a lot"
    world.replace_next("GET ", {"items": [*items, "nonsense", {"metadata": 7}], "hasNextPage": False})
    assert references(adapter.listed(0.0)) == references([made[0], made[2]])
    assert f"cannot be read: {made[1].reference}" in caplog.text


@pytest.mark.parametrize(
    "page",
    [
        {"items": [], "hasNextPage": True},
        {"items": [], "hasNextPage": True, "nextPageToken": ""},
        {"items": {}, "hasNextPage": False},
        {"hasNextPage": False},
        [],
    ],
)
def test_95_a_list_that_does_not_end_right_is_no_answer(world, page):
    adapter = world.adapter()
    several(world, adapter, 1)
    world.replace_next("GET ", page)
    with pytest.raises(ProviderConfused):
        list(adapter.listed(0.0))
    world.replace_next("GET ", page)
    with pytest.raises(ProviderConfused):
        adapter.find(adapter.prepare(payment()), "k", 0.0)


def test_95_a_list_that_goes_round_in_circles_is_no_answer(world):
    adapter = world.adapter()
    page = {"items": [], "hasNextPage": True, "nextPageToken": "again"}
    world.faults.next(Fault.WRONG_JSON, times=3, match="GET ", body=page)
    with pytest.raises(ProviderConfused):
        list(adapter.listed(0.0))
    assert world.faults.pending == 1


def test_95_a_list_that_breaks_off_is_told(world):
    adapter = world.adapter()
    several(world, adapter, 12)
    world.faults.next(Fault.ERROR_500, match=lambda request: "nextToken" in request.args)
    with pytest.raises(ProviderUnreachable):
        list(adapter.listed(0.0))


def test_106_every_outcome_names_the_stripe_payment_and_fortes(world):
    adapter = world.adapter()
    made = several(world, adapter, 1)[0]
    [listed] = adapter.listed(0.0)
    shape = world.simulator.payment(made.reference)
    assert (listed.reference, listed.public_id) == (shape["id"], shape["stripePaymentIntentId"])
    assert CUSTOMER not in str(listed.raw)
