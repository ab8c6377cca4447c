"""The sandbox: a provider of our own that never moves money, with Stripe's public names for test cards.

magic.py      which payment method does what       books.py     what it remembers: an SQLite file with a ledger
story.py      what happens to a payment            answers.py   its books -> Outcome
adapter.py    the Adapter                          names.py     the same ids on every machine
"""

from bridge.adapters.sandbox.adapter import SandboxAdapter
from bridge.adapters.sandbox.test_cards import TEST_CARDS

__all__ = ["TEST_CARDS", "SandboxAdapter"]
