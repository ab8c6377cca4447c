"""What Forte is asked for: one body for both modes, within every limit, and what is refused before anybody hears of it.

The numbers are those of the checklist for Forte.
"""

# ruff: noqa: RUF001 texts as shops have them

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.adapters import (
    Address,
    CurrencyNotSupported,
    InvalidAmount,
    InvalidParameter,
    LineKind,
    Refused,
    Unsupported,
)
from tests.adapters.forte_payments_provider import IMAGE, adapter, forte, full, line, payment
from tests.adapters.forte_payments_wire import CHAINS, INTENT, PAYMENT, REDIRECT, faults
from tests.adapters.orders import ATTEMPT, KEY, SITE

ETHEREUM = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
WALLET = {"_forte_wallet_address": ETHEREUM, "_forte_wallet_blockchain": "ethereum"}


def body(asked, **settings):
    """What is sent for a payment, held against the table of the document."""
    sent = adapter(**settings).prepare(asked)["body"] | {"idempotency_key": KEY}
    assert list(faults(PAYMENT, sent)) == []
    return sent


def item(*lines, **changes):
    return body(payment(*lines, **changes))["items"][0]


def buyer(asked=None, /, **changes):
    return body(asked or payment(**changes))["buyer"]


def refusal(asked, **settings):
    with pytest.raises(Refused) as caught:
        adapter(**settings).prepare(asked)
    assert str(caught.value)
    return caught.value.reason


def email(address):
    return {"billing": Address(email=address)}


# The whole


def test_07_an_order_of_one_line_is_that_line():
    assert body(payment()) == {
        "transaction_type": "BUY_VDA",
        "buyer": {"id": "shop.example:7", "email": "ann@example.com"},
        "currency": "USD",
        "reference": f"12:{ATTEMPT}",
        "idempotency_key": KEY,
        "items": [
            {
                "id": "product-30",
                "title": "1,000 gold coins",
                "description": "1× 1,000 gold coins",
                "amount": "10.23",
                "image_url": IMAGE,
            }
        ],
    }


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_08_usd_and_eur_are_taken(currency):
    assert adapter().smallest(currency) == 1
    assert body(payment(currency=currency))["currency"] == currency


@pytest.mark.parametrize("currency", ["JPY", "GBP", "KWD", "usdc"])
def test_08_any_other_currency_is_refused_before_anybody_hears_of_it(currency):
    with forte() as world:
        made = world.adapter()
        for ask in (lambda: made.smallest(currency), lambda: made.prepare(payment(currency=currency))):
            with pytest.raises(CurrencyNotSupported, match=currency.lower()):
                ask()
        assert world.door.sent == []


def test_08_a_currency_is_sent_in_upper_case():
    assert body(replace(payment(), currency="eur"))["currency"] == "EUR"


def test_09_several_lines_are_collapsed_into_one_item():
    lines = (
        line("Gold", "2", "6.00"),
        line("Silver", "3", "2.00", tax=Decimal("0.42")),
        line("Bonus", total="-1.00", kind=LineKind.FEE),
    )
    sent = body(payment(*lines, shipping_total=Decimal("1.50")), physical_goods="allow")["items"]
    assert sent == [
        {
            "id": "order-12",
            "title": "Order #12 (3 items)",
            "description": "2× Gold, 3× Silver, Bonus, shipping, tax",
            "amount": "10.23",
            "image_url": IMAGE,
        }
    ]


def test_09_an_order_without_lines_is_an_item_too():
    asked = payment()
    alone = item_of(replace(asked, order=replace(asked.order, lines=())))
    assert alone == {
        "id": "order-12",
        "title": "Order #12",
        "amount": "10.23",
        "image_url": f"{SITE}/wp-content/uploads/woocommerce-placeholder.png",
    }


def item_of(asked):
    return body(asked)["items"][0]


def test_09_quantities_are_in_the_title_and_fractions_stay():
    assert item(line("Gold", "3"))["title"] == "Gold × 3"
    assert item(line("Gold", "2.50"))["title"] == "Gold × 2.5"
    assert item(line("Gold", "100"))["title"] == "Gold × 100"


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (1, "0.01"),
        (99, "0.99"),
        (1070, "10.70"),
        (10_000, "100.00"),
        (2**53 + 1, "90071992547409.93"),
        (10**18 - 1, "9999999999999999.99"),
    ],
)
def test_10_the_amount_is_a_string_with_two_decimals(amount, sent):
    assert item(amount=amount)["amount"] == sent


@pytest.mark.parametrize("amount", [0, -1])
def test_10_nothing_and_less_cannot_be_paid(amount):
    with pytest.raises(InvalidAmount):
        adapter().prepare(payment(amount=amount))


# The picture


