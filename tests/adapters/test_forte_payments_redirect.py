"""The hosted page: an address for one visit within thirty seconds, that nobody but the buyer's browser may open.

The numbers are those of the checklist for Forte.
"""

import logging
from collections.abc import Iterator

import pytest
import requests
import responses

from bridge.adapters import ProviderConfused, ProviderRefused, ProviderUnreachable
from bridge.domain.errors import ProviderError
from bridge.simulators.faults import Fault
from tests.adapters.forte_payments_provider import World, adapter, forte, payment
from tests.adapters.forte_payments_wire import REDIRECT
from tests.adapters.orders import ATTEMPT

KEY = f"{ATTEMPT}:open"
PAGE = "https://payments.forte.io/0f7660c1-a106-481f-acf9-1848e98a7230?redirect_token=CanaryToken"


@pytest.fixture
def world() -> Iterator[World]:
    with forte() as world:
        yield world


@pytest.fixture
def redirect(world):
    return world.adapter(mode="redirect")


def mint(made, key=KEY, **changes):
    return made.open(made.prepare(payment(**changes)), key)


def visit(url):
    return requests.get(url, timeout=10, allow_redirects=False)


def test_34_the_address_is_in_no_repr_log_or_error(world, redirect, caplog):
    caplog.set_level(logging.DEBUG)
    url = mint(redirect).url
    token = url.partition("redirect_token=")[2]
    assert len(token) > 50
    assert token not in caplog.text + repr(mint(redirect, key="other:open")) + repr(redirect)
    for answer in ({"redirect_url": PAGE.replace("https", "ftp")}, {"redirect_url": PAGE}):
        world.answer_next(REDIRECT, **answer)
        try:
            seen = repr(mint(redirect))
        except ProviderError as error:
            seen = repr(error) + str(error) + repr(error.details)
        assert "Canary" not in seen + caplog.text


def test_35_it_is_good_for_thirty_seconds_from_fortes_answer(world, redirect):
    opening = mint(redirect)
    assert opening.expires == world.clock() + 30


def test_35_what_the_adapter_promises_is_what_forte_keeps(world, redirect):
    for seconds, status in ((29, 200), (30, 401), (31, 401)):
        opening = mint(redirect, key=f"{seconds}:open")
        world.clock.advance(seconds)
        assert (world.clock() < opening.expires) is (status == 200)
        assert visit(opening.url).status_code == status


def test_36_each_key_opens_a_payment_of_its_own(world, redirect):
    first = mint(redirect)
    second = mint(redirect, key=f"{'b' * 32}:open", attempt_id="b" * 32)
    assert first.url != second.url
    assert [intent.reference for intent in world.simulator.intents] == [f"12:{ATTEMPT}", f"12:{'b' * 32}"]


def test_36_the_same_key_gives_the_same_payment_another_address(world, redirect):
    first, again = mint(redirect), mint(redirect)
    assert first.url != again.url
    assert len(world.simulator.intents) == 1


def test_38_the_adapter_never_visits_the_page(world, redirect):
    opening = mint(redirect)
    assert [sent.path for sent in world.door.sent if sent.method == "GET"] == []
    assert visit(opening.url).status_code == 200
    assert visit(opening.url).status_code == 401, "one visit"


def test_38_a_redirect_is_an_answer_and_not_followed(world, redirect):
    world.replace_next(REDIRECT, {"data": {"redirect_url": PAGE}}, 303)
    with pytest.raises(ProviderConfused):
        mint(redirect)
    assert world.door.sent[-1].path == REDIRECT


@pytest.mark.parametrize("host", ["payments.forte.io", "redirect.forte.io", "pay.example:8443"])
def test_39_the_host_of_the_page_is_not_known_in_advance(world, redirect, host):
    url = PAGE.replace("payments.forte.io", host)
    world.answer_next(REDIRECT, redirect_url=url)
    assert mint(redirect).url == url


