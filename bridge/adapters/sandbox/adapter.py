"""The sandbox's Adapter, verb by verb, and what only a sandbox can do: present a card to the reader, dispute,
decide."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from bridge.adapters.base import BaseAdapter
from bridge.adapters.context import AdapterContext
from bridge.adapters.identifiers import stripe_identifier
from bridge.adapters.sandbox import lifecycle
from bridge.adapters.sandbox.answers import outcome_of
from bridge.adapters.sandbox.database import SandboxDatabase, name
from bridge.adapters.sandbox.test_cards import DAY, DisputePlan, test_card_of
from bridge.domain.errors import ConfigurationError, CurrencyNotSupported, InvalidParameter, ProviderUnreachable
from bridge.domain.intents import Refund
from bridge.domain.money import step
from bridge.domain.orders import Address
from bridge.domain.outcomes import IN_PERSON, CustomerDetails, Outcome, Payment, RefundRequest
from bridge.domain.ports import Finding, Setting


class SandboxAdapter(BaseAdapter):
    """A payment provider in a file. Needs no settings, refuses live stores. It does not send events: it has to be
    polled."""

    name: ClassVar[str] = "sandbox"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "books",
            "The SQLite file of the sandbox's payments; default: sandbox.sqlite beside the database",
            "",
            account=True,
        ),
        Setting("multicapture", "Whether the rest of a capture can be captured later", "no", choices=("no", "yes")),
    )
    operations: frozenset[str] = frozenset(
        {
            *("create", "fetch", "find", "listed", "cancel", "capture", "refund"),
            *("customers", "payment_methods", "terminal"),
        }
    )
    replay_window: ClassVar[float] = DAY

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        if live:
            raise ConfigurationError("The sandbox never moves money and refuses a live store. Add it with --test.")
        if settings.get("multicapture") == "yes":
            self.operations = self.operations | {"multicapture"}
        self._ids = context.ids
        self._books = SandboxDatabase(settings["books"] or str(context.directory / "sandbox.sqlite"), context.clock)

    def smallest(self, currency: str) -> int:
        if not re.fullmatch("[A-Z]{3}", currency):
            raise CurrencyNotSupported(currency)
        return step(currency)

    def prepare(self, payment: Payment) -> dict[str, Any]:
        return {
            **_asked(payment),
            "customer": stripe_identifier("customer", payment.customer),
            "payment_method": stripe_identifier("payment_method", payment.payment_method),
            "metadata": payment.metadata,
        }

    def prepare_terminal(self, payment: Payment, methods: list[str], metadata: dict[str, Any]) -> dict[str, Any]:
        if not methods or not IN_PERSON.issuperset(methods):
            raise InvalidParameter(
                "payment_methods", "payment_methods must be a list of card_present and interac_present."
            )
        return {
            **_asked(payment),
            "customer": stripe_identifier("customer", payment.customer) if payment.customer else None,
            "payment_method": None,
            "metadata": {**metadata, **payment.metadata},
            "terminal": list(methods),
        }

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        fault = test_card_of(request["payment_method"]).fault if request["payment_method"] else ""
        if fault == "unreachable":
            raise ProviderUnreachable("The sandbox simulates a provider that is down.", sent=False)
        with self._books.open() as page:
            known = page.by_key(key)
            outcome = outcome_of(page, known or lifecycle.begin(page, key, request))
        if fault == "lost_answer" and not known:
            raise ProviderUnreachable("The sandbox simulates a provider whose answer is lost.")
        return outcome

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:  # noqa: ARG002
        with self._books.open() as page:
            known = page.by_key(key, since)
            return outcome_of(page, lifecycle.pass_time(page, known)) if known else None

    def fetch(self, reference: str) -> Outcome:
        """How it stands. Whoever waits for a card at the reader need not wait: looking is what makes it happen."""
        with self._books.open() as page:
            return outcome_of(page, lifecycle.present(page, lifecycle.pass_time(page, page.find(reference))))

    def listed(self, since: float) -> Iterator[Outcome]:
        """All payments with a ledger line since then. Keys say which attempt they belong to."""
        with self._books.open() as page:
            changed = [
                (key, outcome_of(page, lifecycle.pass_time(page, entry)), entry) for key, entry in page.since(since)
            ]
        for key, outcome, entry in changed:
            metadata = dict(entry.request["metadata"])
            yield replace(outcome, attempt_id=key.partition(":")[0], metadata=metadata)

    def cancel(self, reference: str, key: str) -> Outcome:  # noqa: ARG002
        with self._books.open() as page:
            return outcome_of(page, lifecycle.void(page, lifecycle.pass_time(page, page.find(reference))))

    def capture(self, reference: str, amount: int, key: str) -> Outcome:
        with self._books.open() as page:
            entry = lifecycle.pass_time(page, page.find(reference))
            is_last = "multicapture" not in self.operations
            return outcome_of(page, lifecycle.capture(page, entry, amount, key, is_last=is_last))

    def refund(self, request: RefundRequest, key: str) -> Refund:
        with self._books.open() as page:
            return lifecycle.refund(page, lifecycle.pass_time(page, page.find(request.reference)), request, key)

    def save_customer(self, details: CustomerDetails, customer: str | None, key: str) -> str:
        """Whoever has the same e-mail address is the same customer."""
        return customer or name("cus_", details.email.strip().lower() or key, 14)

    def payment_methods(self, customer: str) -> list[dict[str, Any]]:
        """Everybody has saved one Visa card."""
        if not re.fullmatch(r"cus_\w+", customer, re.ASCII):
            return []
        billing = {"address": _billing(Address())["address"], "email": None, "name": None, "phone": None}
        card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}
        return [{"id": "pm_card_visa", "type": "card", "billing_details": billing, "card": card}]

    def connection_token(self) -> dict[str, Any]:
        return {"object": "terminal.connection_token", "secret": self._ids.public("pst_test_")}

    def check(self) -> list[Finding]:
        try:
            with self._books.open():
                return [Finding(True, f"The sandbox keeps its payments in {self._books.file}; no money moves.")]
        except sqlite3.Error as error:
            return [Finding(False, f"The sandbox cannot keep its payments in {self._books.file}: {error}.")]

    def present(self, reference: str, payment_method: str = "pm_card_visa") -> Outcome:
        """Present a card to the reader that waits for this payment."""
        with self._books.open() as page:
            entry = lifecycle.pass_time(page, page.find(reference))
            return outcome_of(page, lifecycle.present(page, entry, payment_method))

    def authenticate(self, reference: str, success: bool) -> Outcome:
        """The payer presses a button of the buyer's page. Raises ProviderRefused if nothing was asked."""
        with self._books.open() as page:
            entry = lifecycle.pass_time(page, page.find(reference))
            return outcome_of(page, lifecycle.authenticate(page, entry, success=success))

    def dispute(self, reference: str, reason: str = "fraudulent") -> Outcome:
        """Let the payer's bank ask for the money back. Raises ProviderRefused if there is none."""
        with self._books.open() as page:
            entry = lifecycle.pass_time(page, page.find(reference))
            lifecycle.dispute(page, entry, DisputePlan(reason))
            return outcome_of(page, entry)

    def close_dispute(self, reference: str, status: Literal["won", "lost"]) -> Outcome:
        """Let the payer's bank decide; an inquiry just ends. Raises ProviderRefused if it has nothing to decide."""
        with self._books.open() as page:
            entry = lifecycle.pass_time(page, page.find(reference))
            lifecycle.close_dispute(page, entry, status)
            return outcome_of(page, entry)


def _asked(payment: Payment) -> dict[str, Any]:
    return {
        "amount": payment.amount,
        "currency": payment.currency.lower(),
        "capture_method": payment.capture,
        "description": payment.description,
        "billing_details": _billing(payment.order.billing),
    }


def _billing(billing: Address) -> dict[str, Any]:
    """Stripe's billing details, None where nothing is known."""
    parts = ("city", "country", "line1", "line2", "postal_code", "state")
    return {
        "address": {part: getattr(billing, part) or None for part in parts},
        **{part: getattr(billing, part) or None for part in ("email", "name", "phone")},
    }
