"""Quotes of a provider that computes them: it is asked, and nothing is left behind there or here."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from bridge.simulators.faults import Fault, Faults
from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.server import serve
from tests.adapters.forte_platform_wire import Checked
from tests.http.test_previews import ANN, CART, MUG, PATH, rows
from tests.plugins.local import Local, MakeLocal

OYSTER = {
    "email": "random.email@example.com",
    "address_1": "354 Oyster Point Blvd",
    "city": "South San Francisco",
    "state": "CA",
    "postcode": "94080",
    "country": "US",
}
SEATTLE = {"address_1": "1 Pike St", "city": "Seattle", "state": "WA", "postcode": "98101", "country": "US"}


@dataclass
class Forte:
    """A store of Forte Platforms in front of the simulator, and what was asked of that."""

    simulator: FortePlatformSimulator
    faults: Faults
    door: Checked
    project: str
    user: str
    make: MakeLocal
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)

    def local(self, **settings: str) -> Local:
        return self.make(self.database_url, "forte_platform", settings=self.settings | settings)


@pytest.fixture
def forte(make_local: MakeLocal, sqlite_url: str) -> Iterator[Forte]:
    with ExitStack() as stack:
        simulator = FortePlatformSimulator(api_key="forte_test_Canary", random=Random(7))
        stack.callback(simulator.close)
        faults = Faults(simulator)
        door = Checked(faults)
        url = stack.enter_context(serve(door)).url
        project = simulator.add_project()
        user = simulator.add_user(project, "random.email@example.com")
        settings = {"api_key": "forte_test_Canary", "project": project, "host": url, "users": f"cus_A={user}"}
        yield Forte(simulator, faults, door, project, user, make_local, sqlite_url, settings)


def nothing_made(forte: Forte) -> None:
    assert forte.simulator.payments == ()
    assert forte.simulator.audit_trail(forte.user) == ()
    assert {(sent.method, sent.path.rpartition("/")[2]) for sent in forte.door.sent} <= {("POST", "preview")}


def test_65_66_a_provider_that_quotes_is_asked_and_nothing_is_left_behind(forte: Forte) -> None:
    local = forte.local(tax_mode="forte")
    before = rows(local.bridge)
    cart = {"currency": "USD", "line_items": [MUG], "address": ANN, "customer": "cus_A"}
    answers = [local.post(PATH, cart) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json == answers[1].json == answers[2].json
    answer = answers[0].json
    assert (answer["subtotal"], answer["tax"], answer["total"]) == (2997, 262, 3259)
    assert (answer["line_items"][0]["tax"], answer["provider"]) == (262, "forte_platform")
    assert answer.keys() == {"subtotal", "tax", "total", "currency", "line_items", "provider"}, "no id, no secret"
    local.work()
    assert rows(local.bridge) == before
    nothing_made(forte)


def test_67_without_an_address_the_provider_adds_no_tax(forte: Forte) -> None:
    answer = forte.local(tax_mode="forte").post(PATH, CART | {"customer": "cus_A"}).json
    assert (answer["tax"], answer["total"]) == (0, 2997)


@pytest.mark.parametrize("order", ["payable", "multi_line", "shipping_tax_fee_discount"])
def test_the_provider_quotes_for_an_order_what_it_would_charge(forte: Forte, order: str) -> None:
    local = forte.local()
    quote = local.post(PATH, {"order_id": local.orders[order], "customer": "cus_A"}).json
    nothing_made(forte)
    created = local.create(order, customer="cus_A").json
    assert quote["total"] == created["amount"] == int(Decimal(local.order(order)["total"]) * 100)


def test_an_order_of_51_lines_is_quoted_by_a_provider_that_takes_fifty(forte: Forte) -> None:
    local = forte.local(preview_user=forte.user)
    order = local.shop.add_order(lines=[{"name": f"Pin {number}", "total": "1.00"} for number in range(51)])
    answer = local.post(PATH, {"order_id": order}).json
    assert (answer["total"], len(answer["line_items"])) == (5100, 1)


def test_72_a_cart_of_nobody_is_not_quoted_unless_the_owner_says_for_whom(forte: Forte) -> None:
    answer = forte.local().post(PATH, CART)
    assert (answer.status_code, answer.json["data"]["reason"]) == (500, "customer_required")
    assert forte.door.sent == []


def test_72_a_cart_of_nobody_is_quoted_for_the_user_who_is_named_for_that(forte: Forte) -> None:
    assert forte.local(preview_user=forte.user).post(PATH, CART).json["total"] == 2997


def test_69_what_only_the_owner_can_mend_is_told_as_that_and_not_tried_again(forte: Forte) -> None:
    local = forte.local()
    forte.simulator.refuse_next("PAYMENTS_REQUIRE_APPROVED_COMPLIANCE", match="/preview")
    answer = local.post(PATH, CART | {"customer": "cus_A"})
    assert (answer.status_code, answer.json["code"]) == (500, "wcpay_server_error")
    assert (answer.json["data"]["reason"], answer.json["data"]["retryable"]) == ("compliance_not_approved", False)
    assert len(forte.door.sent) == 1


def test_a_provider_that_is_away_is_told_and_may_be_asked_again(forte: Forte) -> None:
    local = forte.local()
    forte.faults.next(Fault.ERROR_503, match="POST ")
    answer = local.post(PATH, CART | {"customer": "cus_A"})
    assert (answer.status_code, answer.json["data"]["retryable"]) == (500, True)
    assert local.post(PATH, CART | {"customer": "cus_A"}).status_code == 200


def test_an_order_is_quoted_with_the_tax_that_it_is_charged_with(forte: Forte) -> None:
    """Forte taxes where the goods go, line by line: fifty lines are taxed one by one, fifty-one as one."""
    local = forte.local(tax_mode="forte", allow_tax_difference="yes")
    pins = [{"name": f"Pin {number}", "total": "1.03"} for number in range(51)]
    for changes in ({"lines": pins[:50]}, {"lines": pins}, {"total": "25.00", "shipping": SEATTLE}):
        order = local.shop.add_order(billing=OYSTER, **changes)
        quote = local.post(PATH, {"order_id": order, "customer": "cus_A"}).json
        assert local.create(order, customer="cus_A").status_code == 200
        charged = forte.simulator.payments[-1]
        assert (quote["subtotal"], quote["tax"]) == (charged["subtotalCents"], charged["taxCents"])
        assert (quote["total"], len(quote["line_items"])) == (charged["amountCents"], len(charged["lineItems"]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total": "25.00", "prices_include_tax": True}, "taxed_twice"),
        ({"total": "25.00", "billing": {}}, "address_required"),
        ({"total": "25.00"}, "amount_differs"),
    ],
)
def test_an_order_that_a_create_refuses_is_refused_by_its_quote_with_the_same_error(
    forte: Forte, changes: dict[str, Any], reason: str
) -> None:
    local = forte.local(tax_mode="forte")
    order = local.shop.add_order(**({"billing": OYSTER} | changes))
    quote, created = (
        local.post(PATH, {"order_id": order, "customer": "cus_A"}),
        local.create(order, customer="cus_A"),
    )
    assert (quote.status_code, quote.json["data"]["reason"]) == (500, reason)
    assert (quote.json["code"], quote.json["message"]) == (created.json["code"], created.json["message"])
    assert created.json["data"]["reason"] == reason


def test_an_order_with_the_shops_own_tax_is_refused_by_its_quote_as_by_a_create(forte: Forte) -> None:
    local = forte.local(tax_mode="forte")
    order = local.orders["shipping_tax_fee_discount"]
    quote = local.post(PATH, {"order_id": order, "customer": "cus_A"}).json
    created = local.create(order, customer="cus_A").json
    assert (quote["data"]["reason"], quote["message"]) == ("taxed_twice", created["message"])
