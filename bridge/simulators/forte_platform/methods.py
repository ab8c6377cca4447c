"""A user's saved payment methods, which can be charged off session. Cards only: no test account is verified here.

Source: the SDK's type PaymentMethodObject, of August 2026.
"""

from .errors import ForteError, Json
from .state import Call, SavedMethod, User


def list_all(call: Call) -> list[Json]:
    user = call.state.user(call.project, call.ids["user"])
    return [one.shape for one in call.state.methods.values() if one.user == user.id]


def find(call: Call) -> Json:
    return owned(call, call.state.user(call.project, call.ids["user"]), call.ids["method"]).shape


def owned(call: Call, user: User, method: str) -> SavedMethod:
    """The user's method. ForteError PAYMENT_METHOD_NOT_FOUND if there is none, or only another user's."""
    found = call.state.methods.get(method)
    if found is None or found.user != user.id:
        raise ForteError("PAYMENT_METHOD_NOT_FOUND", f"The user has no payment method {method}.")
    return found
