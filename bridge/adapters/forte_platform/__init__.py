"""Forte Platforms: payments of a Forte project's users, on the owner's connected Stripe account.

settings.py, users.py   what the owner sets, and whose user pays
lines.py, request.py    Payment -> what Forte is sent          answers.py, refusals.py   what Forte says -> ours
client.py, lists.py     sending, and looking through lists     events.py, triggers.py    Forte's triggers
once.py                 never twice, without an idempotency key
adapter.py, checks.py   the Adapter

Sources: Forte's guide "Creating Payments", and the types of Forte's public SDK (github.com/FortePlatforms/SDK).
"""

from bridge.adapters.forte_platform.adapter import FortePlatformAdapter

__all__ = ["FortePlatformAdapter"]
