"""Fjord Pay for wcpay-bridge.

Fjord has decimal amounts as text, basic authentication, no idempotency keys, no times, and one kind of credentials for
test and live accounts. It says 422 for what it refuses, and finds payments by the `ref` that they were made with.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import requests

from bridge.adapters import (
    AdapterContext,
    BaseAdapter,
    Charge,
    Decline,
    Finding,
    Money,
    Outcome,
    Payment,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    Refund,
    RefundRequest,
    RefundStatus,
    Setting,
    Status,
)
from bridge.adapters.transport import never_sent

STATES = {
    "PAID": Status.SUCCEEDED,
    "HELD": Status.REQUIRES_CAPTURE,
    "DENIED": Status.CANCELED,
    "RELEASED": Status.CANCELED,
}


class FjordPay(BaseAdapter):
    name: ClassVar[str] = "fjord_pay"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("merchant", "The merchant's number.", account=True),
        Setting("password", "From Fjord's back office.", secret=True),
        Setting("api", "Fjord's address.", "https://api.fjord.example"),
    )
    operations: ClassVar[frozenset[str]] = frozenset({"create", "fetch", "find", "cancel", "capture", "refund"})
    tells_mode: ClassVar[bool] = False

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        self._api = settings["api"]
        self._session = context.session()
        self._auth = (settings["merchant"], settings["password"])

    def close(self) -> None:
        self._session.close()

    def prepare(self, payment: Payment) -> dict[str, Any]:
        return {
            "amount": str(Money(payment.amount, payment.currency).decimal),
            "currency": payment.currency,
            "card": str(payment.payment_method),
            "hold": payment.capture == "manual",
            "ref": payment.attempt_id,
        }

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        outcome = _outcome(self._send("POST", "/payments", request))
        if (outcome.amount, outcome.currency) != (_amount(request, request["currency"]), request["currency"]):
            raise ProviderConfused("Fjord answers for another amount.")
        return outcome

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:
        found = self._send("GET", f"/payments?ref={request['ref']}")["payments"]
        return _outcome(found[0]) if found else None

    def fetch(self, reference: str) -> Outcome:
        return _outcome(self._send("GET", f"/payments/{reference}"))

    def cancel(self, reference: str, key: str) -> Outcome:
        return self._change(reference, "release", {})

    def capture(self, reference: str, amount: int, key: str) -> Outcome:
        held = self.fetch(reference)
        return self._change(reference, "take", {"amount": str(Money(amount, held.currency).decimal)})

    def refund(self, request: RefundRequest, key: str) -> Refund:
        wish = {"amount": str(Money(request.amount, request.currency).decimal), "ref": request.operation_id}
        made = self._send("POST", f"/payments/{request.reference}/return", wish)
        return _refund(made, request.charge_id, request.currency)

    def check(self) -> list[Finding]:
        try:
            self._send("GET", "/payments?ref=none")
        except ProviderError as error:
            return [Finding(False, str(error))]
        return [Finding(True, "Fjord knows the merchant.")]

    def _change(self, reference: str, verb: str, body: dict[str, Any]) -> Outcome:
        """What is not held (any more) is answered as it is."""
        try:
            return _outcome(self._send("POST", f"/payments/{reference}/{verb}", body))
        except ProviderRefused as error:
            if error.code != "not_held":
                raise
            return self.fetch(reference)

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = self._session.request(method, f"{self._api}/v1{path}", auth=self._auth, json=body)
        except requests.RequestException as error:
            raise ProviderUnreachable("Fjord could not be reached.", sent=not never_sent(error)) from None
        if response.status_code >= 500:
            raise ProviderUnreachable(f"Fjord failed (HTTP {response.status_code}).")
        try:
            answer = dict(response.json())
            if response.status_code in (401, 404, 422):
                raise ProviderRefused(answer["problem"], code=answer["code"], status=response.status_code)
        except (KeyError, TypeError, ValueError):
            raise ProviderConfused("Fjord's answer could not be understood.") from None
        return answer


def _outcome(answer: dict[str, Any]) -> Outcome:
    try:
        number, currency, state = str(answer["number"]), str(answer["currency"]), str(answer["state"])
        amount, taken = _amount(answer, currency), _amount(answer, currency, "taken")
        refunds = tuple(_refund(each, number, currency) for each in answer["returned"])
        attempt_id = str(answer["ref"])
    except (KeyError, TypeError, ValueError):
        raise ProviderConfused("Fjord's answer could not be understood.") from None
    sent_back = sum(refund.amount for refund in refunds if refund.status.counts)
    charge = Charge(number, amount, "succeeded", taken > 0, amount_captured=taken, amount_refunded=sent_back)
    return Outcome(
        status=STATES.get(state, Status.PROCESSING),
        reference=number,
        amount=amount,
        currency=currency,
        charge=None if state == "DENIED" else charge,
        decline=Decline("card_declined", "The card was declined.") if state == "DENIED" else None,
        refunds=refunds,
        attempt_id=attempt_id,
        raw=answer,
    )


def _refund(answer: dict[str, Any], charge_id: str, currency: str) -> Refund:
    try:
        amount, name = _amount(answer, currency), str(answer["ref"])
        return Refund(str(answer["number"]), charge_id, amount, RefundStatus.SUCCEEDED, operation_id=name)
    except (KeyError, TypeError, ValueError):
        raise ProviderConfused("Fjord's answer could not be understood.") from None


def _amount(answer: dict[str, Any], currency: str, name: str = "amount") -> int:
    """Raises ValueError."""
    return Money.parse(str(answer[name]), currency).amount
