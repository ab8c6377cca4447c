"""The one judge of an order: whether it may be paid, for what amount, and whether a payment that has begun still fits
it.

Pure functions over an order as the store reports it now and over what the bridge knows about its own payments. Create,
repeat, card reader, page, press, capture, delivery, store events, sweep, reconcile and restore ask here and act the
same.

What decides is the order's date of payment together with its transaction id. A transaction id without a date is not a
payment: renewals, duplicates and split orders carry a copied one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from bridge.domain.intents import PaymentIntent
from bridge.domain.money import exponent, minor, step
from bridge.domain.orders import HOLD, NOT_PAID, PAID_STATUSES, OrderUpdate

PAID_IN_PERSON = frozenset({"cod", "wc-booking-gateway"})
"""Payment methods of orders that ship before they are paid: a card reader may still take their money. Source:
WooCommerce's mobile apps, `isPaymentMethodEligibleForCardPayment`."""
HANDED_OUT = frozenset({"processing", "on-hold"})
"""Where such an order waits. Source: `WC_Gateway_COD::process_payment`."""
CHANGED, PAID, UNCAPTURED = "order_changed", "order_paid", "order_uncaptured"
OTHERS = "order_has_payment"
"""Reasons of a Bar: it is no longer the order that the payment is for; it is paid; goods may leave unpaid; somebody
else's payment of it holds money."""
_ENDED = {"cancelled": "is cancelled", "refunded": "was refunded", "trash": "is in the trash"}


