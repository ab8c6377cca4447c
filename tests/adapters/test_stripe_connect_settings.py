"""What an owner can set, and what is refused before anything is sent."""

from decimal import Decimal

import pytest

from bridge.adapters import AdapterContext, ConfigurationError, CurrencyNotSupported
from bridge.adapters.stripe_connect.settings import Fee
from tests.adapters.payments import stripe_adapter


def problems(**settings):
    with pytest.raises(ConfigurationError) as caught:
        stripe_adapter(**settings)
    return list(caught.value.problems)


@pytest.mark.parametrize("key", ["sk_test_1AbC", "rk_test_1AbC"])
def test_a_test_store_takes_test_keys(key):
    adapter = stripe_adapter(secret_key=key)
    assert repr(adapter) == "<StripeConnectAdapter acct_1Connected test>"
    adapter.close()


@pytest.mark.parametrize("key", ["sk_live_1AbC", "rk_live_1AbC"])
def test_a_live_store_takes_live_keys(key):
    adapter = stripe_adapter(live=True, secret_key=key)
    assert repr(adapter) == "<StripeConnectAdapter acct_1Connected live>"
    adapter.close()


@pytest.mark.parametrize(
    ("live", "key"),
    [
        *((False, key) for key in ("sk_live_1AbC", "rk_live_1AbC", "pk_test_1", "sk_test_", "sk_test_1 ", "x")),
        *((True, key) for key in ("sk_test_1AbC", "rk_test_1AbC", "pk_live_1", "whsec_1")),
    ],
)
def test_live_and_test_never_mix(live, key):
    mode = "live" if live else "test"
    assert problems(live=live, secret_key=key) == [
        f"stripe_connect: secret_key is not a key for {mode} mode (sk_{mode}_... or rk_{mode}_...), "
        f"and the store is in {mode} mode."
    ]


def test_a_live_store_talks_to_stripe_itself():
    assert problems(live=True, secret_key="sk_live_1", api_base="https://stripe.example") == [
        "stripe_connect: api_base cannot be changed in live mode."
    ]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"account": "ca_1"}, "account is not an id such as acct_1AbC."),
        ({"on_behalf_of": "yes"}, "on_behalf_of is for charge_type=destination only."),
        ({"country": "USA"}, "country is not two letters."),
        ({"from_postal_code": "W1A 1AA"}, "from_postal_code is not a US ZIP code."),
        ({"currencies": "USD,dollar"}, "currencies are not like USD,EUR."),
        (
            {"statement_descriptor_suffix": "SHOP*1"},
            "statement_descriptor_suffix has more than 18 characters, one of < > \\ ' \" *, "
            "no Latin letter or something that is not Latin.",
        ),
        (
            {"statement_descriptor_suffix": "S" * 23},
            "statement_descriptor_suffix has more than 18 characters, one of < > \\ ' \" *, "
            "no Latin letter or something that is not Latin.",
        ),
        ({"api_base": "stripe.example"}, "api_base is not an address such as http://127.0.0.1:8420."),
        ({"api_base": "ftp://127.0.0.1"}, "api_base is not an address such as http://127.0.0.1:8420."),
        ({"api_base": "http://127.0.0.1/v1"}, "api_base is not an address such as http://127.0.0.1:8420."),
        ({"webhook_secret": "we_1AbC"}, "webhook_secret is not a signing secret such as whsec_1AbC, or several."),
        ({"webhook_secret": "whsec_1, x"}, "webhook_secret is not a signing secret such as whsec_1AbC, or several."),
        ({"webhook_secret": "whsec_"}, "webhook_secret is not a signing secret such as whsec_1AbC, or several."),
        ({"webhook_endpoint": "a/b"}, "webhook_endpoint has something other than letters, digits, - and _."),
        ({"charge_type": "separate"}, "charge_type must be one of direct, destination, not 'separate'."),
        ({"off_session": "true"}, "off_session must be one of no, yes, not 'true'."),
        ({"max_retries": "9"}, "max_retries must be one of 0, 1, 2, 3, not '9'."),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(settings, sentence):
    assert problems(**settings) == [f"stripe_connect: {sentence}"]


@pytest.mark.parametrize("fee", ["-1", "1.5", "2,9%", "101%", "%", "30+2.9%", "2.9%+", "free", "\u0661", "2.9%+30 "])
def test_a_fee_is_an_amount_or_a_percentage_or_both(fee):
    assert problems(fee=fee) == [
        "stripe_connect: fee must be none, 62, 2.9% or 2.9%+30, and fee_cap a number of minor units."
    ]


def test_everything_that_is_wrong_is_said_at_once_without_the_key():
    said = problems(secret_key="sk_live_CANARY", account="me", country="1", fee_cap="lots")
    assert len(said) == 4
    assert "CANARY" not in str(said)


@pytest.mark.parametrize(
    ("fee", "amount", "currency", "expected"),
    [
        (Fee(), 1023, "USD", 0),
        (Fee(fixed=62), 1023, "USD", 62),
        (Fee(Decimal("2.9")), 1023, "USD", 30),
        (Fee(Decimal("2.9"), 30), 1023, "USD", 60),
        (Fee(Decimal("0.5")), 100, "USD", 1),
        (Fee(Decimal("0.5")), 99, "USD", 0),
        (Fee(Decimal("10"), 0, 50), 1023, "USD", 50),
        (Fee(fixed=62), 50, "USD", 50),
        (Fee(Decimal(100)), 1023, "USD", 1023),
        (Fee(Decimal("2.9")), 500, "JPY", 15),
        (Fee(Decimal("2.9")), 1230, "KWD", 30),
        (Fee(Decimal("2.9")), 100000, "UGX", 2900),
        (Fee(Decimal("2.95")), 100000, "UGX", 2900),
    ],
)
def test_the_fee_is_rounded_capped_and_never_more_than_the_amount(fee, amount, currency, expected):
    assert fee.of(amount, currency) == expected


def test_steps_of_amounts_are_stripes():
    adapter = stripe_adapter()
    assert [adapter.smallest(currency) for currency in ("USD", "jpy", "KWD", "ISK", "UGX")] == [1, 1, 10, 100, 100]
    adapter.close()


def test_a_currency_that_the_owner_leaves_out_is_not_supported():
    adapter = stripe_adapter(currencies="usd, EUR")
    assert adapter.smallest("EUR") == 1
    with pytest.raises(CurrencyNotSupported, match=r"^gbp is not a supported currency for payments\.$"):
        adapter.smallest("GBP")
    adapter.close()


def test_nothing_shows_the_secrets():
    adapter = stripe_adapter(AdapterContext(), secret_key="sk_test_CANARY", webhook_secret="whsec_CANARY")
    assert "CANARY" not in f"{adapter!r} {adapter._account!r}"
    adapter.close()
