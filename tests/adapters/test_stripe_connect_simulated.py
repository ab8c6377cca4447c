"""The Stripe Connect adapter and the project's own Stripe over real HTTP: money, accounts, faults."""

import socket
import threading

import pytest

from bridge.adapters import AdapterContext, ProviderConfused, ProviderRefused, ProviderUnreachable, Status
from bridge.domain.deadlines import left
from bridge.outbound.transport import make_session
from bridge.simulators.faults import Fault
from tests.adapters.orders import TIMEOUT
from tests.adapters.payments import ATTEMPT, stripe_adapter
from tests.adapters.stripe_world import KEY, pay

CREATE = "POST /v1/payment_intents"


def test_a_direct_charge_is_the_accounts_own_and_the_platform_has_its_fee(world):
    outcome = pay(world, world.adapter(fee="2.9%+30"))
    [charge] = world.charges
    assert (charge.account, charge.destination, charge.amount, charge.currency) == (world.account, None, 1023, "usd")
    assert charge.metadata["wcpay_bridge_attempt"] == ATTEMPT
    [fee] = world.simulator.ledger.entries("fee")
    assert (fee.account, fee.amount) == (world.simulator.platform, 60)
    assert outcome.charge.application_fee_amount == 60


def test_a_destination_charge_is_the_platforms_and_transfers(world):
    outcome = pay(world, world.adapter(charge_type="destination", fee="100", on_behalf_of="yes"), platform=True)
    [charge] = world.charges
    assert (charge.account, charge.destination) == (world.simulator.platform, world.account)
    assert (charge.on_behalf_of, charge.application_fee) == (world.account, 100)
    assert world.simulator.find(outcome.reference)["transfer_data"]["destination"] == world.account


def test_line_items_of_a_us_merchant_are_taken(world):
    outcome = pay(world, world.adapter(country="US", from_postal_code="94110"))
    assert outcome.status is Status.SUCCEEDED
    assert world.simulator.find(outcome.reference)["payment_details"]["order_reference"] == "12"


def test_a_held_payment_says_until_when(world):
    outcome = pay(world, world.adapter(), capture="manual")
    assert outcome.status is Status.REQUIRES_CAPTURE
    assert outcome.charge.card["capture_before"] > outcome.created
    assert world.simulator.ledger.entries("captured") == ()


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_a_declined_payment_is_known_and_can_be_voided(world, method, code, decline_code):
    adapter = world.adapter()
    outcome = pay(world, adapter, payment_method=method)
    assert (outcome.status, outcome.decline.code) == (Status.REQUIRES_PAYMENT_METHOD, code)
    assert outcome.decline.decline_code == decline_code
    assert adapter.cancel(outcome.reference, f"{ATTEMPT}:cancel").status is Status.CANCELED
    assert world.charges == ()


def test_a_payer_who_is_present_can_be_asked(world):
    adapter = world.adapter(off_session="no")
    outcome = pay(world, adapter, payment_method="pm_card_authenticationRequired")
    assert outcome.status is Status.REQUIRES_ACTION
    assert outcome.client_secret.startswith(f"{outcome.reference}_secret_")
    assert outcome.provider_data == {"stripe_account": world.account}
    world.simulator.authenticate(outcome.reference)
    assert adapter.fetch(outcome.reference).status is Status.SUCCEEDED


def test_an_open_challenge_can_be_voided(world):
    adapter = world.adapter(off_session="no")
    outcome = pay(world, adapter, payment_method="pm_card_authenticationRequired")
    assert adapter.cancel(outcome.reference, f"{ATTEMPT}:cancel").status is Status.CANCELED


def test_a_customer_of_another_account_is_refused_in_stripes_words(world):
    with pytest.raises(ProviderRefused, match=r"^Error: No such customer: 'cus_") as caught:
        pay(world, world.adapter(), platform=True)
    assert caught.value.details == {"code": "resource_missing", "param": "customer", "status": 400}


def test_an_amount_below_the_minimum_is_told_without_a_prefix(world):
    with pytest.raises(ProviderRefused, match=r"^Amount must be at least") as caught:
        pay(world, world.adapter(), amount=10)
    assert caught.value.code == "amount_too_small"


def test_find_looks_through_every_page(world):
    adapter = world.adapter()
    wanted = world.payment()
    request = adapter.prepare(wanted)
    made = adapter.create(request, KEY)
    for number in range(101):
        other = world.payment(customer=wanted.customer, attempt_id=f"{number:032x}", payment_method="pm_card_visa")
        adapter.create(adapter.prepare(other), f"{number}:create")
    assert adapter.find(request, KEY, 0).reference == made.reference
    assert len([each for each in world.simulator.requests if each.method == "GET"]) == 2


def test_the_same_key_with_another_amount_is_never_taken_for_the_first(world):
    adapter = world.adapter()
    first = world.payment()
    adapter.create(adapter.prepare(first), KEY)
    with pytest.raises(ProviderConfused):
        adapter.create(adapter.prepare(world.payment(customer=first.customer, amount=2000)), KEY)
    assert len(world.charges) == 1


