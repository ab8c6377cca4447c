"""Triggers of Forte Platforms as they arrive at the bridge: who is believed, and that nothing of them but a hint is."""

import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.simulators.faults import Fault
from tests.forte.conftest import OpenShop, Shop, hear, letters, pay, story, tell

PROXY, INSIDE = "127.0.0.1/32", "10.2.0.0/16"
SECRET = "CanaryOfTheRelay0123456789abcdef"


def proxied(open_shop: OpenShop, **settings: str) -> Shop:
    """A bridge behind a trusted proxy, which is what its sockets see."""
    return open_shop("forte_platform", webhook_endpoint="forte", bridge={"trusted_proxies": PROXY}, **settings)


def asked(shop: Shop) -> int:
    """How often Forte was asked for a payment."""
    return len([sent for sent in shop.door.sent if sent.method == "GET" and "/payments/pay_" in sent.path])


def test_85_86_a_trigger_from_the_projects_network_is_believed_and_its_payment_fetched(platform: Shop) -> None:
    created = platform.create()
    payment = pay(platform)
    assert tell(platform, payment, X_Forte_Trusted="1") == 200
    assert (letters(platform), asked(platform)) == ([("COMPLETED", "new")], 0)
    assert platform.status() == "processing"
    assert platform.show(created["id"])["status"] == "succeeded"
    assert letters(platform) == [("COMPLETED", "done")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Forte_Trusted": "1"},
        {"X_Forte_Trusted": "1", "X_Bridge_Peer": "10.2.0.7"},
        {"X_Forte_Trusted": "1", "X_Forwarded_For": "10.2.0.7"},
        {"X_Forte_Trusted": "1", "X_Real_IP": "10.2.0.7", "Forwarded": "for=10.2.0.7"},
    ],
    ids=str,
)
def test_86_a_forged_trigger_is_refused_and_a_header_of_ours_gains_nothing(
    open_shop: OpenShop, headers: dict[str, str]
) -> None:
    shop = open_shop("forte_platform", webhook_endpoint="forte", trusted_networks=INSIDE)
    shop.create()
    assert tell(shop, pay(shop), **headers) == 400
    assert letters(shop) == []
    shop.local.work()
    assert (shop.local.order("payable")["status"], asked(shop)) == ("pending", 0)


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [("10.2.0.7", 200), ("203.0.113.5, 10.2.0.7", 200), ("10.2.0.7, 203.0.113.5", 400), ("10.2.0.7, x", 400)],
)
def test_86_a_trusted_proxy_names_the_peer_and_nobody_before_it(
    open_shop: OpenShop, forwarded: str, status: int
) -> None:
    shop = proxied(open_shop, trusted_networks=INSIDE)
    shop.create()
    assert tell(shop, pay(shop), X_Forte_Trusted="1", X_Forwarded_For=forwarded) == status


def test_86_behind_two_trusted_proxies_the_client_is_who_came_to_the_first(open_shop: OpenShop) -> None:
    settings = {"trusted_proxies": f"{PROXY},10.2.0.9/32"}
    shop = open_shop("forte_platform", webhook_endpoint="forte", bridge=settings, trusted_networks=INSIDE)
    shop.create()
    payment = pay(shop)
    assert tell(shop, payment, X_Forte_Trusted="1", X_Forwarded_For="203.0.113.5, 10.2.0.9") == 400
    assert tell(shop, payment, X_Forte_Trusted="1", X_Forwarded_For="10.2.0.7, 10.2.0.9") == 200


def test_90_a_trigger_that_lies_changes_nothing(platform: Shop) -> None:
    created = platform.create()
    payment = platform.platform.payments[-1]["id"]
    for state in ("COMPLETED", "REFUNDED", "FAILED", "CANCELLED"):
        assert tell(platform, payment, state, X_Forte_Trusted="1") == 200
    assert platform.status() == "pending"
    assert platform.show(created["id"])["status"] == "requires_payment_method"
    assert asked(platform) == 4
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(created["pay_url"]) == "paid"


def test_91_a_trigger_about_a_payment_of_somebody_else_changes_nothing(platform: Shop) -> None:
    """The payment is ours by its id, and says by its metadata that it is another attempt's."""
    created = platform.create()
    payment = pay(platform)
    other = {"bridge_attempt": "f" * 32}
    platform.platform.spoil_next(
        lambda body, status: ({**body, "metadata": other}, status),
        match=f"GET /api/v1/projects/{platform.local.store.settings['project']}/payments/{payment}",
    )
    assert tell(platform, payment, X_Forte_Trusted="1") == 200
    assert platform.status() == "pending"
    assert letters(platform) == [("COMPLETED", "dead")]
    assert "another payment" in story(platform, created["id"])["flag"]


