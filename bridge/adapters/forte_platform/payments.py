"""Payments at Forte: making one, getting one, finding ours again. Forte makes a second payment for a second request, so
that what was sent is remembered for as long as it may be on its way (`Once`)."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bridge.adapters.forte_platform.answers import (
    attempt_of,
    changed_at,
    outcome_of,
    read_methods,
    read_payment,
    status_of,
)
from bridge.adapters.forte_platform.client import Client
from bridge.adapters.forte_platform.customers import user_of
from bridge.adapters.forte_platform.errors import NONSENSE, is_missing, refuse
from bridge.adapters.forte_platform.lists import Lists, as_query_time
from bridge.adapters.forte_platform.request import ATTEMPT, off_session
from bridge.adapters.forte_platform.settings import Options, is_id
from bridge.domain import logs
from bridge.domain.deadlines import ON_ITS_WAY
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderRefused, ProviderUnreachable
from bridge.domain.intents import Status
from bridge.domain.money import Money
from bridge.domain.outcomes import Decline, Outcome
from bridge.domain.ports import Clock
from bridge.schemas.forte_platform import CreatedSchema, QuoteSchema

log = logs.logger(__name__)
Json = dict[str, Any]

CLOCK_SKEW_SECONDS = 600.0
"""Seconds that clocks may differ, and that Forte's lists may lag behind."""
UNCONFIRMED_SECONDS = 48 * 3600.0
"""Seconds before a change during which its payment may have been made: Forte cancels after 24 hours."""
_LATE = ("PARTIALLY_REFUNDED", "REFUNDED")
"""States that a payment can get into long after it was made."""
_CREATED = CreatedSchema()
_QUOTE = QuoteSchema()


