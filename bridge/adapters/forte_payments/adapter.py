"""The Forte Payments adapter: the contract of `bridge.domain.ports.Adapter`, verb by verb."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

from bridge.adapters.base import BaseAdapter
from bridge.adapters.context import AdapterContext
from bridge.adapters.forte_payments import settings as options
from bridge.adapters.forte_payments.answers import (
    asked,
    read_intent,
    read_opening,
    read_script,
    read_status,
    status_outcome,
)
from bridge.adapters.forte_payments.checks import findings
from bridge.adapters.forte_payments.client import Client
from bridge.adapters.forte_payments.errors import Conflict
from bridge.adapters.forte_payments.events import is_uuid, prove, read_event
from bridge.adapters.forte_payments.request import KEY, build_request, require_currency, require_sellable
from bridge.adapters.forte_payments.webhook_registration import Subscription, Subscriptions
from bridge.domain import logs
from bridge.domain.errors import ProviderError, ProviderRefused, ProviderUnreachable
from bridge.domain.money import step
from bridge.domain.outcomes import Cart, Opening, Outcome, Payment, ProviderEvent, Quote
from bridge.domain.ports import Finding, Setting

log = logs.logger(__name__)
Json = dict[str, Any]
INTENT, REDIRECT = "/payments/v2/intent", "/payments/v2/intent/redirect"
STATUSES = "/payments/v1/payments/statuses"
MANIFEST = "/payments/v1/widget/manifest"
CLOCK_SKEW_SECONDS = 300.0
"""Seconds."""
_REMEMBERED = 10_000


class FortePaymentsAdapter(BaseAdapter):
    """Virtual goods through one Forte account. Raises ConfigurationError if the settings cannot work.

    `operations` are those of the setting `mode`; `create` works in either, so that what was begun before the mode was
    changed can be ended.
    """

    name: ClassVar[str] = "forte_payments"
    settings: ClassVar[tuple[Setting, ...]] = options.SETTINGS
    confirmed_by_buyer: ClassVar[bool] = True
    reference_name: ClassVar[str] = "forte_payment_intent_id"
    payment_method_type: ClassVar[str] = "forte"
    operations: frozenset[str] = frozenset({"create", "open", "fetch", "preview", "events"})
    replay_window: ClassVar[float] = 23 * 3600.0
    """How long Forte knows a key is not documented. A second intent would do no harm: what the widget needs for the
    first one, its answer, has reached nobody."""

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        self._account = options.read(settings, live=live)
        self.operations -= {"create" if self._account.redirect else "open"}
        self._client = Client(self._account, context)
        self._subscriptions = Subscriptions(self._client)
        self._clock = context.clock
        self._plain_http = context.allow_private_urls and not live
        self._lock = threading.Lock()
        self._made: OrderedDict[str, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"<FortePaymentsAdapter {self._account.client_id} {'live' if self._account.live else 'test'}>"

    @property
    def account_name(self) -> str:
        """The client."""
        return f"{self._account.api_base} {self._account.client_id}"

    def close(self) -> None:
        """Close the connections that are kept open; the adapter can still be used."""
        self._client.close()

    def smallest(self, currency: str) -> int:
        """The step of amounts in `currency`, in minor units. CurrencyNotSupported for all but USD and EUR."""
        require_currency(currency)
        return step(currency)

    def prepare(self, payment: Payment) -> Json:
        """The exact body but for its key, with the account that it is meant for; the same in both modes."""
        return build_request(self._account, payment, self.name)

    def create(self, request: Json, key: str) -> Outcome:
        """Make an intent for the widget. What has already been submitted under this key is looked up instead."""
        body, deadline = self._body(request, key), self._client.deadline()
        try:
            reply = self._client.call("POST", INTENT, body, deadline=deadline)
        except Conflict as conflict:
            return self._submitted(conflict, body, key)
        outcome = read_intent(reply, body, lambda: self._script(deadline))
        if outcome.reference:
            self._remember(key, outcome.reference)
        return outcome

    def open(self, request: Json, key: str) -> Opening:
        """Make an intent for the hosted page. Only a message of Forte's tells its id."""
        if "open" not in self.operations:
            self._cannot("open")
        reply = self._client.call("POST", REDIRECT, self._body(request, key))
        return read_opening(reply, self._account, self._clock(), plain_http=self._plain_http)

    def fetch(self, reference: str) -> Outcome:
        """How an intent stands. Forte does not say for how much it is: the currency is empty."""
        return status_outcome(self._status(reference), reference)

    def preview(self, cart: Cart, customer: str) -> Quote:  # noqa: ARG002 anybody is quoted the same
        """The store's own amounts: Forte adds nothing to them."""
        if cart.order:
            require_sellable(self._account, cart.order)
        return cart.as_quote()

    def receive(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Prove by the settings' scheme that Forte signed it, and read where the settings say."""
        account, now = self._account, self._clock()
        prove(account.scheme, headers, body, now)
        return read_event(account.fields, body, now, account=account.client_id, live=account.live)

    def owns(self, event: ProviderEvent) -> bool:
        """Messages name no account: it is the one whose key has proven it."""
        return event.account == self._account.client_id and event.live is self._account.live

    def register_webhook(self, url: str, description: str = "wcpay-bridge") -> Subscription:
        """Have Forte send its messages to `url`, once. Its `secret` is the setting webhook_secret."""
        return self._subscriptions.register(url, description)

    def webhooks(self) -> list[Subscription]:
        """All subscriptions of the account."""
        return self._subscriptions.all()

    def switch_webhook(self, subscription_id: str, *, on: bool) -> Subscription:
        """Enable or disable a subscription."""
        return self._subscriptions.switch(subscription_id, on=on)

    def replay(self, since: float, until: float | None = None) -> None:
        """Have Forte send again the messages since then (Unix seconds), after an outage of ours.

        Those of a few minutes before come too, because clocks differ; a message that is here already changes nothing.
        """
        self._subscriptions.replay(max(since - CLOCK_SKEW_SECONDS, 0.0), self._clock() if until is None else until)

    def check(self) -> list[Finding]:
        """Whether the credentials work, and whether messages can arrive and be believed."""
        return list(findings(self._account, self._client))

    def _body(self, request: Json, key: str) -> Json:
        """What goes over the wire. Raises ProviderUnreachable for a request that was made for another account."""
        if (request["livemode"], request["account"]) != (self._account.live, self._account.identity):
            raise ProviderUnreachable("This payment was prepared for another account at Forte.", sent=False)
        return {**request["body"], KEY: key}

    def _status(self, reference: str) -> str:
        if not is_uuid(reference):
            raise ProviderRefused("Error: Forte does not have this payment.", code="resource_missing")
        reply = self._client.call("POST", STATUSES, {"payment_intent_ids": [reference]})
        return read_status(reply, reference)

    def _submitted(self, conflict: Conflict, body: Json, key: str) -> Outcome:
        """The payment that was submitted under the key, if this process has made it; it may not be decided yet."""
        with self._lock:
            reference = self._made.get(key)
        if reference is None:
            raise conflict
        try:
            word = self._status(reference)
        except ProviderError as error:
            raise conflict from error
        return status_outcome("Submitted" if word == "Created" else word, reference, asked(body))

    def _remember(self, key: str, reference: str) -> None:
        with self._lock:
            self._made[key] = reference
            if len(self._made) > _REMEMBERED:
                self._made.popitem(last=False)

    def _script(self, deadline: float) -> Json:
        """The widget's script; with its digest if Forte tells it now."""
        script = self._account.widget_script
        if self._account.script_integrity:
            try:
                return read_script(self._client.call("GET", MANIFEST, deadline=deadline), script)
            except ProviderError as error:
                log.warning("Forte did not provide the digest of the widget's script: %s", error)
        return {"script_url": script}
