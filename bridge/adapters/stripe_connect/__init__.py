"""Stripe Connect: direct and destination charges on a connected account, through Stripe's own SDK.

settings.py    what the owner sets, checked     request.py, line_items.py   Payment -> what Stripe is sent
client.py      sending, and what came of it     answers.py                  what Stripe says -> Outcome, errors
customers.py   payers and what they saved       refunds.py                  refunds and disputes
events.py      who sent a message, about what   limits.py                   how long a text may be at Stripe
adapter.py     the Adapter                      checks.py                   what `stores check` says
"""

from bridge.adapters.stripe_connect.adapter import StripeConnectAdapter

__all__ = ["StripeConnectAdapter"]
