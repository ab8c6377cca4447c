"""Creating intents: what is accepted, to the last character, and what is answered, in both modes."""

import base64
import json
from uuid import UUID

import pytest

from .conftest import INTENT, REDIRECT, payment

LONG = "ä" * 1001
WALLET = {"address": "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "blockchain": "ethereum"}
BOTH = pytest.mark.parametrize("path", [INTENT, REDIRECT])


def item(**changes):
    return payment(item=changes)


def buyer(**fields):
    return payment(buyer={"id": "shop:7", **fields})


def without(name, **where):
    body = payment()
    inside = body["items"][0] if where.get("item") else body
    del inside[name]
    return body


def test_a_widget_intent_is_answered_with_what_the_widget_needs(merchant):
    answer = merchant("POST", INTENT, payment())
    assert answer.status_code == 201
    assert list(answer.json()) == ["data"]
    data = answer.json()["data"]
    assert list(data) == ["flow", "error_code", "payment_intent_id", "widget_data", "notes"]
    assert (data["flow"], data["error_code"], data["notes"]) == ("PAYMENT", None, [])
    assert str(UUID(data["payment_intent_id"])) == data["payment_intent_id"]
    inside = base64.b64decode(data["widget_data"], validate=True)
    assert inside.startswith(b'{"access_token"')
    assert json.loads(inside)["access_token"] not in (merchant.token, "")


def test_a_redirect_intent_is_answered_with_an_address_and_nothing_else(merchant):
    answer = merchant("POST", REDIRECT, payment())
    assert answer.status_code == 201
    assert list(answer.json()) == ["data"]
    assert list(answer.json()["data"]) == ["redirect_url"]
    place, _, token = answer.json()["data"]["redirect_url"].partition("?redirect_token=")
    assert place.startswith(merchant.url + "/")
    assert UUID(place.rpartition("/")[2])
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["token_type"] == "external_token"
    assert merchant.simulator.intents[0].id not in answer.text


def test_an_intent_remembers_what_was_asked(merchant, clock):
    data = merchant.create(currency="EUR")
    (intent,) = merchant.simulator.find_by_reference("42:attempt-1")
    assert intent == merchant.simulator.intent(data["payment_intent_id"])
    assert (intent.amount, intent.currency, intent.total, intent.title) == (999, "EUR", "9.99", "1,000 gold coins")
    assert (intent.idempotency_key, intent.status, intent.submitted) == ("attempt-1", "Created", False)
    assert (intent.created, intent.expires) == (clock.now, clock.now + 3600)
    assert intent.request == payment(currency="EUR")
    assert intent.buyer == {"email": "ada@example.com", "id": "shop:7"}


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        payment(reference=...),
        payment(reference="r" * 100),
        payment(idempotency_key=LONG[:1000]),
        payment(currency="EUR"),
        buyer(wallet=WALLET),
        buyer(wallet=WALLET, email="a@b.example"),
        buyer(email="x" * 249 + "@b.com"),
        payment(buyer={"id": LONG[:1000], "email": "a@b.example"}),
        item(id="x" * 255, title="ü" * 255, description="d" * 255, image_url="https://" + "i" * 247),
        item(description=""),
        item(amount="0.01"),
        item(amount="100.00"),
        item(amount="1" * 97 + ".00"),
    ],
)
def test_a_body_within_the_limits_is_accepted(merchant, path, body):
    answer = merchant("POST", path, body)
    assert answer.status_code == 201, answer.text


WRONG = [
    ([], "the body is not an object"),
    ("x", "the body is not an object"),
    (None, "the body is not an object"),
    (without("items"), "items is missing"),
    (without("transaction_type"), "transaction_type is missing"),
    (without("buyer"), "buyer is missing"),
    (without("currency"), "currency is missing"),
    (without("idempotency_key"), "idempotency_key is missing"),
    (payment(transaction_type="BUY_NFT"), "transaction_type is not one of BUY_VDA"),
    (payment(currency="usd"), "currency is not one of USD, EUR"),
    (payment(currency="GBP"), "currency is not one of USD, EUR"),
    (payment(idempotency_key=LONG), "idempotency_key has more than 1000 characters"),
    (payment(idempotency_key=7), "idempotency_key is not a string"),
    (payment(reference="r" * 101), "reference has more than 100 characters"),
    (payment(reference=None), "reference is not a string"),
    (payment(metadata={}), "metadata is not a known field"),
    (payment(buyer=[]), "buyer is not an object"),
    (payment(buyer={"email": "a@b.example"}), "buyer.id is missing"),
    (buyer(), "buyer needs email or wallet"),
    (payment(buyer={"id": LONG, "email": "a@b.example"}), "buyer.id has more than 1000 characters"),
    (buyer(email="nobody"), "buyer.email is not an e-mail address"),
    (buyer(email="a b@c.example"), "buyer.email is not an e-mail address"),
    (buyer(email="x" * 250 + "@b.com"), "buyer.email has more than 255 characters"),
    (buyer(email=None, wallet=WALLET), "buyer.email is not a string"),
    (buyer(email="a@b.example", name="Ada"), "buyer.name is not a known field"),
    (buyer(wallet="0x"), "buyer.wallet is not an object"),
    (buyer(wallet={"address": "0x"}), "buyer.wallet.blockchain is missing"),
    (buyer(wallet={"blockchain": "base"}), "buyer.wallet.address is missing"),
    (buyer(email="a@b.example", wallet={}), "buyer.wallet.blockchain is missing; buyer.wallet.address is missing"),
    (buyer(wallet=WALLET | {"tag": "x"}), "buyer.wallet.tag is not a known field"),
    (payment(items={}), "items is not an array"),
    (payment(items=[]), "items has 0 items, not 1 to 1"),
    (payment(items=payment()["items"] * 2), "items has 2 items, not 1 to 1"),
    (payment(items=["gold"]), "items[0] is not an object"),
    (without("id", item=True), "items[0].id is missing"),
    (without("title", item=True), "items[0].title is missing"),
    (without("amount", item=True), "items[0].amount is missing"),
    (without("image_url", item=True), "items[0].image_url is missing"),
    (item(quantity=1), "items[0].quantity is not a known field"),
    (item(id="x" * 256), "items[0].id has more than 255 characters"),
    (item(title="x" * 256), "items[0].title has more than 255 characters"),
    (item(description="x" * 256), "items[0].description has more than 255 characters"),
    (item(description=None), "items[0].description is not a string"),
    (item(image_url="x" * 256), "items[0].image_url has more than 255 characters"),
    (item(amount="1" * 98 + ".00"), "items[0].amount has more than 100 characters"),
    (item(amount=9.99), "items[0].amount is not a string"),
    *(
        (item(amount=amount), 'items[0].amount is not an amount above zero with two decimals, such as "10.70"')
        for amount in (
            "10.7",
            "10",
            "10.700",
            "10,70",
            "-1.00",
            "+1.00",
            "0.00",
            "01.00",
            " 1.00",
            "1.00\n",
            "",
            "٣.00",
        )
    ),
]


