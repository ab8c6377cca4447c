"""Forte Payments: virtual goods, paid in Forte's widget or on its hosted page.

settings.py    what the owner sets, checked        request.py, line_items.py, customers.py   Payment -> what is sent
client.py      sending, with tokens.py's tokens    answers.py, errors.py                     what Forte says -> ours
events.py      who sent a message, and about what  webhook_registration.py                   who receives messages
adapter.py     the Adapter                         checks.py                                 what `stores check` says
"""

from bridge.adapters.forte_payments.adapter import FortePaymentsAdapter

__all__ = ["FortePaymentsAdapter"]
