"""The simulated Payments API of Forte Platforms as a WSGI application, with hands for tests and demos.

What the endpoints do is in the modules beside it. Live settings are refused.
"""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from io import BytesIO
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from werkzeug.wrappers import Request

from ..ledger import Ledger
from ..stripe.cards import by_name
from . import lifecycle, triggers
from .deliveries import Attempt, Courier
from .dispatch import Change, Front, Manners, Mischief
from .errors import STATUSES, ForteError, Json, with_statuses
from .journal import RequestRecord
from .routes import build_map
from .state import AuditEntry, Delivery, Payment, Project, SavedMethod, Service, State, User

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Thing = TypeVar("Thing")
UserState = Literal["ACTIVE", "SUSPENDED", "DELETED"]


class FortePlatformSimulator:
    """A stateful stand-in for the part of Forte Platforms that payments need. Thread-safe.

    `api_key` opens every project that has no key of its own; `clock` gives Unix seconds, `random` all ids, `ledger` is
    where money facts go, `version` the API's: that of August 2026, or of May. What is not documented can be chosen:
    `statuses` (HTTP status by key of STATUSES), `fetch_one` (whether a payment can be got by its id),
    `triggers_on_refund` (whether a refund by API fires a trigger) and `page_size`. `trigger_timeout` is in seconds of
    real time, `tls` what trusts the certificates of https services.
    ValueError if `api_key` does not start with forte_test_.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        ledger: Ledger | None = None,
        version: Literal["2026-05", "2026-08"] = "2026-08",
        statuses: Mapping[str, int] | None = None,
        fetch_one: bool = True,
        triggers_on_refund: bool = False,
        page_size: int = 5,
        trigger_timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ledger = Ledger(clock=clock) if ledger is None else ledger
        self._state = State(clock, random or SystemRandom(), self.ledger)
        self.api_key = _checked_key(f"forte_test_{self._state.letters(32)}" if api_key is None else api_key)
        routes = build_map(version, fetch_one=fetch_one)
        self._manners = Manners(version, with_statuses(statuses), routes, page_size, triggers_on_refund)
        self._front = Front(self._state, self._manners, self)
        self._courier = Courier(self._state, trigger_timeout, tls)

    def add_project(
        self,
        *,
        sandbox: bool = True,
        compliance: str = "APPROVED",
        payments_set_up: bool = True,
        api_key: str | None = None,
    ) -> str:
        """A new project's id. A project that is not a sandbox looks live: its publishable key starts with pk_live_, and
        it needs a `compliance` of APPROVED. ValueError for a key that does not start with forte_test_."""
        state = self._state
        with state.lock:
            key = self.api_key if api_key is None else _checked_key(api_key)
            project = Project(
                state.mint("prj"), sandbox, compliance, payments_set_up, state.mint("acct"), state.keys[sandbox], key
            )
            state.projects[project.id] = project
            return project.id

    def update_project(
        self, project: str, *, compliance: str | None = None, payments_set_up: bool | None = None
    ) -> None:
        """Let the owner's registration move on."""
        given = {"compliance": compliance, "payments_set_up": payments_set_up}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        with self._state.lock:
            self._state.projects[project] = replace(self.project(project), **changes)

    def project(self, project: str) -> Project:
        """The project as it is now. LookupError if there is none."""
        return _known(self._state.projects, project, "project")

    def add_user(
        self,
        project: str,
        email: str | None = None,
        *,
        phone: str | None = None,
        full_name: str | None = None,
        state: UserState = "ACTIVE",
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        """A new user's id; two users of a project may have the same e-mail address. LookupError without the project."""
        kept = self._state
        with kept.lock:
            user = User(
                sequence=len(kept.users) + 1,
                id=kept.mint("usr"),
                project=self.project(project).id,
                contact_id=kept.mint("contact"),
                email=email,
                phone=phone,
                full_name=full_name,
                state=state,
                metadata=dict(metadata or {}),
                created=kept.clock(),
            )
            kept.users[user.id] = user
            return user.id

    def add_payment_method(self, user: str, name: str = "pm_card_visa") -> str:
        """A test card that the user has saved, by its public name; the method's id. LookupError without the user,
        ValueError for another name."""
        card = by_name(name)
        if card is None:
            raise ValueError(f"{name!r} is not one of Stripe's test payment methods")
        with self._state.lock:
            _known(self._state.users, user, "user")
            method = SavedMethod(self._state.mint("pm").replace("pm_", "pm_1", 1), user, card)
            self._state.methods[method.id] = method
            return method.id

    def set_user_state(self, user: str, state: UserState) -> None:
        """Suspend, delete or reactivate a user. LookupError if there is none."""
        with self._state.lock:
            self._state.users[user] = replace(_known(self._state.users, user, "user"), state=state)

    def add_service(self, project: str, *, base_url: str | None = None) -> str:
        """A new service's id. Triggers are sent below `base_url`, http or https; without one nothing answers there.
        LookupError without the project, ValueError for another scheme."""
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise ValueError("a service's base_url starts with http:// or https://")
        with self._state.lock:
            service = Service(self._state.mint("svc"), self.project(project).id, base_url)
            self._state.services[service.id] = service
            return service.id

    def payment(self, payment: str) -> Json:
        """A payment in Forte's shape. LookupError if there is none."""
        with self._state.lock:
            lifecycle.sweep(self._state)
            return self._payment(payment).shape

    @property
    def payments(self) -> tuple[Json, ...]:
        """Every payment in Forte's shape, oldest first."""
        with self._state.lock:
            lifecycle.sweep(self._state)
            return tuple(payment.shape for payment in self._state.payments.values())

    def audit_trail(self, user: str) -> tuple[AuditEntry, ...]:
        """What Forte's audit trail has of a user, oldest first."""
        with self._state.lock:
            return tuple(entry for entry in self._state.audit if entry.user_id == user)

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """Every request answered so far, oldest first."""
        with self._state.lock:
            return tuple(self._front.requests)

    def set_stripe_status(self, payment: str, status: str) -> None:
        """Stripe reports a status of the payment intent behind a payment. LookupError if there is no such payment,
        ValueError for a move that payment intents do not make."""
        with self._state.changed:
            lifecycle.sweep(self._state)
            lifecycle.move(self._state, self._payment(payment), status)
            self._state.changed.notify_all()

    def refund_on_stripe(self, payment: str, amount: int | None = None) -> None:
        """A refund that was made on Stripe's dashboard: of `amount` minor units, or of all that is left. LookupError if
        there is no such payment, ValueError if this cannot be refunded."""
        with self._state.changed:
            try:
                lifecycle.refund(self._state, self._payment(payment), amount)
            except ForteError as problem:
                raise ValueError(str(problem)) from problem
            self._state.changed.notify_all()

    def fire(self, payment: str, *, state: str) -> None:
        """Send the project's triggers a `state`, true or not, as of now. LookupError if there is no such payment."""
        with self._state.changed:
            triggers.fire(self._state, self._payment(payment), state, self._state.clock())
            self._state.changed.notify_all()

    def refuse_next(self, code: str, *, match: str = "", times: int = 1) -> None:
        """Answer the next `times` API requests that have `match` in "METHOD /path" with this error, unprocessed.
        ValueError for a code that is not in STATUSES."""
        if code not in STATUSES:
            raise ValueError(f"no such error code: {code}")
        with self._state.lock:
            self._front.mischief.append(Mischief(match, times, code=code))

    def spoil_next(self, change: Change, *, match: str = "", times: int = 1) -> None:
        """Change the JSON and the status of the next answers to API requests that have `match` in "METHOD /path", after
        the work is done; errors stay as they are."""
        with self._state.lock:
            self._front.mischief.append(Mischief(match, times, change=change))

    def deliver_due(self) -> tuple[Attempt, ...]:
        """Make the attempts of triggers that are due by the clock, and return them."""
        return self._courier.deliver_due()

    def start_deliveries(self) -> None:
        """Deliver triggers as they become due, in a background thread, until `close`."""
        self._courier.background.start()

    def close(self) -> None:
        """End the background thread. May be called twice, and without one."""
        self._courier.background.close()

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What triggers were owed so far, oldest first, each as it is now."""
        with self._state.lock:
            return tuple(replace(delivery) for delivery in self._state.deliveries)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt to deliver a trigger, oldest first."""
        with self._state.lock:
            return tuple(self._courier.attempts)

    @property
    def sentry(self) -> tuple[str, ...]:
        """What Forte's own error log has: a line per abandoned delivery."""
        with self._state.lock:
            return tuple(self._courier.sentry)

    def wait_until(self, true: Callable[[], bool], timeout: float = 30.0) -> bool:
        """Wait until a condition holds, looking again after each change; whether it did within `timeout` seconds. It
        may ask this object anything, but send it no request."""
        with self._state.changed:
            return self._state.changed.wait_for(true, timeout)

    def reset(self) -> None:
        """Forget what was asked, paid and sent, and what was to be refused or spoilt. Projects, users, services,
        triggers and ledger stay."""
        with self._state.changed:
            self._state.reset()
            self._front = Front(self._state, self._manners, self)
            self._courier.reset()
            self._state.changed.notify_all()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        environ["wsgi.input"] = BytesIO(request.get_data())  # the network is waited for without the lock
        return self._front.respond(request)(environ, start_response)

    def _payment(self, payment: str) -> Payment:
        return _known(self._state.payments, payment, "payment")


def _known(kept: Mapping[str, Thing], identifier: str, noun: str) -> Thing:
    try:
        return kept[identifier]
    except KeyError as error:
        raise LookupError(f"there is no {noun} {identifier}") from error


def _checked_key(key: str) -> str:
    if not key.startswith("forte_test_"):
        raise ValueError("the simulator's API keys start with forte_test_")
    return key