def test_an_answer_that_is_lost_is_asked_for_again_at_once_under_the_same_key(world):
    world.faults.next(Fault.DROPPED, match=CREATE)
    assert pay(world, world.adapter()).status is Status.SUCCEEDED
    assert len(world.charges) == 1
    assert [(each.idempotency_key, each.replayed) for each in world.simulator.requests] == [(KEY, False), (KEY, True)]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.CUT])
def test_a_connection_that_breaks_is_mended_at_once(world, fault):
    world.faults.next(fault, match=CREATE)
    assert pay(world, world.adapter()).status is Status.SUCCEEDED
    assert len(world.charges) == 1


@pytest.mark.parametrize("retries", ["0", "1", "3"])
def test_and_no_more_often_than_the_owner_says(world, retries):
    world.faults.next(Fault.REFUSED, times=5, match=CREATE)
    with pytest.raises(ProviderUnreachable) as caught:
        pay(world, world.adapter(max_retries=retries))
    assert caught.value.sent
    assert len(world.faults.injected) == int(retries) + 1


def test_a_second_try_has_only_the_time_that_the_first_has_left(world):
    given = []

    def make(**options):
        session = make_session(**options)
        send = session.send
        session.send = lambda request, **how: (given.append(left(20.0)), send(request, **how))[1]
        return session

    world.faults.next(Fault.REFUSED, times=2, match=CREATE)
    pay(world, world.adapter(timeout=20.0, max_retries="2", make_session=make))
    assert 20.0 >= given[0] > given[1] > given[2] > 0


def test_after_a_timeout_nothing_is_sent_again(world):
    over = threading.Event()
    world.faults.next(Fault.STALLED_AFTER, match=CREATE, until=over)
    try:
        with pytest.raises(ProviderUnreachable) as caught:
            pay(world, world.adapter(timeout=TIMEOUT))
    finally:
        over.set()
    assert caught.value.sent
    assert len(world.charges) == 1
    assert [each.method for each in world.simulator.requests] == ["POST"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.ERROR_500, ProviderUnreachable),
        (Fault.ERROR_503, ProviderUnreachable),
        (Fault.CONFLICT, ProviderUnreachable),
        (Fault.PROCESSED_500, ProviderUnreachable),
        (Fault.TRUNCATED, ProviderConfused),
        (Fault.HTML, ProviderConfused),
        (Fault.WRONG_JSON, ProviderConfused),
    ],
)
def test_a_fault_is_left_to_be_settled_and_the_same_request_settles_it(world, fault, error):
    adapter = world.adapter()
    request = adapter.prepare(world.payment())
    world.faults.next(fault, match=CREATE)
    with pytest.raises(error):
        adapter.create(request, KEY)
    assert len(world.faults.injected) == 1
    assert adapter.create(request, KEY).status is Status.SUCCEEDED
    assert len(world.charges) == 1


def test_too_many_requests_are_refused_and_may_be_tried_again(world):
    world.faults.next(Fault.RATE_LIMITED, match=CREATE)
    with pytest.raises(ProviderRefused) as caught:
        pay(world, world.adapter())
    assert caught.value.retryable
    assert world.charges == ()


@pytest.mark.parametrize("settings", [{"secret_key": "sk_test_wrong"}, {"account": "acct_1Nobody"}])
def test_a_wrong_key_or_account_is_refused_and_found_by_check(world, settings):
    adapter = world.adapter(**settings)
    with pytest.raises(ProviderRefused, match="Stripe refused this store's API key or account"):
        pay(world, adapter)
    [finding] = adapter.check()
    assert (finding.ok, finding.text) == (
        False,
        "Stripe refused this store's API key or account. The settings secret_key and account have to be checked.",
    )


def test_check_tells_what_works(world):
    findings = world.adapter(
        charge_type="destination", country="US", currencies="USD", webhook_secret="whsec_1"
    ).check()
    assert [(finding.ok, finding.text) for finding in findings] == [
        (True, f"Stripe knows account {world.account}; destination charges in test mode."),
        (True, "The account can take charges."),
        (True, "The account's capability transfers is active."),
        (True, "The account's country is US."),
        (True, "The account's own currency is USD."),
    ]


def test_nobody_there_is_proof_that_nothing_was_done(world):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
    adapter = world.adapter(api_base=base)
    with pytest.raises(ProviderUnreachable) as caught:
        pay(world, adapter)
    assert not caught.value.sent
    assert [(finding.ok, finding.text) for finding in adapter.check()] == [(False, "Stripe could not be reached.")]


def test_a_private_address_has_to_be_allowed(world):
    adapter = stripe_adapter(AdapterContext(), api_base=world.url)
    with pytest.raises(ProviderUnreachable, match="Only https is allowed") as caught:
        pay(world, adapter)
    assert not caught.value.sent
    assert world.simulator.requests == ()
    adapter.close()
