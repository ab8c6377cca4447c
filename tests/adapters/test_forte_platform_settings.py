"""What an owner can set for Forte Platforms, and what is refused before anything is sent."""

import re

import pytest
import responses

from bridge.adapters import ConfigurationError, CurrencyNotSupported, InvalidParameter
from tests.adapters.forte_platform_provider import API_KEY, RELAY_SECRET, adapter, payment
from tests.adapters.orders import CUSTOMER


def problems(**settings):
    with pytest.raises(ConfigurationError) as caught:
        adapter(**settings)
    return list(caught.value.problems)


def who(customer=CUSTOMER, email="", **settings):
    made = adapter(**settings)
    try:
        return made.prepare(payment(customer=customer)).get("user")
    finally:
        made.close()


@pytest.mark.parametrize(
    ("live", "mode", "sentence"),
    [
        (
            False,
            "live",
            "mode is live, and the store is in test mode: set mode=sandbox for a project that is a sandbox.",
        ),
        (True, "sandbox", "mode is sandbox, and the store is in live mode: set mode=live for a project that is live."),
    ],
)
def test_80_a_project_of_the_other_mode_is_refused_at_once(live, mode, sentence):
    assert problems(live=live, mode=mode) == [f"forte_platform: {sentence}"]


def test_118_a_live_store_talks_https_to_forte_and_loads_stripe_js_from_stripe():
    assert problems(live=True, host="http://127.0.0.1:8400", stripe_script_url="http://127.0.0.1:8400/s.js") == [
        "forte_platform: host is not an address such as https://api.forteplatforms.com.",
        "forte_platform: stripe_script_url is not an address such as https://js.stripe.com/v3/, "
        "and in live mode only js.stripe.com serves Stripe.js.",
    ]
    adapter(live=True, host="https://api.tryforte.example").close()


def test_118_a_live_store_takes_no_answer_of_a_simulator():
    with responses.RequestsMock() as mock:
        mock.post(re.compile("https://api.forteplatforms.com/.*/preview"), json={}, headers={"X-Simulator": "forte-b"})
        live = adapter(live=True)
        [finding] = live.check()
        live.close()
    assert finding.text == "A simulator answers in place of Forte, and this store is in live mode."
    assert not finding.ok


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"project": "prj 1"}, "project is not an id such as prj_1AbC."),
        ({"users": f"{CUSTOMER}:usr_1"}, "users is not like cus_A=usr_1,cus_B=usr_2."),
        ({"users": "ann=usr_1"}, "users is not like cus_A=usr_1,cus_B=usr_2."),
        ({"users": "cus_A=ann"}, "users is not like cus_A=usr_1,cus_B=usr_2."),
        ({"users": "cus_A=usr_1,cus_A=usr_2"}, "users has two users for the same customer."),
        ({"default_user": "me"}, "default_user is not an id such as usr_1AbC."),
        ({"preview_user": "me"}, "preview_user is not an id such as usr_1AbC."),
        ({"user_lookup": "email", "default_user": "usr_1"}, "user_lookup=email and default_user exclude each other."),
        ({"users": ""}, "nobody can be charged: set users, user_lookup=email or default_user."),
        ({"tax_code": "books"}, "tax_code is not like txcd_10000000."),
        ({"allow_tax_difference": "yes"}, "allow_tax_difference is for tax_mode=forte only."),
        ({"currencies": "USD,dollar"}, "currencies are not like USD,EUR."),
        ({"host": "forte.example"}, "host is not an address such as https://api.forteplatforms.com."),
        ({"host": "https://forte.example/api"}, "host is not an address such as https://api.forteplatforms.com."),
        ({"payment_path": "/p/{payment}"}, "payment_path is not a path with {payment} and {project}, or none."),
        ({"payments_path": "p/{project}"}, "payments_path is not a path with {project}, or none."),
        ({"relay_secret": "short"}, "relay_secret has fewer than 32 characters."),
        ({"relay_secret": f"{RELAY_SECRET},short"}, "relay_secret has fewer than 32 characters."),
        ({"webhook_endpoint": "a/b"}, "webhook_endpoint has something other than letters, digits, - and _."),
        ({"trigger_path": "hook"}, "trigger_path does not start with /."),
        ({"tax_mode": "none"}, "tax_mode must be one of woocommerce, forte, not 'none'."),
        ({"refunds": "some"}, "refunds must be one of partial, full, none, not 'some'."),
        *(
            (
                {"trusted_networks": networks},
                "trusted_networks are not like 10.2.0.0/16,fd00::/32 (at most a /8, or a /16 of IPv6).",
            )
            for networks in ("everybody", "0.0.0.0/0", "::/0", "10.0.0.0/7", "10.0.0.0/8,x")
        ),
    ],
)
def test_117_a_wrong_setting_is_said_in_a_sentence(settings, sentence):
    assert problems(**settings) == [f"forte_platform: {sentence}"]


def test_117_everything_that_is_wrong_is_said_at_once_without_the_secrets():
    said = problems(api_key="CANARY KEY", relay_secret="CANARY", project="", users="x", host="ftp://x")
    assert [one.split(" needs ")[0] for one in said] == ["forte_platform"]
    said = problems(api_key="CANARY KEY", relay_secret="CANARY", project="p p", users="x", host="ftp://x")
    assert len(said) == 5
    assert "CANARY" not in str(said)


def test_117_secrets_have_no_defaults_that_work():
    with pytest.raises(ConfigurationError, match="forte_platform needs the setting api_key"):
        adapter(api_key="")


def test_83_nothing_shows_the_key():
    made = adapter(relay_secret=RELAY_SECRET)
    assert repr(made) == "<FortePlatformAdapter prj_1 test>"
    assert not any(secret in f"{made!r} {made._options!r}" for secret in (API_KEY, RELAY_SECRET))
    made.close()


def test_72_the_table_says_which_user_a_customer_is():
    table = "cus_A=usr_1, cus_B=usr_2"
    assert [who(customer, users=table) for customer in ("cus_A", "cus_B")] == ["usr_1", "usr_2"]


def test_72_the_table_may_be_a_file_with_remarks():
    assert who("cus_B", users="# wholesale\ncus_A=usr_1\n\ncus_B=usr_2  # Bea\n") == "usr_2"


def test_72_nobody_is_charged_under_another_ones_id():
    with pytest.raises(InvalidParameter, match="No Forte user is known for customer cus_Z: the setting users has none"):
        who("cus_Z", users="cus_A=usr_1")


def test_72_a_default_user_is_charged_only_where_the_owner_says_so():
    assert who("cus_Z", users="cus_A=usr_1", default_user="usr_9") == "usr_9"
    assert who("cus_A", users="cus_A=usr_1", default_user="usr_9") == "usr_1"


def test_currencies_without_two_decimals_have_to_be_named():
    usual, named = adapter(), adapter(currencies="usd, JPY KWD")
    assert (usual.smallest("USD"), usual.smallest("EUR"), usual.smallest("ISK"), named.smallest("JPY")) == (
        1,
        1,
        100,
        1,
    )
    for made, currency in ((usual, "JPY"), (usual, "KWD"), (usual, "US"), (named, "EUR"), (named, "KWD")):
        with pytest.raises(CurrencyNotSupported):
            made.smallest(currency)
        with pytest.raises(CurrencyNotSupported):
            made.prepare(payment(currency=currency))
    usual.close()
    named.close()


def test_112_refunds_are_no_operation_where_the_api_has_none():
    made = adapter(refunds="none")
    assert "refund" in type(made).operations
    assert "refund" not in made.operations
    made.close()
