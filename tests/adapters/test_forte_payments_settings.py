"""The settings of Forte Payments: what works together, and that sandbox and production are never mixed."""

import pytest

from bridge.adapters import ConfigurationError
from tests.adapters.forte_payments_provider import CLIENT_SECRET, adapter, forte

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
        ("wallet_address_meta", "", None),
        ("wallet_blockchain_meta", "", None),
        ("webhook_endpoint", "a/b", "webhook_endpoint has something else"),
        ("signature_header", "X Forte", "signature_header is not the name of a header."),
        ("timestamp_header", "X:T", "timestamp_header is not the name of a header."),
        ("signature_payload", "{timestamp}", "signature_payload does not have {body} once."),
        ("signature_payload", "{timestamp}.{body}", "timestamp_header and {timestamp} in signature_payload need each"),
        ("timestamp_header", "X-Time", "timestamp_header and {timestamp} in signature_payload need each other"),
        ("signature_tolerance", "5 minutes", "signature_tolerance is not a number of seconds."),
        ("intent_field", "data.id", "intent_field is not a JSON pointer such as /data/reference."),
        ("mode", "popup", "mode is one of widget, redirect, not 'popup'."),
    ],
)
def test_117_a_setting_that_cannot_work_is_named(setting, value, wrong):
    if wrong is None:
        wrong = "wallet_address_meta and wallet_blockchain_meta are set together or not at all."
        # an empty text is "not given" when settings are completed, so it takes the default
        assert adapter(**{setting: value})
        return
    assert any(wrong in problem for problem in problems(**{setting: value}))


def test_117_everything_that_is_wrong_is_said_at_once():
    assert len(problems(api_base="x", buyer_id="x", intent_field="x")) == 3


def test_112_the_mode_decides_what_it_can_do():
    assert adapter().operations == {"create", "fetch", "preview", "events"}
    assert adapter(mode="redirect").operations == {"open", "fetch", "preview", "events"}


def test_01_the_secret_is_in_no_repr():
    made = adapter(webhook_secret="CanaryOfTheWebhook")
    assert "Canary" not in repr(made) + repr(made._account) + repr(made._account.scheme)
    assert repr(made) == "<FortePaymentsAdapter shop-7 test>"
