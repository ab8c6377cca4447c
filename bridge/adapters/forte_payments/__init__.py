"""Forte Payments: virtual goods, paid in Forte's widget or on its hosted page.

settings.py  what the owner sets, checked         request.py, item.py, buyer.py, texts.py   Payment -> what is sent
client.py    sending, with tokens.py's tokens     answers.py, errors.py                     what Forte says -> ours
webhooks.py  who sent a message, what it is about subscriptions.py                          who is sent messages
adapter.py   the Adapter
"""

from bridge.adapters.forte_payments.adapter import FortePaymentsAdapter

__all__ = ["FortePaymentsAdapter"]
