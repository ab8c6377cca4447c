"""What Stripe says about a payment, as an Outcome, and its errors. Pure; trusts nothing: an answer that is not about
our payment is not an answer.

Sources: Stripe, "The PaymentIntent object", "The Charge object", "Errors", "Idempotent requests".
"""

from dataclasses import replace
from typing import Any

from bridge.domain.errors import ProviderConfused, ProviderError, ProviderRefused, ProviderUnreachable
from bridge.domain.intents import Charge, Status
from bridge.domain.outcomes import Decline, Outcome

Json = dict[str, Any]
_CARD = ("amount_authorized", "brand", "capture_before", "country", "exp_month", "exp_year", "last4", "three_d_secure")
_MORE_CARD = (
    *("authorization_code", "cardholder_name", "checks", "emv_auth_data", "fingerprint", "funding", "generated_card"),
    *("installments", "mandate", "network", "overcapture_supported", "preferred_locales", "read_method", "receipt"),
    "wallet",
)
_DETAILS = (
    *("application", "application_fee", "calculated_statement_descriptor", "description", "failure_code"),
    *("failure_message", "on_behalf_of", "receipt_number", "receipt_url", "statement_descriptor"),
    *("statement_descriptor_suffix", "transfer_group"),
)
_BALANCE = (
    *("id", "object", "amount", "available_on", "created", "currency", "description", "exchange_rate", "fee"),
    *("fee_details", "net", "reporting_category", "source", "status", "type"),
)
"""What is kept of a card, a charge and a balance transaction where Stripe says it, so that it can be shown."""
_CARDS = ("card", "card_present", "interac_present")
_SECRET = frozenset({"client_secret", "next_action"})
_UNPAID = frozenset({Status.REQUIRES_PAYMENT_METHOD, Status.CANCELED})
_WAITING = frozenset({Status.REQUIRES_ACTION, Status.REQUIRES_CONFIRMATION})
_RAN_OUT = frozenset({"automatic", "expired"})
"""Why Stripe itself cancels a payment (source: Stripe, "The PaymentIntent object", `cancellation_reason`)."""
NONSENSE = "The payment provider's answer could not be understood."
_LONGEST = 500
_BAD_KEY = "Stripe refused this store's API key or account. The settings secret_key and account have to be checked."


def read_intent(answer: Any, *, account: str | None, **expected: Any) -> Outcome:
    """A PaymentIntent as an Outcome. `expected` is what it must have, at least. Raises ProviderConfused.

    `account` is the connected account whose own payment it is, if it is one: a browser needs it to go on.
    """
    intent = read_object(answer, "payment_intent", **expected)
    for name, kind in (("status", str), ("currency", str), ("amount", int), ("livemode", bool)):
        require(type(intent.get(name)) is kind and intent[name] != "")
    status = Status.of(intent["status"])
    problem = intent.get("last_payment_error")
    waiting = status in _WAITING or (status is Status.REQUIRES_PAYMENT_METHOD and not problem)
    created = intent.get("created")
    return Outcome(
        status=status,
        reference=intent["id"],
        public_id=intent["id"],
        amount=intent["amount"],
        currency=intent["currency"].upper(),
        customer=id_of(intent.get("customer")),
        payment_method=id_of(intent.get("payment_method")),
        charge=_read_charge(intent.get("latest_charge")),
        decline=read_decline(problem) if isinstance(problem, dict) and status in _UNPAID else None,
        expired=status is Status.CANCELED and _ran_out(intent),
        created=float(created) if isinstance(created, int) else None,
        tip=_tip(intent),
        next_action=intent.get("next_action") if waiting else None,
        client_secret=intent.get("client_secret") if waiting else None,
        provider_data={"stripe_account": account} if waiting and account else None,
        raw=scrub(intent),
    )


def read_decline(problem: Json) -> Decline:
    """Stripe's error about a card. `code` falls back to the error's type, which is always there."""
    return Decline(
        code=str(problem.get("code") or problem.get("type") or "card_declined"),
        message=str(problem.get("message") or "The card was declined.")[:_LONGEST],
        decline_code=problem.get("decline_code"),
    )


def read_list(answer: Any) -> tuple[list[Any], bool]:
    """A page of a list, and whether there are more. Raises ProviderConfused."""
    require(isinstance(answer, dict) and answer.get("object") == "list")
    require(isinstance(answer.get("data"), list) and isinstance(answer.get("has_more"), bool))
    return answer["data"], answer["has_more"]


def last_id(page: list[Any]) -> str:
    """Where the next page begins. Raises ProviderConfused if this one has no such place."""
    identifier = id_of(page[-1]) if page else None
    require(identifier is not None)
    return str(identifier)


def read_object(answer: Any, kind: str, **expected: Any) -> Json:
    """An object of Stripe's with an id and what it must have, at least. Raises ProviderConfused."""
    require(isinstance(answer, dict) and answer.get("object") == kind)
    require(type(answer.get("id")) is str and answer["id"] != "")
    require(all(_agrees(_code(name, answer.get(name)), value) for name, value in expected.items()))
    return dict(answer)


def require(right: bool) -> None:
    """Raises ProviderConfused for an answer that is not right."""
    if not right:
        raise ProviderConfused(NONSENSE)