@BOTH
@pytest.mark.parametrize(("body", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_a_body_beyond_the_limits_is_a_bad_request_that_says_why(merchant, path, body, problem):
    answer = merchant("POST", path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json() == {"error": {"status": 400, "reason": "Bad Request", "message": problem}}
    assert merchant.simulator.intents == ()


def test_a_lax_simulator_overlooks_unknown_fields_and_nothing_else(make_merchant):
    merchant = make_merchant(strict=False)
    assert merchant("POST", INTENT, payment(metadata={})).status_code == 201
    assert merchant("POST", INTENT, payment(reference=7)).status_code == 400


@pytest.mark.parametrize(
    "chain", ["solana_devnet", "binance_smart_chain_testnet", "apechain", "soneium_minato", "aleo_testnet", "amoy"]
)
def test_blockchains_are_known_by_name(merchant, chain):
    assert merchant("POST", INTENT, buyer(wallet=WALLET | {"blockchain": chain})).status_code == 201
    answer = merchant("POST", INTENT, buyer(wallet=WALLET | {"blockchain": chain.upper()}))
    assert answer.json()["error"]["message"].startswith("buyer.wallet.blockchain is not one of ethereum, sepolia, ")


@BOTH
@pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', '{"currency": "USD", "currency": "EUR"}', "[" * 100_000])
def test_what_is_no_json_is_a_bad_request(merchant, path, text):
    answer = merchant("POST", path, data=text.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "The body is not valid JSON."


@BOTH
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/json", "application/vnd.api+json", None])
def test_another_media_type_is_not_supported(merchant, path, kind):
    answer = merchant("POST", path, data=json.dumps(payment()).encode(), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (415, "Unsupported Media Type")


@BOTH
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 201),
        ("*/*", 201),
        ("application/*;q=0.1", 201),
        ("text/html, application/json", 201),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/xml, text/*", 406),
    ],
)
def test_who_does_not_take_json_gets_nothing(merchant, path, accept, status):
    answer = merchant("POST", path, payment(), headers={"Accept": accept})
    assert answer.status_code == status, answer.text


def test_a_charset_does_not_matter(merchant):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    body = json.dumps(payment(item={"title": "Schwert"}), ensure_ascii=False).encode()
    assert merchant("POST", INTENT, data=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({"email": "banned@example.com"}, "ERR01"),
        ({"email": "Sanctioned@example.com"}, "ERR03"),
        ({"email": "kyc@example.com"}, "ERR06"),
        ({"wallet": WALLET | {"address": "0x00DEAD"}}, "ERR15"),
    ],
)
def test_a_refused_buyer_gets_200_without_an_intent_and_something_for_the_widget(merchant, who, code):
    answer = merchant("POST", INTENT, payment(buyer={"id": "shop:7", **who}))
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert list(data) == ["flow", "error_code", "widget_data", "notes"]
    assert (data["flow"], data["error_code"], data["notes"]) == ("PAYMENT", code, [])
    assert base64.b64decode(data["widget_data"]).startswith(b'{"access_token"')
    assert merchant.simulator.intents == ()


def test_an_intent_can_be_made_that_waits_for_the_identity(merchant):
    data = merchant.create(buyer={"id": "shop:7", "email": "kyc.intent@example.com"})
    assert data["error_code"] == "ERR06"
    assert merchant.simulator.intent(data["payment_intent_id"]).status == "Created"


@BOTH
def test_an_amount_answers_as_if_the_payment_had_been_submitted(merchant, path):
    answer = merchant("POST", path, item(amount="409.04"))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "ERR04"
    assert answer.json()["error"]["reason"] == "Conflict"
