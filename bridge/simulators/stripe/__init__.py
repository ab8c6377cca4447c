"""A stateful stand-in for api.stripe.com, strict about parameters by the official SDK's own types.

`StripeSimulator` is a WSGI application: serve it on loopback and give its address to the SDK as `base_addresses`.
It knows Stripe's public documentation, the SDK's parameter types and nothing of the bridge.
"""

from .app import RequestRecord, StripeSimulator
from .sending import Attempt, Webhook
from .webhooks import Delivery, WebhookEndpoint

__all__ = ["Attempt", "Delivery", "RequestRecord", "StripeSimulator", "Webhook", "WebhookEndpoint"]
