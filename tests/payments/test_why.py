"""The story of a payment names everything that happened to its money, in sums that a person reads."""

from tests.cli.operator import operate, operate_json
from tests.payments.orders import PAYMENTS, at, authorized, hint
from tests.plugins.local import MakeLocal


def test_the_story_of_a_payment_that_was_captured_in_part_refunded_and_disputed(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    assert local.stripe
    intent = authorized(local)
    at(local, "capture_authorization", "payable", intent, amount=900)
    refund = local.post(f"{PAYMENTS}/refund", {"order_id": local.orders["payable"], "amount": 250}).get_json()
    charge = local.show(intent).get_json()["charge"]["id"]
    dispute = local.stripe.dispute(charge)["id"]
    hint(local, intent)
    local.work()

    [story] = operate_json(local, "why", intent)
    assert (story["captured"], story["refunded"], story["channel"]) == (900, 250, "online")
    assert [(one["id"], one["amount"], one["status"]) for one in story["refunds"]] == [(refund["id"], 250, "succeeded")]
    [quarrel] = story["disputes"]
    assert (quarrel["id"], quarrel["status"], quarrel["closed"]) == (dispute, "needs_response", None)
    kinds = [update["kind"] for update in story["store_updates"]]
    assert kinds == ["authorized", "paid", "refunded", "disputed"]
    assert {update["state"] for update in story["store_updates"]} == {"delivered"}

    told = operate(local, "why", str(local.orders["payable"])).output
    for words in (
        f"{intent}: 10.23 USD for order",
        f"charge {charge}, captured 9.00 USD, refunded 2.50 USD",
        f"dispute {dispute} over 6.50 USD: needs_response",
        "asked stripe_connect for 10.23 USD",
        "asked the provider to capture 9.00 USD",
        "asked the provider to refund 2.50 USD",
        f"refund of 2.50 USD: succeeded ({refund['id']})",
        "NEEDS AN OPERATOR",
    ):
        assert words in told
