"""Adapters: what speaks to those who move the money. Everything that an adapter in a package of its own needs is here.

Importing this imports neither `requests` nor any provider's SDK. The suite that every adapter passes is
`bridge.adapters.contract`, the HTTP session `AdapterContext.session()`.
"""

from bridge.adapters.context import AdapterContext
from bridge.adapters.identifiers import stripe_identifier
from bridge.adapters.loading import construct, load, make, names
from bridge.domain.errors import (
    BridgeError,
    ConfigurationError,
    CurrencyNotSupported,
    InvalidAmount,
    InvalidParameter,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    Refused,
    Unsupported,
)
from bridge.domain.intents import Charge, Status
from bridge.domain.money import Money, exponent, minor, step
from bridge.domain.orders import Address, Line, LineKind, Order
from bridge.domain.outcomes import Decline, Outcome, Payment
from bridge.domain.ports import Adapter, Clock, Finding, Ids, Setting

__all__ = [
    "Adapter",
    "AdapterContext",
    "Address",
    "BridgeError",
    "Charge",
    "Clock",
    "ConfigurationError",
    "CurrencyNotSupported",
    "Decline",
    "Finding",
    "Ids",
    "InvalidAmount",
    "InvalidParameter",
    "Line",
    "LineKind",
    "Money",
    "Order",
    "Outcome",
    "Payment",
    "ProviderConfused",
    "ProviderError",
    "ProviderRefused",
    "ProviderUnreachable",
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
    "step",
    "stripe_identifier",
]
