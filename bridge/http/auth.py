"""Who is asking: consumer keys as WooCommerce's clients send them, and what a key permits.

In the documented profile every failure is one and the same refusal; in the woopayments profile it is WooCommerce's own.
"""

import hmac
import re
from collections.abc import Sequence
from typing import NoReturn

from flask import Request

from bridge.domain import logs
from bridge.domain.stores import Permissions
from bridge.http import oauth
from bridge.http.errors import RestError, forbidden
from bridge.http.php import Pairs, form_pairs, query_pairs
from bridge.http.policy import Policy
from bridge.http.transport import is_encrypted, is_local
from bridge.payments.keys import NONCE_WINDOW, KeyPair, lookup, use_nonce
from bridge.payments.services import Services

log = logs.logger(__name__)

READING = frozenset({"GET", "HEAD"})
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NO_SUCH_SECRET = "cs_" + 40 * "0"


def refused(message: str, code: str = "woocommerce_rest_authentication_error") -> RestError:
    """WooCommerce's refusal of credentials."""
    return RestError(code, 401, message)


def authenticate(services: Services, policy: Policy, request: Request, path: str) -> KeyPair | None:
    """The key of this request, whose secret it has proven to know; None for anybody.

    `path` is below the mount. Raises RestError (woopayments profile) for credentials that are wrong; in the documented
    profile they are as good as none.
    """
    try:
        return _authenticate(services, policy, request, path)
    except RestError as error:
        log.info("credentials refused: %s", error)
        if policy.compat == "woopayments":
            raise
        return None


def require_permission(policy: Policy, permissions: Permissions, method: str) -> None:
    """Raises RestError if a key with these permissions must not use the method, on whatever route."""
    if method == "OPTIONS" or permits(permissions, method):
        return
    if policy.compat != "woopayments":
        raise forbidden()
    if method not in READING | WRITING:
        raise refused("Unknown request method.")
    verb = "read" if method in READING else "write"
    raise refused(f"The API key provided does not have {verb} permissions.")


def permits(permissions: Permissions, method: str) -> bool:
    return (method in READING and permissions.can_read) or (method in WRITING and permissions.can_write)


def _authenticate(services: Services, policy: Policy, request: Request, path: str) -> KeyPair | None:
    query = query_pairs(request.query_string.decode("utf-8", "replace"))
    in_clear = _in_clear(policy, request, dict(query))
    if in_clear and (pair := _prove(services, *in_clear)):
        return pair
    return _check_oauth(services, policy, request, query, path)


def _in_clear(policy: Policy, request: Request, query: dict[str, str]) -> tuple[str, str] | None:
    """Consumer key and secret, from wherever this connection may carry them. The query wins over the header."""
    open_to_all = is_encrypted(request, policy) or not policy.require_https
    if open_to_all and query.get("consumer_key") and query.get("consumer_secret"):
        return query["consumer_key"], query["consumer_secret"]
    basic = request.authorization
    if not (basic and basic.type == "basic" and basic.username and basic.password):
        return None
    if not open_to_all and not is_local(request):
        log.info("credentials over plain http were not looked at: they need https, or OAuth 1.0a")
        return None
    return basic.username, basic.password


def _prove(services: Services, consumer_key: str, consumer_secret: str) -> KeyPair | None:
    """An unknown key and a wrong secret cost the same: one look-up, one decryption, one comparison."""
    pair = lookup(services, _plain(consumer_key))
    secret = pair.consumer_secret if pair else NO_SUCH_SECRET
    if not hmac.compare_digest(secret.encode(), consumer_secret.encode("utf-8", "replace")) and pair:
        raise refused("Consumer secret is invalid.")
    return pair


def _plain(consumer_key: str) -> str:
    return consumer_key.encode("ascii", "replace").decode()


def _check_oauth(services: Services, policy: Policy, request: Request, query: Pairs, path: str) -> KeyPair | None:
    form = form_pairs(request.form.items(multi=True)) if request.method in WRITING else []
    pairs = query + form + oauth.header_pairs(request.headers.get("Authorization", ""))
    parameters = oauth.protocol_parameters(pairs)
    missing = [name for name in oauth.REQUIRED if name not in parameters]
    if not parameters:
        return None
    if missing:
        _refuse_incomplete(missing)
    if not policy.public_urls:
        log.warning("OAuth 1.0a is refused as long as no public URL is configured: a Host header proves nothing")
        raise refused("Invalid signature - provided signature does not match.")
    pair = lookup(services, _plain(parameters["oauth_consumer_key"]))
    secret = pair.consumer_secret if pair else NO_SUCH_SECRET
    if parameters["oauth_signature_method"] not in oauth.DIGESTS:
        signed, why = False, "Invalid signature - signature method is invalid."
    else:
        urls: Sequence[str] = oauth.addresses(policy.public_urls, path)
        signed = oauth.is_signed(request.method.upper(), urls, pairs, parameters, secret)
        why = "Invalid signature - provided signature does not match."
    if pair is None:
        raise refused("Consumer key is invalid.")
    if not signed:
        raise refused(why)
    _require_fresh(services, pair, parameters)
    return pair


def _refuse_incomplete(missing: Sequence[str]) -> NoReturn:
    words = "parameter" if len(missing) == 1 else "parameters"
    raise refused(f"Missing OAuth {words} {', '.join(missing)}", "woocommerce_rest_authentication_missing_parameter")


def _require_fresh(services: Services, pair: KeyPair, parameters: dict[str, str]) -> None:
    text = parameters["oauth_timestamp"]
    timestamp = int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else 0
    if abs(timestamp - services.clock()) > NONCE_WINDOW:
        raise refused("Invalid timestamp.")
    if not use_nonce(services, pair.key, parameters["oauth_nonce"], timestamp):
        raise refused("Invalid nonce - nonce has already been used.")
