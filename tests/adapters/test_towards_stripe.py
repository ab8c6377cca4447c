"""What a shop's buyers and its owner type reaches Stripe in a form that Stripe takes; cases D1 to D6 and D11."""

from typing import Any

import pytest

from bridge.domain.errors import ConfigurationError
from tests.plugins.local import Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"
SHIPPING = {
    "first_name": "Bea",
    "last_name": "Example",
    "address_1": "1 Main St",
    "address_2": "",
    "city": "Pune",
    "state": "MH",
    "postcode": "411001",
    "country": "IN",
    "phone": "+91 20 5555 0100",
}


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


def edit_billing(local: Local, **billing: str) -> None:
    """Staff edit the billing address of the payable order."""
    local.shop.update_order(local.orders["payable"], billing={**local.order()["billing"], **billing})


def save_customer(local: Local) -> dict[str, Any]:
    """`create_customer` of the payable order; the customer as Stripe has it then."""
    answer = local.post(f"{PAYMENTS}/orders/{local.orders['payable']}/create_customer", {})
    assert answer.status_code == 200, answer.get_json()
    assert local.stripe
    return local.stripe.find(answer.get_json()["id"])


def sent(local: Local, path: str) -> dict[str, Any]:
    """The parameters of the last POST to Stripe whose path ends so."""
    assert local.stripe
    return dict([one for one in local.stripe.requests if one.method == "POST" and one.path.endswith(path)][-1].params)


def test_d1_a_name_that_comes_back_within_a_day_is_changed_back(stripe: Local) -> None:
    names = ["Amy", "Bea", "Cleo", "Bea", "Amy", "Bea"]
    found = []
    for name in names:
        edit_billing(stripe, first_name=name, last_name="")
        found.append(save_customer(stripe))
    assert [customer["name"] for customer in found] == names
    assert len({customer["id"] for customer in found}) == 1


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("+1 780-459-5656", "+1 780-459-5656"),
        ("+1 (780) 459-5656 ext. 725", "+17804595656ext725"),
        ("0123456789012345678901234567", "01234567890123456789"),
        ("0" * 20, "0" * 20),
    ],
)
def test_d2_a_telephone_number_fits(stripe: Local, phone: str, kept: str) -> None:
    edit_billing(stripe, phone=phone)
    assert save_customer(stripe)["phone"] == kept


def test_d2_whatever_else_a_buyer_types_fits(stripe: Local) -> None:
    long = "x" * 6000
    edit_billing(stripe, first_name=long, address_1=long, city=long, email=f"{'a' * 505}@example.com")
    customer = save_customer(stripe)
    assert (len(customer["name"]), customer["email"]) == (256, None)
    assert {len(customer["address"][name]) for name in ("line1", "city")} == {5000}
    assert stripe.create().status_code == 200


@pytest.mark.parametrize("suffix", ["#12345", "12345", "ÄÖÜ", "shop*1", "S" * 19, "Привет", "SHOP\n"])
def test_d3_a_suffix_that_no_card_takes_is_refused_when_it_is_set(
    make_local: MakeLocal, sqlite_url: str, suffix: str
) -> None:
    with pytest.raises(ConfigurationError, match="statement_descriptor_suffix"):
        make_local(sqlite_url, "stripe_connect", settings={"statement_descriptor_suffix": suffix})


@pytest.mark.parametrize("charge_type", ["direct", "destination"])
@pytest.mark.parametrize(("digits", "fits"), [(10, True), (11, False)])
def test_d3_a_suffix_has_to_fit_behind_the_accounts_prefix(
    make_local: MakeLocal, sqlite_url: str, charge_type: str, digits: int, fits: bool
) -> None:
    """The simulated accounts' prefix is WCPAY: with the asterisk and the space that leaves 15 characters."""
    settings = {"charge_type": charge_type, "statement_descriptor_suffix": "SHOP " + "1" * digits}
    if not fits:
        with pytest.raises(ConfigurationError, match="at most 15 characters"):
            make_local(sqlite_url, "stripe_connect", settings=settings)
        return
    local = make_local(sqlite_url, "stripe_connect", settings=settings)
    assert local.create().status_code == 200
    assert local.stripe
    [charge] = {entry.charge_id for entry in local.stripe.ledger.entries("captured")}
    assert charge
    assert local.stripe.find(charge)["calculated_statement_descriptor"] == "WCPAY* SHOP 1111111111"


