"""A stateful stand-in for api.stripe.com, strict about parameters by the official SDK's own types.

`StripeSimulator` is a WSGI application: serve it on loopback and give its address to the SDK as `base_addresses`.
It knows Stripe's public documentation, the SDK's parameter types and nothing of the bridge.
"""

from .app import RequestRecord, StripeSimulator

__all__ = ["RequestRecord", "StripeSimulator"]
