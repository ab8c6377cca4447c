"""Forte Platforms: payments of a Forte project's users, on the owner's connected Stripe account.

settings.py, customers.py   what the owner sets, and whose user pays
request.py, line_items.py   Payment -> what Forte is sent     answers.py, errors.py   what Forte says -> ours
client.py, lists.py         sending, and searching lists      events.py, webhook_registration.py   Forte's triggers
payments.py                 never twice, without an idempotency key
refunds.py, previews.py     refunds and quotes                adapter.py, checks.py   the Adapter

Sources: Forte's guide "Creating Payments", and the types of Forte's public SDK (github.com/FortePlatforms/SDK).
"""

from bridge.adapters.forte_platform.adapter import FortePlatformAdapter

__all__ = ["FortePlatformAdapter"]
