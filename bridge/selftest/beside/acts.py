"""What others do to an order, and what it owes after that: told from their acts alone, by rules of its own.

An act has an effect on what is owed as WooCommerce's staff would say it: a cancelled, trashed or deleted order owes
nothing, nor does one that somebody else has paid; a refund that is written down lowers what is owed.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from werkzeug.test import Client

from bridge.selftest.system_under_test import Place
from bridge.simulators.woocommerce import WooCommerceSimulator

BANK, PAYPAL = "BANK", "PAYPAL"
"""How the transaction ids of others begin."""
MORE, LESS, TAKEN_OFF = "20.00", "5.00", "1.00"


class Street(Protocol):
    """A world with shops: the outlets' simulators by name, and how they are reached."""

    place: Place
    shops: dict[str, WooCommerceSimulator]


@dataclass(frozen=True)
class Owed:
    """What an order owes, in minor units of a currency with two decimals. `ended` says how it came to owe nothing,
    `paid` that somebody else has paid it; `is_ours` once it stands as paid by us: what staff do with its status from
    then on is their business. `handed_out`: its goods may leave, although its money is only held."""

    total: int
    refunded: int = 0
    ended: str = ""
    paid: bool = False
    is_ours: bool = False
    handed_out: bool = False
    tip: int = 0

    @property
    def sum(self) -> int:
        return 0 if self.ended or self.paid else max(self.total - self.refunded, 0) + self.tip


@dataclass(frozen=True)
class Act:
    """`do` it to an order of an outlet: what is owed then, given what was."""

    name: str
    do: Callable[[Street, str, int, Owed], Owed]


def perform(act: Act, street: Street, outlet: str, order: int, owed: Owed, *, has_begun: bool) -> Owed:
    """Do it: what is owed then. `has_begun`: a payment of the order was under way, or held its money, before."""
    after = act.do(street, outlet, order, owed)
    if street.place.outlets[outlet].capture == "manual" and has_begun and "by hand" in act.name:
        # money that is held is captured for what staff complete, and told of for what they process
        return replace(owed, handed_out=act.name == "process by hand" and not owed.is_ours)
    return after


def stands_paid(order: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether the shop shows it as paid by one of these transactions."""
    return order["date_paid"] is not None and order["transaction_id"] in set(names) - {""}


def minor(amount: str) -> int:
    return int(Decimal(amount) * 100)


def _status(status: str, effect: Callable[[Owed], Owed]) -> Callable[[Street, str, int, Owed], Owed]:
    def do(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
        town.shops[outlet].update_order(order, status=status)
        return effect(owed)

    return do


def _ended(word: str) -> Callable[[Owed], Owed]:
    return lambda owed: owed if owed.is_ours else replace(owed, ended=word)


def _trash(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    town.shops[outlet].trash(order)
    return _ended("trash")(owed)


def _delete(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    town.shops[outlet].delete(order)
    return _ended("deleted")(owed)


def _total(amount: str) -> Callable[[Street, str, int, Owed], Owed]:
    def do(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
        town.shops[outlet].update_order(order, total=amount)
        return replace(owed, total=minor(amount))

    return do


def _refund(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    """Without `date_paid` staff take something off, with it they write down that money went back."""
    town.shops[outlet].refund(order, TAKEN_OFF)
    return replace(owed, refunded=owed.refunded + minor(TAKEN_OFF))


def _refund_all(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    town.shops[outlet].update_order(order, status="refunded")
    return replace(owed, refunded=owed.total)


def _pay_otherwise(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    bank = {"payment_method": "bacs", "payment_method_title": "Bank transfer", "transaction_id": f"{BANK}-{order}"}
    _book(town, outlet, order, bank)
    return _paid(owed)


def _pay_in_cash(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    """Of one that is paid already the store takes nothing more: only its method is another one."""
    _book(town, outlet, order, {"payment_method": "cheque", "payment_method_title": "Check"})
    return _unless_ours(owed)


def _book(town: Street, outlet: str, order: int, payment: dict[str, str]) -> None:
    """Write down that money has come. `set_paid` does nothing for an order on hold, which needs no payment: staff give
    it its status. Source: `WC_REST_Orders_V2_Controller::save_object`."""
    is_on_hold = town.shops[outlet].order(order)["status"] == "on-hold"
    changes = {"set_paid": True, **payment, **({"status": "processing"} if is_on_hold else {})}
    at = town.place.outlets[outlet]
    answer = Client(town.shops[outlet]._answer).put(
        f"/wp-json/wc/v3/orders/{order}", base_url=at.shop_url, json=changes, auth=at.shop_key
    )
    if answer.status_code != 200:
        raise RuntimeError(f"order {order} cannot be changed: {answer.get_data(as_text=True)}")


def _paid(owed: Owed) -> Owed:
    return replace(owed, paid=True)


def _unless_ours(owed: Owed) -> Owed:
    return owed if owed.is_ours else _paid(owed)


def _hold(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    """One that waits on hold for our own capture stays as it is."""
    if town.shops[outlet].order(order)["status"] == "on-hold":
        return owed
    return _status("on-hold", _ended("on hold"))(town, outlet, order, owed)


def _expire(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    return _ended("cancelled")(owed) if town.shops[outlet].expire_unpaid(order) else owed


def _gateway(town: Street, outlet: str, order: int, owed: Owed) -> Owed:
    took = town.shops[outlet].pay_by_gateway(order, "ppcp-gateway", "PayPal", f"{PAYPAL}-{order}")
    return _paid(owed) if took else owed


STAFF = (
    Act("cancel", _status("cancelled", _ended("cancelled"))),
    Act("trash", _trash),
    Act("delete", _delete),
    Act("raise the total", _total(MORE)),
    Act("lower the total", _total(LESS)),
    Act("refund a part", _refund),
    Act("refund it whole", _refund_all),
    Act("pay by bank", _pay_otherwise),
    Act("pay in cash", _pay_in_cash),
    Act("complete by hand", _status("completed", _unless_ours)),
    Act("process by hand", _status("processing", _unless_ours)),
    Act("put on hold", _hold),
)
EXPIRY = Act("expire", _expire)
GATEWAY = Act("pay by PayPal", _gateway)
