"""Direct and destination charges: on which account everything lies, and who gets which part."""

import pytest
import stripe

from .conftest import OTHER, SHOP

WHO = ("kind", "account", "amount", "destination", "on_behalf_of", "application_fee")


def refused(pay, **params) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(**params)
    return caught.value


def test_a_direct_charge_lies_on_the_connected_account_and_pays_the_platform(pay, call, simulator, told):
    intent = pay(stripe_account=SHOP, application_fee_amount=100, expand=["latest_charge.balance_transaction"])
    charge = intent["latest_charge"]
    assert intent["application"].startswith("ca_")
    assert (charge["application_fee_amount"], charge["balance_transaction"]["net"]) == (100, 863)
    fee = call("get", f"application_fees/{charge['application_fee']}", expand=["charge", "balance_transaction"])
    assert (fee["amount"], fee["account"], fee["originating_transaction"]) == (100, SHOP, None)
    assert (fee["charge"]["id"], fee["balance_transaction"]["net"]) == (charge["id"], 100)
    assert call("get", "application_fees", charge=charge["id"])["data"][0]["id"] == fee["id"]
    assert call("get", "application_fees", stripe_account=SHOP)["data"] == []
    assert told(*WHO) == [
        ("authorised", SHOP, 1023, None, None, 100),
        ("captured", SHOP, 1023, None, None, 100),
        ("fee", simulator.platform, 100, None, None, 100),
    ]


def test_a_destination_charge_lies_on_the_platform_and_passes_the_amount_on(pay, call, simulator, told):
    customer = simulator.add_customer()
    method = simulator.add_payment_method(customer=customer)
    intent = pay(
        customer=customer,
        payment_method=method,
        transfer_data={"destination": SHOP},
        on_behalf_of=SHOP,
        application_fee_amount=100,
        expand=["latest_charge"],
    )
    charge = intent["latest_charge"]
    assert (intent["transfer_data"], intent["on_behalf_of"]) == ({"destination": SHOP}, SHOP)
    transfer = call("get", f"transfers/{charge['transfer']}", expand=["balance_transaction"])
    assert (transfer["amount"], transfer["destination"]) == (1023, SHOP)
    assert transfer["source_transaction"] == charge["id"]
    assert transfer["balance_transaction"]["amount"] == -1023
    payment = call("get", f"charges/{transfer['destination_payment']}", stripe_account=SHOP)
    assert (payment["amount"], payment["source_transfer"], payment["application_fee_amount"]) == (
        1023,
        transfer["id"],
        100,
    )
    fee = call("get", f"application_fees/{charge['application_fee']}")
    assert (fee["amount"], fee["account"], fee["charge"], fee["originating_transaction"]) == (
        100,
        SHOP,
        payment["id"],
        charge["id"],
    )
    assert [one["id"] for one in call("get", "transfers", destination=SHOP)["data"]] == [transfer["id"]]
    platform = simulator.platform
    assert told(*WHO) == [
        ("authorised", platform, 1023, SHOP, SHOP, 100),
        ("captured", platform, 1023, SHOP, SHOP, 100),
        ("transfer", platform, 1023, SHOP, SHOP, 100),
        ("fee", platform, 100, SHOP, SHOP, 100),
    ]
    assert {charge_id for (charge_id,) in told("charge_id")} == {charge["id"]}


def test_a_transfer_can_be_smaller_than_the_charge(pay, call, told):
    intent = pay(transfer_data={"destination": SHOP, "amount": 900}, expand=["latest_charge.transfer"])
    assert intent["latest_charge"]["transfer"]["amount"] == 900
    assert told() == [("authorised", 1023), ("captured", 1023), ("transfer", 900)]


def test_shares_are_paid_when_money_is_captured(pay, call, told):
    intent = pay(capture_method="manual", transfer_data={"destination": SHOP}, application_fee_amount=100)
    assert told() == [("authorised", 1023)]
    call("post", f"payment_intents/{intent['id']}/capture", amount_to_capture=60)
    assert told() == [("authorised", 1023), ("captured", 60), ("released", 963), ("transfer", 60), ("fee", 60)]


def test_the_fee_can_be_changed_at_capture(pay, call, told):
    intent = pay(capture_method="manual", stripe_account=SHOP, application_fee_amount=100)
    path = f"payment_intents/{intent['id']}/capture"
    captured = call("post", path, stripe_account=SHOP, application_fee_amount=7)
    assert captured["application_fee_amount"] == 7
    assert told()[-1] == ("fee", 7)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"application_fee_amount": 10}, "application_fee_amount"),
        ({"application_fee_amount": 1024, "stripe_account": SHOP}, "application_fee_amount"),
        ({"application_fee_amount": -1, "stripe_account": SHOP}, "application_fee_amount"),
        ({"application_fee_amount": 1024, "transfer_data": {"destination": SHOP}}, "application_fee_amount"),
        ({"application_fee_amount": 1, "transfer_data": {"destination": SHOP, "amount": 9}}, "application_fee_amount"),
        ({"transfer_data": {"destination": SHOP, "amount": 1024}}, "transfer_data[amount]"),
        ({"transfer_data": {"destination": "acct_unknown"}}, "transfer_data[destination]"),
        ({"transfer_data": {"destination": OTHER}, "stripe_account": SHOP}, "transfer_data[destination]"),
        ({"on_behalf_of": "acct_unknown"}, "on_behalf_of"),
    ],
)
def test_shares_that_do_not_fit_are_refused(pay, ledger, params, param):
    assert refused(pay, **params).param == param
    assert ledger.entries() == ()


def test_the_platform_cannot_be_its_own_destination(pay, simulator, ledger):
    assert refused(pay, transfer_data={"destination": simulator.platform}).param == "transfer_data[destination]"
    assert ledger.entries() == ()


def test_a_platforms_customer_pays_a_connected_account_with_a_clone(call, pay, simulator):
    customer = simulator.add_customer()
    method = simulator.add_payment_method(customer=customer)
    clone = call("post", "payment_methods", customer=customer, payment_method=method, stripe_account=SHOP)
    assert clone["id"] != method
    intent = pay(payment_method=clone["id"], stripe_account=SHOP)
    assert intent["status"] == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "payment_methods", payment_method=method, stripe_account=SHOP)
    assert caught.value.param == "customer"


def test_a_balance_transaction_is_its_own_accounts_alone(pay, call):
    charge = pay(stripe_account=SHOP, expand=["latest_charge"])["latest_charge"]
    line = call("get", f"balance_transactions/{charge['balance_transaction']}", stripe_account=SHOP)
    assert (line["source"], line["amount"], line["fee"]) == (charge["id"], 1023, 60)
    with pytest.raises(stripe.InvalidRequestError):
        call("get", f"balance_transactions/{charge['balance_transaction']}")
