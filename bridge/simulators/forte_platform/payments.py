"""Quotes and payments: what a cart costs, and the payment that is made of it. Nothing here is idempotent, as at Forte.

Source: Forte's guide "Creating Payments". Amounts are minor units.
"""

from ..stripe.cards import Authentication
from ..stripe.currencies import check_amount, check_currency
from ..stripe.errors import ApiError
from ..stripe.state import merged_metadata
from . import tax
from .errors import ForteError, Json
from .lifecycle import enter, move
from .methods import owned
from .state import Call, Payment, Project, Quote, SavedMethod, State


def preview(call: Call) -> Json:
    """The totals of a cart. Nothing is kept, and nothing is written into the audit trail."""
    _check_user_and_project(call)
    quote = _quote(call.body)
    shown = {
        "subtotalCents": quote.subtotal,
        "taxCents": quote.tax,
        "amountCents": quote.amount,
        "currency": quote.currency,
        "lineItems": list(quote.lines),
        "customerAddress": quote.addresses.get("customerAddress"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def create(call: Call) -> Json:
    """A new payment, DRAFT, and what a browser needs to pay it; off session it is charged at once."""
    state = call.state
    _check_user_and_project(call)
    quote = _quote(call.body)
    _check_total(quote)
    saved = _saved(call)
    intent_id = state.mint("pi")
    payment = Payment(
        sequence=len(state.payments) + 1,
        id=state.mint("pay"),
        project=call.project,
        user_id=call.ids["user"],
        quote=quote,
        description=call.body.get("description"),
        metadata=_metadata(call.body),
        intent_id=intent_id,
        charge_id=state.mint("ch"),
        tax_calculation=None if quote.tax is None else state.mint("taxcalc"),
        created=state.clock(),
        client_secret=f"{intent_id}_secret_{state.letters(25)}",
        supported=tuple(call.body.get("supportedPaymentMethods") or ("CREDIT_CARD",)),
    )
    state.payments[payment.id] = payment
    enter(state, payment, "DRAFT")
    if saved is not None and call.body.get("offSession"):
        _charge(state, payment, saved)
    return {
        "payment": payment.shape,
        "stripeClientSecret": payment.client_secret,
        "stripePublishableKey": call.project.publishable_key,
        "stripeConnectedAccountId": call.project.account,
    }


def _saved(call: Call) -> SavedMethod | None:
    """The saved method that the request pins. ForteError for one that is not the user's, or that is missing."""
    body = call.body
    if "ACH_DIRECT_DEBIT" in body.get("supportedPaymentMethods", ()) and body["currency"] != "usd":
        raise ForteError("PAYMENT_ACH_REQUIRES_USD", "ACH direct debit is for US dollars only.")
    if "paymentMethodId" in body:
        return owned(call, call.state.user(call.project, call.ids["user"]), body["paymentMethodId"])
    if body.get("offSession"):
        raise ForteError("PAYMENT_OFF_SESSION_METHOD_REQUIRED", "offSession needs a saved paymentMethodId.")
    return None


def _charge(state: State, payment: Payment, saved: SavedMethod) -> None:
    """Charge a card whose holder is not there. ForteError PAYMENT_DECLINED; what becomes of the payment then is not
    documented: it is FAILED here."""
    card = saved.card
    if card.decline is None and card.authentication is not Authentication.ALWAYS:
        move(state, payment, "succeeded")
        return
    enter(state, payment, "FAILED")
    message = card.decline.message if card.decline else "This payment requires authentication to proceed."
    raise ForteError("PAYMENT_DECLINED", message)


def find(call: Call) -> Json:
    return call.state.payment(call.project, call.ids["payment"]).shape


def _check_user_and_project(call: Call) -> None:
    """ForteError unless the project may charge this user now."""
    user = call.state.user(call.project, call.ids["user"])
    if user.state != "ACTIVE":
        code = "USER_SUSPENDED" if user.state == "SUSPENDED" else "USER_NOT_ACTIVE"
        raise ForteError(code, f"The user {user.id} is {user.state}.")
    _check_project(call.project)


def _check_project(project: Project) -> None:
    if not project.payments_set_up:
        message = "The project's owner has not completed the payments onboarding."
        raise ForteError("PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER", message)
    if not project.sandbox and project.compliance != "APPROVED":
        message = f"Live payments need a compliance registration that is APPROVED; it is {project.compliance}."
        raise ForteError("PAYMENTS_REQUIRE_APPROVED_COMPLIANCE", message)


def _quote(body: Json) -> Quote:
    if not body["lineItems"]:
        raise ForteError("PAYMENT_LINE_ITEMS_REQUIRED", "At least one line item is required.")
    try:
        check_currency(body["currency"])
    except ApiError as problem:
        raise ForteError("PAYMENT_CURRENCY_INVALID", str(problem)) from problem
    addresses: dict[str, Json] = {name: body[name] for name in ("customerAddress", "shippingAddress") if name in body}
    amounts = [line["unitAmountCents"] * line["quantity"] for line in body["lineItems"]]
    lines = [dict(line) for line in body["lineItems"]]
    taxed = None
    if "customerAddress" in addresses:
        hundredths = tax.rate(addresses.get("shippingAddress", addresses["customerAddress"]))
        for line, amount in zip(lines, amounts, strict=True):
            line["taxAmountCents"] = tax.line_tax(amount, hundredths, line.get("taxCode"))
        taxed = sum(line["taxAmountCents"] for line in lines)
    return Quote(body["currency"], tuple(lines), sum(amounts), taxed, addresses)


def _check_total(quote: Quote) -> None:
    """Stripe's limits, told with Forte's codes."""
    try:
        check_amount(quote.amount, quote.currency)
    except ApiError as problem:
        small = problem.error.get("code") == "amount_too_small"
        code = "PAYMENT_BELOW_MINIMUM" if small else "PAYMENT_AMOUNT_INVALID"
        raise ForteError(code, str(problem)) from problem


def _metadata(body: Json) -> dict[str, str]:
    """The payment's metadata, which is also the payment intent's and so within Stripe's limits."""
    try:
        return merged_metadata({}, body.get("metadata"))
    except ApiError as problem:
        raise ForteError("PAYMENTS_PROVIDER_REJECTED", str(problem)) from problem


def intent(state: State, intent_id: str) -> Payment | None:
    """The payment behind which this Stripe payment intent is."""
    return next((one for one in state.payments.values() if one.intent_id == intent_id), None)
