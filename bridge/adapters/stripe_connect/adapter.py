"""The Stripe Connect adapter: the contract of `bridge.domain.ports.Adapter`, verb by verb."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from bridge.adapters.base import BaseAdapter
from bridge.adapters.context import AdapterContext
from bridge.adapters.stripe_connect import settings as options
from bridge.adapters.stripe_connect.answers import Problem, id_of, read_intent, read_object, require
from bridge.adapters.stripe_connect.checks import descriptor_problem, findings, unable
from bridge.adapters.stripe_connect.client import ALL_PAGES, VERSION, Client
from bridge.adapters.stripe_connect.customers import KIND, build_customer, read_methods
from bridge.adapters.stripe_connect.events import RELATED, prove, read_event, with_payment
from bridge.adapters.stripe_connect.refunds import RELEASED, build_refund, read_dispute, read_refund, shown_refunds
from bridge.adapters.stripe_connect.request import (
    ATTEMPT,
    CHARGE,
    EXPANDED,
    WHOLE,
    build_capture,
    build_create,
    build_terminal,
    require_currency,
)
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderRefused, ProviderUnreachable
from bridge.domain.intents import Refund, Status
from bridge.domain.money import step
from bridge.domain.outcomes import CustomerDetails, EventKind, Outcome, Payment, ProviderEvent, RefundRequest
from bridge.domain.ports import Finding, Setting

Json = dict[str, Any]
PAYMENTS, CHARGES, REFUNDS, DISPUTES = "/v1/payment_intents", "/v1/charges", "/v1/refunds", "/v1/disputes"
CUSTOMERS, TOKENS = "/v1/customers", "/v1/terminal/connection_tokens"
SITE = "site_url"
"""Where a customer's metadata say which store it is of."""


