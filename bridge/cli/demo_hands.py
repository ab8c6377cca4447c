"""What `demo trigger` makes happen: at the simulated providers, and what staff do in the simulated shops."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import click
import requests

from bridge.app import Bridge
from bridge.domain.intents import PaymentIntent
from bridge.settings import Settings
from bridge.storage import Connection, intents, refunds, reports

SECONDS_TO_ANSWER = 30.0


@dataclass(frozen=True)
class Hand:
    """A request to a simulator: `path` names what it is about, of what `_names` knows."""

    simulator: str
    path: str
    body: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Trigger:
    """`does` is what happens, `hands` by which request, by adapter. `status` is what staff give the order instead."""

    does: str
    hands: Mapping[str, Hand] = field(default_factory=dict)
    status: str = ""

    @property
    def adapters(self) -> tuple[str, ...]:
        """Where it can happen; of none in particular, everywhere."""
        return tuple(self.hands)

    def can_happen_at(self, adapter: str) -> bool:
        return bool(self.status) or adapter in self.hands


def _stripe(path: str) -> dict[str, Hand]:
    return {"stripe_connect": Hand("stripe", f"/simulator/{path}")}


def _forte(action: str) -> dict[str, Hand]:
    return {"forte_payments": Hand("forte_payments", f"/__sim/intents/{{reference}}/{action}")}


def _platform(action: str, **body: str) -> dict[str, Hand]:
    return {"forte_platform": Hand("forte_platform", f"/__sim/payments/{{reference}}/{action}", body)}


TRIGGERS = {
    "pay": Trigger("the buyer pays", _forte("approve") | _platform("stripe-status", status="succeeded")),
    "decline": Trigger("the buyer's card is declined", _forte("decline")),
    "expire": Trigger(
        "the hold, or the time to pay, runs out",
        _stripe("expire/{reference}") | _forte("expire") | _platform("stripe-status", status="canceled"),
    ),
    "present-card": Trigger("a card is presented to the reader", _stripe("present_card/{reference}")),
    "refund": Trigger("the owner refunds the money at the provider", _platform("stripe-refund")),
    "fail-refund": Trigger("the newest refund fails", _stripe("fail_refund/{refund}")),
    "complete-refund": Trigger("the newest refund arrives", _stripe("complete_refund/{refund}")),
    "dispute": Trigger("the payer disputes the charge", _stripe("dispute/{charge}?reason=fraudulent")),
    "win-dispute": Trigger("the bank decides in favor of the store", _stripe("close_dispute/{dispute}?won=true")),
    "lose-dispute": Trigger("the bank decides against the store", _stripe("close_dispute/{dispute}?won=false")),
    "complete": Trigger("staff complete the order", status="completed"),
    "cancel": Trigger("staff cancel the order", status="cancelled"),
}


def named(info: Mapping[str, Any], store: str) -> dict[str, Any]:
    """A store of the demo by its name. Raises ClickException."""
    stores: dict[str, dict[str, Any]] = info["stores"]
    if store not in stores:
        raise click.ClickException(
            f"The demo has no store {store} (there are: {', '.join(stores)}).{_like(store, stores)}"
        )
    return stores[store]


def lay_hands(info: Mapping[str, Any], name: str, order: str, store: str | None, near: str = "") -> str:
    """Make it happen to the newest payment of an order; what was done. `store` is a name; without it and with payments
    in several stores it is where that can happen, and of several such stores the one with the id `near`.

    Raises ClickException.
    """
    if name not in TRIGGERS:
        known = ", ".join(TRIGGERS)
        raise click.ClickException(f"Nothing is called {name} (there are: {known}).{_like(name, TRIGGERS)}")
    trigger = TRIGGERS[name]
    settings = {key: info[key] for key in ("database_url", "secret_key")}
    bridge = Bridge(Settings.load(**settings, allow_private_urls=True))
    try:
        with bridge.services.database.read() as connection:
            intent = _chosen(_payments(connection, info, order, store), trigger, info, order, near)
            about = _names(connection, intent)
    finally:
        bridge.close()
    if trigger.status:
        return _as_staff(info, intent, trigger.status)
    if not trigger.can_happen_at(intent.adapter):
        possible = [each for each, known in TRIGGERS.items() if known.can_happen_at(intent.adapter)]
        raise click.ClickException(f"{intent.adapter} has no {name} (there are: {', '.join(possible)}).")
    hand = trigger.hands[intent.adapter]
    try:
        path = hand.path.format_map(about)
    except KeyError as missing:
        raise click.ClickException(f"{intent.shown_id} has no {missing.args[0]} yet.") from None
    _ask("POST", info["simulators"][hand.simulator] + path, json=hand.body)
    return f"Done at {intent.adapter}: {name} of {intent.shown_id}. It notifies the bridge."


def _payments(connection: Connection, info: Mapping[str, Any], order: str, store: str | None) -> list[PaymentIntent]:
    found = intents.named(connection, order)
    if store:
        found = [intent for intent in found if intent.store_id == named(info, store)["id"]]
    if not found:
        raise click.ClickException(f"There is no payment for {order}{f' in {store}' if store else ''}.")
    return found


def _chosen(
    found: list[PaymentIntent], trigger: Trigger, info: Mapping[str, Any], order: str, near: str
) -> PaymentIntent:
    found = [intent for intent in found if trigger.can_happen_at(intent.adapter)] or found
    names = {each["id"]: name for name, each in info["stores"].items()}
    if len(stores := {names[intent.store_id] for intent in found}) > 1:
        found = [intent for intent in found if intent.store_id == near]
    if not found:
        raise click.ClickException(f"Several stores have a payment for {order}: --store {' or '.join(sorted(stores))}")
    return found[-1]


def _names(connection: Connection, intent: PaymentIntent) -> dict[str, str]:
    """What simulators know of it, by what a path may name; what is not there (yet) is missing."""
    known = {
        "reference": intents.attempts_of(connection, intent.id)[0].reference,
        "charge": intent.charge.id if intent.charge else None,
        "refund": next((each.id for each in reversed(refunds.of_intent(connection, intent.id))), None),
        "dispute": next((each.id for each in reversed(reports.disputes_of(connection, intent.id))), None),
    }
    return {name: value for name, value in known.items() if value}


def _as_staff(info: Mapping[str, Any], intent: PaymentIntent, status: str) -> str:
    [store] = [each for each in info["stores"].values() if each["id"] == intent.store_id]
    pair = store["keys"]["read_write"]
    _ask(
        "PUT",
        f"{store['store_url']}/wp-json/wc/v3/orders/{intent.order_id}",
        json={"status": status},
        auth=(pair["consumer_key"], pair["consumer_secret"]),
        verify=info["ca_file"],
    )
    return f"Done in the store: order {intent.order_id} is {status}. It notifies the bridge."


def _ask(method: str, url: str, **more: Any) -> None:
    try:
        answer = requests.request(method, url, timeout=SECONDS_TO_ANSWER, **more)
    except requests.RequestException as error:
        raise click.ClickException(f"The demo could not be reached: {type(error).__name__}.") from None
    if not answer.ok:
        raise click.ClickException(f"That cannot happen now: {answer.text.strip()}")


def _like(name: str, known: Any) -> str:
    like = get_close_matches(name, list(known), n=1)
    return f" Did you mean {like[0]}?" if like else ""
