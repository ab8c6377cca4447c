"""The project's Stripe simulator over real HTTP, as a Provider of the contract suite."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bridge.adapters import Payment
from bridge.adapters.contract import Provider
from bridge.adapters.stripe_connect import StripeConnectAdapter
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.stripe import StripeSimulator

CREATE = "POST /v1/payment_intents"
ATTEMPT = "wcpay_bridge_attempt"


class StripeProvider(Provider):
    """Two connected accounts behind one door that can be made to misbehave. Charges are `direct` or `destination`."""

    adapter = StripeConnectAdapter
    documentation = Path(__file__).parents[2] / "docs/adapters/stripe_connect.md"

    def __init__(self, url: str, simulator: StripeSimulator, faults: Faults, charge_type: str) -> None:
        self.simulator = simulator
        self.faults = faults
        self.direct = charge_type == "direct"
        first, second = ({**self._base(url), "account": simulator.add_account()} for _ in range(2))
        super().__init__({**first, "charge_type": charge_type}, {**second, "charge_type": charge_type})
        accounts = [settings["account"] if self.direct else None for settings in (first, second)]
        customers = [simulator.add_customer(account) for account in accounts]
        self.customer = customers[0]
        self._customers = {first["account"]: customers[0], second["account"]: customers[1]}

    def _base(self, url: str) -> dict[str, str]:
        return {
            "secret_key": self.simulator.secret_key,
            "api_base": url,
            "fee": "2.9%+30",
            "country": "US",
        }

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
