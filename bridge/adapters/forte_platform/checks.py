"""What `stores check` tells about a Forte project: whether users can be charged, and whether its trigger is right."""

from collections.abc import Iterator

from bridge.adapters.forte_platform.payments import Payments
from bridge.adapters.forte_platform.settings import Options
from bridge.adapters.forte_platform.webhook_registration import WANTED, Triggers
from bridge.domain.errors import ProviderError
from bridge.domain.ports import Finding

_CURRENCIES = ("USD", "EUR")


def findings(options: Options, payments: Payments, triggers: Triggers) -> Iterator[Finding]:
    """Asks for a quote, which makes nothing at Forte and shows whether key, user and set-up are right.

    Which mode the project is in shows with the first payment only.
    """
    user = options.preview_user or options.default_user or next(iter(options.users.values()), "")
    try:
        if user:
            yield Finding(True, f"User {user} can be charged in {_quote(options, payments, user)}.")
        else:
            payments.look()
            yield Finding(True, "Forte accepts the key. No quote was requested: there is no user to quote for.")
        if options.trigger_path:
            yield _trigger(options, triggers)
    except ProviderError as error:
        yield Finding(False, str(error).removeprefix("Error: "))


def _quote(options: Options, payments: Payments, user: str) -> str:
    """The currency of a quote that worked."""
    currency = next((code for code in _CURRENCIES if code in options.currencies), "")
    currency = currency or min(options.currencies, default=_CURRENCIES[0])
    line = {"description": "Check", "unitAmountCents": 100, "quantity": 1}
    payments.quote(user, {"currency": currency.lower(), "lineItems": [line]})
    return currency


def _trigger(options: Options, triggers: Triggers) -> Finding:
    there = [one for one in triggers.list() if one.path == options.trigger_path]
    if not there:
        return Finding(False, f"The project does not have a trigger with targetPath {options.trigger_path}.")
    for one in there:
        if one.enabled and set(WANTED) <= set(one.events):
            return Finding(True, f"Trigger {one.id} is enabled, with {' and '.join(WANTED)}.")
    missing = sorted(set(WANTED) - set(there[0].events))
    why = f"lacks {' and '.join(missing)}" if missing else "is disabled"
    return Finding(False, f"Trigger {there[0].id} {why}: Forte never reports what happens in the meantime.")