LONG = "a" * (255 - len(f"{SITE}/"))


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        ([f"{SITE}/{LONG}"], f"{SITE}/{LONG}"),
        ([f"{SITE}/{LONG}b"], "https://cdn.example/none.png"),
        ([""], "https://cdn.example/none.png"),
        (["http://shop.example/gold.png"], "https://cdn.example/none.png"),
        (["data:image/png;base64,AAAA"], "https://cdn.example/none.png"),
        (["/gold.png"], "https://cdn.example/none.png"),
        (["https://[/gold.png"], "https://cdn.example/none.png"),
        ([f"{SITE}/Gold Münze.png"], f"{SITE}/Gold%20M%C3%BCnze.png"),
        ([f"{SITE}/Gold%20M%C3%BCnze.png?a=1&b=2"], f"{SITE}/Gold%20M%C3%BCnze.png?a=1&b=2"),
        ([f"{SITE}/{'ü' * 50}.png"], "https://cdn.example/none.png"),
        (["", f"{SITE}/second.png"], f"{SITE}/second.png"),
    ],
)
def test_11_there_is_always_a_picture(images, shown):
    lines = [line(image_url=image) for image in images]
    sent = body(payment(*lines), fallback_image="https://cdn.example/none.png")
    assert sent["items"][0]["image_url"] == shown


def test_11_without_one_it_is_the_shops_own_placeholder():
    for site in (SITE, "http://shop.example", "https://shop.example/"):
        asked = payment(line(image_url=""), metadata={"site_url": site})
        assert item_of(asked)["image_url"] == f"{SITE}/wp-content/uploads/woocommerce-placeholder.png"


def test_11_where_nothing_can_be_shown_the_payment_is_refused():
    assert refusal(payment(line(image_url=""), metadata={})) == "image_missing"


# Lengths and texts


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 255, "金" * 255])
def test_12_a_title_of_255_characters_is_whole(name):
    assert item(line(name))["title"] == name


@pytest.mark.parametrize("name", ["x" * 256, "金" * 4000])
def test_12_a_longer_title_is_cut_between_characters(name):
    title = item(line(name))["title"]
    assert len(title) == 255
    assert title == name[:254] + "…"
    counted = item(line(name, "3"))["title"]
    assert len(counted) == 255
    assert counted.endswith("… × 3")


def test_12_nothing_that_people_see_as_one_character_is_cut_apart():
    family = "👩\u200d👩\u200d👧"
    for name, kept in (
        ("x" * 252 + family + "y", "x" * 252 + "…"),
        ("x" * 253 + "e\u0301" + "yy", "x" * 253 + "…"),
        ("x" * 253 + "👍🏽" + "y", "x" * 253 + "…"),
        ("x" * 252 + "e\u0301" + "yy", "x" * 252 + "e\u0301…"),
        ("e\u0301" * 200, "e\u0301" * 127 + "…"),
    ):
        assert item(line(name))["title"] == kept
    assert len(item(line("\u0301" * 300))["title"]) <= 255


def test_12_a_long_description_is_cut():
    described = item(*[line(f"Thing {number}") for number in range(60)])["description"]
    assert len(described) == 255
    assert described.endswith("…")
    for length, shown in ((255 - 3, "x" * 252), (255 - 2, "x" * 251 + "…")):
        described = item(line("x" * length))["description"]
        assert (len(described), described) == (255, f"1× {shown}")


def test_12_a_sku_names_the_item_and_is_never_cut():
    assert item(line(sku="G-1"))["id"] == "G-1"
    assert item(line(sku="x" * 255))["id"] == "x" * 255
    assert item(line(sku="x" * 256))["id"] == "product-30"
    assert item(line(sku="x" * 256, variation_id=31))["id"] == "product-31"
    assert item(line(product_id=0))["id"] == "order-12"


@pytest.mark.parametrize(("length", "sent"), [(255, True), (256, False)])
def test_12_an_email_address_that_is_too_long_is_none(length, sent):
    labels = ".".join(["b" * 50, "c" * 50, "d" * 50, "com"])
    address = f"{'a' * (length - 1 - len(labels))}@{labels}"
    assert len(address) == length
    asked = full(payment(**email(address)), meta=WALLET)
    assert ("email" in buyer(asked)) is sent


@pytest.mark.parametrize("address", ["", "ann", "ann@", "@example.com", "ann example@example.com", "ann@example"])
def test_12_what_is_no_email_address_is_not_sent(address):
    assert refusal(payment(**email(address))) == "buyer_unidentified"
    assert "email" not in buyer(full(payment(**email(address)), meta=WALLET))


