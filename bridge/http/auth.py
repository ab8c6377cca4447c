"""Who is asking: consumer keys as WooCommerce's clients send them, and what a key permits.

In the documented profile every failure is one and the same refusal; in the woopayments profile it is WooCommerce's own.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from flask import Request
from werkzeug.datastructures import Authorization

from bridge.domain.stores import ApiKey, Permissions
from bridge.http import oauth
from bridge.http.client_address import client_address, is_encrypted, is_local
from bridge.http.rate_limit import Limits, network_of
from bridge.http.request_context import IDEMPOTENCY_KEY, RequestContext
from bridge.http.settings_protocol import HttpSettings
from bridge.http.wordpress.bodies import READING, WRITING, Body, kind_of_body
from bridge.http.wordpress.errors import RestError, forbidden
from bridge.http.wordpress.php_input import Pairs, form_pairs, query_pairs
from bridge.registry.keys import NONCE_WINDOW, KeyPair, lookup, recall, remember, use_nonce
from bridge.services import Services

NO_SUCH_SECRET = "cs_" + 40 * "0"


def refused(message: str, code: str = "woocommerce_rest_authentication_error") -> RestError:
    """WooCommerce's refusal of credentials."""
    return RestError(code, 401, message)


def authenticate(
    services: Services, settings: HttpSettings, limits: Limits, request: Request, context: RequestContext
) -> KeyPair | None:
    """The key of this request, whose secret it has proven to know; None for anybody.

    Raises RestError (woopayments profile) for credentials that are wrong; in the documented
    profile they are as good as none. The owner is told of those that are refused. An address that has guessed too often
    gets 429 instead: that is found out last, so that nobody's guesses keep the right credentials out.
    """
    tried = Tried(context.address)
    try:
        pair = _authenticate(services, settings, request, context, tried)
    except RestError:
        refuse_guess(services, settings, limits, request, tried.reason, tried.key)
        if settings.compat == "woopayments":
            raise
        return None
    if pair is None and (tried.reason or "Authorization" in request.headers):
        refuse_guess(services, settings, limits, request, tried.reason or "unusable", tried.key)
    return pair


def refuse_guess(
    services: Services,
    settings: HttpSettings,
    limits: Limits,
    request: Request,
    reason: str,
    key: ApiKey | None = None,
    *,
    kind: str = "credentials",
) -> None:
    """Count a secret that is not right, and tell the owner. Raises RestError (429) if the address has tried too
    many."""
    try:
        limits.guesses.take(kind, network_of(client_address(request, settings)))
    except RestError:
        tell_refused(services, settings, request, "rate_limited", key)
        raise
    tell_refused(services, settings, request, reason, key)


@dataclass
class Tried:
    """From which address credentials came, why they do not do, as in `refusals.REASONS` (nothing without any), and
    whose they are."""

    address: str
    reason: str = ""
    key: ApiKey | None = None


def tell_refused(
    services: Services, settings: HttpSettings, request: Request, reason: str, key: ApiKey | None = None
) -> None:
    """One line and one count for credentials that were refused."""
    store, letters = (key.store_id, key.truncated) if key else ("", "")
    address = client_address(request, settings)
    services.refusals.credentials(reason, address=address, store=store, key=letters)


def require_permission(settings: HttpSettings, permissions: Permissions, method: str) -> None:
    """Raises RestError if a key with these permissions must not use the method, on whatever route."""
    if method == "OPTIONS" or permits(permissions, method):
        return
    if settings.compat != "woopayments":
        raise forbidden()
    if method not in READING | WRITING:
        raise refused("Unknown request method.")
    verb = "read" if method in READING else "write"
    raise refused(f"The API key provided does not have {verb} permissions.")


def require_refunds(settings: HttpSettings, key: ApiKey) -> None:
    """Raises RestError if the key must not send money back. WooPayments has no such keys: its refund asks, as its other
    routes do, whether the key's user may manage the shop, and WordPress answers 403 whom it knows.

    Source: WooPayments 8.4, `WC_Payments_REST_Controller::check_permission`, which
    `WC_REST_Payments_Refunds_Controller` inherits; WordPress, `WP_REST_Server::respond_to_request` and
    `rest_authorization_required_code`.
    """
    if not key.may_refund:
        raise forbidden(403 if settings.compat == "woopayments" else 401)


def permits(permissions: Permissions, method: str) -> bool:
    return (method in READING and permissions.can_read) or (method in WRITING and permissions.can_write)


def _authenticate(
    services: Services, settings: HttpSettings, request: Request, context: RequestContext, tried: Tried
) -> KeyPair | None:
    query = query_pairs(request.query_string.decode("utf-8", "replace"))
    in_clear = _in_clear(settings, request, dict(query), tried)
    if in_clear and (pair := _prove(services, *in_clear, tried)):
        return pair
    return _check_oauth(services, settings, request, query, context, tried)


def _in_clear(settings: HttpSettings, request: Request, query: dict[str, str], tried: Tried) -> tuple[str, str] | None:
    """Consumer key and secret, from wherever this connection may carry them. The query wins over the header."""
    open_to_all = _is_open_to_all(settings, request)
    in_query = query.get("consumer_key") and query.get("consumer_secret")
    if open_to_all and in_query:
        return query["consumer_key"], query["consumer_secret"]
    if in_query:
        tried.reason = _not_https(request)
    basic = _authorization(request)
    if not (basic and basic.type == "basic" and basic.username and basic.password):
        return None
    if not open_to_all and not (settings.local_http and is_local(request)):
        tried.reason = _not_https(request)
        return None
    return basic.username, basic.password


