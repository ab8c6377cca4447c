"""What a request has to bring before anything else is looked at: a test key, a known version, a form.

Sources: https://docs.stripe.com/api/authentication and https://docs.stripe.com/api/versioning.
"""

import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from stripe._api_version import _ApiVersion
from werkzeug.wrappers import Request

from .errors import ApiError, invalid
from .params import Raw, decode

CURRENT_VERSION: str = _ApiVersion.CURRENT
"""The API version that the installed SDK speaks."""

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_HIDDEN = frozenset({"number", "cvc"})


def check_key(request: Request, secret_key: str) -> None:
    """ApiError 401 unless the request has the secret key, as bearer token or as user name of Basic."""
    given = request.authorization
    key = (given.token if given.type == "bearer" else given.username) if given else None
    if not key:
        message = "You did not provide an API key. Put it into the Authorization header: 'Bearer YOUR_SECRET_KEY'."
        raise ApiError(401, message)
    if key.startswith(("sk_live_", "rk_live_", "pk_live_")):
        raise ApiError(401, "This is a simulator, it refuses live keys. Use a test key.")
    if not hmac.compare_digest(key.encode(), secret_key.encode()):
        raise ApiError(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:] if len(key) > 16 else ''}")


def check_version(request: Request) -> None:
    """ApiError 400 for a Stripe-Version that cannot be one."""
    version = request.headers.get("Stripe-Version", CURRENT_VERSION)
    if not _VERSION.fullmatch(version):
        raise invalid(f"Invalid Stripe API version: {version}")


def form(request: Request) -> Mapping[str, Raw]:
    """The parameters of query and form. ApiError 400 for a body that is not a form."""
    body = request.get_data(as_text=True)
    if body and request.mimetype != "application/x-www-form-urlencoded":
        raise invalid("Invalid request (check that your POST content type is application/x-www-form-urlencoded).")
    query = request.query_string.decode("utf-8", "replace")
    return decode([pair for text in (query, body) for pair in parse_qsl(text, keep_blank_values=True)])


def without_cards(params: Mapping[str, Raw]) -> Mapping[str, Raw]:
    """The parameters without card numbers and security codes."""
    return {
        name: "[removed]" if name in _HIDDEN else without_cards(value) if isinstance(value, dict) else value
        for name, value in params.items()
    }
