"""Adapters: they talk to the companies that move the money. Everything that an adapter in a package of its own needs is
here.

Importing this imports neither `requests` nor any provider's SDK. The suite that every adapter passes is
`bridge.adapters.contract`, the HTTP session `AdapterContext.session()`.
"""

from bridge.adapters.base import BaseAdapter
from bridge.adapters.context import AdapterContext
from bridge.adapters.identifiers import stripe_identifier
from bridge.adapters.loading import construct, load, make, names
from bridge.domain.errors import (
    BridgeError,
    ConfigurationError,
    CurrencyNotSupported,
    EventRefused,
    InvalidAmount,
    InvalidParameter,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    Refused,
    Unsupported,
)
from bridge.domain.intents import Charge, Dispute, Refund, RefundStatus, Status
from bridge.domain.messages import read_json
from bridge.domain.money import Money, exponent, minor, step
from bridge.domain.orders import Address, Line, LineKind, Order
from bridge.domain.outcomes import (
    Cart,
    CustomerDetails,
    Decline,
    EventKind,
    Opening,
    Outcome,
    Payment,
    Problem,
    ProviderEvent,
    Quote,
    QuoteLine,
    RefundRequest,
)
from bridge.domain.ports import OPERATIONS, Adapter, Clock, Finding, Ids, Setting

__all__ = [
    "OPERATIONS",
    "Adapter",
    "AdapterContext",
    "Address",
    "BaseAdapter",
    "BridgeError",
    "Cart",
    "Charge",
    "Clock",
    "ConfigurationError",
    "CurrencyNotSupported",
    "CustomerDetails",
    "Decline",
    "Dispute",
    "EventKind",
    "EventRefused",
    "Finding",
    "Ids",
    "InvalidAmount",
    "InvalidParameter",
    "Line",
    "LineKind",
    "Money",
    "Opening",
    "Order",
    "Outcome",
    "Payment",
    "Problem",
    "ProviderConfused",
    "ProviderError",
    "ProviderEvent",
    "ProviderRefused",
    "ProviderUnreachable",
    "Quote",
    "QuoteLine",
    "Refund",
    "RefundRequest",
    "RefundStatus",
    "Refused",
    "Setting",
    "Status",
    "Unsupported",
    "construct",
    "exponent",
    "load",
    "make",
    "minor",
    "names",
    "read_json",
    "step",
    "stripe_identifier",
]
