"""The Forte Platforms adapter: the contract of `bridge.domain.ports.Adapter` over Forte's Payments API."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from bridge.adapters.base import BaseAdapter
from bridge.adapters.context import AdapterContext
from bridge.adapters.forte_platform import checks, events, previews
from bridge.adapters.forte_platform import settings as options
from bridge.adapters.forte_platform.answers import outcome_of
from bridge.adapters.forte_platform.client import Client
from bridge.adapters.forte_platform.customers import payer
from bridge.adapters.forte_platform.errors import UNREACHABLE, is_missing
from bridge.adapters.forte_platform.lists import Lists
from bridge.adapters.forte_platform.payments import Once, Payments, nothing_sent
from bridge.adapters.forte_platform.refunds import refund
from bridge.adapters.forte_platform.request import ATTEMPT, build_create
from bridge.adapters.forte_platform.webhook_registration import Triggers
from bridge.domain.errors import InvalidParameter, ProviderConfused, ProviderError, ProviderRefused, ProviderUnreachable
from bridge.domain.intents import Refund
from bridge.domain.money import step
from bridge.domain.outcomes import Cart, Outcome, Payment, ProviderEvent, Quote, RefundRequest
from bridge.domain.ports import Finding, Setting


class FortePlatformAdapter(BaseAdapter):
    """Payments of one Forte project, which its users confirm in a browser. `triggers` manages the project's triggers.

    Raises ConfigurationError if the settings cannot work.
    """

    name: ClassVar[str] = "forte_platform"
    settings: ClassVar[tuple[Setting, ...]] = options.SETTINGS
    confirmed_by_buyer: ClassVar[bool] = True
    names_refunds: ClassVar[bool] = False
    reference_name: ClassVar[str] = "forte_payment_id"
    operations: frozenset[str] = frozenset({"create", "fetch", "find", "preview", "listed", "events", "refund"})
    replay_window: ClassVar[float] = 0.0
    """Forte does not support idempotency keys (source: the SDK's payment operations)."""

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        self._options = options.read(settings, live=live)
        self._clock = context.clock
        self._client = Client(self._options, context)
        self._payments = Payments(self._client, Lists(self._client, self._options), self._options)
        self._once = Once(context.clock, context.timeout)
        self.triggers = Triggers(self._client, self._options)
        if self._options.saved_methods:
            self.operations = self.operations | {"payment_methods"}
        if self._options.refunds == "none":
            self.operations = self.operations - {"refund"}

    def __repr__(self) -> str:
        return f"<FortePlatformAdapter {self._options.project} {'live' if self._options.live else 'test'}>"

    @property
    def account_name(self) -> str:
        """The project."""
        return f"{self._options.host} {self._options.project}"

    def close(self) -> None:
        """Close the connections that are kept open; the adapter can still be used."""
        self._client.close()

    def smallest(self, currency: str) -> int:
        """The step of amounts in `currency`, in minor units. CurrencyNotSupported without two decimals, unless named in
        the settings."""
        options.require_currency(self._options, currency)
        return step(currency)

    def prepare(self, payment: Payment) -> dict[str, Any]:
        """The exact request, with whom to charge and the project that it is meant for."""
        return build_create(self._options, payment)

    def create(self, request: dict[str, Any], key: str) -> Outcome:  # noqa: ARG002 Forte takes no key
        """Make a payment, unless there is one with our attempt's id already: that one is used.

        Only a new one comes with what a browser needs to confirm it: Forte returns that only once.
        """
        if (request["project"], request["live"]) != (self._options.project, self._options.live):
            raise ProviderUnreachable("This payment was prepared for another project or mode.", sent=False)
        attempt = request["body"]["metadata"][ATTEMPT]
        first = self._once.begin(attempt)
        try:
            return self._create(request, attempt, first)
        except ProviderError as error:
            if not first:
                raise _still_unknown(error) from None
            if isinstance(error, ProviderRefused) or not getattr(error, "sent", True):
                self._once.undo(attempt)
            raise

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:  # noqa: ARG002 by metadata
        """Look for the payment that carries our attempt's id."""
        attempt = request["body"]["metadata"][ATTEMPT]
        try:
            user = self._payments.user_of(request)
        except ProviderRefused:  # who had the e-mail address then has it no more
            user = None
        found = self._payments.find(attempt, user, since)
        return outcome_of(found) if found else None

    def fetch(self, reference: str) -> Outcome:
        """The payment as it is at Forte now."""
        return outcome_of(self._payments.one(reference))

    def listed(self, since: float) -> Iterator[Outcome]:
        """Our payments that were made or changed since then. Those of others in the project are left out."""
        return map(outcome_of, self._payments.changed(since))

    def preview(self, cart: Cart, customer: str) -> Quote:
        """What the cart would cost; with tax only if Forte computes it. Makes nothing anywhere."""
        return previews.preview(self._options, self._payments, cart, customer)

    def payment_methods(self, customer: str) -> list[dict[str, Any]]:
        """The cards that the customer's user has saved; nothing for a customer without a user."""
        if "payment_methods" not in self.operations:
            self._cannot("payment_methods")
        try:
            return self._payments.saved(self._payments.user_of(payer(self._options, customer, "")))
        except (InvalidParameter, ProviderRefused) as error:
            if isinstance(error, InvalidParameter) or is_missing(error):
                return []
            raise

    def refund(self, request: RefundRequest, key: str) -> Refund:
        """Refund money. The API does not support idempotency keys: a request whose answer was lost is never sent again
        from here."""
        if "refund" not in self.operations:
            self._cannot("refund")
        if not self._once.begin(key):
            raise ProviderUnreachable("This refund was sent before, and may still be under way.")
        try:
            return refund(self._client, self._payments, self._options, request)
        except ProviderError as error:
            if isinstance(error, ProviderRefused) or not getattr(error, "sent", True):
                self._once.undo(key)
            raise

    def receive(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """A trigger from Forte's own network or from the relay. `headers` need the real peer as `events.PEER`."""
        now = self._clock()
        events.prove(self._options, headers, body, now)
        return events.read_event(body, now)

    def owns(self, event: ProviderEvent) -> bool:  # noqa: ARG002 a trigger names no project
        """Whoever can prove a trigger owns it; which payment it is about is found by its reference."""
        return True

    def check(self) -> list[Finding]:
        """Whether key, project, user and set-up fit together, and whether the trigger is as it should be."""
        return list(checks.findings(self._options, self._payments, self.triggers))

    def _create(self, request: dict[str, Any], attempt: str, first: bool) -> Outcome:
        with nothing_sent():
            user = self._payments.user_of(request)
            known = self._payments.find(attempt, user, None)
        if known is not None:
            return outcome_of(known)
        if not first:
            raise ProviderUnreachable(UNREACHABLE)
        return self._payments.create(request, user)


def _still_unknown(error: ProviderError) -> ProviderError:
    """An error about a request that was sent before: it proves nothing about that one."""
    if isinstance(error, ProviderConfused) or (isinstance(error, ProviderUnreachable) and error.sent):
        return error
    return ProviderUnreachable(str(error))