class Payments:
    """The payments of one project. Everything raises ProviderError."""

    def __init__(self, client: Client, lists: Lists, options: Options) -> None:
        self._client = client
        self._lists = lists
        self._options = options
        self._one_works = False

    def user_of(self, who: Mapping[str, str]) -> str:
        """Who is charged, or quoted for, where `users.payer` has said it."""
        return user_of(self._lists, who)

    def look(self) -> None:
        """Ask for the project's users, to see whether that is possible."""
        next(self._lists.users(), None)

    def create(self, request: Json, user: str) -> Outcome:
        """Send a request that nobody has sent before. What a browser needs leaves us only if the amount is right."""
        body, asked = request["body"], request["amount"]
        method = request.get("payment_method")
        with nothing_sent():
            if method is not None and self._has_saved(user, method):
                body = off_session(body, method)
        if "customerAddress" in body and not request["tax_on_top"]:
            cart = {name: body[name] for name in body if name in _QUOTED}
            with nothing_sent():
                quoted = self.quote(user, cart)
            require_sum(quoted, asked, body["currency"], tax_on_top=False)
        path = self._options.path("/users/{user}/payments", user=user)
        try:
            made = self._client.write("POST", path, body)
        except ProviderRefused as error:
            if error.code != DECLINED:
                raise
            return self._declined(request, user, error)
        answer = _read_created(made)
        expected = {"userId": user, "currency": body["currency"]}
        payment = self._ours(read_payment(answer["payment"], **expected))
        if attempt_of(payment) != body["metadata"][ATTEMPT]:
            raise ProviderConfused(NONSENSE)
        require_sum(payment, asked, body["currency"], tax_on_top=request["tax_on_top"])
        _require_mode(answer["stripePublishableKey"], self._options.live)
        if status_of(payment) not in _CONFIRMABLE:
            return outcome_of(payment)
        return outcome_of(
            payment,
            client_secret=answer["stripeClientSecret"],
            provider_data={
                "kind": "stripe_elements",
                "script_url": self._options.script_url,
                "stripe_account_required": True,
                **{name: answer[name] for name in _FOR_THE_BROWSER},
                "paymentId": payment["id"],
                "state": payment["state"],
            },
        )

    def saved(self, user: str) -> list[Json]:
        """The cards that a user has saved."""
        return read_methods(self._client.read(self._options.path("/users/{user}/payment-methods", user=user)))

    def _has_saved(self, user: str, method: str) -> bool:
        """Whether the method that the caller names is one of this user's: another one is chosen by the buyer."""
        path = "/users/{user}/payment-methods/{method}"
        try:
            answer = self._client.read(self._options.path(path, user=user, method=method))
        except ProviderRefused as error:
            if is_missing(error) or error.code == "PAYMENT_METHOD_NOT_FOUND":
                return False
            raise
        return isinstance(answer, dict) and answer.get("id") == method

    def _declined(self, request: Json, user: str, error: ProviderRefused) -> Outcome:
        """The payer's bank said no. If Forte keeps a payment of it, nobody has what it takes to confirm that."""
        decline = Decline("card_declined", str(error).removeprefix("Error: "))
        try:
            found = self.find(request["body"]["metadata"][ATTEMPT], user, None)
        except ProviderError:
            found = None
        if found is not None and found["state"] not in _EMPTY:  # rule 4: only a proven no frees the order
            return outcome_of(found)
        if found is not None:
            return replace(outcome_of(found), status=Status.CANCELED, decline=decline)
        currency = request["body"]["currency"].upper()
        return Outcome(Status.CANCELED, None, request["amount"], currency, decline=decline)

    def quote(self, user: str, body: Json) -> Json:
        """What a cart would cost. ProviderConfused if the amounts do not add up."""
        answer = self._client.quote(self._options.path("/users/{user}/payments/preview", user=user), body)
        try:
            quote = _QUOTE.read(answer)
        except ValueError:
            raise ProviderConfused(NONSENSE) from None
        asked = [line["unitAmountCents"] * line["quantity"] for line in body["lineItems"]]
        tax = sum(line["taxAmountCents"] for line in quote["lineItems"])
        right = (
            quote["currency"].lower() == body["currency"],
            len(quote["lineItems"]) == len(asked),
            quote["subtotalCents"] == sum(asked),
            quote["taxCents"] == tax,
            quote["amountCents"] == sum(asked) + tax,
            not tax or "customerAddress" in body,
        )
        if not all(right):
            raise ProviderConfused(NONSENSE)
        return quote

    def one(self, reference: str) -> Json:
        """A payment by Forte's id. Where the API cannot get one by its id, it is looked for in the lists."""
        if is_id(reference):
            if self._options.payment_path and (payment := self._at_its_place(reference)):
                return payment
            for item in () if self._one_works else self._lists.of_project():
                if isinstance(item, dict) and item.get("id") == reference:
                    return self._ours(read_payment(item))
        raise refuse(
            "payment_missing", f"Forte does not have the payment {reference[:80]} in this project.", status=404
        )

    def find(self, attempt: str, user: str | None, since: float | None) -> Json | None:
        """The payment of an attempt, made at or after `since` (Unix seconds). Raises ProviderRefused if there is no
        such user."""
        query = {"metadataKey": ATTEMPT, "metadataValue": attempt}
        if since is not None:
            query["minTime"] = as_query_time(since)
        items = self._lists.of_project(**query) if user is None else self._lists.of_user(user, **query)
        try:
            found = [self._ours(read_payment(item)) for item in items if _attempt(item) == attempt]
        except ProviderRefused as error:
            if is_missing(error):
                raise refuse(
                    "user_missing", f"Forte does not have the user {user} in this project.", status=404
                ) from None
            raise
        found = [payment for payment in found if (payment["createdAt"] or since or 0.0) >= (since or 0.0)]
        if len(found) > 1:
            log.error("attempt %s has %d payments at Forte", attempt, len(found))
        return max(found, key=lambda payment: payment["state"] not in _EMPTY, default=None)

    def changed(self, since: float) -> Iterator[Json]:
        """Our payments that were made or changed since then. Forte's lists know only when a payment was made, so that
        refunds, which come late, are asked for by their states."""
        lower, seen = since - CLOCK_SKEW_SECONDS, set[str]()
        for query in ({"minTime": as_query_time(lower - UNCONFIRMED_SECONDS)}, *({"state": state} for state in _LATE)):
            for payment in self._readable(query):
                if payment["id"] not in seen and (changed_at(payment) or lower) >= lower:
                    seen.add(payment["id"])
                    yield payment

    def _at_its_place(self, reference: str) -> Json | None:
        try:
            answer = self._client.read(self._options.fill(self._options.payment_path, payment=reference))
        except ProviderError as error:
            if is_missing(error):
                return None
            raise
        payment = self._ours(read_payment(answer, id=reference))
        self._one_works = True
        return payment

    def _readable(self, query: Mapping[str, str]) -> Iterator[Json]:
        items = self._lists.of_project(**query)
        while True:
            try:
                item = next(items, None)
            except ProviderRefused as error:
                if query.get("state") == "PARTIALLY_REFUNDED" and not is_missing(error):  # an API without parts
                    return
                raise
            if item is None:
                return
            if _attempt(item) is None:
                continue
            try:
                yield self._ours(read_payment(item))
            except ProviderConfused:
                log.warning("a payment in Forte's list cannot be read: %s", str(item.get("id"))[:80])

    def _ours(self, payment: Json) -> Json:
        """The payment, if it is of our project. Raises ProviderConfused."""
        if payment["projectId"] not in ("", self._options.project):
            raise ProviderConfused(NONSENSE)
        return payment