def _authorization(request: Request) -> Authorization | None:
    """Werkzeug fails at a Basic header that has a byte beyond ASCII."""
    try:
        return request.authorization
    except ValueError:
        return None


def _not_https(request: Request) -> str:
    """Whether somebody in between claims that it was https: then his address is not among the trusted ones."""
    return "proxy_not_trusted" if "https" in request.headers.get("X-Forwarded-Proto", "").lower() else "not_https"


def _prove(services: Services, consumer_key: str, consumer_secret: str, tried: Tried) -> KeyPair | None:
    """An unknown key and a wrong secret cost the same: one look-up, one decryption, one comparison. Only the pair that
    was proven just now costs less."""
    if proven := recall(services, consumer_key, consumer_secret, tried.address):
        return proven
    pair = _look_up(services, consumer_key, tried, otherwise="wrong_secret")
    secret = pair.consumer_secret if pair else NO_SUCH_SECRET
    if not hmac.compare_digest(secret.encode(), consumer_secret.encode("utf-8", "replace")) and pair:
        raise refused("Consumer secret is invalid.")
    if pair:
        remember(services, pair)
    return pair


def _look_up(services: Services, consumer_key: str, tried: Tried, *, otherwise: str) -> KeyPair | None:
    """The pair, if the key may be used from where it is: it has still to be proven, and is refused as `otherwise`."""
    found = lookup(services, consumer_key, tried.address)
    tried.reason, tried.key = found.reason or otherwise, found.key
    return found.pair


def _check_oauth(
    services: Services, settings: HttpSettings, request: Request, query: Pairs, context: RequestContext, tried: Tried
) -> KeyPair | None:
    form = form_pairs(request.form.items(multi=True)) if request.method in WRITING else []
    said = oauth.Signed(query, form, oauth.header_pairs(request.headers.get("Authorization", "")))
    parameters = said.parameters
    missing = [name for name in oauth.REQUIRED if name not in parameters]
    if not parameters:
        return None
    if missing:
        tried.reason = tried.reason or "oauth_incomplete"
        _refuse_incomplete(missing)
    if not settings.public_urls:
        tried.reason = "no_public_url"
        raise refused("Invalid signature - provided signature does not match.")
    pair = _look_up(services, parameters["oauth_consumer_key"], tried, otherwise="wrong_signature")
    secret = pair.consumer_secret if pair else NO_SUCH_SECRET
    if parameters["oauth_signature_method"] not in oauth.DIGESTS:
        tried.reason = "signature_method" if pair else tried.reason
        signed, why = False, "Invalid signature - signature method is invalid."
    else:
        urls: Sequence[str] = oauth.addresses(settings.public_urls, context.path)
        signed = said.is_by(secret, request.method.upper(), urls)
        why = "Invalid signature - provided signature does not match."
    if pair is None:
        raise refused("Consumer key is invalid.")
    if not signed:
        raise refused(why)
    if not settings.unsigned_bodies and _is_open_to_change(settings, request, context):
        tried.reason = "unsigned_body"
        raise refused("Invalid signature - it does not cover the body of the request, or its method.")
    _require_fresh(services, pair, parameters, tried)
    return pair


def _is_open_to_change(settings: HttpSettings, request: Request, context: RequestContext) -> bool:
    """A money rule: whether somebody on the way could have the caller's signature pay for what the caller never asked.

    OAuth signs method, address, query and form. What counts beside them is JSON, a form of a request whose own method
    has none, a method that a header has put in place of its own, and the key that makes of a repeat a second request.
    Source: RFC 5849, 3.4.1.3.1.
    """
    own, body = request.method.upper(), kind_of_body(request, context.method)
    by_header = context.method != own and "_method" not in context.query
    is_named = own in WRITING and IDEMPOTENCY_KEY in request.headers
    is_whole = not by_header and not is_named and (body is None or (body is Body.FORM and own in WRITING))
    return not (is_whole or _is_open_to_all(settings, request) or (settings.local_http and is_local(request)))


def _is_open_to_all(settings: HttpSettings, request: Request) -> bool:
    """Whether secrets in clear may come from anywhere: then a body may, too."""
    return is_encrypted(request, settings) or not settings.require_https


def _refuse_incomplete(missing: Sequence[str]) -> NoReturn:
    words = "parameter" if len(missing) == 1 else "parameters"
    raise refused(f"Missing OAuth {words} {', '.join(missing)}", "woocommerce_rest_authentication_missing_parameter")


def _require_fresh(services: Services, pair: KeyPair, parameters: dict[str, str], tried: Tried) -> None:
    text = parameters["oauth_timestamp"]
    timestamp = int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else 0
    if abs(timestamp - services.clock()) > NONCE_WINDOW:
        tried.reason = "timestamp"
        raise refused("Invalid timestamp.")
    if not use_nonce(services, pair.key, parameters["oauth_nonce"], timestamp):
        tried.reason = "nonce_used"
        raise refused("Invalid nonce - nonce has already been used.")
