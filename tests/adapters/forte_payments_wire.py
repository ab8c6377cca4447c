"""What Forte's OpenAPI document says of the requests, as a table, and a front door that keeps what arrives.

Every test holds every request of an adapter against it (tests/plugins/fortes.py). Transcribed from
docs.fortepayments.io, `createRedirectV2` (the same body in widget mode), obtain access token, get-payment-statuses,
create-subscription. Shares nothing with the adapter's schemas, nor with the simulator's.
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.adapters.client import Door, Sent

TOKEN_PATHS = ("/auth/v1/oauth2/tokens", "/auth/v1/oauth2/token")
INTENT, REDIRECT = "/payments/v2/intent", "/payments/v2/intent/redirect"
STATUSES = "/payments/v1/payments/statuses"
MANIFEST = "/payments/v1/widget/manifest"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
REPLAY = "/notifications/v1/webhooks/replay"

CHAINS = [
    *("ethereum", "sepolia", "polygon", "amoy", "solana", "solana_devnet", "base", "base_sepolia", "avalanche_c"),
    *("avalanche_fuji", "binance_smart_chain", "binance_smart_chain_testnet", "arbitrum_one", "arbitrum_sepolia"),
    *("apechain", "curtis", "etherlink", "etherlink_testnet", "soneium", "soneium_minato", "aleo", "aleo_testnet"),
]
_WALLET = {
    "type": "object",
    "required": ["blockchain", "address"],
    "properties": {"blockchain": {"type": "string", "enum": CHAINS}, "address": {"type": "string"}},
}
_BUYER_ID = {"type": "string", "maxLength": 1000}
_EMAIL = {"type": "string", "maxLength": 255, "format": "email"}


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest}


_KNOWN_BY = {"email": _EMAIL, "wallet": _WALLET}
_BUYERS = [
    {"type": "object", "required": ["id", *names], "properties": {"id": _BUYER_ID} | {n: _KNOWN_BY[n] for n in names}}
    for names in (["email"], ["wallet"], ["email", "wallet"])
]
PAYMENT: dict[str, Any] = {
    "type": "object",
    "required": ["items", "transaction_type", "buyer", "currency", "idempotency_key"],
    "properties": {
        "transaction_type": {"type": "string", "enum": ["BUY_VDA"]},
        "currency": {"type": "string", "enum": ["USD", "EUR"]},
        "idempotency_key": _text(1000),
        "reference": _text(100),
        "buyer": {"anyOf": _BUYERS},
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["amount", "image_url", "title", "id"],
                "properties": {
                    "amount": {**_text(100), "pattern": r"[0-9]+\.[0-9]{2}"},  # in words: "2 decimal points"
                    **{name: _text(255) for name in ("id", "title", "description", "image_url")},
                },
            },
        },
    },
}
CREDENTIALS: dict[str, Any] = {
    "type": "object",
    "required": ["client_id", "client_secret"],
    "properties": {"client_id": {**_text(100), "minLength": 1}, "client_secret": {"type": "string"}},
}
_UUID = {"type": "string", "minLength": 36, "maxLength": 36, "pattern": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}
ASKED_STATUSES: dict[str, Any] = {
    "type": "object",
    "required": ["payment_intent_ids"],
    "properties": {"payment_intent_ids": {"type": "array", "minItems": 1, "maxItems": 100, "items": _UUID}},
}
SUBSCRIPTION: dict[str, Any] = {
    "type": "object",
    "required": ["endpoint", "description"],
    "properties": {"endpoint": {"type": "string"}, "description": {"type": "string"}},
}
BODIES = {
    **dict.fromkeys((f"POST {path}" for path in TOKEN_PATHS), CREDENTIALS),
    f"POST {INTENT}": PAYMENT,
    f"POST {REDIRECT}": PAYMENT,
    f"POST {STATUSES}": ASKED_STATUSES,
    f"POST {SUBSCRIPTIONS}": SUBSCRIPTION,
}
BODILESS = re.compile(rf"GET {MANIFEST}|GET {SUBSCRIPTIONS}|POST {SUBSCRIPTIONS}/[^/]+/(enable|disable)|POST {REPLAY}")


def faults(schema: dict[str, Any], value: Any, where: str = "body") -> Iterator[str]:
    """What is wrong with a value, in the part of JSON Schema that the table uses; a field that it lacks is wrong."""
    if "anyOf" in schema:
        if all(list(faults(variant, value, where)) for variant in schema["anyOf"]):
            yield f"{where} is none of the variants"
        return
    kinds = {"object": dict, "array": list, "string": str}
    if not isinstance(value, kinds[schema["type"]]):
        yield f"{where} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from (f"{where}.{name} is missing" for name in schema["required"] if name not in value)
        yield from (f"{where}.{name} does not exist" for name in value if name not in schema["properties"])
        for name, inner in schema["properties"].items():
            if name in value:
                yield from faults(inner, value[name], f"{where}.{name}")
    elif isinstance(value, list):
        if not schema["minItems"] <= len(value) <= schema["maxItems"]:
            yield f"{where} has {len(value)} items"
        for each in value:
            yield from faults(schema["items"], each, f"{where}[]")
    else:
        yield from _text_faults(schema, value, where)


def _text_faults(schema: dict[str, Any], value: str, where: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{where} has {len(value)} characters"
    if value not in schema.get("enum", [value]):
        yield f"{where} is {value!r}"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{where} is {value!r}"
    if schema.get("format") == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        yield f"{where} is {value!r}"


class Checked(Door):
    """Every answer has a name, as Forte's servers give it (Phoenix, `Plug.RequestId`)."""

    def __call__(self, environ, start_response):
        name = ("X-Request-Id", f"request-{len(self.sent) + 1}")
        return super().__call__(environ, lambda status, headers, *more: start_response(status, [*headers, name], *more))


def wrong(sent: Sent) -> Iterator[str]:
    """What the documents do not know of a request."""
    call = f"{sent.method} {sent.path}"
    has_token = re.fullmatch(r"Bearer [!-~]+", sent.headers.get("Authorization", "")) is not None
    if has_token is (sent.path in TOKEN_PATHS):
        yield "the access token is missing, or is where it does not belong"
    if sent.headers.get("Accept") != "application/json":
        yield f"Accept is {sent.headers.get('Accept')}"
    if call in BODIES:
        if sent.headers.get("Content-Type") != "application/json":
            yield f"Content-Type is {sent.headers.get('Content-Type')}"
        yield from faults(BODIES[call], sent.body)
    elif not BODILESS.fullmatch(call):
        yield "there is no such call"
    elif sent.content:
        yield "the call has no body"
    if sent.path == REPLAY and sorted(sent.query) != ["end_timestamp", "start_timestamp"]:
        yield "the range is not complete"
