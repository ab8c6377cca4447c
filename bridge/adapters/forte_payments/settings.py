"""What the owner of a store sets for Forte Payments, and what it means. Does not know HTTP.

What Forte's public documents leave open is a setting: the spelling of the token's path, how messages are signed and
where their fields are. Hosts: docs.fortepayments.io, obtain access token, integrate widget.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bridge.adapters.forte_payments.events import ALGORITHMS, Fields, Scheme
from bridge.adapters.loading import MAX_RETRIES, WEBHOOK_ENDPOINT
from bridge.domain.errors import ConfigurationError
from bridge.domain.ports import Setting
from bridge.schemas.forte_payments import LONGEST_TEXT

API = {False: "https://sandbox-api.sandbox.lemmax.com", True: "https://api.prod.lemmax.com"}
SCRIPT = {
    False: "https://payments.sandbox.lemmax.com/forte-payments-widget.js",
    True: "https://payments.prod.lemmax.com/forte-payments-widget.js",
}
"""By live."""
TOKEN_PATHS = {"tokens": "/auth/v1/oauth2/tokens", "token": "/auth/v1/oauth2/token"}
"""Forte's documents have both spellings."""
_NO_YES = ("no", "yes")
_POINTER = re.compile(r"(/[^/]*)*")
_FIELDS = tuple(f"{name}_field" for name in ("id", "event", "time", "intent", "reference", "amount", "currency"))
_HEADER = re.compile(r"[A-Za-z0-9-]{0,100}")

SETTINGS = (
    Setting("client_id", "From your account manager at Forte", account=True),
    Setting("client_secret", "From your account manager at Forte", secret=True),
    Setting(
        "mode", "Where buyers pay: in Forte's widget or on its hosted page", "widget", choices=("widget", "redirect")
    ),
    Setting(
        "api_base", "The address of Forte's API; empty for the documented one of the store's mode", "", account=True
    ),
    Setting(
        "widget_script", "The address of the widget's script; empty for the documented one of the store's mode", ""
    ),
    Setting(
        "script_integrity", "Ask Forte for the digest of the widget's script, for every session", "yes", choices=_NO_YES
    ),
    Setting("redirect_hosts", "The hosts that may serve the hosted page, such as payments.forte.io; empty for any", ""),
    Setting("token_path", "The spelling of the token's path to try first", "tokens", choices=tuple(TOKEN_PATHS)),
    Setting("fallback_image", "The https address of the image for items without one; empty for WooCommerce's own", ""),
    Setting("physical_goods", "What to do with orders that are shipped", "refuse", choices=("refuse", "allow")),
    Setting("guests", "What to do with orders of guests", "send", choices=("send", "refuse")),
    Setting(
        "buyer_id",
        "The id under which Forte knows a buyer, made of {shop} and {customer} or {caller}; choose once and for all",
        "{shop}:{customer}",
    ),
    Setting("wallet_address_meta", "The order meta with the buyer's wallet", "_forte_wallet_address"),
    Setting("wallet_blockchain_meta", "The order meta with the wallet's blockchain", "_forte_wallet_blockchain"),
    MAX_RETRIES,
    Setting(
        "webhook_secret",
        "The signing key of the webhook subscription at Forte; two while it is being rotated",
        "",
        secret=True,
    ),
    WEBHOOK_ENDPOINT,
    Setting("signature_header", "The header with a message's signature; empty refuses every message", ""),
    Setting("signature_algorithm", "How messages are signed", "hmac-sha256", choices=tuple(ALGORITHMS)),
    Setting("signature_encoding", "How the signature is written", "hex", choices=("hex", "base64")),
    Setting("signature_prefix", "What precedes the signature, such as sha256=", ""),
    Setting("signature_payload", "What is signed, composed of {timestamp} and {body}", "{body}"),
    Setting("timestamp_header", "The header with the signing time; empty for none", ""),
    Setting("timestamp_prefix", "What precedes the signing time, such as t=", ""),
    Setting("signature_tolerance", "How many seconds old, or ahead of our clock, a message may be", "300"),
    Setting("id_field", "JSON pointer to a message's id", "/id"),
    Setting("event_field", "JSON pointer to the name of what happened", "/event"),
    Setting("time_field", "JSON pointer to when it happened", "/created_at"),
    Setting("intent_field", "JSON pointer to the payment intent's id", "/data/payment_intent_id"),
    Setting("reference_field", "JSON pointer to our reference", "/data/reference"),
    Setting(
        "amount_field", "JSON pointer to the amount paid, in major units; empty if messages lack it", "/data/amount"
    ),
    Setting("currency_field", "JSON pointer to its currency; empty if messages lack it", "/data/currency"),
    Setting(
        "payment_events",
        "The names of events after which the bridge asks Forte for the status of the payment",
        "payment_approved,payment_declined,payment_expired",
    ),
)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account it is, where it is, and what is sent there. The wallet's are names of order meta."""

    client_id: str
    client_secret: str = field(repr=False)
    live: bool
    redirect: bool
    api_base: str
    widget_script: str
    script_integrity: bool
    redirect_hosts: frozenset[str]
    token_paths: tuple[str, ...]
    fallback_image: str
    physical_goods: bool
    guests: bool
    buyer_id: str
    wallet_address: str
    wallet_blockchain: str
    max_retries: int
    scheme: Scheme
    fields: Fields

    @property
    def identity(self) -> dict[str, str]:
        """What tells this account from every other one."""
        return {"api_base": self.api_base, "client_id": self.client_id}


