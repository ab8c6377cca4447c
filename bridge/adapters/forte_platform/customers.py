"""Whose user pays: the owner's table, or the one user of the project who has verified the order's e-mail address.

Forte's users register themselves; one cannot be created from here, and nobody is charged under another one's id.
"""

from collections.abc import Mapping
from typing import Any

from bridge.adapters.forte_platform.errors import NONSENSE, refuse
from bridge.adapters.forte_platform.lists import Lists
from bridge.adapters.forte_platform.settings import Options
from bridge.adapters.identifiers import stripe_identifier
from bridge.domain.errors import InvalidParameter, ProviderConfused, Refused
from bridge.schemas.forte_platform import UserSchema

_USER = UserSchema()


def payer(options: Options, customer: Any, email: str) -> dict[str, str]:
    """Who is charged: `user`, or `email` where that has to be looked up. Raises InvalidParameter."""
    known = options.users.get(stripe_identifier("customer", customer), options.default_user)
    if known:
        return {"user": known}
    if options.user_by_email and email:
        return {"email": email}
    why = "the order has no e-mail address to look for" if options.user_by_email else "the setting users has none"
    raise InvalidParameter("customer", f"No Forte user is known for customer {customer}: {why}.")


def quoted(options: Options, customer: str, email: str) -> dict[str, str]:
    """For whom a cart is quoted, like `payer`. A quote charges nobody. Raises Refused."""
    if not customer and options.preview_user:
        return {"user": options.preview_user}
    if customer:
        return payer(options, customer, email)
    if options.default_user:
        return {"user": options.default_user}
    raise Refused("Forte quotes for a user only: name the customer, or set preview_user.", reason="customer_required")


def user_of(lists: Lists, who: Mapping[str, str]) -> str:
    """The id of `payer`'s answer. Raises ProviderRefused unless exactly one user has the address."""
    if "user" in who:
        return who["user"]
    found = {user for one in lists.users(email=who["email"]) if (user := _verified(one, who["email"]))}
    if len(found) == 1:
        return found.pop()
    if found:
        raise refuse("user_ambiguous", "More than one user of the Forte project has verified the e-mail address.")
    raise refuse("user_missing", "No active user of the Forte project has verified the e-mail address.")


def _verified(answer: Any, email: str) -> str:
    """The user's id, if they may be charged and the address is theirs."""
    try:
        user = _USER.read(answer)
    except ValueError:
        raise ProviderConfused(NONSENSE) from None
    theirs = [contact["email"].casefold() for contact in user["contactMethods"] if contact["verified"]]
    return str(user["userId"]) if user["state"] == "ACTIVE" and email.casefold() in theirs else ""
