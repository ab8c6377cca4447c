"""The project's Stripe simulator over real HTTP, as a Provider of the contract suite."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bridge.adapters import AdapterContext, Payment
from bridge.adapters.contract import Provider
from bridge.adapters.provider import Message
from bridge.adapters.stripe_connect import StripeConnectAdapter
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.stripe.sending import signature
from tests.plugins.clock import Time

CREATE = "POST /v1/payment_intents"
ATTEMPT = "wcpay_bridge_attempt"
LATER = 3600.0


class StripeProvider(Provider):
    """Two connected accounts behind one door that can be made to misbehave. Charges are `direct` or `destination`."""

    adapter = StripeConnectAdapter
    documentation = Path(__file__).parents[2] / "docs/adapters/stripe_connect.md"
    unknown_customer = "cus_Nobody00000000"
    refund_fails = "pm_card_refundFail"
    event_secrets = ("whsec_ContractOlder", "whsec_ContractNewer")
    event_tolerance = 300.0

    def __init__(self, url: str, simulator: StripeSimulator, faults: Faults, clock: Time, charge_type: str) -> None:
        self.simulator = simulator
        self.clock = clock
        self.faults = faults
        self.direct = charge_type == "direct"
        first, second = ({**self._base(url), "account": simulator.add_account()} for _ in range(2))
        super().__init__({**first, "charge_type": charge_type}, {**second, "charge_type": charge_type})
        accounts = [settings["account"] if self.direct else None for settings in (first, second)]
        customers = [simulator.add_customer(account) for account in accounts]
        self.customer = customers[0]
        self._customers = {first["account"]: customers[0], second["account"]: customers[1]}
        self.saving_customer = simulator.add_customer(accounts[0])
        simulator.add_payment_method("pm_card_visa", self.saving_customer, accounts[0])
        self._endpoint = simulator.add_webhook_endpoint("https://bridge.example/", connect=self.direct).id

    def _base(self, url: str) -> dict[str, str]:
        return {
            "secret_key": self.simulator.secret_key,
            "api_base": url,
            "fee": "2.9%+30",
            "country": "US",
            "webhook_secret": ",".join(self.event_secrets),
        }

    def context(self) -> AdapterContext:
        return AdapterContext(clock=self.clock, timeout=5.0, allow_private_urls=True)

    def customer_of(self, settings: Mapping[str, str]) -> str:
        return self._customers[settings["account"]]

    def charges(self, settings: Mapping[str, str], payment: Payment) -> int:
        held = self.simulator.ledger.entries("authorised", metadata={ATTEMPT: payment.attempt_id})
        return sum(settings["account"] == (entry.account if self.direct else entry.destination) for entry in held)

    def refused(self, payment: Payment) -> Payment:
        return replace(payment, payment_method="pm_nobodyHasThis")

    def unreachable(self, payment: Payment) -> Payment:
        self.faults.next(Fault.REFUSED, times=2, match=CREATE)
        return payment

    def lost_answer(self, payment: Payment) -> Payment:
        self.faults.next(Fault.DROPPED, times=2, match=CREATE)
        return payment

    def nonsense(self, payment: Payment) -> Payment:
        self.faults.next(Fault.WRONG_JSON, match=CREATE)
        return payment

    def strange_status(self, payment: Payment) -> Payment:
        answer = {
            "object": "payment_intent",
            "id": "pi_Strange",
            "amount": payment.amount,
            "currency": payment.currency.lower(),
            "livemode": False,
            "metadata": {ATTEMPT: payment.attempt_id},
            "status": "requires_moonlight",
        }
        self.faults.next(Fault.WRONG_JSON, match=CREATE, body=answer)
        return payment

    def expire(self, reference: str) -> bool:
        self.simulator.expire(reference)
        return True

    def dispute(self, reference: str) -> bool:
        self.simulator.dispute(self.simulator.find(reference)["latest_charge"])
        return True

    def lose(self, reference: str) -> bool:
        [dispute] = [
            event["data"]["object"]["id"]
            for event in self.simulator.events
            if event["type"] == "charge.dispute.created" and event["data"]["object"]["payment_intent"] == reference
        ]
        self.simulator.close_dispute(dispute, won=False)
        return True

    def present(self, reference: str) -> bool:
        self.simulator.present_card(reference)
        return True

    def later(self) -> None:
        self.clock.now += LATER

    def message(self, payment: Payment, reference: str, *, at: float, secret: str | None = None) -> Message:
        [event] = [
            event["id"]
            for event in self.simulator.events
            if event["type"] == "payment_intent.succeeded" and event["data"]["object"]["id"] == reference
        ]
        body = self.simulator.signed(event, self._endpoint).body
        secrets = self.event_secrets[:1] if secret is None else (secret,)
        return {"stripe-signature": signature(body, secrets, at).partition(",v0=")[0]}, body
