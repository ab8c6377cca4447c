"""Where orders live: OrderBooks, which speak a shop system's wire. They know neither Flask nor the database.

Everything that a host with orders of its own needs is here: docs/mounting.md.
"""

from bridge.domain.errors import EventRefused, OrderNotFound, StoreRefused, StoreUnreachable
from bridge.domain.orders import (
    HOLD,
    Address,
    Delivery,
    Line,
    LineKind,
    Order,
    OrderNote,
    OrderUpdate,
    StoreEvent,
    StoreRefund,
    UpdateKind,
)
from bridge.domain.ports import Finding, HasCurrency, NamesShop, OrderBook
from bridge.domain.stores import Store
from bridge.stores.base import BaseOrderBook

__all__ = [
    "HOLD",
    "Address",
    "BaseOrderBook",
    "Delivery",
    "EventRefused",
    "Finding",
    "HasCurrency",
    "Line",
    "LineKind",
    "NamesShop",
    "Order",
    "OrderBook",
    "OrderNotFound",
    "OrderNote",
    "OrderUpdate",
    "Store",
    "StoreEvent",
    "StoreRefund",
    "StoreRefused",
    "StoreUnreachable",
    "UpdateKind",
]