class OrderFacts(Protocol):
    """What is judged: an order as it was read, or as a delivery has just seen it. `total` and `refunded` are major
    units; `date_paid` is None for an order that was never paid."""

    @property
    def key(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def total(self) -> str: ...
    @property
    def needs_payment(self) -> bool: ...
    @property
    def transaction_id(self) -> str: ...
    @property
    def payment_method(self) -> str: ...
    @property
    def date_paid(self) -> object: ...
    @property
    def refunded(self) -> Decimal: ...
    @property
    def meta(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Bar:
    """Why an order cannot take a payment. `reason` is a word for programs; `words` end a sentence that begins with the
    order."""

    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A payment as the judge sees it. `amount` and `deducted` are minor units of `currency` (upper case): `deducted` is
    what refunds had taken off the unpaid order when the amount was agreed. `ours` are the transaction ids of the
    bridge's own payments of this very order, this one included, `others` those of somebody else's that hold or have its
    money (rule 13); with `rounds` the store rounds what cannot be charged exactly.
    """

    order_key: str = field(repr=False)
    transaction_id: str
    amount: int
    currency: str
    ours: frozenset[str]
    deducted: int = 0
    in_person: bool = False
    rounds: bool = False
    others: frozenset[str] = frozenset()


def terms_of(
    intent: PaymentIntent, ours: Collection[str], *, rounds: bool, others: Collection[str] = frozenset()
) -> Terms:
    """What an intent was agreed for: a tip is not owed by its order."""
    return Terms(
        order_key=intent.order_key,
        transaction_id=intent.shown_id,
        amount=intent.amount - intent.tip,
        currency=intent.currency,
        ours=frozenset({*ours, intent.shown_id}),
        deducted=intent.deducted,
        in_person=intent.channel == "terminal",
        rounds=rounds,
        others=frozenset(others),
    )


def terms_of_update(update: OrderUpdate, *, rounds: bool) -> Terms:
    """What an update is about: its own payment, which is the only one of ours that it knows."""
    return Terms(
        order_key=update.order_key,
        transaction_id=update.transaction_id,
        amount=update.amount,
        currency=update.currency.upper(),
        ours=frozenset({update.transaction_id}),
        deducted=update.deducted,
        in_person=bool(update.title),
        rounds=rounds,
    )


def is_paid(order: OrderFacts) -> bool:
    """Whether it stands as paid, by whomever. Every status that is not a known unpaid one is a paid one once there is a
    date of payment: stores add statuses of their own."""
    return order.date_paid is not None and order.status not in NOT_PAID


def is_paid_by(order: OrderFacts, names: Collection[str]) -> bool:
    """Whether it stands as paid by one of these transactions."""
    return is_paid(order) and order.transaction_id in names


def due(order: OrderFacts) -> Decimal:
    """What is left to pay, in major units, if the order may be paid.

    Refunds of an order that was never paid lower it: staff took something off. Those of a paid one lower nothing,
    because they are money that came and went; once they reach the total, the whole total is due again.
    """
    total = Decimal(order.total)
    return total - order.refunded if order.date_paid is None else total


def deduction(order: OrderFacts) -> int:
    """What refunds take off the total, in minor units."""
    return minor(Decimal(order.total) - due(order), order.currency)


def bar(
    order: OrderFacts, ours: Collection[str] = (), *, in_person: bool = False, others: Collection[str] = ()
) -> Bar | None:
    """Why nothing new may be charged for an order; None if it may be paid. `ours` are the transaction ids of the
    bridge's own payments of it: whether one of those stands in the way, the bridge's own tables say. `others` are those
    of somebody else's payments that hold or have money for it."""
    if order.status in _ENDED:
        return Bar(f"order_{order.status}", _ENDED[order.status])
    if is_paid_otherwise(order, ours):
        return Bar(f"order_{order.status}" if order.status in PAID_STATUSES else PAID, "is already paid")
    if found := _bar_of_others(others):
        return found
    if in_person and is_handed_out_unpaid(order):
        return None
    if order.status in PAID_STATUSES:
        words = "is already paid" if order.date_paid is not None else f"is {order.status} and needs no payment"
        return Bar(f"order_{order.status}", words)
    if order.status == "on-hold":
        return Bar("order_on_hold", "is on hold and cannot be paid now")
    if not order.needs_payment:
        return Bar("order_not_payable", f"does not need a payment (its status is {order.status})")
    return None


def is_paid_otherwise(order: OrderFacts, ours: Collection[str]) -> bool:
    """Whether money that did not come through the bridge has paid it, and was not refunded in full. That also holds
    after its status has fallen back to one that can be paid."""
    is_sent_back = order.refunded >= Decimal(order.total) > 0
    return order.date_paid is not None and order.transaction_id not in ours and not is_sent_back


def misfit(order: OrderFacts, terms: Terms, *, held: bool = False) -> Bar | None:
    """Why a payment that nobody has confirmed can no longer pay the order; None if it still fits.

    Of money that is only `held`, less can be taken: it fits as long as the order owes no more.
    """
    if order.key != terms.order_key:
        return Bar(CHANGED, "is another order now")
    is_held_by_it = order.status == "on-hold" and order.meta.get(HOLD) == terms.transaction_id
    if found := _bar_of_others(terms.others) if is_held_by_it else _bar_of(order, terms):
        return found
    if held and order.currency == terms.currency and 0 < due(order) < _major(terms):
        return None
    return _sum_differs(order, terms)


def difference(order: OrderFacts, terms: Terms) -> Bar | None:
    """What about the order has changed since the payment was agreed, whatever its status."""
    if order.key != terms.order_key:
        return Bar(CHANGED, "is another order now")
    if order.status == "refunded" and order.currency == terms.currency and is_worth(Decimal(order.total), terms):
        return None  # its status says all that its refunds say
    return _sum_differs(order, terms)


def misfit_of_hold(order: OrderFacts, terms: Terms, methods: Collection[str]) -> Bar | None:
    """What an operator has to know about the order of money that is authorized or under way; None if nothing.

    `methods` are the payment methods that our own writes show. A cancelled order is one of these: whoever can void
    does.
    """
    if order.key != terms.order_key:
        return Bar(CHANGED, "is another order now")
    if order.status in (*_ENDED, "failed"):
        return Bar(f"order_{order.status}", _ENDED.get(order.status, "has failed"))
    if _is_paid_by_others(order, terms, methods):
        return Bar(PAID, f"is paid otherwise ({_payment_shown(order, terms)})")
    if order.currency != terms.currency:
        return Bar(CHANGED, f"is in {order.currency} now")
    if due(order) <= 0:
        return Bar(CHANGED, "owes nothing any more")
    if found := _bar_of_others(terms.others):
        return found
    if due(order) > _major(terms) and not is_worth(due(order), terms):
        return Bar(CHANGED, f"comes to {due(order)} {order.currency} now, which is more than was authorised")
    is_handed_out = terms.in_person and is_handed_out_unpaid(order)
    if (is_paid(order) or order.status in PAID_STATUSES) and not is_handed_out:
        return Bar(UNCAPTURED, f"is {order.status}, but its payment is only authorised: goods may leave unpaid")
    if deduction(order) > terms.deducted:
        words = (
            f"has refunds of {order.refunded} {order.currency}, and nothing was captured yet: the rest can be captured"
        )
        return Bar(CHANGED, words)
    if order.status == "on-hold" and order.meta.get(HOLD) != terms.transaction_id:
        return Bar("order_on_hold", "was put on hold by somebody else")  # it never took what is authorised for it
    return None


def bar_of_capture(order: OrderFacts, terms: Terms, methods: Collection[str]) -> Bar | None:
    """Why money that is authorized may not be taken; for what amount, `due` says. `methods` are those that our writes
    show."""
    if order.status in _ENDED:
        return Bar(f"order_{order.status}", _ENDED[order.status])
    if _is_paid_by_others(order, terms, methods):
        return Bar(PAID, f"is paid otherwise ({_payment_shown(order, terms)})")
    return _bar_of_others(terms.others)


def misfit_of_paid(order: OrderFacts, terms: Terms, taken: int) -> Bar | None:
    """What an operator has to know about an order that stands as paid, of which `taken` minor units were captured."""
    if order.key != terms.order_key:
        return Bar(CHANGED, "is another order now")
    if is_paid_otherwise(order, {terms.transaction_id}) and is_paid(order):
        return Bar(PAID, f"shows the payment {order.transaction_id or 'of somebody else, without a transaction id'}")
    if not is_paid(order):
        return None
    if order.currency != terms.currency:
        return Bar(CHANGED, f"is in {order.currency} now")
    agreed = Decimal(order.total) - Decimal(terms.deducted).scaleb(-exponent(terms.currency))
    if not any(is_worth(agreed, terms, amount) for amount in (terms.amount, taken)):
        return Bar(CHANGED, f"comes to {order.total} {order.currency} now")
    return None


def misfit_of_others(
    order: OrderFacts, order_key: str, amount: int, currency: str, owed: int | None, *, held: bool
) -> Bar | None:
    """Why a payment that somebody else made is not this order's; None if it fits (rule 13). `amount` (minor units) is
    without a tip, `owed` what the order owes by the store's rules, None if that cannot be charged at all. Of money that
    is only `held`, what staff have taken off the unpaid order is never taken."""
    if not order_key or order.key != order_key:
        return Bar(CHANGED, "has another key" if order_key else "is named without its key")
    if order.currency != currency:
        return Bar(CHANGED, f"is in {order.currency}")
    is_total = held and Decimal(amount).scaleb(-exponent(currency)) == Decimal(order.total)
    if amount == owed or (is_total and due(order) > 0):
        return None
    return Bar(CHANGED, f"comes to {due(order)} {order.currency}")


def is_unpaid_beside(order: OrderFacts) -> bool:
    """Whether the store shows nothing of a payment that somebody else made: the order is neither paid nor on hold for
    it."""
    return not is_paid(order) and order.status in (NOT_PAID - {"on-hold", "refunded"})


def is_worth(sum_: Decimal, terms: Terms, amount: int | None = None) -> bool:
    """Whether the payment's amount, or another `amount` (minor units), is what the store means by `sum_` (major
    units)."""
    off = abs(sum_ - _major(terms, amount))
    if terms.rounds:
        return 2 * off <= Decimal(step(terms.currency)).scaleb(-exponent(terms.currency))
    return off == 0


def _bar_of(order: OrderFacts, terms: Terms) -> Bar | None:
    return bar(order, terms.ours, in_person=terms.in_person, others=terms.others)


def _bar_of_others(others: Collection[str]) -> Bar | None:
    if not others:
        return None
    return Bar(OTHERS, f"has a payment that was not made here ({', '.join(sorted(others))})")


def _sum_differs(order: OrderFacts, terms: Terms) -> Bar | None:
    owed = due(order)
    if order.date_paid is not None and order.transaction_id == terms.transaction_id:
        owed -= Decimal(terms.deducted).scaleb(-exponent(terms.currency))  # what was taken off before it was paid
    if order.currency == terms.currency and is_worth(owed, terms):
        return None
    if owed <= 0:
        return Bar(CHANGED, "owes nothing any more")
    return Bar(CHANGED, f"comes to {owed} {order.currency} now")


def is_handed_out_unpaid(order: OrderFacts) -> bool:
    """Such as an order to be paid in cash on delivery, which is `processing` without having been paid."""
    is_waiting = order.status in HANDED_OUT and order.payment_method in PAID_IN_PERSON
    return is_waiting and order.date_paid is None


def _is_paid_by_others(order: OrderFacts, terms: Terms, methods: Collection[str]) -> bool:
    """Whether somebody else has paid it while its money was only held. Staff may leave our transaction id where it is
    and change the payment method alone; an order that shows neither was only moved along."""
    if order.transaction_id in ("", *terms.ours):
        return is_paid(order) and order.payment_method not in (*methods, "")
    return is_paid_otherwise(order, terms.ours)


def _payment_shown(order: OrderFacts, terms: Terms) -> str:
    if order.transaction_id in ("", *terms.ours):
        return order.payment_method or "without a transaction id"
    return order.transaction_id


def _major(terms: Terms, amount: int | None = None) -> Decimal:
    return Decimal(terms.amount if amount is None else amount).scaleb(-exponent(terms.currency))
