"""The stores of a town: who moves their money and how, and which of them are entries of one shop."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.selftest.leaks import canary

BRIDGE_URL = "http://127.0.0.1"
"""What the bridge takes for its public address."""
OTHER_ACCOUNT = "acct_selftest00000001"
SHOPS, PLATFORM_HOST = "shops.test", "platform.test"
PLATFORM_KEY = canary("forte_test_", "platform")
FORTE_SECRET = canary("", "forte")


@dataclass(frozen=True)
class Kind:
    """A store: who moves its money, and how. `is_virtual`: all that it sells is. `shop` is the outlet whose shop it is
    a second entry of, if it is one; `is_later`: its owner adds it when the town has begun."""

    adapter: str
    capture: str = "automatic"
    mode: str = ""
    card: str = "pm_card_visa"
    is_virtual: bool = False
    shop: str = ""
    is_later: bool = False


KINDS: Mapping[str, Kind] = {
    "automatic": Kind("stripe_connect"),
    "manual": Kind("stripe_connect", capture="manual"),
    "widget": Kind("forte_payments", mode="widget", is_virtual=True),
    "redirect": Kind("forte_payments", mode="redirect", is_virtual=True),
    "platform": Kind("forte_platform"),
    "sandbox": Kind("sandbox"),
    "second": Kind("stripe_connect", shop="automatic"),
    "branch": Kind("sandbox", shop="automatic"),
    "annex": Kind("stripe_connect", is_later=True),
}
"""The outlets by name; a second entry comes after the first one of its shop."""
MAIN = tuple(name for name, kind in KINDS.items() if not kind.shop and not kind.is_later)
"""Those that are there all the time, each with a shop of its own."""


def shop_name(outlet: str) -> str:
    """The outlet after which its shop is called."""
    return KINDS[outlet].shop or outlet