def id_of(value: Any) -> str | None:
    """The id of an object, or of one that is merely referred to."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


def scrub(value: Any) -> Any:
    """A copy in plain dicts, without what lets somebody act on the payment."""
    if isinstance(value, dict):
        kept = {name: member for name, member in value.items() if name not in _SECRET}
        for name, member in kept.items():
            if isinstance(member, dict | list):
                kept[name] = scrub(member)
        return kept
    return [scrub(member) for member in value] if isinstance(value, list) else value


class Problem(Exception):
    """An error object that Stripe answered, with a status from 400 to 499."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(status, error.get("type"), error.get("code"))
        self.status = status
        self.error = error
        self.code = str(error.get("code") or "")

    @property
    def turned_away(self) -> bool:
        """Whether the request was rejected before it was processed, which proves nothing about an earlier one under its
        key."""
        return self.status in (401, 403, 429) or self.code == "rate_limit"

    def outcome(self, *, account: str | None, **expected: Any) -> Outcome | None:
        """The payment that a failed create made all the same, with its decline; None if it made none."""
        if not isinstance(self.error.get("payment_intent"), dict):
            return None
        outcome = read_intent(self.error["payment_intent"], account=account, **expected)
        return replace(outcome, decline=read_decline(self.error)) if outcome.status in _UNPAID else outcome

    def as_error(self, *, creating: bool = False) -> ProviderError:
        """What it means in our contract: refused only where Stripe cannot have done anything under this key, which
        it may have when another request holds the key or the same objects, or when the key is known with other
        parameters. A card error (402) is a plain no, but for a create: that has made a payment, and does not show it.
        """
        kind, message = self.error.get("type"), str(self.error.get("message") or "it gave no reason.")[:_LONGEST]
        if self.status == 409 or self.code in ("lock_timeout", "idempotency_key_in_use"):
            return ProviderUnreachable("Stripe is busy with the same payment.")
        if self.status == 429 or self.code == "rate_limit":
            refused = self._refused(
                "Error: Stripe has received too many requests. Try again in a moment.", "rate_limit"
            )
            refused.retryable = True
            return refused
        if self.status in (401, 403):
            return self._refused(f"Error: {_BAD_KEY}", self.code or "api_key_refused")
        plain = self.status in (400, 404) and kind == "invalid_request_error"
        if plain or (self.status == 402 and kind == "card_error" and not creating):
            prefix = "" if self.code == "amount_too_small" else "Error: "
            return self._refused(prefix + message, self.code or str(kind), param=self.error.get("param"))
        return ProviderConfused(NONSENSE)

    def _refused(self, sentence: str, code: str, **details: Any) -> ProviderRefused:
        return ProviderRefused(sentence, code=code, status=self.status, **details)


def _read_charge(charge: Any) -> Charge | None:
    """A charge, or None for a mere reference to one and for what is not one."""
    if not isinstance(charge, dict) or type(charge.get("id")) is not str or type(charge.get("amount")) is not int:
        return None
    details = charge.get("payment_method_details")
    details = details if isinstance(details, dict) else {}
    card = next((_card(details[kind]) for kind in _CARDS if isinstance(details.get(kind), dict)), None)
    return Charge(
        id=charge["id"],
        amount=charge["amount"],
        status=charge.get("status") or "",
        captured=bool(charge.get("captured")),
        amount_captured=charge.get("amount_captured") or 0,
        amount_refunded=charge.get("amount_refunded") or 0,
        application_fee_amount=charge.get("application_fee_amount"),
        balance_transaction=id_of(charge.get("balance_transaction")),
        billing_details=scrub(charge.get("billing_details")),
        card=card,
        payment_method_type=details.get("type") or "card",
        created=charge.get("created") or 0,
        outcome=scrub(charge.get("outcome")),
        details=_details(charge) or None,
    )


def _card(card: Json) -> Json:
    return {name: card.get(name) for name in _CARD} | _told(card, _MORE_CARD)


def _details(charge: Json) -> Json:
    """What else it says: references as ids, and the balance transaction if it came with the charge."""
    details = _told(charge, _DETAILS)
    for name in ("application", "application_fee", "on_behalf_of"):
        if name in details:
            details[name] = id_of(details[name])
    if charge.get("fraud_details") == {}:
        details["fraud_details"] = []
    if isinstance(transfer := charge.get("transfer_data"), dict):
        details["transfer_data"] = _told(transfer, ("amount",)) | {"destination": id_of(transfer.get("destination"))}
    if isinstance(transaction := charge.get("balance_transaction"), dict):
        details["balance_transaction"] = {name: scrub(transaction.get(name)) for name in _BALANCE}
    return details


def _told(thing: Json, names: tuple[str, ...]) -> Json:
    """Those of its members that are not null."""
    return {name: scrub(thing[name]) for name in names if thing.get(name) is not None}


def _tip(intent: Json) -> int:
    """What the payer added at a reader, which the amount has in it (source: Stripe, "Collect on-reader tips")."""
    details = intent.get("amount_details")
    tip = details.get("tip") if isinstance(details, dict) else None
    amount = tip.get("amount") if isinstance(tip, dict) else None
    return amount if type(amount) is int and 0 < amount < intent["amount"] else 0


def _ran_out(intent: Json) -> bool:
    """Whether Stripe ended it on its own, and it had a charge whose money was held."""
    return intent.get("cancellation_reason") in _RAN_OUT and intent.get("latest_charge") is not None


def _code(name: str, value: Any) -> Any:
    """A currency in lower case, in whatever case Stripe writes it; anything else as it is."""
    return value.lower() if name == "currency" and isinstance(value, str) else value


def _agrees(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and wanted.items() <= found.items()
    return bool(found == wanted)