def read(settings: Mapping[str, str], *, live: bool) -> Account:
    """The settings (complete, choices checked) as an Account. Raises ConfigurationError with all that is wrong."""
    api_base = (settings["api_base"] or API[live]).rstrip("/")
    widget_script = settings["widget_script"] or SCRIPT[live]
    problems = [
        *_judge(settings),
        *_judge_address("api_base", api_base, live),
        *_judge_address("widget_script", widget_script, live),
        *_judge_webhooks(settings),
    ]
    if problems:
        raise ConfigurationError(*(f"forte_payments: {sentence}" for sentence in problems))
    first = settings["token_path"]
    return Account(
        client_id=settings["client_id"],
        client_secret=settings["client_secret"],
        live=live,
        redirect=settings["mode"] == "redirect",
        api_base=api_base,
        widget_script=widget_script,
        script_integrity=settings["script_integrity"] == "yes",
        redirect_hosts=frozenset(_words(settings["redirect_hosts"].lower())),
        token_paths=(TOKEN_PATHS[first], *(path for name, path in TOKEN_PATHS.items() if name != first)),
        fallback_image=settings["fallback_image"],
        physical_goods=settings["physical_goods"] == "allow",
        guests=settings["guests"] == "send",
        buyer_id=settings["buyer_id"],
        wallet_address=settings["wallet_address_meta"],
        wallet_blockchain=settings["wallet_blockchain_meta"],
        max_retries=int(settings["max_retries"]),
        scheme=_scheme(settings),
        fields=_fields(settings),
    )


def _scheme(settings: Mapping[str, str]) -> Scheme:
    return Scheme(
        keys=tuple(_words(settings["webhook_secret"])),
        header=settings["signature_header"].lower(),
        algorithm=settings["signature_algorithm"],
        encoding=settings["signature_encoding"],
        prefix=settings["signature_prefix"],
        payload=settings["signature_payload"],
        timestamp_header=settings["timestamp_header"].lower(),
        timestamp_prefix=settings["timestamp_prefix"],
        tolerance=int(settings["signature_tolerance"]),
    )


def _fields(settings: Mapping[str, str]) -> Fields:
    return Fields(
        id=settings["id_field"],
        event=settings["event_field"],
        time=settings["time_field"],
        intent=settings["intent_field"],
        reference=settings["reference_field"],
        amount=settings["amount_field"],
        currency=settings["currency_field"],
        payment_events=frozenset(_words(settings["payment_events"])),
    )


def _judge(settings: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each setting that is wrong. None of them shows a secret."""
    if len(settings["client_id"]) > 100:
        yield "client_id has more than 100 characters."
    image = settings["fallback_image"]
    if image and (not image.startswith("https://") or not image.isascii() or len(image) > LONGEST_TEXT):
        yield f"fallback_image is not an https address of at most {LONGEST_TEXT} characters."
    if "{customer}" not in settings["buyer_id"] and "{caller}" not in settings["buyer_id"]:
        yield "buyer_id has neither {customer} nor {caller}: all buyers would have the same id."


def _judge_address(name: str, address: str, live: bool) -> Iterator[str]:
    """Sandbox and production are never mixed."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", address) or not host:
        yield f"{name} is not an address such as {API[live]}."
    elif live and (parts.scheme != "https" or "sandbox" in host):
        yield f"{name} is not Forte's production, and the store is in live mode."
    elif not live and ".prod." in f".{host}.":
        yield f"{name} is Forte's production, and the store is in test mode."


def _judge_webhooks(settings: Mapping[str, str]) -> Iterator[str]:
    for name in ("signature_header", "timestamp_header"):
        if not _HEADER.fullmatch(settings[name]):
            yield f"{name} is not the name of a header."
    payload = settings["signature_payload"]
    if payload.count("{body}") != 1:
        yield "signature_payload must contain {body} exactly once."
    if ("{timestamp}" in payload) != bool(settings["timestamp_header"]):
        yield "timestamp_header and {timestamp} in signature_payload need each other: a time has to be signed."
    if not re.fullmatch(r"\d{1,6}", settings["signature_tolerance"], re.ASCII):
        yield "signature_tolerance is not a number of seconds."
    for name in _FIELDS:
        if not _POINTER.fullmatch(settings[name]):
            yield f"{name} is not a JSON pointer such as /data/reference."


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
