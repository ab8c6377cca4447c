"""A stateful stand-in for Forte Payments (virtual goods): tokens, intents in widget and redirect mode, webhooks.

`FortePaymentsSimulator` is a WSGI application: serve it on loopback and use its address as API host and as widget host.
It knows Forte's public documents, says in `Assumptions` what they leave open, and knows nothing of the bridge.
"""

from .app import FortePaymentsSimulator
from .assumptions import Assumptions
from .errors import error_body
from .intents import Intent
from .journal import RequestRecord
from .scenarios import SCENARIOS
from .sending import Attempt
from .signing import WebhookScheme
from .subscriptions import Subscription
from .webhooks import Delivery, Event, Webhook

__all__ = [
    "SCENARIOS",
    "Assumptions",
    "Attempt",
    "Delivery",
    "Event",
    "FortePaymentsSimulator",
    "Intent",
    "RequestRecord",
    "Subscription",
    "Webhook",
    "WebhookScheme",
    "error_body",
]