def test_91_another_amount_than_ours_fulfils_nothing(platform: Shop) -> None:
    created = platform.create()
    payment = pay(platform)
    platform.platform.spoil_next(lambda body, status: ({**body, "amountCents": 1}, status), match="/payments/pay_")
    tell(platform, payment, X_Forte_Trusted="1")
    assert platform.status() == "pending"
    assert "another amount" in story(platform, created["id"])["flag"]


def test_88_89_94_five_deliveries_at_once_are_one_event_with_one_effect(platform: Shop) -> None:
    platform.create()
    payment = pay(platform)
    with ThreadPoolExecutor(5) as threads:
        codes = list(threads.map(lambda _: tell(platform, payment, X_Forte_Trusted="1"), range(5)))
    assert codes == [200] * 5
    assert platform.status() == "processing"
    assert letters(platform) == [("COMPLETED", "done")]
    notes, looks = platform.local.notes(), asked(platform)
    for _ in range(4):
        platform.local.clock.advance(60)
        assert tell(platform, payment, X_Forte_Trusted="1") == 200
        platform.local.work()
    assert letters(platform) == [("COMPLETED", "done")]
    assert (platform.local.notes(), asked(platform)) == (notes, looks)
    assert len([note for note in notes if "10.23" in note]) == 1, (
        "that it was started; that it was paid is the shop's own note"
    )


def test_84_92_a_trigger_is_answered_before_anything_is_asked(platform: Shop) -> None:
    platform.create()
    payment = pay(platform)
    platform.faults.next(Fault.ERROR_503, match="GET ", times=50)
    assert tell(platform, payment, X_Forte_Trusted="1") == 200
    url = f"{platform.url}/bridge/v1/webhooks/forte"
    assert platform.session.get(url, headers={"X-Forte-Trusted": "1"}, timeout=10).status_code != 200
    assert platform.session.post(f"{url}/more", headers={"X-Forte-Trusted": "1"}, timeout=10).status_code == 404
    assert platform.status() == "pending"
    platform.faults.clear()
    platform.local.clock.advance(60)
    assert platform.status() == "processing"


def test_87_93_what_cannot_be_read_is_taken_and_has_no_effect(platform: Shop) -> None:
    platform.create()
    headers = {"X-Forte-Trusted": "1", "Content-Type": "application/json"}
    for body in (b"", b"no JSON", b"[]", b"{}", json.dumps({"paymentId": "pay_1", "state": "COMPLETED"}).encode()):
        answer = platform.session.post(f"{platform.url}/bridge/v1/webhooks/forte", body, headers=headers, timeout=10)
        assert answer.status_code == 200, body
    assert platform.status() == "pending"
    assert {state for _, state in letters(platform)} == {"done"}


def test_the_relay_brings_triggers_to_a_bridge_outside(open_shop: OpenShop) -> None:
    shop = open_shop("forte_platform", webhook_endpoint="forte", relay_secret=SECRET)
    shop.create()
    payment = pay(shop)
    assert tell(shop, payment, X_Forte_Trusted="1") == 400
    body = json.dumps(
        {"userId": "usr_1", "paymentId": payment, "paymentTime": "2026-05-10T18:42:11.123Z", "state": "COMPLETED"}
    ).encode()
    now = int(shop.local.clock())
    for secret, status in (("x" * 32, 400), (SECRET, 200)):
        proof = hmac.new(secret.encode(), f"{now}.".encode() + body, "sha256").hexdigest()
        headers = {"X-Bridge-Relay-Signature": f"t={now},v1={proof}"}
        url = f"{shop.url}/bridge/v1/webhooks/forte"
        assert shop.session.post(url, body, headers=headers, timeout=10).status_code == status
    assert shop.status() == "processing"


def test_84_forte_itself_delivers_to_the_bridge_inside_the_project(platform: Shop) -> None:
    project = platform.local.store.settings["project"]
    service = platform.platform.add_service(project, base_url=platform.url)
    platform.adapter.triggers.create("Bridge", service, "/bridge/v1/webhooks/forte")
    created = platform.create()
    pay(platform)
    hear(platform)
    assert platform.status() == "processing"
    platform.platform.refund_on_stripe(platform.platform.payments[0]["id"], 23)
    platform.platform.refund_on_stripe(platform.platform.payments[0]["id"])
    hear(platform)
    assert platform.status() == "refunded"
    assert platform.show(created["id"])["charge"]["amount_refunded"] == 1023
