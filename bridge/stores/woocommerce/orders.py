"""Orders of a WooCommerce store: read one for a payment, look at its state, write to it, its notes and refunds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from bridge.domain.errors import OrderNotFound, StoreRefused
from bridge.domain.money import exponent
from bridge.domain.orders import NOT_PAID, PAYABLE, Address, Line, LineKind, Order
from bridge.schemas.woocommerce import NoteSchema, OrderSchema, OrderStateSchema, RefundSchema, RefundSumsSchema
from bridge.stores.woocommerce.rest import PAGE_SIZE, Answer, RestApi, load, rows

ORDER = OrderSchema()
STATE = OrderStateSchema()
NOTE = NoteSchema(many=True)
REFUND = RefundSchema(many=True)
SUMS = RefundSumsSchema()
EXACT = "6"
"""The `dp` that shows a sum as it is stored."""

GONE = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_order_invalid_id"})
REFUND_GONE = "woocommerce_rest_shop_order_refund_invalid_id"
STATUSES = (
    *("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"),
    *("checkout-draft", "trash"),
)
"""All that WooCommerce itself has: a list of `any` leaves the bin out. Recorded of 10.5.0."""
LARGEST_ID = 2**63 - 1
TICK = 1.0
"""Seconds by which two of the store's times, both in whole seconds, may differ more than they really do."""