@contextmanager
def nothing_sent() -> Iterator[None]:
    """For questions before a payment is made: an answer that makes no sense leaves nothing unknown."""
    try:
        yield
    except ProviderConfused as error:
        raise ProviderUnreachable(str(error), sent=False) from None


DECLINED = "PAYMENT_DECLINED"
_CONFIRMABLE = (Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION)
"""What a buyer can go on with; of anything else nothing is handed out that could be paid with."""
_QUOTED = ("currency", "lineItems", "customerAddress", "shippingAddress")
_FOR_THE_BROWSER = ("stripeClientSecret", "stripePublishableKey", "stripeConnectedAccountId")
_EMPTY = ("DRAFT", "CANCELLED", "FAILED")
"""States without money in them."""


def _attempt(item: Any) -> Any:
    """Our mark in what may be a payment."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return metadata.get(ATTEMPT) if isinstance(metadata, dict) else None


def _read_created(answer: Any) -> Json:
    try:
        created = _CREATED.read(answer)
    except ValueError:
        raise ProviderConfused(NONSENSE) from None
    return {**created, "payment": answer["payment"]}


def require_sum(answer: Json, asked: int, currency: str, *, tax_on_top: bool) -> None:
    """Raises ProviderRefused for an amount that is not the order's. If there is a payment already, nobody can confirm
    it: what that takes is discarded."""
    total, subtotal = answer["amountCents"], answer["subtotalCents"]
    if total == asked or (tax_on_top and subtotal == asked and total == subtotal + answer["taxCents"]):
        return
    raise refuse(
        "amount_differs",
        f"Forte would charge {Money(total, currency.upper())} for an order of {Money(asked, currency.upper())}. "
        "Nothing was charged.",
    )


def _require_mode(publishable_key: str, live: bool) -> None:
    """Raises ProviderRefused for a key of the other mode; the payment behind it cannot be confirmed then either."""
    mode = "live" if live else "test"
    if not publishable_key.startswith(f"pk_{mode}_"):
        raise refuse("mode_differs", f"The Forte project is in the other mode: this store is in {mode} mode.")


class Once:
    """Keys of requests that were sent. `timeout` is in seconds. Thread-safe."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._kept = timeout + ON_ITS_WAY
        self._sent: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, key: str) -> bool:
        """Whether nobody has sent this key lately; from now on somebody has."""
        now = self._clock()
        with self._lock:
            self._forget(now - self._kept)
            if key in self._sent:
                return False
            self._sent[key] = now
            return True

    def undo(self, key: str) -> None:
        """It was not sent after all, or it is proven that nothing was done."""
        with self._lock:
            self._sent.pop(key, None)

    def _forget(self, until: float) -> None:
        """Those that were sent until then; the oldest stands first."""
        while self._sent:
            oldest, sent_at = next(iter(self._sent.items()))
            if sent_at > until:
                return
            del self._sent[oldest]
