"""Stripe Connect: direct and destination charges on a connected account, through Stripe's own SDK.

settings.py   what the owner sets, checked          request.py, line_items.py   Payment -> what Stripe is sent
client.py     sending, and what came of it          answers.py                  what Stripe says -> Outcome, errors
adapter.py    the Adapter
"""

from bridge.adapters.stripe_connect.adapter import StripeConnectAdapter

__all__ = ["StripeConnectAdapter"]