def decimals(total: str) -> int:
    """The number of decimals that the store gives a sum for which no `dp` is asked: those of its prices."""
    return len(total.partition(".")[2])


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as it stood when the store answered. `total` is the store's decimal string, untouched.

    `paid_earlier`: its date of payment is older than the request that this is the answer to, by the store's own clock
    (or cannot be compared), so it was not this request that paid it. `refunds` are the amounts of its refunds.
    """

    id: int
    key: str = field(repr=False)
    status: str
    currency: str
    total: str
    needs_payment: bool
    payment_method: str
    transaction_id: str
    meta: Mapping[str, Any]
    paid_at: datetime | None
    paid_earlier: bool
    refunds: tuple[Decimal, ...]

    @property
    def is_paid(self) -> bool:
        return self.paid_at is not None and self.status not in NOT_PAID

    @property
    def date_paid(self) -> datetime | None:
        """As an Order has it, for the judge of orders."""
        return self.paid_at

    @property
    def refunded(self) -> Decimal:
        return sum(self.refunds, Decimal(0))

    @property
    def refundable(self) -> Decimal:
        """What is left of the total, in major units: WooCommerce makes no larger refund."""
        return Decimal(self.total) - sum(self.refunds)

    @property
    def decimals(self) -> int:
        """The number of decimals that the store's sums have."""
        return decimals(self.total)


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund of the store's own. `amount` is its decimal string, `""` for a refund without one.

    `refunded_payment`: the store's gateway has sent the money back. `age` is in seconds by the store's own clock.
    """

    id: int
    amount: str
    reason: str
    meta: Mapping[str, Any]
    refunded_payment: bool
    age: float


class Orders:
    """The orders of one store. Every method raises OrderNotFound, StoreUnreachable or StoreRefused."""

    def __init__(self, api: RestApi) -> None:
        self._api = api

    def read(self, order_id: int) -> Order:
        """The order with all that a payment needs, in one request (but see `_load`)."""
        return _order(self._load(ORDER, order_id, self._ask("GET", order_id, query={"_fields": ORDER.names})))

    def read_many(self, order_ids: Sequence[int]) -> list[Order]:
        """Those of at most PAGE orders that the store lists and that make sense, in one request: not what is deleted,
        nor what has a status of a plugin's own."""
        query = {
            "_fields": ORDER.names,
            "include": ",".join(map(str, order_ids)),
            "status": ",".join(STATUSES),
            "per_page": str(PAGE_SIZE),
        }
        found = []
        for row in rows(self._api.ask("GET", "wc/v3/orders", query=query)):
            try:
                values = load(ORDER, row)
            except StoreRefused:
                continue  # read singly, it is refused with the reason
            if values["id"] in order_ids:
                found.append(_order(values))
        return found

    def look(self, order_id: int) -> OrderState:
        answer = self._ask("GET", order_id, query={"_fields": STATE.names})
        return _state(self._load(STATE, order_id, answer), answer)

    def write(self, order_id: int, changes: Mapping[str, Any], meta: Mapping[str, str] | None = None) -> OrderState:
        """Change the order and its meta; what it is after that comes with the answer."""
        body = {**changes, "meta_data": _rows(meta)} if meta else changes
        answer = self._ask("PUT", order_id, query={"_fields": STATE.names}, body=body)
        return _state(self._load(STATE, order_id, answer), answer)

    def notes(self, order_id: int) -> list[str]:
        answer = self._ask("GET", order_id, "/notes", query={"_fields": "note"})
        return [note["note"] for note in load(NOTE, rows(answer))]

    def add_note(self, order_id: int, text: str) -> None:
        self._ask("POST", order_id, "/notes", query={"_fields": "id"}, body={"note": text})

    def refunds(self, order_id: int) -> list[RefundRow]:
        """Oldest first. Of an order that does not exist: none."""
        pages = self._api.pages(f"wc/v3/orders/{order_id}/refunds", {"_fields": REFUND.names})
        found = [_refund(values, page) for page in pages for values in load(REFUND, rows(page))]
        return sorted(found, key=lambda row: row.id)

    def add_refund(self, order_id: int, amount: str, reason: str, meta: Mapping[str, str]) -> None:
        """Write a refund of `amount` (a decimal string) down; the store sends no money."""
        body = {"amount": amount, "reason": reason, "api_refund": False, "meta_data": _rows(meta)}
        self._ask("POST", order_id, "/refunds", query={"_fields": "id"}, body=body)

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """Make sure that it is gone."""
        try:
            self._ask("DELETE", order_id, f"/refunds/{refund_id}", query={"_fields": "id", "force": "true"})
        except StoreRefused as error:
            if error.code != REFUND_GONE:
                raise

    def _ask(self, method: str, order_id: int, below: str = "", **options: Any) -> Answer:
        if not 0 < order_id <= LARGEST_ID:
            raise OrderNotFound("Order not found")
        try:
            return self._api.ask(method, f"wc/v3/orders/{order_id}{below}", **options)
        except StoreRefused as error:
            if error.code in GONE:
                raise OrderNotFound("Order not found") from error
            raise

    def _load(self, schema: OrderSchema | OrderStateSchema, order_id: int, answer: Answer) -> dict[str, Any]:
        """The answer, with what refunds have taken exactly.

        A store keeps the decimals of a refund that its prices do not have, and shows them only with `dp` (at most 6:
        with more a float's digits show), which would hide how many the total has. So where they matter, that is where
        the currency has more decimals than the store's prices and there are refunds, they are asked for by themselves.
        """
        values: dict[str, Any] = load(schema, answer.value)
        if values["id"] != order_id:
            raise StoreRefused("The store answers with another order than the one that was asked for.")
        if values["refunds"] and decimals(values["total"]) < exponent(values["currency"]):
            exact = load(SUMS, self._ask("GET", order_id, query={"_fields": SUMS.names, "dp": EXACT}).value)
            values["refunds"] = exact["refunds"]
        return values


