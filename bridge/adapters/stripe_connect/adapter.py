"""The Stripe Connect adapter: the contract of `bridge.domain.ports.Adapter`, one call to Stripe per verb."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from bridge.adapters.context import AdapterContext
from bridge.adapters.stripe_connect import settings as options
from bridge.adapters.stripe_connect.answers import Problem, last_id, read_intent, read_list
from bridge.adapters.stripe_connect.client import VERSION, Client
from bridge.adapters.stripe_connect.request import ATTEMPT, CHARGE, build_create, require_currency
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderUnreachable
from bridge.domain.money import step
from bridge.domain.outcomes import Outcome, Payment
from bridge.domain.ports import Finding, Setting

PATH = "/v1/payment_intents"
PAGE, PAGES = 100, 20


class StripeConnectAdapter:
    """Direct or destination charges on one connected account. Raises ConfigurationError if the settings cannot work."""

    name: ClassVar[str] = "stripe_connect"
    settings: ClassVar[tuple[Setting, ...]] = options.SETTINGS
    operations: ClassVar[frozenset[str]] = frozenset({"create", "fetch", "find", "cancel"})
    replay_window: ClassVar[float] = 23 * 3600.0
    """Stripe forgets a key after 24 hours at the earliest (source: Stripe, "Idempotent requests")."""

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        self._account = options.read(settings, live=live)
        self._client = Client(self._account, context)

    def __repr__(self) -> str:
        return f"<StripeConnectAdapter {self._account.id} {'live' if self._account.live else 'test'}>"

    def close(self) -> None:
        """Close the connections that are kept open; the adapter can still be used."""
        self._client.close()

    def smallest(self, currency: str) -> int:
        """The step of amounts in `currency`, in minor units. CurrencyNotSupported if the settings leave it out."""
        require_currency(self._account, currency)
        return step(currency)

    def prepare(self, payment: Payment) -> dict[str, Any]:
        """The exact request, with the account and the API version that it is meant for."""
        return build_create(self._account, payment, VERSION)

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        """Create and confirm. A decline, or a failure after the payment was made, is the Outcome of that payment."""
        if request["livemode"] != self._account.live:
            raise ProviderUnreachable("This payment was prepared in the other mode (live or test).", sent=False)
        params, account = request["params"], request["account"]
        expected = {name: params[name] for name in ("amount", "currency")}
        expected |= {"metadata": {ATTEMPT: params["metadata"][ATTEMPT]}, "livemode": self._account.live}
        try:
            answer = self._client.call("post", PATH, params, account=account, version=request["version"], key=key)
        except Problem as problem:
            outcome = problem.outcome(account=account, **expected)
            if outcome is None:
                raise problem.as_error() from None
            return outcome
        return read_intent(answer, account=account, **expected)

    def fetch(self, reference: str) -> Outcome:
        """The payment as it is at Stripe now."""
        return self._one("get", f"{PATH}/{reference}", reference)

    def cancel(self, reference: str, key: str) -> Outcome:
        """Void it. What is canceled already, or cannot be any more, is answered as it is."""
        try:
            return self._one("post", f"{PATH}/{reference}/cancel", reference, key)
        except ProviderError as error:
            if error.details.get("code") != "payment_intent_unexpected_state":
                raise
            return self.fetch(reference)

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:  # noqa: ARG002 by metadata
        """Look through the customer's payments since then for the one that carries our attempt id."""
        attempt = request["params"]["metadata"][ATTEMPT]
        for intent in self._payments_of(request["params"]["customer"], since, request["account"]):
            if isinstance(intent, dict) and (intent.get("metadata") or {}).get(ATTEMPT) == attempt:
                return read_intent(intent, account=request["account"], livemode=self._account.live)
        return None

    def check(self) -> list[Finding]:
        """Whether key, mode and account fit together, and whether the account can take cards."""
        account = self._account
        path = f"/v1/accounts/{account.id}" if account.destination else "/v1/account"
        try:
            answer = self._client.call("get", path, {}, account=account.header)
        except Problem as problem:
            return [Finding(False, str(problem.as_error()).removeprefix("Error: "))]
        except ProviderError as error:
            return [Finding(False, str(error))]
        return list(_findings(account, answer))

    def _one(self, method: Any, path: str, reference: str, key: str | None = None) -> Outcome:
        account = self._account.header
        try:
            answer = self._client.call(method, path, {"expand": [CHARGE]}, account=account, key=key)
        except Problem as problem:
            raise problem.as_error() from None
        return read_intent(answer, account=account, livemode=self._account.live, id=reference)

    def _payments_of(self, customer: str, since: float, account: str | None) -> Iterator[Any]:
        """All of them, newest first. ProviderConfused if they do not end: "not found" must mean that all were seen."""
        params = {"customer": customer, "created": {"gte": int(since)}, "limit": PAGE, "expand": [f"data.{CHARGE}"]}
        for _ in range(PAGES):
            try:
                answer = self._client.call("get", PATH, params, account=account)
            except Problem as problem:
                raise problem.as_error() from None
            payments, more = read_list(answer)
            yield from payments
            if not more:
                return
            params["starting_after"] = last_id(payments)
        raise ProviderConfused("Stripe lists too many payments of this customer to look through.")


def _findings(account: options.Account, answer: Any) -> Iterator[Finding]:
    if not isinstance(answer, dict) or answer.get("id") != account.id:
        yield Finding(False, f"Stripe answers for another account than {account.id}.")
        return
    mode, kind = ("live" if account.live else "test"), ("destination" if account.destination else "direct")
    yield Finding(True, f"Stripe knows account {account.id}; {kind} charges in {mode} mode.")
    able = answer.get("charges_enabled") is True
    reason = (answer.get("requirements") or {}).get("disabled_reason")
    why = f" ({reason})" if reason and not able else ""
    yield Finding(able, f"The account {'can' if able else 'cannot'} take charges{why}.")
    needed = ["transfers"] if account.destination else ["card_payments"]
    if account.on_behalf_of:
        needed.append("card_payments")
    for capability in needed:
        state = (answer.get("capabilities") or {}).get(capability, "missing")
        yield Finding(state == "active", f"The account's capability {capability} is {state}.")
    country, currency = answer.get("country"), str(answer.get("default_currency") or "").upper()
    if account.country:
        same = country == account.country
        yield Finding(
            same, f"The account's country is {country}" + ("." if same else f", the setting {account.country}.")
        )
    elif country == "US":
        yield Finding(
            True, "The account is in the US: with the setting country=US line items are sent (level 3 rates)."
        )
    if currency:
        taken = not account.currencies or currency in account.currencies
        yield Finding(taken, f"The account's own currency is {currency}" + ("." if taken else ", and not accepted."))
