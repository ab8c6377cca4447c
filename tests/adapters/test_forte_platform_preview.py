"""Quotes of Forte Platforms: what a cart would cost, with nothing made anywhere."""

import pytest

from bridge.adapters import Address, CurrencyNotSupported, InvalidParameter, ProviderConfused, ProviderRefused, Refused
from bridge.domain.outcomes import Cart, Quote, QuoteLine
from tests.adapters.forte_platform_provider import ANN, forte
from tests.adapters.orders import CUSTOMER

PLAN = QuoteLine("Pro plan", 2500, 1, tax_code="txcd_10000000")
MUG = QuoteLine("Mug", 999, 3)
FORTE_TAX = {"tax_mode": "forte"}


@pytest.fixture
def world():
    with forte() as world:
        yield world


def test_67_without_an_address_there_is_no_tax(world):
    for settings, address in (({}, ANN), (FORTE_TAX, None), (FORTE_TAX, Address(country="US"))):
        quote = world.adapter(**settings).preview(Cart("USD", (PLAN, MUG), address), CUSTOMER)
        assert quote == Quote("USD", (PLAN, MUG), 5497, 0, 5497)


def test_68_with_an_address_the_tax_comes_on_top_and_is_the_sum_of_the_lines(world):
    quote = world.adapter(**FORTE_TAX).preview(Cart("usd", (PLAN, MUG), ANN), CUSTOMER)
    assert (quote.subtotal, quote.tax, quote.total) == (5497, 219 + 262, 5978)
    assert [line.tax for line in quote.lines] == [219, 262]


def test_the_shops_own_tax_is_part_of_the_quote(world):
    taxed = QuoteLine("Mug", 999, 3, tax=630)
    quote = world.adapter().preview(Cart("USD", (PLAN, taxed), ANN), CUSTOMER)
    assert quote == Quote("USD", (PLAN, taxed), 5497, 630, 6127)
    with pytest.raises(Refused) as caught:
        world.adapter(**FORTE_TAX).preview(Cart("USD", (taxed,), ANN), CUSTOMER)
    assert caught.value.reason == "taxed_twice"


def test_65_66_a_quote_can_be_had_again_and_leaves_nothing_behind(world):
    adapter = world.adapter(**FORTE_TAX)
    quotes = [adapter.preview(Cart("USD", (PLAN,), ANN), CUSTOMER) for _ in range(3)]
    assert quotes[0] == quotes[1] == quotes[2]
    assert world.simulator.payments == ()
    assert world.simulator.audit_trail(world.user) == ()
    assert {sent.path.rpartition("/")[2] for sent in world.door.sent} == {"preview"}


def test_69_81_what_is_missing_is_told_for_quotes_too():
    with forte() as world:
        live = world.simulator.add_project(sandbox=False, compliance="PENDING")
        user = world.simulator.add_user(live)
        with pytest.raises(ProviderRefused) as caught:
            world.adapter(project=live, users=f"{CUSTOMER}={user}").preview(Cart("USD", (PLAN,)), CUSTOMER)
        assert (caught.value.reason, caught.value.retryable) == ("compliance_not_approved", False)
        assert len(world.door.sent) == 1


def test_72_a_cart_without_a_customer_is_quoted_for_the_user_who_is_named_for_that(world):
    other = world.simulator.add_user(world.project)
    with pytest.raises(Refused) as caught:
        world.adapter().preview(Cart("USD", (PLAN,)), "")
    assert caught.value.reason == "customer_required"
    for setting in ("preview_user", "default_user"):
        assert world.adapter(**{setting: other}).preview(Cart("USD", (PLAN,)), "").total == 2500
        assert f"/users/{other}/" in world.door.sent[-1].path


def test_72_a_quote_finds_its_user_by_the_address_too(world):
    adapter = world.adapter(users="", user_lookup="email")
    assert adapter.preview(Cart("USD", (PLAN,), ANN), "cus_any").total == 2500
    with pytest.raises(InvalidParameter):
        adapter.preview(Cart("USD", (PLAN,)), "cus_any")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "lineItems"),
        ([MUG] * 51, "lineItems"),
        ([QuoteLine("Mug", -1, 1)], "lineItems.0.unitAmountCents"),
        ([QuoteLine("Mug", 1, 0)], "lineItems.0.quantity"),
        ([QuoteLine("Mug", 1, 1, tax_code="mugs")], "lineItems.0.taxCode"),
    ],
)
def test_73_a_cart_that_cannot_be_expressed_is_refused_before_anything_is_sent(world, lines, problem):
    with pytest.raises(Refused, match=f"This cart cannot be quoted: {problem}: "):
        world.adapter().preview(Cart("USD", tuple(lines)), CUSTOMER)
    assert world.door.sent == []


def test_73_fifty_lines_and_long_names_can_be_quoted(world):
    named = QuoteLine("<b>" + "x" * 300, 1, 1)
    assert world.adapter().preview(Cart("USD", (named,) * 50), CUSTOMER).total == 50


def test_currencies_are_judged_for_quotes_too(world):
    with pytest.raises(CurrencyNotSupported):
        world.adapter().preview(Cart("JPY", (PLAN,)), CUSTOMER)


@pytest.mark.parametrize(
    "change",
    [
        {"subtotalCents": 2499},
        {"amountCents": 2501},
        {"taxCents": 1},
        {"taxCents": 1, "amountCents": 2501, "lineItems": [{"taxAmountCents": 1}]},
        {"lineItems": []},
        {"currency": "eur"},
        {"amountCents": ...},
    ],
)
def test_67_68_sums_that_do_not_add_up_are_no_answer(world, change):
    world.answer_next("/preview", **change)
    with pytest.raises(ProviderConfused):
        world.adapter().preview(Cart("USD", (PLAN,)), CUSTOMER)