def test_12_a_buyers_id_that_would_be_too_long_is_a_hash():
    exact = body(payment(), buyer_id="x" * 999 + "{customer}")["buyer"]["id"]
    assert exact == "x" * 999 + "7"
    hashed = {body(payment(customer_id=n), buyer_id="x" * 1000 + "{customer}")["buyer"]["id"] for n in (1, 2)}
    assert [len(each) for each in hashed] == [64, 64]


def test_12_reference_and_key_stay_within_their_limits():
    largest = payment(id=2**63 - 1)
    sent = body(largest)
    assert sent["reference"] == f"{2**63 - 1}:{ATTEMPT}"
    assert len(sent["reference"]) <= 100


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Gold &amp; <b>Silver</b>", "Gold & Silver"),
        ("<script>alert(1)</script>Gold<!-- x -->", "Gold"),
        ("Gold\x00\r\n\tbars\x7f", "Gold bars"),
        ("5 < 6 &gt; 4", "5 < 6 > 4"),
        ("Größe: 大 – ½ ✓ 👩\u200d👧", "Größe: 大 – ½ ✓ 👩\u200d👧"),
        ("Gold\ud83d", "Gold"),
        ("<br>", "Order #12"),
        ("", "Order #12"),
    ],
)
def test_13_texts_are_plain_and_keep_every_script(name, title):
    assert item(line(name))["title"] == title
    shown = f"2× {title}, 1× Silver" if title != "Order #12" else "1× Silver"
    assert item(line(name, "2"), line("Silver"))["description"] == shown


# The buyer


def test_14_a_buyer_has_an_id_and_an_email_or_a_wallet_or_both():
    assert buyer() == {"id": "shop.example:7", "email": "ann@example.com"}
    wallet = {"address": ETHEREUM, "blockchain": "ethereum"}
    assert buyer(full(payment(), meta=WALLET)) == {**buyer(), "wallet": wallet}
    assert buyer(full(payment(**email("")), meta=WALLET)) == {"id": "shop.example:7", "wallet": wallet}


def test_14_a_buyer_with_neither_is_refused():
    assert refusal(payment(**email(""))) == "buyer_unidentified"


def test_15_a_customer_has_one_id_for_every_order_address_and_mode():
    orders = [payment(), payment(id=99, number="99", attempt_id="f" * 32), payment(**email("new@example.com"))]
    ids = {
        adapter(mode=mode).prepare(asked)["body"]["buyer"]["id"] for asked in orders for mode in ("widget", "redirect")
    }
    assert ids == {"shop.example:7"}


@pytest.mark.parametrize("site", ["https://other.example", "https://shop.example/second", "https://shop.example:8443"])
def test_15_the_customers_of_two_shops_never_meet(site):
    for customer in (0, 7):
        theirs = buyer(payment(customer_id=customer, metadata={"site_url": site}))["id"]
        assert theirs != buyer(payment(customer_id=customer))["id"]


def test_15_a_shop_is_the_same_whatever_its_scheme_and_case():
    for site in ("http://shop.example", "https://Shop.Example/"):
        assert buyer(payment(metadata={"site_url": site}))["id"] == "shop.example:7"


def test_15_a_guest_is_known_by_a_hash_of_the_email_address():
    first = buyer(payment(customer_id=0))["id"]
    assert first.startswith("shop.example:guest-")
    assert "ann" not in first
    assert buyer(payment(customer_id=0, id=99, **email("ANN@example.com")))["id"] == first
    assert buyer(payment(customer_id=0, **email("bob@example.com")))["id"] != first


def test_15_a_guest_with_a_wallet_only_is_known_by_that():
    ids = {
        buyer(full(payment(customer_id=0, **email("")), meta=WALLET | {"_forte_wallet_address": address}))["id"]
        for address in (ETHEREUM, ETHEREUM, "other")
    }
    assert len(ids) == 2


def test_15_the_format_can_be_chosen():
    sent = body(payment(), buyer_id="gold/{caller}")
    assert sent["buyer"]["id"] == "gold/cus_OUQoHGzJLw87Tk"


@pytest.mark.parametrize("chain", CHAINS)
def test_16_every_blockchain_of_the_document_is_taken(chain):
    asked = full(payment(), meta=WALLET | {"_forte_wallet_blockchain": chain})
    assert buyer(asked)["wallet"] == {"address": ETHEREUM, "blockchain": chain}


def test_16_there_are_22_of_them():
    assert len(set(CHAINS)) == 22


@pytest.mark.parametrize(
    "changes",
    [{"_forte_wallet_blockchain": "bitcoin"}, {"_forte_wallet_blockchain": ""}, {"_forte_wallet_address": None}],
)
def test_16_half_a_wallet_or_one_of_an_unknown_chain_is_refused(changes):
    assert refusal(full(payment(), meta=WALLET | changes)) == "invalid_wallet"


