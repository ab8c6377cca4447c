"""What the tills understand, case by case: C3 (T10), and T3 where a payment is made, captured or its customer saved."""

import pytest

from bridge.simulators.faults import Fault
from tests.lifecycle.lives import Life
from tests.payments.orders import CAPTURE_FAILED, MISMATCH, UNCAPTURABLE
from tests.plugins.local import MakeLocal, refusal

KINDS = ("sandbox", "direct", "destination")


@pytest.fixture(params=KINDS)
def life(request: pytest.FixtureRequest, make_local: MakeLocal, sqlite_url: str) -> Life:
    kind: str = request.param
    if kind == "sandbox":
        return Life(make_local(sqlite_url, capture="manual"), kind)
    settings = {"charge_type": kind} if kind == "destination" else {}
    return Life(make_local(sqlite_url, "stripe_connect", capture="manual", settings=settings), kind)


def offered(life: Life, order: int) -> str:
    answer = life.at("create_terminal_intent", order)
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["id"])


@pytest.mark.parametrize("own", ["none", "waits for a card", "waits for the buyer"])
def test_c3_an_intent_of_another_order_is_no_capture_that_was_made_before(life: Life, own: str) -> None:
    other, order = life.order(), life.order()
    named = offered(life, other)
    life.present_card(named)
    if own == "waits for a card":
        offered(life, order)
    elif own == "waits for the buyer":
        assert life.create(order, payment_method="pm_card_authenticationRequired").status_code in (200, 500)
    refused = refusal(life.at("capture_terminal_payment", order, named))
    assert refused == (409, MISMATCH, "The payment cannot be captured")
    assert life.at("capture_terminal_payment", other, named).status_code == 200


@pytest.mark.parametrize("stands", ["captured at the reader", "authorised on the web"])
def test_c3_an_order_that_is_paid_or_authorised_says_so_whosever_intent_is_named(life: Life, stands: str) -> None:
    other, order = life.order(), life.order()
    named = offered(life, other)
    life.present_card(named)
    if stands == "authorised on the web":
        life.pay(order)
    else:
        own = offered(life, order)
        life.present_card(own)
        assert refusal(life.at("capture_terminal_payment", order, "pi_nobodys"))[:2] == (409, UNCAPTURABLE)
        assert life.at("capture_terminal_payment", order, own).status_code == 200
    assert refusal(life.at("capture_terminal_payment", order, named))[:2] == (409, UNCAPTURABLE)
    assert refusal(life.at("capture_terminal_payment", order, "pi_nobodys"))[:2] == (409, UNCAPTURABLE)


def test_c3_a_payment_of_the_web_that_took_nothing_is_not_one_of_the_reader(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    life = Life(make_local(sqlite_url), "sandbox")
    order = life.order()
    waits = life.pay(order, payment_method="pm_card_authenticationRequired")["id"]
    assert refusal(life.at("capture_terminal_payment", order, waits))[:2] == (409, MISMATCH)
    life.authenticate(waits)
    assert refusal(life.at("capture_terminal_payment", order, waits))[:2] == (409, UNCAPTURABLE)


def test_t3a_the_currency_of_a_payment_is_written_in_upper_case(life: Life) -> None:
    order = life.order(currency="EUR")
    life.pay(order)
    assert life.meta(order)["_wcpay_intent_currency"] == "EUR"


@pytest.mark.parametrize("route", ["capture_authorization", "capture_terminal_payment"])
def test_t3b_a_capture_that_the_provider_declines_has_its_words_behind_error(
    make_local: MakeLocal, sqlite_url: str, route: str
) -> None:
    life = Life(make_local(sqlite_url, "stripe_connect", capture="manual"), "direct")
    order = life.order()
    if route == "capture_terminal_payment":
        intent = offered(life, order)
        life.present_card(intent)
    else:
        intent = life.pay(order)["id"]
    assert life.local.provider_faults
    declined = {"error": {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}}
    life.local.provider_faults.next(Fault.STATUS, match="/capture", status=402, body=declined)
    refused = refusal(life.at(route, order, intent))
    assert refused == (402, "wcpay_capture_error", f"{CAPTURE_FAILED}Error: Your card was declined.")


def test_create_customer_writes_its_id_to_the_order(life: Life) -> None:
    order = life.order()
    for _ in range(2):
        customer = life.at("create_customer", order).get_json()["id"]
        life.work()
        assert life.meta(order)["_stripe_customer_id"] == customer
    assert life.status(order) == "pending"
    assert life.said(order, "[ref") == 0


def test_create_customer_answers_the_customer_though_the_shop_takes_nothing(life: Life) -> None:
    order = life.order()
    life.local.shop_faults.next(Fault.ERROR_503, times=9, match="PUT ")
    answer = life.at("create_customer", order)
    assert (answer.status_code, list(answer.get_json())) == (200, ["id"])
    life.local.shop_faults.clear()
    assert life.at("create_customer", order).get_json() == answer.get_json()
    assert life.meta(order)["_stripe_customer_id"] == answer.get_json()["id"]
