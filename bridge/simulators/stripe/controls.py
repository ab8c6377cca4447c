"""What happens at Stripe without a request of ours: payers, issuers, banks and readers act, and events are sent.

These are the hands of tests and demos. LookupError for an id that nobody has, ValueError for what cannot happen now.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from . import (
    accounts,
    captures,
    confirmation,
    customers,
    disputes,
    payment_methods,
    refunds,
    terminal,
    webhook_endpoints,
)
from .cards import by_name
from .errors import Json
from .sending import Attempt, Postman, Spoil, Webhook, webhook
from .state import State, snapshot
from .webhooks import ROTATION, Delivery, WebhookEndpoint


class Controls:
    """The hands on one simulator. What they answer are copies; `close` ends the deliveries."""

    def __init__(self, state: State, postman: Postman) -> None:
        self._state = state
        self._postman = postman

    @property
    def platform(self) -> str:
        """The id of the account that the secret key belongs to."""
        return self._state.platform

    def add_account(self, account: str | None = None, country: str = "US", currency: str = "usd") -> str:
        """Connect an account to the platform and return its id. ValueError if the id is taken."""
        with self._state.lock:
            account = self._state.mint("acct") if account is None else account
            if self._state.is_account(account):
                raise ValueError(f"there is an account {account} already")
            customers.make_account(self._state, account, country, currency)
            return account

    def restrict_account(
        self, account: str, reason: str = "requirements.past_due", missing: Iterable[str] = ("external_account",)
    ) -> Json:
        """Stripe takes no charges for an account any more; returns the account."""
        return self._change("account", account, lambda found: accounts.restrict(self._state, found, reason, missing))

    def enable_account(self, account: str) -> Json:
        """A restricted account can be charged again, a disconnected one is connected again; returns the account."""
        return self._change("account", account, lambda found: accounts.enable(self._state, found))

    def disconnect_account(self, account: str) -> Json:
        """The account's owner takes the platform's access away; returns the account."""
        return self._change("account", account, lambda found: accounts.disconnect(self._state, found))

    def add_customer(self, account: str | None = None, email: str | None = None) -> str:
        """Make a customer of the platform, or of a connected account, and return its id."""
        with self._state.lock:
            made = customers.make_customer(self._state, account or self.platform, {"email": email})
            return str(made["id"])

    def add_payment_method(
        self, name: str = "pm_card_visa", customer: str | None = None, account: str | None = None
    ) -> str:
        """Make a payment method and return its id: of a test card by its public name, saved for `customer` if one is
        given, or a saved one of the kind `link` or `sepa_debit`, which cannot pay here. ValueError for other names."""
        card = by_name(name)
        if card is None and name not in payment_methods.CARDLESS:
            raise ValueError(f"{name!r} is not one of Stripe's test payment methods")
        with self._state.lock:
            owner = account or self.platform
            payer = None if customer is None else self._state.find(owner, "customer", customer)
            if card is not None:
                method = payment_methods.make(self._state, owner, card)
                if payer is not None:
                    payment_methods.save_for(method, payer)
            elif payer is None:
                raise ValueError(f"a {name} method is a customer's")
            else:
                method = payment_methods.make_saved(self._state, payer, name)
            return str(method["id"])

    def find(self, identifier: str) -> Json:
        """A copy of any account's object."""
        with self._state.lock:
            self._state.catch_up()
            found = self._state.anywhere(identifier)
            if found is None:
                raise LookupError(f"no object has the id {identifier}")
            return snapshot(found)

    def authenticate(self, intent: str, success: bool = True) -> Json:
        """Answer the cardholder's challenge of an intent that requires action; returns the intent as it is then."""

        def answer(found: Json) -> Json:
            if found["status"] != "requires_action":
                raise ValueError(f"{intent} is not waiting for an authentication: it is {found['status']}")
            return confirmation.authenticate(self._state, found, success)

        return self._change("payment_intent", intent, answer)

    def answer_later(self, payment_method: str) -> None:
        """Have the issuer of this payment method think: an intent that it pays is processing until `settle`."""

        def slow_down(found: Json) -> Json:
            self._state.slow.add(found["id"])
            return found

        self._change("payment_method", payment_method, slow_down)

    def settle(self, intent: str, accepted: bool = True) -> Json:
        """The issuer's answer to an intent that is processing; returns the intent as it is then."""
        return self._change("payment_intent", intent, lambda found: confirmation.settle(self._state, found, accepted))

    def create_at_reader(
        self,
        amount: int,
        currency: str = "usd",
        *,
        account: str | None = None,
        kinds: Sequence[str] = ("card_present",),
        capture_method: str = "manual",
        metadata: Mapping[str, object] | None = None,
        transfer_to: str | None = None,
    ) -> Json:
        """A payment intent that an app makes with the Terminal SDK, on the platform or on `account`; returns it.
        `amount` is minor units, `transfer_to` the account that the money of a destination charge goes to."""
        with self._state.lock:
            made = terminal.create_by_sdk(
                self._state,
                account or self.platform,
                amount,
                currency,
                kinds=kinds,
                capture_method=capture_method,
                metadata=metadata,
                transfer_to=transfer_to,
            )
            return snapshot(made)

    def present_card(self, intent: str, name: str = "pm_card_visa", tip: int = 0) -> Json:
        """Present a card to the reader, `pm_card_interac` for an Interac one: the reader confirms the intent, with a
        `tip` (minor units) on top if one was chosen. Returns the intent as it is then: a decline is not an exception
        here."""
        return self._change("payment_intent", intent, lambda found: terminal.present(self._state, found, name, tip))

    def expire(self, intent: str) -> Json:
        """End the hold of an intent that requires capture, as time would; returns the intent as it is then."""

        def end(found: Json) -> Json:
            if found["status"] != "requires_capture":
                raise ValueError(f"{intent} holds no money: it is {found['status']}")
            charge = self._state.anywhere(found["latest_charge"])
            assert charge is not None
            captures.expire_if_held(self._state, found, charge)
            return found

        return self._change("payment_intent", intent, end)

    def complete_refund(self, refund: str) -> Json:
        """A pending refund reaches the payer; returns the refund as it is then."""
        return self._change("refund", refund, lambda found: refunds.succeed(self._state, found))

    def fail_refund(self, refund: str, reason: str = "unknown") -> Json:
        """A refund does not reach the payer, although it may have succeeded; returns the refund as it is then."""
        return self._change("refund", refund, lambda found: refunds.fail(self._state, found, reason))

    def dispute(
        self,
        charge: str,
        reason: str = "fraudulent",
        amount: int | None = None,
        inquiry: bool = False,
        currency: str = "",
    ) -> Json:
        """The cardholder disputes `amount` minor units, by default all that is left; returns the dispute. An `inquiry`
        takes no money. `currency` (lower case) is the charge's unless it is given."""
        return self._change(
            "charge", charge, lambda found: disputes.begin(self._state, found, reason, amount, inquiry, currency)
        )

    def escalate_dispute(self, dispute: str) -> Json:
        """An inquiry becomes a dispute that takes money; returns the dispute."""
        return self._change("dispute", dispute, lambda found: disputes.escalate(self._state, found))

    def close_dispute(self, dispute: str, won: bool) -> Json:
        """The bank decides; returns the dispute. An inquiry is closed without a winner."""
        return self._change("dispute", dispute, lambda found: disputes.close(self._state, found, won))

    @property
    def events(self) -> tuple[Json, ...]:
        """Every event of every account, oldest first."""
        with self._state.lock:
            self._state.catch_up()
            return tuple(snapshot(event) for event in self._state.everywhere("event"))

    def add_webhook_endpoint(
        self,
        url: str,
        *,
        connect: bool,
        secrets: Iterable[str] = (),
        enabled_events: str | Iterable[str] = "*",
        account: str | None = None,
        thin: bool = False,
    ) -> WebhookEndpoint:
        """An endpoint of the platform (or of `account`) for its own events, or with `connect` for those of the
        connected accounts; a `thin` one gets thin events. Each of `secrets`, newest first, signs; without any it gets
        one."""
        events = (enabled_events,) if isinstance(enabled_events, str) else tuple(enabled_events)
        with self._state.lock:
            return webhook_endpoints.make(
                self._state, account or self.platform, url, secrets, connect=connect, events=events, thin=thin
            )

    def rotate_secret(self, endpoint: str, secret: str | None = None, keep_for: float = ROTATION) -> str:
        """Give an endpoint a new secret and return it; the older ones sign too for `keep_for` seconds more."""
        with self._state.lock:
            return webhook_endpoints.rotate(self._state, self._endpoint(endpoint), secret, keep_for)

    def signed(self, event: str, endpoint: str) -> Webhook:
        """An event as the endpoint would be sent it now, to be sent by somebody else."""
        with self._state.lock:
            found = self._state.anywhere(event)
            if found is None or found["object"] != "event":
                raise LookupError(f"no event has the id {event}")
            return webhook(found, self._endpoint(endpoint), self._state.clock())

    def repeat(self, event: str) -> int:
        """Send an event again to every endpoint that wants it; returns to how many."""
        with self._state.lock:
            found = self._state.anywhere(event)
            if found is None or found["object"] != "event":
                raise LookupError(f"no event has the id {event}")
            account = self._state.owner(event)
            wanting = [
                one for one in self._state.webhooks.endpoints if one.wants(found["type"], account, self.platform)
            ]
            self._state.changed.notify_all()
            return self._state.webhooks.queue(found, wanting)

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """The deliveries that are still to be made, due or not, in the order in which they are due."""
        with self._state.lock:
            self._state.catch_up()
            return self._state.webhooks.pending

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt of a delivery, oldest first."""
        return self._postman.attempts

    def deliver_due(self, wanted: Callable[[Delivery], bool] = lambda _delivery: True) -> tuple[Attempt, ...]:
        """Send what is due by the clock, or the wanted part of it, one after the other; returns the attempts."""
        return self._postman.deliver(wanted)

    def spoil_next_webhook(self, change: Spoil) -> None:
        """Change the next webhook after it was signed. None loses it, and Stripe believes that it arrived."""
        self._postman.spoil_next(change)

    def start_deliveries(self) -> None:
        """Deliver in a background thread, until `close`."""
        self._postman.background.start()

    def close(self) -> None:
        """End the background thread. May be called twice, and without one."""
        self._postman.background.close()

    def wait_until(self, true: Callable[[], bool], timeout: float = 30.0) -> bool:
        """Wait until a condition holds, looking again after each event and attempt; whether it did within `timeout`
        seconds."""
        with self._state.changed:
            return self._state.changed.wait_for(true, timeout)

    def _endpoint(self, identifier: str) -> WebhookEndpoint:
        found = self._state.webhooks.find(identifier)
        if found is None:
            raise LookupError(f"no webhook endpoint has the id {identifier}")
        return found

    def _change(self, kind: str, identifier: str, change: Callable[[Json], Json]) -> Json:
        with self._state.lock:
            self._state.catch_up()
            found = self._state.anywhere(identifier)
            if found is None or found["object"] != kind:
                raise LookupError(f"no {kind.replace('_', ' ')} has the id {identifier}")
            return snapshot(change(found))