def test_16_the_metas_names_are_settings():
    asked = full(payment(), meta={"wallet": ETHEREUM, "chain": "solana"})
    sent = body(asked, wallet_address_meta="wallet", wallet_blockchain_meta="chain")
    assert sent["buyer"]["wallet"] == {"address": ETHEREUM, "blockchain": "solana"}
    assert "wallet" not in buyer(asked)


def test_17_guests_can_be_refused():
    assert buyer(payment(customer_id=0))["email"] == "ann@example.com"
    assert refusal(payment(customer_id=0), guests="refuse") == "guest_refused"
    assert body(payment(), guests="refuse")


# Reference, key, fields, modes


def test_18_the_reference_names_order_and_attempt_and_no_two_attempts_share_one():
    references = {body(payment(attempt_id=attempt))["reference"] for attempt in ("a" * 32, "b" * 32)}
    assert references == {f"12:{'a' * 32}", f"12:{'b' * 32}"}


def test_19_the_key_is_the_attempts_and_the_stored_request_is_sent_as_it_is():
    with forte() as world:
        made = world.adapter()
        request = json.loads(json.dumps(made.prepare(payment())))
        for key in (KEY, KEY, f"{'b' * 32}:create"):
            made.create(request, key)
        first, again, other = world.door.to(INTENT)
        assert first.content == again.content
        assert first.body["idempotency_key"] == KEY
        assert other.body == first.body | {"idempotency_key": f"{'b' * 32}:create"}


names = st.text(max_size=300)
prices = st.decimals(0, 1000, places=2)


@settings(deadline=None)
@given(
    lines=st.lists(st.builds(line, names, st.integers(1, 9).map(str), prices.map(str), sku=names), max_size=4),
    number=names,
    amount=st.integers(1, 10**9),
    address=names,
    picture=names,
)
def test_20_whatever_an_order_holds_only_the_documents_fields_are_sent_within_their_limits(
    lines, number, amount, address, picture
):
    pictured = [replace(each, image_url=picture) for each in lines]
    asked = payment(amount=amount, number=number, **email(address))
    asked = full(replace(asked, order=replace(asked.order, lines=tuple(pictured))), meta=WALLET)
    sent = adapter().prepare(asked)["body"] | {"idempotency_key": KEY}
    assert list(faults(PAYMENT, sent)) == []
    assert sent["items"][0]["amount"] == str(Decimal(amount) / 100 + Decimal("0.00"))
    assert json.loads(json.dumps(sent, ensure_ascii=False).encode()) == sent


def test_21_requests_and_answers_are_json():
    with forte() as world:
        world.create(**email("jürgen@example.com"), number="№ 7", id=7)
        [sent] = world.door.to(INTENT)
        assert (sent.headers["Content-Type"], sent.headers["Accept"]) == ("application/json", "application/json")
        assert "jürgen@example.com".encode() in sent.content


def test_22_both_modes_send_the_same_bytes():
    with forte() as world:
        widget, redirect = world.adapter(), world.adapter(mode="redirect")
        widget.create(widget.prepare(payment()), KEY)
        redirect.open(redirect.prepare(payment()), KEY)
        [first], [second] = world.door.to(INTENT), world.door.to(REDIRECT)
        assert first.content == second.content


SHIPPED = [
    {"shipping_total": Decimal("4.90")},
    {"shipping": Address(line1="1 Main St")},
    {"shipping": Address(postal_code="62701")},
]


@pytest.mark.parametrize("changes", SHIPPED)
def test_23_what_is_shipped_is_refused_unless_that_is_allowed(changes):
    assert refusal(payment(**changes)) == "physical_goods"
    assert body(payment(**changes), physical_goods="allow")


def test_23_the_order_books_own_word_counts_more():
    assert refusal(full(payment(), needs_shipping=True)) == "physical_goods"
    assert body(full(payment(**SHIPPED[1]), needs_shipping=False))


# Everything else


def test_102_customer_and_payment_method_are_named_when_they_are_wrong():
    for name in ("customer", "payment_method"):
        for value in (None, "", "x y"):
            with pytest.raises(InvalidParameter, match=name):
                adapter().prepare(replace(payment(), **{name: value}))


def test_112_money_cannot_be_held():
    with pytest.raises(Unsupported, match="manual capture is not supported by forte_payments"):
        adapter().prepare(payment(capture="manual"))


def test_111_nothing_of_the_buyer_is_sent_but_the_address_and_the_wallet():
    personal = Address("Ann", "Canary", "1 Canary St", "", "Canary City", "CA", "90210", "US", "ann@example.com", "555")
    text = json.dumps(body(payment(billing=personal)))
    assert "ann@example.com" in text
    assert "Canary" not in text
    assert "555" not in text
