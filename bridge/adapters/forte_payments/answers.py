"""What Forte says about a payment, as Outcomes and Openings. Pure; trusts nothing that it has not asked for.

Sources: docs.fortepayments.io, create payment intent, testing (statuses), integrate widget.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from bridge.adapters.forte_payments.errors import NONSENSE, Reply, read, told
from bridge.adapters.forte_payments.settings import Account
from bridge.domain import logs
from bridge.domain.errors import ProviderConfused, ProviderRefused
from bridge.domain.intents import Charge, Status
from bridge.domain.money import Money
from bridge.domain.outcomes import Decline, Opening, Outcome, Problem
from bridge.schemas.forte_payments import IntentAnswer, ManifestAnswer, OpeningAnswer, StatusesAnswer

log = logs.logger(__name__)
Json = dict[str, Any]
CONTAINER = "forte-payments-widget-container"
REDIRECT_SECONDS = 30
"""How long the address of a hosted page is good, for one visit."""
STATUSES = {
    "Created": Status.REQUIRES_ACTION,
    "Approved": Status.SUCCEEDED,
    "Declined": Status.CANCELED,
    "Expired": Status.CANCELED,
}
"""A declined intent is as final as an expired one: who tries again gets a new intent."""
DECLINE = Decline("payment_intent_payment_attempt_failed", "The payment was declined.", "generic_decline")
PROBLEMS = {
    "ERR01": "Forte has banned this customer.",
    "ERR03": "Forte does not accept payments from the country that the request came from.",
    "ERR06": "Forte has to identify this customer first. The widget does that.",
    "ERR15": "Forte has flagged this customer's wallet.",
}
"""Why Forte refuses a buyer, for the merchant: the buyer is told by the widget. Any other code is handed on."""
_INTENT, _OPENING, _STATUSES, _MANIFEST = IntentAnswer(), OpeningAnswer(), StatusesAnswer(), ManifestAnswer()
_CREATED = 201
_LONGEST_CODE = 100


def asked(body: Json) -> Money:
    """What a request of ours asks for."""
    return Money.parse(body["items"][0]["amount"], body["currency"])


def read_intent(reply: Reply, body: Json, script: Callable[[], Json]) -> Outcome:
    """The answer in widget mode. Whether there is an intent is told by its id alone, not by the HTTP status.

    Without one the buyer is refused, and the widget says so: `data` goes there whole and as it is. `script` tells the
    widget's script. Raises ProviderConfused.
    """
    data = read(_INTENT, reply)["data"]
    reference, error_code = data["payment_intent_id"], data["error_code"]
    if data["widget_data"] is None and error_code is None:
        raise told(ProviderConfused(NONSENSE), reply)
    if (reference is not None) != (reply.status == _CREATED):
        log.warning("Forte answered %d with%s a payment intent's id", reply.status, "" if reference else "out")
    widget = {**script(), "container_id": CONTAINER, "data": reply.value["data"]}
    money = asked(body)
    return Outcome(
        status=Status.REQUIRES_ACTION,
        reference=reference,
        amount=money.amount,
        currency=money.currency,
        next_action={"type": "forte_widget", "forte_widget": widget},
        provider_data={"kind": "forte_widget", "error_code": error_code, **widget},
        problem=_problem(error_code),
        raw={
            "http_status": reply.status,
            "payment_intent_id": reference,
            "flow": data["flow"],
            "error_code": error_code,
        },
    )


def read_opening(reply: Reply, account: Account, now: float, *, plain_http: bool) -> Opening:
    """The address of the hosted page, which nobody but the buyer's browser may visit. Raises ProviderError."""
    data = read(_OPENING, reply)["data"]
    url, error_code = data["redirect_url"], data["error_code"]
    if url is None and error_code is not None:
        sentence = f"Error: Forte does not open a payment page for this buyer ({error_code})."
        raise told(ProviderRefused(sentence, code=str(error_code)), reply, str(error_code))
    if url is None or not _may_open(url, account, plain_http):
        raise told(ProviderConfused("Forte's answer does not contain a usable address of a payment page."), reply)
    return Opening(url, now + REDIRECT_SECONDS)


def read_status(reply: Reply, reference: str) -> str:
    """Forte's word for how an intent stands. Raises ProviderRefused for one that Forte does not know.

    The answer's name for the intent's id is not documented: an entry is the right one if it has our id anywhere, or if
    it is the only one and has no id at all.
    """
    entries = read(_STATUSES, reply)["data"]
    ours = [entry for entry in entries if reference.lower() in _values(entry)]
    if not ours and len(entries) == 1 and not any(name.endswith("id") for name in entries[0]):
        ours = entries
    if not ours and not entries:
        raise told(ProviderRefused("Error: Forte does not have this payment.", code="resource_missing"), reply)
    if len({entry["status"] for entry in ours}) != 1:
        raise told(ProviderConfused(NONSENSE), reply)
    word = str(ours[0]["status"])
    if word not in STATUSES:
        log.warning("payment intent %s is %s at Forte: not one of the statuses that it documents", reference, word[:40])
    return word


def status_outcome(word: str, reference: str, money: Money | None = None) -> Outcome:
    """An Outcome of what Forte says in one word; without `money` it does not say how much: the currency is empty."""
    status = STATUSES.get(word, Status.PROCESSING)
    amount, currency = (money.amount, money.currency) if money else (0, "")
    charge = Charge(
        id=f"ch_{reference.lower().replace('-', '')}",
        amount=amount,
        status="succeeded",
        captured=True,
        amount_captured=amount,
        payment_method_type="forte",
    )
    return Outcome(
        status=status,
        reference=reference,
        amount=amount,
        currency=currency,
        charge=charge if status is Status.SUCCEEDED else None,
        decline=DECLINE if word == "Declined" else None,
        expired=word == "Expired",
        raw={"status": word},
    )


def read_script(reply: Reply, script: str) -> Json:
    """The widget's script with its digest, for the `integrity` of its tag. Raises ProviderConfused."""
    manifest = read(_MANIFEST, reply)["data"]
    return {"script_url": urljoin(script, manifest["file_name"]), "integrity": manifest["integrity"]["digest"]}


def _problem(error_code: Any) -> Problem | None:
    if error_code is None:
        return None
    code = str(error_code)[:_LONGEST_CODE]
    return Problem("forte_error", code, PROBLEMS.get(code, f"Forte's code for this payment is {code}."))


def _may_open(url: str, account: Account, plain_http: bool) -> bool:
    """Whether a buyer is sent there: over https, but for a simulator that serves its pages where its API is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    own = urlsplit(account.api_base)
    simulated = plain_http and (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    secure = parts.scheme == "https" or (simulated and parts.scheme == "http")
    known = not account.redirect_hosts or parts.hostname in account.redirect_hosts
    return secure and bool(parts.hostname) and known and url.isprintable() and " " not in url


def _values(entry: Json) -> set[str]:
    return {value.lower() for value in entry.values() if isinstance(value, str)}
