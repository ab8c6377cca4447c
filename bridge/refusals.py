"""What was refused at the door: one line in the log for each, and a count that every process adds to.

Counts are kept in memory and written together, at most every ten seconds: whoever sends nonsense as fast as he can must
not make the database write as fast.
"""

import threading

from bridge.domain import logs
from bridge.domain.errors import NotReady
from bridge.domain.ports import Clock
from bridge.storage import Database, refusals

log = logs.logger(__name__)

CREDENTIALS, MESSAGE = "credentials", "message"
WRITE_EVERY = 10.0
"""Seconds."""
REASONS = {
    "not_https": "a key and secret in clear are taken over https only (over http, sign with OAuth 1.0a)",
    "proxy_not_trusted": "a proxy says that it got them by https, and is not among BRIDGE_TRUSTED_PROXIES",
    "unknown_key": "the consumer key is unknown or revoked",
    "expired": "the consumer key has expired",
    "wrong_network": "the consumer key must not be used from this address",
    "wrong_secret": "the consumer secret is wrong",
    "wrong_scope": "the key may not do that",
    "no_refunds": "the key may not send money back",
    "oauth_incomplete": "a parameter of OAuth is missing",
    "no_public_url": "OAuth 1.0a needs BRIDGE_PUBLIC_URL: a Host header proves nothing",
    "signature_method": "the signature method of OAuth is not supported",
    "wrong_signature": "the signature is wrong",
    "timestamp": "the timestamp of OAuth is too old, or the clocks differ",
    "unsigned_body": (
        "OAuth 1.0a signs no JSON body and no X-HTTP-Method-Override or Idempotency-Key: over plain http they are "
        "taken with BRIDGE_UNSIGNED_BODIES only"
    ),
    "nonce_used": "the nonce of OAuth was used before",
    "rate_limited": "too many were refused from this address",
    "unusable": "the Authorization header has neither a key and secret nor OAuth 1.0a",
    "wrong_token": "the token is wrong",
}
"""Why credentials are refused, for the owner. Messages have sentences of their own."""


class Refusals:
    """Tells the owner what was refused, and counts it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._tallies: dict[refusals.Cause, refusals.Tally] = {}
        self._written = float("-inf")

    def credentials(self, reason: str, *, address: str, store: str = "", key: str = "") -> None:
        """`address` is the caller's; `store` and `key` (its last letters) are known if the key is."""
        whose = f" (the key ...{key} of {store})" if store else ""
        log.warning("credentials from %s were refused: %s%s", address, REASONS[reason], whose)
        self._count(store, CREDENTIALS, reason)

    def message(self, endpoint: str, reason: str, text: str, *, known: bool) -> None:
        """Endpoints that are not `known` are not told apart: anybody can invent them."""
        log.warning("a message to the endpoint %s was refused: %s", endpoint, text)
        self._count(endpoint if known else "", MESSAGE, reason)

    def write(self, *, every: float = WRITE_EVERY) -> None:
        """Write what this process has counted, unless it did less than `every` seconds ago. Never fails: counts wait
        for a database that is away."""
        tallies = self._take(self._clock(), every)
        if not tallies:
            return
        try:
            with self._database.write() as connection:
                refusals.add(connection, tallies)
        except (*self._database.troubles, NotReady) as error:
            self._add(tallies)
            log.debug("refusals could not be counted: %s", error)

    def _count(self, subject: str, kind: str, reason: str) -> None:
        causes = ((refusals.EVERYBODY, kind, reason), (subject, kind, reason))
        self._add(dict.fromkeys(causes, (1, self._clock())))
        self.write()

    def _add(self, tallies: dict[refusals.Cause, refusals.Tally]) -> None:
        with self._lock:
            for cause, (count, last) in tallies.items():
                known, latest = self._tallies.get(cause, (0, last))
                self._tallies[cause] = known + count, max(last, latest)

    def _take(self, now: float, every: float) -> dict[refusals.Cause, refusals.Tally]:
        with self._lock:
            if not self._tallies or abs(now - self._written) < every:
                return {}
            self._written, taken, self._tallies = now, self._tallies, {}
            return taken