@pytest.mark.parametrize(("host", "taken"), [("redirect.forte.io", True), ("forte.io.evil.example", False)])
def test_39_hosts_can_be_listed(world, host, taken):
    made = world.adapter(mode="redirect", redirect_hosts="payments.forte.io, Redirect.Forte.io")
    world.answer_next(REDIRECT, redirect_url=PAGE.replace("payments.forte.io", host))
    if taken:
        assert mint(made).url
    else:
        with pytest.raises(ProviderConfused):
            mint(made)


@pytest.mark.parametrize(
    "url",
    ["ftp://forte.io/x", "javascript:alert(1)", "//forte.io/x", "/x", "https://", "https://a b/", "https://a/\n", 7],
)
def test_39_what_no_browser_should_be_sent_to_is_no_address(world, redirect, url):
    world.answer_next(REDIRECT, redirect_url=url)
    with pytest.raises(ProviderConfused):
        mint(redirect)


@pytest.mark.parametrize(("scheme", "taken"), [("https", True), ("http", False)])
def test_39_without_a_simulator_the_page_has_to_be_https(scheme, taken):
    host = "https://sandbox-api.sandbox.lemmax.com"
    made = adapter(mode="redirect")
    with responses.RequestsMock() as mock:
        token = {"data": {"access_token": "CanaryToken", "expires_in": 3600}}
        mock.post(f"{host}/auth/v1/oauth2/tokens", json=token, status=201)
        mock.post(f"{host}{REDIRECT}", json={"data": {"redirect_url": PAGE.replace("https", scheme)}}, status=201)
        if taken:
            assert mint(made).url == PAGE
        else:
            with pytest.raises(ProviderConfused):
                mint(made)
    made.close()


def test_40_an_opening_knows_no_intent_and_the_reference_is_the_only_tie(world, redirect):
    opening = mint(redirect)
    [intent] = world.simulator.intents
    assert intent.id not in opening.url
    assert intent.reference == f"12:{ATTEMPT}"


@pytest.mark.parametrize("absent", [..., None, ""])
@pytest.mark.parametrize("status", [200, 201])
def test_42_an_answer_without_an_address_is_an_error_and_not_repeated(world, redirect, absent, status):
    world.answer_next(REDIRECT, status=status, redirect_url=absent)
    with pytest.raises(ProviderConfused) as caught:
        mint(redirect)
    assert caught.value.details["provider_status"] == status
    assert len(world.door.to(REDIRECT)) == 1


def test_43_a_200_with_an_address_is_an_address(world, redirect):
    world.answer_next(REDIRECT, status=200)
    assert mint(redirect).url


def test_43_a_200_with_an_error_code_says_so(world, redirect):
    world.answer_next(REDIRECT, status=200, redirect_url=..., error_code="ERR01")
    with pytest.raises(ProviderRefused, match="ERR01") as caught:
        mint(redirect)
    assert (caught.value.code, caught.value.details["provider_code"]) == ("ERR01", "ERR01")


def test_45_a_submitted_payment_opens_no_second_page(world, redirect):
    with pytest.raises(ProviderConfused) as caught:
        mint(redirect, amount=40904)
    assert caught.value.reason == "payment_already_submitted"
    assert len(world.door.to(REDIRECT)) == 1


def test_49_a_page_whose_address_was_lost_is_not_a_no(world):
    made = world.adapter(mode="redirect", max_retries="0")
    world.faults.next(Fault.DROPPED, match=REDIRECT)
    with pytest.raises(ProviderUnreachable) as caught:
        mint(made)
    assert caught.value.sent


@pytest.mark.parametrize(
    "url",
    ["http://elsewhere.example/pay", "http://127.0.0.1:1/pay", "http://127.0.0.1/pay", "HTTP://elsewhere.example/pay"],
)
def test_d12_a_buyer_of_a_test_store_is_sent_over_plain_http_to_the_simulator_only(world, redirect, url):
    assert mint(redirect).url.startswith(f"{world.url}/")
    world.answer_next(REDIRECT, redirect_url=url)
    with pytest.raises(ProviderConfused, match="usable address of a payment page"):
        mint(redirect, key="other:open")
