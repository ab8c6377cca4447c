"""What Forte's public documents leave open. Each answer here is only this simulator's; each can be chosen otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from .signing import WebhookScheme

TOKEN_PATHS = ("/auth/v1/oauth2/tokens", "/auth/v1/oauth2/token")


def _event_names() -> Mapping[str, str]:
    """Only payment_approved is documented."""
    return MappingProxyType(
        {"Approved": "payment_approved", "Declined": "payment_declined", "Expired": "payment_expired"}
    )


@dataclass(frozen=True)
class Assumptions:
    """`strict` refuses fields that the schemas do not name. Times are in seconds.

    `token_paths`: the documents name two, which one is real is not known. `other_body`: what a used idempotency key
    with another body gets, a 409 without ERR04 or the first intent. `session_seconds`: how long an intent stays
    Created. `status_id_field`: how a status names its intent, None for not at all. `subscription_limit`: enabled ones,
    3 in a sandbox and 1 in production. `event_names`: by status; a status without a name sends no webhook.
    `retry_delays`: the pauses between the attempts of a delivery, the last failure gives it up. `return_url`: where the
    hosted page sends the buyer in the end, None for a page that says how it went.
    """

    strict: bool = True
    token_paths: tuple[str, ...] = TOKEN_PATHS
    other_body: Literal["conflict", "first"] = "conflict"
    session_seconds: float = 3600.0
    status_id_field: str | None = "payment_intent_id"
    subscription_limit: int = 3
    event_names: Mapping[str, str] = field(default_factory=_event_names)
    test_event_name: str = "test"
    scheme: WebhookScheme = field(default_factory=WebhookScheme)
    retry_delays: tuple[float, ...] = (10.0, 60.0, 300.0, 1800.0, 7200.0)
    delivery_timeout: float = 10.0
    return_url: str | None = None