def _order(values: dict[str, Any]) -> Order:
    products = [_product(item) for item in values["line_items"]]
    fees = [_fee(item) for item in values["fee_lines"]]
    return Order(
        id=values["id"],
        number=values["number"] or str(values["id"]),
        key=values["order_key"],
        status=values["status"],
        currency=values["currency"].upper(),
        total=values["total"],
        needs_payment=_needs_payment(values),
        created_via=values["created_via"],
        customer_id=values["customer_id"],
        transaction_id=values["transaction_id"],
        payment_method=values["payment_method"],
        date_paid=_seconds(values["date_paid_gmt"]),
        prices_include_tax=values["prices_include_tax"],
        billing=_address(values["billing"]),
        shipping=_address(values["shipping"]),
        lines=(*products, *fees),
        shipping_total=values["shipping_total"],
        shipping_tax=values["shipping_tax"],
        needs_shipping=_needs_shipping(values),
        meta=_meta(values),
        refunded=sum((abs(refund["total"]) for refund in values["refunds"]), Decimal(0)),
        created=_seconds(values["date_created_gmt"]),
    )


def _needs_payment(values: dict[str, Any]) -> bool:
    """The store's own word; one that is too old to say it takes payments by these statuses."""
    said: bool | None = values["needs_payment"]
    return values["status"] in PAYABLE and Decimal(values["total"]) > 0 if said is None else said


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _needs_shipping(values: dict[str, Any]) -> bool:
    """Somebody has to carry something: a way of shipping was chosen, or there is postage or a place to ship to.

    An order that WooCommerce completes by itself when it is paid (`needs_processing` false) has nothing but virtual,
    downloadable goods. Source: `WC_Order::needs_processing`, and checkout, which asks virtual carts for no address.
    """
    if values["needs_processing"] is False:
        return False
    place = values["shipping"]
    return bool(values["shipping_lines"] or values["shipping_total"] or place.get("address_1") or place.get("postcode"))


def _product(item: dict[str, Any]) -> Line:
    return Line(
        kind=LineKind.PRODUCT,
        name=item["name"],
        quantity=item["quantity"],
        subtotal=item["subtotal"],
        total=item["total"],
        tax=item["total_tax"],
        product_id=item["product_id"],
        variation_id=item["variation_id"],
        sku=item["sku"],
        image_url=item["image"].get("src", ""),
    )


def _fee(item: dict[str, Any]) -> Line:
    return Line(LineKind.FEE, item["name"], Decimal(1), item["total"], item["total"], item["total_tax"])


def _address(values: dict[str, str]) -> Address:
    theirs = {"line1": "address_1", "line2": "address_2", "postal_code": "postcode"}
    return Address(**{name: values.get(theirs.get(name, name), "") for name in Address.__dataclass_fields__})


def _state(values: dict[str, Any], answer: Answer) -> OrderState:
    return OrderState(
        id=values["id"],
        key=values["order_key"],
        status=values["status"],
        currency=values["currency"].upper(),
        total=values["total"],
        needs_payment=_needs_payment(values),
        payment_method=values["payment_method"],
        transaction_id=values["transaction_id"],
        meta=_meta(values),
        paid_at=values["date_paid_gmt"],
        paid_earlier=_paid_earlier(values["date_paid_gmt"], values["date_modified_gmt"], answer),
        refunds=tuple(abs(refund["total"]) for refund in values["refunds"]),
    )


def _refund(values: dict[str, Any], answer: Answer) -> RefundRow:
    created = values["date_created_gmt"]
    return RefundRow(
        id=values["id"],
        amount=values["amount"],
        reason=values["reason"],
        meta=_meta(values),
        refunded_payment=values["refunded_payment"],
        age=answer.date - created.timestamp() if answer.date and created else math.inf,
    )


def _meta(values: dict[str, Any]) -> dict[str, Any]:
    return {meta["key"]: meta["value"] for meta in values["meta_data"]}


def _rows(meta: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in meta.items()]


def _paid_earlier(paid: datetime | None, modified: datetime | None, answer: Answer) -> bool:
    """The store's "now" is the later one of its Date header and the order's last change, which this request made."""
    now = max(answer.date or 0.0, modified.timestamp() if modified else 0.0)
    return paid is None or not now or now - paid.timestamp() > answer.elapsed + TICK
