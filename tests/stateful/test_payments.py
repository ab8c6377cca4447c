"""Payments of two stores against a small model: whatever is asked in whatever order, the money is where it belongs."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.simulators.faults import Fault
from tests.lifecycle.lives import PAYMENTS, Life
from tests.stateful.conftest import Tenants, sized
from tests.stateful.model import METHODS, PAYS, Owed, Payment

DAY = 24 * 3600.0 + 100
"""A little more, so that an authorisation is never just ending, which the worker looks at a minute later."""
Keyed = tuple[Life, dict[str, Any], dict[str, str], bytes, float]
"""What was asked under a key, the key as a header, what was answered, and when."""
SENT_BACK = "wcpay_refunded_order_uncapturable"
SEEN = {
    *("waiting", "authorised", "captured", "voided", "refunded", "disputed"),
    *("answered again", "hidden from another store", "refused without the shop"),
}
"""What happens to payments in every run."""
ORDERS, KEYED = Bundle("orders"), Bundle("keyed")


class Payments(RuleBasedStateMachine):
    """Its judges are the sandbox's ledger and the shop's own record. `seen` counts what happened to its payments."""

    def __init__(self, tenants: Tenants, seen: Counter[str]) -> None:
        super().__init__()
        self.tenants = tenants
        self.seen = seen
        self.owed: list[tuple[Life, Owed]] = []
        self.down: set[str] = set()
        self.number = 0

    @property
    def now(self) -> float:
        return self.tenants[0].local.clock.now

    # --- what the rules have in common

    def fresh(self, which: int, total: int) -> tuple[Life, Owed]:
        life = self.tenants[which]
        owed = Owed(life.order(f"{total // 100}.{total % 100:02}"), total, at_once=which == 0)
        self.owed.append((life, owed))
        return life, owed

    def is_down(self, life: Life) -> bool:
        return life.local.store.id in self.down

    def is_known(self, life: Life, payment: Payment) -> bool:
        """Whether the bridge knows what became of it; then its name is the provider's."""
        shown = life.local.show(payment.name).get_json()
        payment.name = shown["id"]
        return "outcome" not in shown

    def compare(self, life: Life, owed: Owed) -> None:
        """The provider's book against the model."""
        for payment in owed.payments:
            payment.expire(self.now)
            if self.is_known(life, payment):
                assert life.net(payment.name) == payment.net
                assert life.book(payment.name)["captured"] == payment.captured
        assert life.taken_for(owed.order) == sum(payment.captured > 0 for payment in owed.payments)

    # --- rules

    @initialize(target=ORDERS)
    def two_payments(self) -> Any:
        made = self.fresh(0, 1023), self.fresh(1, 1023)
        for life, owed in made:
            self.pay(life, owed, PAYS[0])
        return multiple(*made)

    @rule(target=ORDERS, which=st.integers(0, 1), total=st.integers(1, 99999), method=st.sampled_from(METHODS))
    def order(self, which: int, total: int, method: str) -> tuple[Life, Owed]:
        life, owed = self.fresh(which, total)
        self.pay(life, owed, method)
        return life, owed

    @rule(of=ORDERS, method=st.sampled_from(METHODS))
    def create(self, of: tuple[Life, Owed], method: str) -> None:
        self.pay(*of, method)

    def pay(self, life: Life, owed: Owed, method: str) -> None:
        for payment in owed.payments:
            payment.expire(self.now)
        before = owed.live
        answer = life.create(owed.order, payment_method=method)
        if "is being cancelled" in answer.get_json().get("message", ""):
            life.work()  # the shop has still to hear that the payment before was voided
            life.local.clock.advance(1.0)
            answer = life.create(owed.order, payment_method=method)
        made = None if self.is_down(life) else owed.create(life.status(owed.order), method, self.now)
        said = answer.get_json()
        if made:
            made.name = said["id"] if answer.status_code == 200 else said["data"]["attempt_id"]
        elif answer.status_code == 200:
            assert before
            assert life.local.show(before.name).get_json()["id"] == said["id"]
        if self.is_down(life):
            assert said["data"]["reason"] == "store_unreachable"
            self.seen["refused without the shop"] += 1
        self.compare(life, owed)

    @rule(of=ORDERS, part=st.none() | st.integers(1, 1100))
    def capture(self, of: tuple[Life, Owed], part: int | None) -> None:
        life, owed = of
        if not owed.payments:
            return
        payment = owed.payments[-1]
        payment.expire(self.now)
        amount = payment.amount if part is None else payment.amount * part // 1000
        known, shown = self.is_known(life, payment), life.status(owed.order)
        answer = life.at(
            "capture_authorization", owed.order, payment.name, **({} if part is None else {"amount": amount})
        )
        if self.is_down(life) or not known:
            assert answer.status_code != 200
        elif owed.is_sent_back or shown == "refunded":
            assert answer.get_json()["code"] == SENT_BACK
        elif payment.state == "authorised" and 0 < amount <= payment.amount:
            assert answer.get_json() == {"status": "succeeded", "id": payment.name}
            payment.state, payment.captured = "captured", amount
        elif payment.state != "captured" or payment.dispute:
            assert answer.status_code in (400, 409, 502) or payment.dispute
        else:
            assert answer.get_json() == {"status": "succeeded", "id": payment.name}
        self.compare(life, owed)

    @rule(of=ORDERS)
    def cancel(self, of: tuple[Life, Owed]) -> None:
        life, owed = of
        if not owed.payments:
            return
        payment = owed.payments[-1]
        payment.expire(self.now)
        known, shown = self.is_known(life, payment), life.status(owed.order)
        answer = life.at("cancel_authorization", owed.order, payment.name)
        if self.is_down(life) or not known:
            assert answer.status_code != 200
        elif owed.is_sent_back or shown == "refunded":
            assert answer.get_json()["code"] == SENT_BACK
        elif payment.state == "authorised":
            assert answer.get_json() == {"status": "canceled", "id": payment.name}
            payment.state = "voided"
        elif payment.state != "voided":
            assert answer.status_code in (400, 409)
        self.compare(life, owed)

    @rule(target=KEYED, of=ORDERS, part=st.integers(1, 1100), keyed=st.booleans())
    def refund(self, of: tuple[Life, Owed], part: int, keyed: bool) -> Any:
        """Twice; with a key of its own, under which it is answered again, or without. What was answered under a key, if
        it was done."""
        life, owed = of
        payment = owed.taken
        if payment:
            payment.expire(self.now)
        amount = max(1, (payment.captured if payment else owed.total) * part // 1000)
        known = payment is not None and self.is_known(life, payment)
        self.number += 1
        wanted = {"order_id": owed.order, "amount": amount, "reason": f"number {self.number}"}
        key = {"Idempotency-Key": f"{life.local.store.id}-{owed.order}-{self.number}"} if keyed else {}
        answer = life.local.post(f"{PAYMENTS}/refund", wanted, headers=key)
        done = payment and known and not self.is_down(life) and amount <= payment.net
        if payment and done:
            assert (answer.status_code, answer.get_json()["amount"]) == (200, amount)
            again = life.local.post(f"{PAYMENTS}/refund", wanted)
            if not keyed:
                assert again.get_json() == answer.get_json() | {"repeated": True}
            elif again.status_code == 200 and "repeated" not in again.get_json():
                payment.refunded += amount
            payment.refunded += amount
        else:
            assert answer.status_code == 500
        self.compare(life, owed)
        if not (done and keyed):
            return multiple()
        past = life, wanted, key, answer.data, self.now
        self.again_under_its_key(past, changed=False)
        return past

    @rule(past=KEYED, changed=st.booleans())
    def again_under_its_key(self, past: Keyed, changed: bool) -> None:
        life, wanted, key, said, at = past
        if self.now >= at + 24 * 3600:
            return
        more = {"amount": wanted["amount"] + 1} if changed else {}
        answer = life.local.post(f"{PAYMENTS}/refund", wanted | more, headers=key)
        if changed:
            assert answer.status_code == 422
        else:
            assert (answer.status_code, answer.data) == (200, said)
            assert answer.headers["Idempotent-Replayed"] == "true"
            self.seen["answered again"] += 1
        for each, owed in self.owed:
            self.compare(each, owed)

    @precondition(lambda self: any(owed.live and owed.live.state == "waiting" for _, owed in self.owed))
    @rule(of=ORDERS, agrees=st.booleans())
    def the_payer_answers(self, of: tuple[Life, Owed], agrees: bool) -> None:
        life, owed = of
        payment = owed.live
        if payment is None or payment.state != "waiting":
            return
        life.sandbox.authenticate(payment.name, agrees)
        payment.refused = not agrees
        if agrees:
            owed.take(payment, self.now)
        assert life.hint(payment.name) == (200, {"result": "success"})
        self.compare(life, owed)

    @rule(of=ORDERS, verdict=st.sampled_from(["won", "lost"]))
    def the_payers_bank_disputes_and_decides(self, of: tuple[Life, Owed], verdict: Any) -> None:
        life, owed = of
        payment = owed.taken
        if payment:
            payment.expire(self.now)
        if payment is None or payment.dispute == "open":
            if payment:
                life.sandbox.close_dispute(payment.name, verdict)
                payment.dispute = verdict
        elif payment.net and not payment.dispute and self.is_known(life, payment):
            life.sandbox.dispute(payment.name)
            payment.dispute, payment.disputed = "open", self.now
        if payment and self.is_known(life, payment):
            assert life.hint(payment.name) == (200, {"result": "success"})
        self.compare(life, owed)

    @rule(of=ORDERS, what=st.sampled_from(["down", "back", "cancelled", "completed", "pending", "on-hold"]))
    def shop(self, of: tuple[Life, Owed], what: str) -> None:
        """It goes down, or comes back, and the order is paid; or staff do something by hand."""
        life, owed = of
        if what in ("down", "back"):
            self.connect(life, what == "down")
            self.pay(life, owed, PAYS[0])
        else:
            life.local.shop.update_order(owed.order, status=what)
            owed.touched = True

    def connect(self, life: Life, down: bool) -> None:
        life.local.shop_faults.clear()
        self.down.discard(life.local.store.id)
        if down:
            life.local.shop_faults.next(Fault.ERROR_503, times=10**6)
            self.down.add(life.local.store.id)

    @rule(seconds=st.sampled_from([1.0, 30.0, 700.0, 4000.0, DAY, 8 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.tenants[0].local.clock.advance(seconds)
        self.tenants[0].work()

    @rule(of=ORDERS)
    def another_store_asks(self, of: tuple[Life, Owed]) -> None:
        life, owed = of
        other = self.tenants[1] if life is self.tenants[0] else self.tenants[0]
        for payment in owed.payments:
            for name in (payment.name, life.local.show(payment.name).get_json()["id"]):
                assert other.local.show(name).get_json()["code"] == "resource_missing"
                assert other.at("capture_authorization", owed.order, name).status_code != 200
                assert other.at("cancel_authorization", owed.order, name).status_code != 200
            charge = (life.local.show(payment.name).get_json()["charge"] or {"id": "ch_none"})["id"]
            assert other.local.post(f"{PAYMENTS}/refund", {"charge_id": charge, "amount": 1}).status_code == 500
            listed = [*other.get("authorizations")["data"], *other.get("transactions")["data"]]
            assert all(payment.name != line["payment_intent_id"] for line in listed)
            self.seen["hidden from another store"] += 1
        self.compare(life, owed)

    def teardown(self) -> None:
        """In the end everybody is back: everything is known and told, and the shop shows what the model says."""
        for life in self.tenants:
            self.connect(life, False)
        for seconds in (5.0, 700.0, 4000.0, 4000.0):
            self.time_passes(seconds)
        for life, owed in self.owed:
            self.compare(life, owed)
            self.ended(life, owed)

    def ended(self, life: Life, owed: Owed) -> None:
        self.seen.update(payment.end for payment in owed.payments)
        if owed.payments:
            story = life.story(owed.order)
            assert story["outcome"] == "known"
            assert {update["state"] for update in story["store_updates"]} <= {"delivered"}
            told = [note for note in life.notes(owed.order) if not note.startswith("Order status changed")]
            assert len(set(told)) == len(told)
        if owed.end:
            assert life.status(owed.order) == owed.end
            lost = sum(p.captured - p.refunded for p in owed.payments if p.dispute == "lost")
            written = sum(round(float(amount) * 100) for amount in life.refunds(owed.order))
            assert written == owed.refunded + lost


def test_whatever_is_asked_the_money_is_where_it_belongs(tenants: Tenants) -> None:
    seen: Counter[str] = Counter()
    run_state_machine_as_test(lambda: Payments(tenants, seen), settings=sized(60, 30))
    assert seen.keys() == SEEN
