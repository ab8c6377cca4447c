"""What happens to a connected account: Stripe restricts it, or its owner disconnects it from the platform.

Sources: https://docs.stripe.com/api/accounts/object (`requirements`), https://docs.stripe.com/connect/webhooks.
"""

from collections.abc import Iterable

from .customers import no_requirements
from .errors import Json, invalid
from .events import publish
from .state import State


def restrict(state: State, account: Json, reason: str, missing: Iterable[str]) -> Json:
    """Stripe takes no charges for it any more, for a reason such as `requirements.past_due`."""
    wanted = list(missing)
    requirements = no_requirements() | {"disabled_reason": reason, "currently_due": wanted, "past_due": wanted}
    return _update(state, account, charges_enabled=False, payouts_enabled=False, requirements=requirements)


def enable(state: State, account: Json) -> Json:
    """Stripe has what it wanted, or the owner has connected the account again."""
    if account["id"] in state.disconnected:
        state.disconnected.discard(account["id"])
        _tell_application(state, account, "authorized")
    return _update(state, account, charges_enabled=True, payouts_enabled=True, requirements=no_requirements())


def disconnect(state: State, account: Json) -> Json:
    """The owner takes the platform's access away: it is told so, and then nothing any more."""
    _tell_application(state, account, "deauthorized")
    state.disconnected.add(account["id"])
    return account


def check_enabled(state: State, account: str) -> None:
    """ApiError 400 while Stripe takes no charges for the account."""
    if not state.find(account, "account", account)["charges_enabled"]:
        raise invalid("Your account cannot currently make charges.")


def _update(state: State, account: Json, **changes: object) -> Json:
    before = {name: account[name] for name in changes}
    account.update(changes)
    publish(state, "account.updated", account, **before)
    return account


def _tell_application(state: State, account: Json, what: str) -> None:
    application = {"id": state.application, "object": "application", "name": "wcpay-bridge"}
    publish(state, f"account.application.{what}", application, account["id"])
