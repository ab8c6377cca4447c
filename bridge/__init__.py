"""wcpay-bridge: WooPayments' REST API in front of any payment provider."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bridge.version import __version__

if TYPE_CHECKING:
    from bridge.app import Bridge, create_app
    from bridge.stores import BaseOrderBook, OrderBook

__all__ = ["BaseOrderBook", "Bridge", "OrderBook", "__version__", "create_app"]
_MODULES = {
    "BaseOrderBook": "bridge.stores",
    "Bridge": "bridge.app",
    "OrderBook": "bridge.stores",
    "create_app": "bridge.app",
}
"""Imported when they are first asked for: `wcpay-bridge --help` imports this package, too."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
