"""Store and ApiKey."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.domain.networks import parse_address, parse_network

STORE_OPTIONS: dict[str, str] = {
    "rounding": "exact",
    "store_refunds": "report",
    "payment_method": "wcpay_bridge",
    "payment_method_title": "Card (wcpay-bridge)",
    "return_url": "",
    "auth": "header",
}
"""What a store may set beside its adapter's settings, with the defaults.

`rounding` is `exact` or `half_up`, `store_refunds` `report` or `execute`. `auth` says where the store's key goes:
`header` (Basic) or `query`, for a web server that does not pass the Authorization header on.
"""
QUERY_CREDENTIALS = "X-Query-Credentials"
"""A header of a request whose value our connections move into its query when they send it (rule 10): so no URL that a
log line, an exception or a repr could show has the credentials in it."""


@dataclass(frozen=True, slots=True)
class Store:
    """A WooCommerce store that we serve. `settings` are the adapter's, with secrets resolved; `capture` automatic or
    manual.

    `identity` is the site URL that the store itself gave when it was added, `shop_id` the shop that it is an entry of:
    all entries of one share its orders. `options` has every name of STORE_OPTIONS. `currency` is the store's own, upper
    case, as the store said when it was last asked; `""` while it is not known. While it `awaits_reconcile`, no money
    moves: the database was restored and has not been compared yet, or the store says that it is a different one.
    `awaits_beside` says so of another entry of its shop, which may have payments of the same orders that nobody knows
    of yet. `account_problem` is why the provider takes no payments for it, `webhook_problem` why its messages do not
    arrive, as sentences; "" where nobody has said so. `generation` counts how often its adapter, mode or account has
    changed: a payment that was about to begin before is not begun after that.
    """

    id: str
    url: str
    adapter: str
    live: bool
    capture: str
    identity: str
    ca_file: str | None = None
    consumer_key: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)
    options: dict[str, str] = field(default_factory=dict)
    created: float = 0.0
    awaits_reconcile: bool = False
    account_problem: str = ""
    webhook_problem: str = ""
    currency: str = ""
    shop_id: str = ""
    awaits_beside: bool = False
    generation: int = 0


class Permissions(StrEnum):
    """What a key may do, as WooCommerce has it: `read` for GET and HEAD, `write` for the rest."""

    READ = "read"
    WRITE = "write"
    READ_WRITE = "read_write"

    @classmethod
    def of(cls, *, reads: bool, writes: bool) -> "Permissions | None":
        """Those that permit just this; None for nothing at all."""
        if reads and writes:
            return cls.READ_WRITE
        return cls.READ if reads else cls.WRITE if writes else None

    def both(self, other: "Permissions | None") -> "Permissions | None":
        """What both permit."""
        if other is None:
            return None
        return Permissions.of(reads=self.can_read and other.can_read, writes=self.can_write and other.can_write)

    @property
    def can_read(self) -> bool:
        return self is not Permissions.WRITE

    @property
    def can_write(self) -> bool:
        return self is not Permissions.READ


FROM_BRIDGE, FROM_STORE = "bridge", "store"
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What narrows a key beside its permissions: when it ends (Unix seconds; None is never), the networks that it may
    be used from, each as `parse_network` reads it (none of them is any), and whether it may make refunds."""

    expires: float | None = None
    networks: tuple[str, ...] = ()
    may_refund: bool = True


UNRESTRICTED = Restrictions()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A consumer key of one store. Times are Unix seconds. The secret is never part of it.

    `permissions` are what its owner has given it here. `origin` is who made it: FROM_BRIDGE, FROM_STORE, or "" while
    that is not known, of keys of before it was written down. Of a key that the store has made, `store_permissions` are
    what the store said when it was last asked, or NOTHING, or "" before that; `store_problem` says for its owner what
    the store has against it, as a sentence, or "". `expires`, `networks` and `may_refund` are its Restrictions; a key
    that was `replaced` ends because another one was made for its clients.
    """

    id: str
    store_id: str
    truncated: str
    permissions: Permissions
    description: str
    created: float
    last_used: float | None = None
    expires: float | None = None
    revoked: float | None = None
    origin: str = ""
    store_permissions: str = ""
    store_problem: str = ""
    networks: tuple[str, ...] = ()
    may_refund: bool = True
    replaced: bool = False

    @property
    def restrictions(self) -> Restrictions:
        return Restrictions(self.expires, self.networks, self.may_refund)

    def admits(self, address: str) -> bool:
        """Whether a client with this address may use it. One whose address is not known may if everybody may."""
        if not self.networks:
            return True
        caller = parse_address(address)
        return caller is not None and any(caller in parse_network(network) for network in self.networks)

    @property
    def allowed(self) -> Permissions | None:
        """What it may do: what it was given, as far as the store lets it do that. None for nothing."""
        if not self.store_permissions:
            return self.permissions
        if self.store_permissions == NOTHING:
            return None
        return self.permissions.both(Permissions(self.store_permissions))
