"""wcpay-bridge: WooPayments' REST API in front of any payment provider."""

from bridge.app import Bridge, create_app
from bridge.stores import BaseOrderBook, OrderBook
from bridge.version import __version__

__all__ = ["BaseOrderBook", "Bridge", "OrderBook", "__version__", "create_app"]
