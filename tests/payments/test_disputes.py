"""B8: a dispute has a currency of its own, and nothing is booked in another one by itself."""

from typing import Any

import pytest

from bridge.operations.why import why
from tests.payments.orders import PAYMENTS, hint
from tests.plugins.local import Local, MakeLocal


@pytest.fixture(params=["direct", "destination"])
def local(request: pytest.FixtureRequest, make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect", settings={"charge_type": request.param})


def disputed(local: Local, amount: int = 950, currency: str = "usd") -> tuple[str, str, str, str]:
    """An order of 10.23 EUR was paid and is disputed; the ids of order, intent, charge and dispute."""
    assert local.stripe
    local.orders["euro"] = local.shop.add_order(total="10.23", currency="EUR")
    intent = local.create("euro").get_json()["id"]
    local.work()
    charge = local.stripe.find(intent)["latest_charge"]
    dispute = local.stripe.dispute(charge, amount=amount, currency=currency)["id"]
    hear(local, intent)
    return "euro", intent, charge, dispute


def hear(local: Local, intent: str) -> None:
    hint(local, intent)
    local.work()


def flag(local: Local, intent: str) -> str:
    return str(why(local.bridge.services, intent)[-1]["flag"] or "")


def test_b8_its_own_money_is_told_in_notes_and_answers(local: Local) -> None:
    order, intent, charge, dispute = disputed(local)
    (note,) = [text for text in local.notes(order) if "isput" in text]
    assert "9.50 USD" in note
    shown = local.get(f"{PAYMENTS}/charges/{charge}").get_json()["dispute"]
    assert (shown["amount"], shown["currency"]) == (950, "usd")
    line = local.get(f"{PAYMENTS}/transactions/{dispute}").get_json()
    assert (line["amount"], line["currency"], line["customer_currency"]) == (-950, "usd", "usd")
    told = local.get(f"{PAYMENTS}/timeline/{intent}").get_json()["data"]
    (about,) = [event for event in told if event["type"] == "dispute_needs_response"]
    assert (about["amount"], about["currency"]) == (950, "USD")


def test_b8_one_that_is_lost_books_nothing_in_another_currency_and_is_flagged(local: Local) -> None:
    assert local.stripe
    order, intent, _, dispute = disputed(local)
    local.stripe.close_dispute(dispute, won=False)
    hear(local, intent)
    hear(local, intent)
    assert local.shop.refunds(local.orders[order]) == []
    assert local.order(order)["status"] == "on-hold"
    (note,) = [text for text in local.notes(order) if "lost" in text]
    assert "9.50 USD" in note
    assert "9.50 EUR" not in "".join(local.notes(order))
    assert "it is about 9.50 USD, and the order is in EUR" in flag(local, intent)


def test_b8_one_that_is_won_takes_the_order_back(local: Local) -> None:
    assert local.stripe
    order, intent, _, dispute = disputed(local)
    local.stripe.close_dispute(dispute, won=True)
    hear(local, intent)
    assert (local.order(order)["status"], flag(local, intent)) == ("processing", "")
    back = local.get(f"{PAYMENTS}/transactions/{dispute}_reversal").get_json()
    assert (back["amount"], back["currency"]) == (950, "usd")


@pytest.mark.parametrize("amount", [1023, 400])
def test_b8_one_in_the_charges_currency_is_booked_as_before(local: Local, amount: int) -> None:
    assert local.stripe
    order, intent, _, dispute = disputed(local, amount, "eur")
    local.stripe.close_dispute(dispute, won=False)
    hear(local, intent)
    assert [refund["amount"] for refund in local.shop.refunds(local.orders[order])] == [f"{amount / 100:.2f}"]


@pytest.mark.parametrize(("currency", "amount", "shown"), [("jpy", 1500, "1500 JPY"), ("kwd", 2950, "2.950 KWD")])
def test_b8_its_amount_has_the_decimals_of_its_own_currency(
    local: Local, currency: str, amount: int, shown: str
) -> None:
    order, _, _, _ = disputed(local, amount, currency)
    assert any(shown in text for text in local.notes(order))


def test_b8_sums_of_transactions_are_kept_apart(local: Local) -> None:
    disputed(local)
    summary: dict[str, Any] = local.get(f"{PAYMENTS}/transactions/summary").get_json()
    assert sorted(summary["customer_currencies"]) == ["eur", "usd"], summary