def test_d4_metadata_of_a_reader_are_what_json_writes(stripe: Local) -> None:
    metadata = {"a": True, "b": None, "c": False, "d": 1, "e": 1.5, "f": "text", "g": "é" * 600}
    path = f"{PAYMENTS}/orders/{stripe.orders['payable']}/create_terminal_intent"
    answer = stripe.post(path, {"metadata": metadata})
    assert stripe.stripe
    kept = stripe.stripe.find(answer.get_json()["id"])["metadata"]
    assert {name: kept[name] for name in metadata if name in kept} == {
        "a": "true",
        "c": "false",
        "d": "1",
        "e": "1.5",
        "f": "text",
        "g": "é" * 500,
    }


@pytest.mark.parametrize("metadata", [{"a": [1]}, {"a": {"b": 1}}, {f"k{number}": "v" for number in range(45)}])
def test_d4_metadata_that_stripe_would_not_keep_are_refused(stripe: Local, metadata: dict[str, Any]) -> None:
    path = f"{PAYMENTS}/orders/{stripe.orders['payable']}/create_terminal_intent"
    answer = stripe.post(path, {"metadata": metadata})
    assert (answer.status_code, answer.get_json()["data"]["reason"]) == (500, "invalid_parameter")
    assert stripe.stripe
    assert [one for one in stripe.stripe.requests if one.path == "/v1/payment_intents"] == []


@pytest.mark.parametrize("charge_type", ["direct", "destination"])
def test_d5_a_shipping_address_is_sent(make_local: MakeLocal, sqlite_url: str, charge_type: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"charge_type": charge_type})
    local.shop.update_order(local.orders["payable"], shipping=SHIPPING)
    assert local.create().status_code == 200
    assert sent(local, "/payment_intents")["shipping"] == {
        "name": "Bea Example",
        "address": {
            "city": "Pune",
            "country": "IN",
            "line1": "1 Main St",
            "postal_code": "411001",
            "state": "MH",
        },
        "phone": "+91 20 5555 0100",
    }


def test_d5_an_order_without_one_sends_none(stripe: Local) -> None:
    assert stripe.create("virtual").status_code == 200
    assert "shipping" not in sent(stripe, "/payment_intents")


def test_d6_only_what_can_be_charged_is_listed(stripe: Local) -> None:
    assert stripe.stripe
    account = stripe.store.settings["account"]
    for kind in ("link", "pm_card_visa", "sepa_debit"):
        stripe.stripe.add_payment_method(kind, stripe.customer, account)
    [method] = stripe.get(f"{PAYMENTS}/customers/{stripe.customer}/payment_methods").get_json()
    assert method["type"] == "card"
    assert stripe.create(payment_method=method["id"]).status_code == 200


@pytest.mark.parametrize("charge_type", ["direct", "destination"])
@pytest.mark.parametrize(("refund_fee", "kept"), [("no", 60), ("yes", 0), ("", 0)])
def test_d11_a_platform_may_keep_its_fee_on_a_refund(
    make_local: MakeLocal, sqlite_url: str, charge_type: str, refund_fee: str, kept: int
) -> None:
    settings = {"charge_type": charge_type, "fee": "2.9%+30", "refund_fee": refund_fee}
    local = make_local(sqlite_url, "stripe_connect", settings=settings)
    charge = local.create().get_json()["charge"]["id"]
    answer = local.post(
        f"{PAYMENTS}/refund", {"charge_id": charge, "order_id": local.orders["payable"], "amount": 1023}
    )
    assert answer.status_code == 200, answer.get_json()
    assert local.stripe
    [fee] = [entry.object_id for entry in local.stripe.ledger.entries("fee")]
    found = local.stripe.find(fee)
    assert found["amount"] - found["amount_refunded"] == kept
