"""Customers and accounts: who pays, and who is paid.

Sources: https://docs.stripe.com/api/customers and https://docs.stripe.com/api/accounts.
"""

from .errors import ApiError, Json
from .events import publish
from .listing import page
from .state import Call, State, merged_metadata

_PLAIN = ("description", "email", "name", "phone")


def make_customer(state: State, account: str, given: Json, identifier: str | None = None) -> Json:
    """A new customer of `account`, from the creation parameters."""
    return state.add(
        account,
        {
            "id": identifier or state.mint("cus"),
            "object": "customer",
            "address": given.get("address") or None,
            "balance": 0,
            "created": state.now(),
            "currency": None,
            "default_source": None,
            "delinquent": False,
            **{name: given.get(name) or None for name in _PLAIN},
            "discount": None,
            "invoice_prefix": state.letters(8).upper(),
            "invoice_settings": dict.fromkeys(
                ("custom_fields", "default_payment_method", "footer", "rendering_options")
            ),
            "livemode": False,
            "metadata": merged_metadata({}, given.get("metadata")),
            "next_invoice_sequence": 1,
            "preferred_locales": given.get("preferred_locales", []),
            "shipping": given.get("shipping") or None,
            "tax_exempt": given.get("tax_exempt") or "none",
            "test_clock": None,
        },
    )


def adopt_customer(state: State, account: str, identifier: str) -> None:
    """Make a customer with an id that somebody else made up; if another account has one, it is known by that name."""
    if (account, identifier) in state.adopted or not identifier.startswith("cus_"):
        return
    if state.anywhere(identifier) is None:
        make_customer(state, account, {}, identifier)
    elif state.owner(identifier) != account:
        state.adopted[account, identifier] = make_customer(state, account, {})["id"]


def create(call: Call) -> Json:
    customer = make_customer(call.state, call.account, call.params)
    publish(call.state, "customer.created", customer)
    return customer


def retrieve(call: Call) -> Json:
    return call.find("customer")


def update(call: Call) -> Json:
    customer = call.find("customer")
    metadata = merged_metadata(customer["metadata"], call.params.get("metadata"))
    before = {name: customer[name] for name in call.params if name in customer}
    for name in (*_PLAIN, "address", "shipping"):
        if name in call.params:
            customer[name] = call.params[name] or None
    customer["metadata"] = metadata
    publish(call.state, "customer.updated", customer, **before)
    return customer


def list_all(call: Call) -> Json:
    return page(call.state.all(call.account, "customer", **call.given("email")), call.params, "/v1/customers")


def make_account(state: State, account: str, country: str, currency: str) -> Json:
    """An account that can charge and be paid. The platform's is one like the others, and owns itself."""
    return state.add(
        account,
        {
            "id": account,
            "object": "account",
            "business_profile": dict.fromkeys(("mcc", "name", "support_email", "support_phone", "support_url", "url")),
            "business_type": "company",
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": True,
            "controller": {"type": "account"},
            "country": country,
            "created": state.now(),
            "default_currency": currency,
            "details_submitted": True,
            "email": None,
            "metadata": {},
            "payouts_enabled": True,
            "requirements": no_requirements(),
            "settings": {
                "card_payments": {"statement_descriptor_prefix": "WCPAY"},
                "payments": {"statement_descriptor": "WCPAY-BRIDGE"},
            },
            "type": "standard",
        },
    )


def no_requirements() -> Json:
    """The `requirements` of an account of which Stripe wants nothing."""
    wanted = ("alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification")
    return {"current_deadline": None, "disabled_reason": None, **{name: [] for name in wanted}}


def no_access(account: str) -> ApiError:
    """What Stripe answers for an account that is not the key's own and not connected to it."""
    message = f"The provided key does not have access to account '{account}' (or that account does not exist)."
    return ApiError(403, f"{message} Application access may have been revoked.", code="account_invalid")


def retrieve_account(call: Call) -> Json:
    """An account by id: the caller's own, or for the platform any that is connected."""
    account = call.ids.get("id", call.account)
    if not call.state.is_account(account) or call.account not in (account, call.state.platform):
        raise no_access(account)
    return call.state.find(account, "account", account)
