"""The sandbox: a provider of our own that never moves money, with Stripe's public names for test cards.

test_cards.py   which payment method does what     database.py   what it remembers: an SQLite file with a ledger
lifecycle.py    what happens to a payment          answers.py    its data -> Outcome
adapter.py      the Adapter
"""

from bridge.adapters.sandbox.adapter import SandboxAdapter
from bridge.adapters.sandbox.test_cards import TEST_CARDS

__all__ = ["TEST_CARDS", "SandboxAdapter"]