class StripeConnectAdapter(BaseAdapter):
    """Direct or destination charges on one connected account. Raises ConfigurationError if the settings cannot work."""

    name: ClassVar[str] = "stripe_connect"
    settings: ClassVar[tuple[Setting, ...]] = options.SETTINGS
    operations: ClassVar[frozenset[str]] = frozenset(
        {
            *("create", "fetch", "find", "listed", "cancel", "capture", "refund"),
            *("customers", "payment_methods", "terminal", "events"),
        }
    )
    replay_window: ClassVar[float] = 23 * 3600.0
    """Stripe forgets a key after 24 hours at the earliest (source: Stripe, "Idempotent requests")."""
    names_orders: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        self._account = options.read(settings, live=live)
        self._client = Client(self._account, context)
        self._clock = context.clock

    def __repr__(self) -> str:
        return f"<StripeConnectAdapter {self._account.id} {'live' if self._account.live else 'test'}>"

    @property
    def account_name(self) -> str:
        """The platform: its key counts, whichever connected account it acts for (source: Stripe, "Rate limits")"""
        return f"{self._account.api_base} {hashlib.sha256(self._account.secret_key.encode()).hexdigest()[:12]}"

    def close(self) -> None:
        """Close the connections that are kept open; the adapter can still be used."""
        self._client.close()

    def smallest(self, currency: str) -> int:
        """The step of amounts in `currency`, in minor units. CurrencyNotSupported if the settings leave it out."""
        require_currency(self._account, currency)
        return step(currency)

    def prepare(self, payment: Payment) -> Json:
        """The exact request, with the account and the API version that it is meant for."""
        return build_create(self._account, payment, VERSION)

    def prepare_terminal(self, payment: Payment, methods: list[str], metadata: dict[str, Any]) -> Json:
        """The same for a payment that is not confirmed here, but by a card reader."""
        return build_terminal(self._account, payment, methods, metadata, VERSION)

    def create(self, request: Json, key: str) -> Outcome:
        """Create and confirm. A decline, or a failure after the payment was made, is the Outcome of that payment."""
        if request["livemode"] != self._account.live:
            raise ProviderUnreachable("This payment was prepared in the other mode (live or test).", sent=False)
        params, account = request["params"], request["account"]
        expected = {name: params[name] for name in ("amount", "currency")}
        expected |= {"metadata": {ATTEMPT: params["metadata"][ATTEMPT]}, "livemode": self._account.live}
        try:
            answer = self._client.call("post", PAYMENTS, params, account=account, version=request["version"], key=key)
        except Problem as problem:
            outcome = problem.outcome(account=account, **expected)
            if outcome is None:
                raise problem.as_error(creating=True) from None
            return outcome
        return self._outcome(answer, account, **expected)

    def fetch(self, reference: str) -> Outcome:
        """The payment as it is at Stripe now."""
        path = _path(PAYMENTS, reference)
        try:
            answer = self._get(path, {"expand": WHOLE})
        except ProviderRefused as error:
            if error.details.get("status") != 403:  # what a restricted key gets that may not read balance transactions
                raise
            answer = self._get(path, {"expand": EXPANDED})
        return self._outcome(answer, self._account.header, id=reference)

    def find(self, request: Json, key: str, since: float) -> Outcome | None:  # noqa: ARG002 by metadata
        """Look through the payments since then, the customer's if there is one, for the one with our attempt id."""
        wanted, account = request["params"], request["account"]
        params: Json = {"created": {"gte": int(since)}, "expand": [f"data.{CHARGE}.refunds"]}
        if "customer" in wanted:
            params = {"customer": wanted["customer"], **params}
        for intent in self._client.every(PAYMENTS, params, account=account):
            if isinstance(intent, dict) and (intent.get("metadata") or {}).get(ATTEMPT) == wanted["metadata"][ATTEMPT]:
                return self._outcome(intent, account)
        return None

    def listed(self, since: float) -> Iterator[Outcome]:
        """Payments for orders, ours or made by others, that were made since then, or that were refunded or disputed
        since then.

        Stripe lists no changes: what else became of an older payment is told by events, or by asking for it.
        """
        seen, account = set[str](), self._account.header
        recent: Json = {"created": {"gte": max(int(since), 0)}}
        payments = {**recent, "expand": [f"data.{CHARGE}.refunds"]}
        for intent in self._client.every(PAYMENTS, payments, account=account, pages=ALL_PAGES):
            if _is_for_an_order(intent):
                seen.add(str(intent.get("id")))
                yield self._outcome(intent, account)
        for changes in (REFUNDS, DISPUTES):
            for change in self._client.every(changes, recent, account=account, pages=ALL_PAGES):
                reference = id_of(change.get("payment_intent")) if isinstance(change, dict) else None
                if reference is None or reference in seen:
                    continue
                seen.add(reference)
                intent = self._get(_path(PAYMENTS, reference), {"expand": EXPANDED})
                if _is_for_an_order(intent):
                    yield self._outcome(intent, account, id=reference)

    def cancel(self, reference: str, key: str) -> Outcome:
        """Void it. What is canceled already, or cannot be any more, is answered as it is."""
        return self._change("cancel", reference, {"expand": EXPANDED}, key)

    def capture(self, reference: str, amount: int, key: str) -> Outcome:
        """Take `amount` and release the rest. What is not, or not any more, to be captured is answered as it is."""
        params: Json = {"amount_to_capture": amount, "expand": EXPANDED}
        if not self._account.fee.is_none:
            with _nothing_done_yet():
                intent = self._get(_path(PAYMENTS, reference), {"expand": EXPANDED})
                outcome = self._outcome(intent, self._account.header, id=reference)
            if outcome.status is not Status.REQUIRES_CAPTURE:
                return outcome
            params = build_capture(self._account, intent, amount)
        return self._change("capture", reference, params, key)

    def refund(self, request: RefundRequest, key: str) -> Refund:
        """Refund money, and with it what the charge gave to the platform or passed on."""
        with _nothing_done_yet():
            charge = self._charge(request)
        params = build_refund(charge, request, fee_back=self._account.refund_fee)
        answer = self._post(REFUNDS, params, key)
        expected = {"charge": charge["id"], "amount": request.amount, "metadata": params["metadata"]}
        return read_refund(answer, currency=request.currency.lower(), **expected)

    def save_customer(self, details: CustomerDetails, customer: str | None, key: str) -> str:
        """Update this customer, or make one if there is none, or none any more."""
        params, new_key = build_customer(details), key
        if customer:
            try:
                answer = self._post(_path(CUSTOMERS, customer), params, key)
                return str(read_object(answer, "customer", id=customer, livemode=self._account.live)["id"])
            except ProviderRefused as error:
                if error.code != "resource_missing":
                    raise
            new_key = f"{key}:new"
        answer = self._post(CUSTOMERS, params, new_key)
        return str(read_object(answer, "customer", livemode=self._account.live)["id"])

    def customer_site(self, customer: str) -> str | None:
        """What the metadata say: with destination charges all the platform's stores share their customers."""
        if not self._account.destination:
            return None
        try:
            answer = self._get(_path(CUSTOMERS, customer), {})
        except ProviderRefused as error:
            if error.code == "resource_missing":
                return ""
            raise
        return str((read_object(answer, "customer", id=customer).get("metadata") or {}).get(SITE) or "")

    def payment_methods(self, customer: str) -> list[Json]:
        """What the customer has saved that can be charged; nothing for a customer whom nobody knows."""
        path = f"{_path(CUSTOMERS, customer)}/payment_methods"
        try:
            return read_methods(self._client.every(path, {"type": KIND}, account=self._account.header))
        except ProviderRefused as error:
            if error.code == "resource_missing":
                return []
            raise

    def connection_token(self) -> Json:
        """Stripe's connection token; with direct charges for the connected account's readers. Where a location is set,
        for those that are there (source: Stripe, "The ConnectionToken object", `location`)."""
        location = self._account.terminal_location
        answer = self._post(TOKENS, {"location": location} if location else {}, None)
        require(isinstance(answer, dict) and type(answer.get("secret")) is str)
        return dict(answer)

    def receive(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Prove that Stripe signed it within five minutes, and read it."""
        now = self._clock()
        prove(headers.get("stripe-signature", ""), body, self._account.webhook_secrets, now)
        return read_event(body, now)

    def owns(self, event: ProviderEvent) -> bool:
        """Direct charges happen on the connected account, destination charges on the platform, which is not named."""
        whose = self._account.id if event.kind is EventKind.ACCOUNT else self._account.header
        return event.account == whose and event.live is self._account.live

    def resolved(self, event: ProviderEvent) -> ProviderEvent:
        """A thin event, with the payment that its related object is, or belongs to."""
        if event.related is None:
            return event
        kind, _, identifier = event.related.partition(":")
        answer = self._get(_path(RELATED[kind], identifier), {})
        return with_payment(event, read_object(answer, kind, id=identifier))

    def scope_problem(self, event: ProviderEvent) -> str:
        """Stripe has two kinds of endpoints, and a store's messages come by one of them."""
        account = self._account
        if event.kind is EventKind.ACCOUNT or (event.account is None) is account.destination:
            return ""
        scopes = ("connected accounts", "your account")
        wrong, right = scopes if account.destination else reversed(scopes)
        kind = "destination" if account.destination else "direct"
        return (
            f'The endpoint at Stripe listens to "{wrong}", but {kind} charges happen on "{right}": '
            f"no message about {account.id} arrives. Create it at Stripe anew, with the other scope."
        )

    def account_problem(self) -> str:
        """Whether the platform still has access to the account, and it can be charged."""
        path = f"/v1/accounts/{self._account.id}" if self._account.destination else "/v1/account"
        try:
            return unable(self._account, self._get(path, {}))
        except ProviderRefused as error:
            if error.code != "account_invalid":
                raise
            return f"Stripe gives no access to account {self._account.id}: it was disconnected from the platform."

    def check(self) -> list[Finding]:
        """Whether key, mode and account fit together, and whether the account can take cards."""
        account = self._account
        path = f"/v1/accounts/{account.id}" if account.destination else "/v1/account"
        try:
            answer = self._get(path, {})
        except ProviderError as error:
            return [Finding(False, str(error).removeprefix("Error: "))]
        wrong = [Finding(False, problem) for problem in self.refused_settings()]
        return [*findings(account, answer), *wrong]

    def refused_settings(self) -> list[str]:
        """Whether cards take the suffix behind the prefix of whoever the payer reads; nothing if nobody can be asked.

        Without `on_behalf_of` that is the platform for a destination charge.
        """
        account = self._account
        if not account.statement_descriptor_suffix:
            return []
        try:
            payee = self._get(f"/v1/accounts/{account.id}" if account.on_behalf_of else "/v1/account", {})
        except ProviderError:
            return []
        problem = descriptor_problem(account, payee)
        return [f"stripe_connect: {problem}"] if problem else []

    def _get(self, path: str, params: Json) -> Any:
        return self._client.ask("get", path, params, account=self._account.header)

    def _post(self, path: str, params: Json, key: str | None) -> Any:
        return self._client.ask("post", path, params, account=self._account.header, key=key)

    def _change(self, verb: str, reference: str, params: Json, key: str) -> Outcome:
        try:
            answer = self._post(f"{_path(PAYMENTS, reference)}/{verb}", params, key)
        except ProviderRefused as error:
            if error.code != "payment_intent_unexpected_state":
                raise
            return self.fetch(reference)
        return self._outcome(answer, self._account.header, id=reference)

    def _outcome(self, answer: Any, account: str | None, **expected: Any) -> Outcome:
        """A payment with its refunds and its dispute. Stripe is asked for those only if the charge says that there is
        something that it does not show; nothing of that can mean that the payment itself was refused."""
        outcome = read_intent(answer, account=account, **{"livemode": self._account.live, **expected})
        kept = answer.get("metadata")
        if isinstance(kept, dict):
            outcome = replace(outcome, attempt_id=kept.get(ATTEMPT), metadata=dict(kept))
        if self._account.destination:  # on the platform's account are the payments of all its stores
            transfer = answer.get("transfer_data")
            receiver = id_of(transfer.get("destination")) if isinstance(transfer, dict) else None
            outcome = replace(outcome, is_for_account=receiver == self._account.id)
        if outcome.client_secret and self._account.publishable_key:
            outcome = replace(outcome, provider_data={**(outcome.provider_data or {}), **self._for_the_page()})
        if outcome.charge is None:
            return outcome
        charge = answer[CHARGE]
        of_charge = {"charge": outcome.charge.id}
        shown, more = shown_refunds(charge)
        with _done_already():
            found = self._client.every(REFUNDS, of_charge, account=account) if more else shown
            refunds = [read_refund(refund, **of_charge) for refund in found]
            disputed = charge.get("disputed") is True
            disputes = self._client.every(DISPUTES, of_charge, account=account) if disputed else ()
            dispute = read_dispute(disputes)
        ran_out = outcome.status is Status.CANCELED and any(refund.reason == RELEASED for refund in refunds)
        kept = tuple(refund for refund in refunds if refund.reason != RELEASED)
        return replace(outcome, refunds=kept, dispute=dispute, expired=outcome.expired or ran_out)

    def _for_the_page(self) -> Json:
        """What the buyer's page needs beside the secret and the account."""
        account = self._account
        return {
            "kind": "stripe_elements",
            "publishable_key": account.publishable_key,
            "script_url": account.script_url,
        }

    def _charge(self, request: RefundRequest) -> Json:
        """The charge that is to be refunded, if it is the one that is meant. Raises ProviderError."""
        if request.charge_id:
            answer = self._get(_path(CHARGES, request.charge_id), {})
        else:
            intent = self._get(_path(PAYMENTS, request.reference), {"expand": [CHARGE]})
            answer = read_object(intent, "payment_intent", id=request.reference).get(CHARGE)
        expected = {"payment_intent": request.reference, "currency": request.currency.lower()}
        return read_object(answer, "charge", livemode=self._account.live, **expected)


def _is_for_an_order(intent: Any) -> bool:
    """Whether a payment is ours, or somebody else's that names an order (`bridge.domain.claims`)."""
    kept = intent.get("metadata") if isinstance(intent, dict) else None
    return isinstance(kept, dict) and (ATTEMPT in kept or "order_id" in kept)


def _path(collection: str, identifier: str) -> str:
    return f"{collection}/{quote(identifier, safe='')}"


@contextmanager
def _nothing_done_yet() -> Iterator[None]:
    """For what is asked before the request that does something: however that fails, nothing was done."""
    try:
        yield
    except (ProviderUnreachable, ProviderConfused) as error:
        raise ProviderUnreachable(str(error), sent=False) from None


@contextmanager
def _done_already() -> Iterator[None]:
    """For what is asked after the request that did something: a refusal of that proves nothing."""
    try:
        yield
    except ProviderRefused as error:
        raise ProviderConfused(f"Stripe does not show what became of the payment. {error}") from None
