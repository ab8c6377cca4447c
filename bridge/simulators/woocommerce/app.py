"""A WooCommerce store as a WSGI app: state in memory, a real store's manners, and hands for tests and demos.

It stands in for a real store wherever the bridge, its tests or its demo need one.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from ..posting import Post, post
from .bystanders import Bystanders
from .deliveries import Delivery, Postman
from .keys import Keys
from .lines import line_item
from .options import Conditions
from .orders import Order, money
from .rest_server import respond, rest_path
from .routes import route_table
from .seed import seed_catalogue, seed_orders
from .serializers import note_shape, order_shape, product_shape, refund_shape, webhook_shape
from .state import Shop
from .webhooks import NEW, UPDATED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOWHERE = "http://localhost"
STAFF_FIELDS = frozenset(
    {
        "order_key",
        "currency",
        "decimals",
        "customer_id",
        "customer_note",
        "prices_include_tax",
        "payment_method",
        "payment_method_title",
        "transaction_id",
    }
)


@dataclass(frozen=True)
class RecordedRequest:
    """A request that the store has answered. `query` holds names only; `body` is parsed JSON, text, or None."""

    method: str
    path: str
    query: tuple[str, ...]
    status: int
    body: Any = None


class WooCommerceSimulator(Conditions, Bystanders):
    """One shop. `url` is the site's public address, the mount's prefix included; it may be set later, and while it is
    None the site is wherever a request came to. `clock` gives Unix seconds, `random` makes keys. `delivery_tls` is for
    webhooks that go to https; None trusts the machine's own authorities. `post` sends them. Thread-safe.
    """

    def __init__(
        self,
        name: str = "shop",
        *,
        url: str | None = None,
        currency: str = "USD",
        price_decimals: int = 2,
        plugins: Sequence[str] = ("woocommerce/woocommerce.php",),
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        delivery_tls: ssl.SSLContext | None = None,
        post: Post = post,
    ) -> None:
        random = random or SystemRandom()
        self.url = url
        self._clock = clock
        self._shop = Shop(
            name, currency=currency, price_decimals=price_decimals, plugins=plugins, clock=clock, random=random
        )
        self._keys = Keys(clock, random)
        self._routes = route_table()
        self._changed = threading.Condition(threading.RLock())
        self._postman = Postman(self._shop, self._changed, delivery_tls, post)
        self._requests: list[RecordedRequest] = []
        self._front: WSGIApplication = self._answer
        seed_catalogue(self._shop)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._front(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._strips_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        http = Request(environ)
        http.get_data()  # the network is waited for without the lock
        path = rest_path(http)
        with self._changed:
            if path is None:
                response = self._page(http)
            else:
                home = (self.url or http.root_url).rstrip("/")
                response = respond(http, path, home, self._shop, self._keys, self._routes)
            query = tuple(dict.fromkeys(http.args.keys()))
            self._requests.append(RecordedRequest(http.method, http.path, query, response.status_code, _body(http)))
            self._changed.notify_all()
        response.date = datetime.fromtimestamp(self._clock(), UTC)
        return response(environ, start_response)

    def _page(self, http: Request) -> Response:
        """A page of the site; the simulated store has nothing but its front page."""
        found = http.path in ("/", "/index.php")
        text = f"<!DOCTYPE html><title>{self._shop.name if found else 'Page not found'}</title>\n"
        return Response(text, 200 if found else 404, content_type="text/html; charset=UTF-8")

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """What the store has answered so far, oldest first."""
        with self._changed:
            return tuple(self._requests)

    def wait_until(self, true: Callable[[], bool], timeout: float = 30.0) -> bool:
        """Wait until a condition holds, looking again after each change; whether it did within `timeout` seconds.

        The condition may ask this object anything, but send the store no request: the store waits while it looks.
        """
        with self._changed:
            return self._changed.wait_for(true, timeout)

    def add_key(
        self, permissions: str = "read_write", *, manager: bool = True, pair: tuple[str, str] | None = None
    ) -> tuple[str, str]:
        """A new (consumer key, consumer secret), or the `pair`; not a `manager`'s, it proves a customer without
        capabilities."""
        with self._changed:
            key = self._keys.add(permissions, manager=manager, pair=pair)
        return key.consumer_key, key.consumer_secret

    def revoke_key(self, consumer_key: str) -> None:
        with self._changed:
            self._keys.revoke(consumer_key)

    def permit_key(self, consumer_key: str, permissions: str) -> None:
        """Edit a key's permissions, as its owner can in wp-admin: `read`, `write` or `read_write`."""
        with self._changed:
            self._keys.permit(consumer_key, permissions)

    def seed_demo_orders(self) -> dict[str, int]:
        """Make the demo's orders; their ids by name."""
        with self._changed:
            return seed_orders(self._shop)

    def add_product(self, name: str, sku: str, price: str | Decimal, **more: Any) -> int:
        """A new product's id. `more`: `virtual`, `downloadable`, `image` (a path below wp-content/uploads/)."""
        with self._changed:
            return self._shop.add_product(name, sku, money(price), **more).id

    def add_customer(self, email: str, first_name: str = "", last_name: str = "") -> int:
        with self._changed:
            return self._shop.add_customer(email, first_name, last_name).id

    def add_order(
        self,
        *,
        total: str | Decimal | None = None,
        lines: Sequence[Mapping[str, Any]] = (),
        status: str = "pending",
        meta: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> int:
        """A new order's id: one widget that costs `total`, or `lines` of {product_id or name, quantity, total}.

        `fields` are currency, decimals, number, billing, shipping, customer_id, payment_method, payment_method_title,
        transaction_id, customer_note, created_via, prices_include_tax; a status other than pending is reached as
        staff would reach it.
        """
        if (total is None) == (not lines):
            raise ValueError("an order has either a total or lines")
        with self._changed:
            shop = self._shop
            addresses = {kind: fields.pop(kind, {}) for kind in ("billing", "shipping")}
            order = shop.new_order(**fields)
            for kind, address in addresses.items():
                getattr(order, kind).update(address)
            for line in lines or [{"product_id": min(shop.products), "total": total}]:
                order.lines["line_items"].append(self._line(line))
            for key, value in (meta or {}).items():
                order.update_meta(key, value, 0, shop.next_meta_id)
            shop.keep(order)
            shop.set_status(order, status)
            for hook in (NEW, UPDATED):
                shop.webhooks.fired(hook, order.id)
            self._changed.notify_all()
            return order.id

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        product = self._shop.products.get(line.get("product_id", 0))
        total = None if line.get("total") is None else money(line["total"])
        return line_item(self._shop, product, line.get("quantity", 1), name=line.get("name", ""), total=total)

    def update_order(self, order_id: int, **fields: Any) -> None:
        """Change an order as staff would: `status`, `total` (through its first line), `billing`, `shipping`, `meta`,
        or one of STAFF_FIELDS.
        """
        with self._changed:
            order = self._shop.orders[order_id]
            for name, value in fields.items():
                self._change(order, name, value)
            order.modified = self._shop.clock()
            self._shop.webhooks.fired(UPDATED, order_id)
            self._changed.notify_all()

    def _change(self, order: Order, name: str, value: Any) -> None:
        if name == "status":
            self._shop.set_status(order, value)
        elif name == "total":
            row = order.lines["line_items"][0]
            row["total"] = row["subtotal"] = row["total"] + money(value) - order.sum_of_lines
            self._shop.keep(order)
        elif name in ("billing", "shipping"):
            getattr(order, name).update(value)
        elif name == "meta":
            for key, one in value.items():
                order.update_meta(key, one, 0, self._shop.next_meta_id)
        elif name in STAFF_FIELDS:
            setattr(order, name, value)
        else:
            raise TypeError(f"staff cannot change {name}")

    def trash(self, order_id: int) -> None:
        """Move an order to the trash: it can still be read, with the status "trash"."""
        with self._changed:
            self._shop.trash(self._shop.orders[order_id])
            self._changed.notify_all()

    def restore(self, order_id: int) -> None:
        """Bring an order back from the trash, with the status that it had."""
        with self._changed:
            self._shop.restore(self._shop.orders[order_id])
            self._changed.notify_all()

    def delete(self, order_id: int) -> None:
        """Delete an order for good."""
        with self._changed:
            del self._shop.orders[order_id]
            self._changed.notify_all()

    def refund(
        self, order_id: int, amount: str | Decimal, reason: str = "", meta: Mapping[str, Any] | None = None
    ) -> int:
        """A refund that staff write down by hand; its id. Raises RestError if it is more than what is left."""
        with self._changed:
            refund = self._shop.refund(self._shop.orders[order_id], money(amount), reason=reason)
            for key, value in (meta or {}).items():
                refund.meta.append({"id": self._shop.next_meta_id(), "key": key, "value": value})
            self._changed.notify_all()
            return refund.id

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """Delete a refund as staff would: the order keeps its status."""
        with self._changed:
            order = self._shop.orders[order_id]
            order.refunds = [refund for refund in order.refunds if refund.id != refund_id]
            self._changed.notify_all()

    def add_webhook(self, topic: str, delivery_url: str, secret: str = "", name: str = "") -> int:
        """A webhook that staff make; its id. An empty `secret` becomes a random one."""
        with self._changed:
            webhook = self._shop.webhooks.add(topic, delivery_url, secret, name, self._home, self._shop.clock())
            self._changed.notify_all()
            return webhook.id

    def set_webhook_status(self, webhook_id: int, status: str) -> None:
        """`active`, `paused` as staff can make it, or `disabled` as the store does after failed deliveries."""
        with self._changed:
            self._shop.webhooks.by_id[webhook_id].status = status

    def delete_webhook(self, webhook_id: int) -> None:
        with self._changed:
            del self._shop.webhooks.by_id[webhook_id]

    def deliver_due(self) -> tuple[Delivery, ...]:
        """Deliver now what webhooks are due, and wait for the answers; what was sent, oldest first."""
        return self._postman.deliver()

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every webhook that was sent so far, pings included, oldest first."""
        return self._postman.sent

    def start_deliveries(self) -> None:
        """Deliver webhooks by itself, as they become due, until `close`."""
        self._postman.background.start()

    def close(self) -> None:
        """Stop delivering. May be called twice, and without a start."""
        self._postman.background.close()

    def order(self, order_id: int) -> dict[str, Any]:
        """The order's wire shape, without links."""
        with self._changed:
            return order_shape(self._shop, self._shop.orders[order_id], self._home)

    def notes(self, order_id: int) -> list[dict[str, Any]]:
        """The order's notes in wire shape, oldest first."""
        with self._changed:
            return [note_shape(note) for note in self._shop.orders[order_id].notes]

    def refunds(self, order_id: int) -> list[dict[str, Any]]:
        """The order's refunds in wire shape, oldest first."""
        with self._changed:
            order = self._shop.orders[order_id]
            return [refund_shape(self._shop, order, refund, self._home) for refund in order.refunds]

    def webhooks(self) -> list[dict[str, Any]]:
        """The webhooks in wire shape, oldest first; secrets are not part of it."""
        with self._changed:
            return [webhook_shape(webhook) for webhook in self._shop.webhooks.by_id.values()]

    def products(self) -> list[dict[str, Any]]:
        """The catalogue in wire shape, oldest first."""
        with self._changed:
            return [product_shape(self._shop, product, self._home) for product in self._shop.products.values()]

    @property
    def _home(self) -> str:
        return (self.url or NOWHERE).rstrip("/")


def _body(http: Request) -> Any:
    text = http.get_data().decode(errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text or None
