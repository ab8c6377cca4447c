"""The settings of Forte Payments: what works together, and that sandbox and production are never mixed."""

import pytest
import responses

from bridge.adapters import ConfigurationError, ProviderError
from tests.adapters.forte_payments_provider import CLIENT_SECRET, adapter, forte, payment

SANDBOX, PRODUCTION = "https://sandbox-api.sandbox.lemmax.com", "https://api.prod.lemmax.com"
SCRIPTS = "https://payments.{}.lemmax.com/forte-payments-widget.js"


def problems(*, live=False, **settings):
    with pytest.raises(ConfigurationError) as caught:
        adapter(live=live, **settings)
    assert CLIENT_SECRET not in str(caught.value)
    return caught.value.problems


@pytest.mark.parametrize(
    ("live", "settings", "wrong"),
    [
        (True, {"api_base": SANDBOX}, "api_base is not Forte's production"),
        (True, {"api_base": "http://api.prod.lemmax.com"}, "api_base is not Forte's production"),
        (True, {"widget_script": SCRIPTS.format("sandbox")}, "widget_script is not Forte's production"),
        (False, {"api_base": PRODUCTION}, "api_base is Forte's production"),
        (False, {"widget_script": SCRIPTS.format("prod")}, "widget_script is Forte's production"),
    ],
)
def test_05_sandbox_and_production_are_never_mixed(live, settings, wrong):
    [problem] = problems(live=live, **settings)
    assert problem.startswith(f"forte_payments: {wrong}")


def test_05_the_hosts_are_the_documented_ones_or_those_that_are_set():
    for live, hosts in ((False, (SANDBOX, SCRIPTS.format("sandbox"))), (True, (PRODUCTION, SCRIPTS.format("prod")))):
        account = adapter(live=live)._account
        assert (account.api_base, account.widget_script) == hosts
        assert adapter(live=live, api_base="https://forte.example/")._account.api_base == "https://forte.example"


def test_118_a_live_store_cannot_use_the_simulator():
    with forte() as world:
        assert len(problems(live=True, api_base=world.url, widget_script=f"{world.url}/x.js")) == 2


@pytest.mark.parametrize("path", ["tokens", "intent"])
def test_118_a_live_store_takes_no_answer_of_a_simulator(path):
    """Whether it answers from the start, or first when money is at stake."""
    marked = {"X-Simulator": "forte-a"}
    token = {"data": {"access_token": "CanaryToken", "expires_in": 3600}}
    data = {"data": {"payment_intent_id": "440b0e4e-ae70-4886-ad6b-1521cc22cbca", "widget_data": "x"}}
    with responses.RequestsMock() as mock:
        mock.post(f"{PRODUCTION}/auth/v1/oauth2/tokens", json=token, headers=marked if path == "tokens" else {})
        if path == "intent":
            mock.post(f"{PRODUCTION}/payments/v2/intent", json=data, status=201, headers=marked)
        live = adapter(live=True)
        with pytest.raises(
            ProviderError, match="A simulator answers in place of Forte, and this store is in live mode"
        ):
            live.create(live.prepare(payment()), "key")
        live.close()


@pytest.mark.parametrize(
    ("setting", "value", "wrong"),
    [
        ("client_id", "x" * 101, "client_id has more than 100 characters."),
        ("api_base", "shop.example", "api_base is not an address such as https://sandbox-api.sandbox.lemmax.com."),
        ("fallback_image", "http://shop.example/a.png", "fallback_image is not an https address of at most 255"),
        (
            "fallback_image",
            "https://shop.example/" + "a" * 235,
            "fallback_image is not an https address of at most 255",
        ),
        ("buyer_id", "{shop}", "buyer_id has neither {customer} nor {caller}"),
        ("webhook_endpoint", "a/b", "webhook_endpoint has something other"),
        ("signature_header", "X Forte", "signature_header is not the name of a header."),
        ("timestamp_header", "X:T", "timestamp_header is not the name of a header."),
        ("signature_payload", "{timestamp}", "signature_payload must contain {body} exactly once."),
        ("signature_payload", "{timestamp}.{body}", "timestamp_header and {timestamp} in signature_payload need each"),
        ("timestamp_header", "X-Time", "timestamp_header and {timestamp} in signature_payload need each other"),
        ("signature_tolerance", "5 minutes", "signature_tolerance is not a number of seconds."),
        ("intent_field", "data.id", "intent_field is not a JSON pointer such as /data/reference."),
        ("mode", "popup", "mode must be one of widget, redirect, not 'popup'."),
    ],
)
def test_117_a_setting_that_cannot_work_is_named(setting, value, wrong):
    assert any(wrong in problem for problem in problems(**{setting: value}))


def test_an_empty_name_of_a_meta_is_the_default():
    made = adapter(wallet_address_meta="", wallet_blockchain_meta="")._account
    assert (made.wallet_address, made.wallet_blockchain) == ("_forte_wallet_address", "_forte_wallet_blockchain")


def test_117_everything_that_is_wrong_is_said_at_once():
    assert len(problems(api_base="x", buyer_id="x", intent_field="x")) == 3


def test_112_the_mode_decides_what_it_can_do():
    assert adapter().operations == {"create", "fetch", "preview", "events"}
    assert adapter(mode="redirect").operations == {"open", "fetch", "preview", "events"}


def test_01_the_secret_is_in_no_repr():
    made = adapter(webhook_secret="CanaryOfTheWebhook")
    assert "Canary" not in repr(made) + repr(made._account) + repr(made._account.scheme)
    assert repr(made) == "<FortePaymentsAdapter shop-7 test>"
