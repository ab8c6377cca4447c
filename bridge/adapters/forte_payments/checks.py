"""What `stores check` says about a Forte store: credentials, mode, and whether messages can arrive and be believed."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from bridge.adapters.forte_payments.client import Client
from bridge.adapters.forte_payments.settings import Account
from bridge.adapters.forte_payments.webhook_registration import Subscription, Subscriptions
from bridge.domain.errors import ProviderError
from bridge.domain.ports import Finding


def findings(account: Account, client: Client) -> Iterator[Finding]:
    """One after the other, until something is so wrong that the rest cannot be known. Never raises ProviderError."""
    try:
        client.log_in()
        mode, host = ("live" if account.live else "test"), urlsplit(account.api_base).hostname
        yield Finding(True, f"Forte accepts the client_id and client_secret ({host}, {mode} mode).")
        enabled = [each for each in Subscriptions(client).all() if each.enabled]
    except ProviderError as error:
        yield Finding(False, str(error).removeprefix("Error: "))
        return
    yield _messages(account, enabled)


def _messages(account: Account, enabled: list[Subscription]) -> Finding:
    """In redirect mode only a message tells which payment is an order's; in widget mode Forte can be asked."""
    without = "payments are found by polling" if not account.redirect else "payments on the hosted page are never found"
    if not account.scheme.is_complete:
        missing = "webhook_secret" if not account.scheme.keys else "signature_header"
        return Finding(
            not account.redirect, f"Messages from Forte are refused without the setting {missing}: {without}."
        )
    if not any(each.secret in account.scheme.keys for each in enabled):
        return Finding(not account.redirect, f"No enabled subscription at Forte has this webhook_secret: {without}.")
    return Finding(True, "Forte sends its messages, and they are checked with webhook_secret.")
