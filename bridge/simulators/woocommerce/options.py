"""What is special about a store: its plugins and settings, what stands in front of it, how its queue is worked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from .cache import Cache
from .catalog import plugin
from .lists import ListShape
from .state import Shop
from .webhooks import LATEST, SOONEST

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Conditions:
    """Hands on the conditions of a simulated store, which keeps its state in these attributes. Thread-safe."""

    _shop: Shop
    _changed: threading.Condition
    _clock: Callable[[], float]
    _front: WSGIApplication
    _answer: WSGIApplication
    _strips_authorization: bool = False

    def activate_plugin(self, file: str) -> None:
        """Activate a plugin by its main file; WooPayments brings its gateway."""
        with self._changed:
            self._shop.plugins.append(plugin(file))

    def put_cache_in_front(self, *, honors_no_cache: bool, lifetime: float = 3600.0) -> None:
        """From now on a cache answers what was asked before, for `lifetime` seconds; the store does not hear of it."""
        self._front = Cache(self._answer, self._clock, lifetime=lifetime, honors_no_cache=honors_no_cache)

    def take_cache_away(self) -> None:
        self._front = self._answer

    def strip_authorization(self, strips: bool = True) -> None:
        """Have the web server keep the Authorization header from PHP, as CGI and FastCGI do unless told otherwise
        (source: WooCommerce's REST API documentation, "Authentication over HTTPS")."""
        with self._changed:
            self._strips_authorization = strips

    def shape_lists(self, shape: str) -> None:
        """Have a plugin's filter leave the lists of all answers as "holes" or as an "object"; "list" is WooCommerce's
        own shape."""
        with self._changed:
            self._shop.list_shape = ListShape(shape)

    def set_price_decimals(self, decimals: int) -> None:
        """Change the setting; what is stored of the orders stays as it is."""
        with self._changed:
            self._shop.price_decimals = decimals

    def put_wordpress_at(self, site_url: str) -> None:
        """WordPress has an address of its own beside the site's home (option `siteurl`), as in a folder or with www."""
        with self._changed:
            self._shop.site_url = site_url

    def set_currency(self, currency: str) -> None:
        """Change the setting; orders keep the currency that they were made in."""
        with self._changed:
            self._shop.currency = currency

    def deliver_late(self, soonest: float = SOONEST, latest: float = LATEST) -> None:
        """From now on a webhook is due so many seconds (at most 60) after what it is about; 0 and 0 are at once."""
        with self._changed:
            self._shop.webhooks.set_lateness((soonest, latest))
            self._changed.notify_all()

    def deliver_never(self) -> None:
        """From now on the queue is not worked: WP-Cron does not run. `deliver_late` ends that, and sends the rest."""
        with self._changed:
            self._shop.webhooks.set_lateness(None)

    def fail_gateway_refunds(self, message: str | None) -> None:
        """Let the gateways refuse every refund by API with this message; None lets them work again."""
        with self._changed:
            self._shop.gateway_refund_error = message
