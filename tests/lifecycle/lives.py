"""A payment and everybody who has a hand in it: the store's client, its staff, the payer, the payer's bank, the judge.

`Life` is a bridge in front of a simulated shop and provider, on which any number of orders live side by side.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from werkzeug.test import TestResponse

from bridge.adapters.sandbox import SandboxAdapter
from bridge.operations.why import why
from bridge.simulators.stripe import Webhook
from bridge.simulators.woocommerce.seed import BILLING
from tests.plugins.local import Local

PAYMENTS = "/wp-json/wc/v3/payments"
SECRET = "whsec_0123456789abcdef"
KINDS = ("sandbox", "direct", "destination")
Json = dict[str, Any]


def _names(thing: Json) -> tuple[Any, Any]:
    return thing.get("id"), thing.get("payment_intent")


@dataclass
class Life:
    """`kind` is one of KINDS. Amounts are minor units, except the shop's, which are its own texts."""

    local: Local
    kind: str
    told: set[str] = field(default_factory=set)
    """The events that the bridge was sent."""

    # --- the store's client

    def order(self, total: str = "10.23", **fields: Any) -> int:
        """A new order that can be paid."""
        fields = {"billing": BILLING, "created_via": "checkout"} | fields
        return self.local.shop.add_order(**({} if "lines" in fields else {"total": total}), **fields)

    def create(self, order: int, **changes: Any) -> TestResponse:
        return self.local.create(order, **changes)

    def pay(self, order: int, **changes: Any) -> Json:
        """Create, which must work, and let the shop hear of it."""
        answer = self.create(order, **changes)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        self.work()
        created: Json = answer.get_json()
        return created

    def at(self, route: str, order: Any, intent: Any = None, **more: Any) -> TestResponse:
        """A route of an order."""
        named = {} if intent is None else {"payment_intent_id": intent}
        return self.local.post(f"{PAYMENTS}/orders/{order}/{route}", named | more)

    def capture(self, order: int, intent: str, **more: Any) -> TestResponse:
        answer = self.at("capture_authorization", order, intent, **more)
        self.work()
        return answer

    def refund(self, **wanted: Any) -> TestResponse:
        """Never taken for a repetition of an earlier one."""
        self.local.clock.advance(601)
        answer = self.local.post(f"{PAYMENTS}/refund", wanted)
        self.work()
        return answer

    def get(self, path: str) -> Any:
        answer = self.local.get(f"{PAYMENTS}/{path}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def hint(self, intent: str, kind: str = "charge.updated", **members: Any) -> tuple[int, Json]:
        """The legacy route of WooPayments' platform; the bridge looks at the payment."""
        about = {"payment_intent": intent} | members
        answer = self.local.post(f"{PAYMENTS}/webhook", {"type": kind, "livemode": False, "data": {"object": about}})
        self.work()
        return answer.status_code, answer.get_json()

    # --- the payer, the payer's bank, the card reader

    @cached_property
    def sandbox(self) -> SandboxAdapter:
        adapter = self.local.bridge.services.stores.adapter(self.local.store)
        assert isinstance(adapter, SandboxAdapter)
        return adapter

    @property
    def stripe(self) -> Any:
        assert self.local.stripe
        return self.local.stripe

    def present_card(self, intent: str, card: str = "pm_card_visa") -> None:
        if self.kind == "sandbox":
            self.sandbox.present(intent, card)
        else:
            self.stripe.present_card(intent, card)

    def authenticate(self, intent: str) -> None:
        """The payer answers the challenge."""
        if self.kind == "sandbox":
            self.sandbox.authenticate(intent, True)
        else:
            self.stripe.authenticate(intent)

    def dispute(self, intent: str) -> None:
        """The payer's bank takes back all that is left."""
        if self.kind == "sandbox":
            self.sandbox.dispute(intent)
        else:
            self.stripe.dispute(self.stripe.find(intent)["latest_charge"])

    def decide(self, intent: str, verdict: Literal["won", "lost"]) -> None:
        if self.kind == "sandbox":
            self.sandbox.close_dispute(intent, verdict)
        else:
            charge = self.get(f"payment_intents/{intent}")["charge"]["id"]
            dispute = self.get(f"charges/{charge}")["dispute"]["id"]
            self.stripe.close_dispute(dispute, won=verdict == "won")

    def refund_elsewhere(self, charge: str, amount: int) -> str:
        """A refund that somebody makes at Stripe's own dashboard; its id."""
        return str(self.local.at_stripe("refunds", charge=charge, amount=amount)["id"])

    # --- what the bridge hears

    @cached_property
    def endpoint(self) -> str:
        made = self.stripe.add_webhook_endpoint(
            "https://bridge.example", connect=self.kind == "direct", secrets=[SECRET]
        )
        return str(made.id)

    def signed(self, event: str) -> Webhook:
        webhook: Webhook = self.stripe.signed(event, self.endpoint)
        return webhook

    def send(self, message: Webhook) -> Json:
        """What Stripe sends by itself, proven by its signature alone."""
        answer = self.local.app.test_client().post(
            f"/bridge/v1/webhooks/{self.local.store.id}",
            base_url="http://127.0.0.1",
            data=message.body,
            headers=dict(message.headers),
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        said: Json = answer.get_json()
        return said

    def tell(self, intent: str) -> None:
        """Let the bridge hear of what happened, by itself as far as the provider does that, newest first."""
        if self.kind == "sandbox":
            assert self.hint(intent) == (200, {"result": "success"})
        else:
            for event in reversed(self.events_about(intent)):
                if event["id"] not in self.told:
                    self.told.add(event["id"])
                    self.send(self.signed(event["id"]))
        self.work()

    def events_about(self, intent: str) -> list[Json]:
        """Stripe's events about one payment, its charge, refunds and disputes, oldest first."""
        return [event for event in self.stripe.events if intent in _names(event["data"]["object"])]

    def work(self) -> None:
        self.local.work()

    # --- the books

    @cached_property
    def _books(self) -> str:
        self.sandbox.check()  # so that they are there
        return str(self.local.store.settings["books"])

    def book(self, intent: str) -> dict[str, int]:
        """The provider's own sums of one payment, by kind."""
        sums: dict[str, int] = {}
        if self.kind == "sandbox":
            with closing(sqlite3.connect(self._books)) as books:
                for kind, amount in books.execute("select kind, amount from ledger where reference = ?", (intent,)):
                    sums[kind] = sums.get(kind, 0) + amount
            return {"captured": sums.pop("charged", 0), **sums}
        charge = self.stripe.find(intent)["latest_charge"]
        for entry in self.stripe.ledger.entries(charge_id=charge) if charge else ():
            sums[entry.kind] = sums.get(entry.kind, 0) + entry.amount
        return {"captured": 0, **sums}

    def net(self, intent: str) -> int:
        """What the provider says is the merchant's in the end."""
        book = self.book(intent)
        back = book.get("refunded", 0) + book.get("disputed", 0)
        return book["captured"] - back + book.get("refund_failed", 0) + book.get("dispute_won", 0)

    def taken_for(self, order: int) -> int:
        """How often the provider took money for an order, whoever asked for it."""
        if self.kind == "sandbox":
            with closing(sqlite3.connect(self._books)) as books:
                sought = "select count(*) from ledger where kind in ('charged', 'captured') and order_id = ?"
                return int(books.execute(sought, (order,)).fetchone()[0])
        return len(self.stripe.ledger.entries("captured", metadata={"order_id": str(order)}))

    def asked(self, verb: str) -> int:
        """How often Stripe was asked to do it."""
        return sum(one.method == "POST" and one.path.endswith(f"/{verb}") for one in self.stripe.requests)

    # --- the shop

    def shown(self, order: int) -> Json:
        return self.local.shop.order(order)

    def status(self, order: int) -> str:
        return str(self.shown(order)["status"])

    def notes(self, order: int) -> list[str]:
        return [str(note["note"]) for note in self.local.shop.notes(order)]

    def said(self, order: int, words: str) -> int:
        """In how many notes the words are."""
        return sum(words in note for note in self.notes(order))

    def meta(self, order: int) -> Json:
        return {entry["key"]: entry["value"] for entry in self.shown(order)["meta_data"]}

    def refunds(self, order: int) -> list[str]:
        return [str(refund["amount"]) for refund in self.local.shop.refunds(order)]

    def story(self, order: int) -> Json:
        """What `why` knows of the order's newest payment."""
        newest: Json = why(self.local.bridge.services, str(order))[-1]
        return newest

    def flag(self, order: int) -> str:
        return str(self.story(order)["flag"] or "")
