"""Who gets what of a payment: whether fee, destination and settlement merchant fit each other and the amount.

Source: https://docs.stripe.com/connect/charges.
"""

from .errors import Json, invalid, no_such
from .state import Call


def check_parties(call: Call, params: Json, intent: Json | None = None) -> None:
    """Who gets what: the fee, the destination and the settlement merchant have to fit each other and the amount."""
    known = intent or {}
    transfer = {**(known.get("transfer_data") or {}), **params.get("transfer_data", {})}
    fee = params.get("application_fee_amount") or None
    destination = transfer.get("destination")
    if transfer and destination is None:
        raise invalid("This PaymentIntent has no `transfer_data[destination]`.", "transfer_data")
    direct = call.account != call.state.platform
    for param, account in (("transfer_data[destination]", destination), ("on_behalf_of", params.get("on_behalf_of"))):
        if account and (direct or account == call.state.platform or not call.state.is_account(account)):
            raise no_such("destination" if "destination" in param else "account", account, param, 400)
    amount = params.get("amount") or known.get("amount", 0)
    if transfer.get("amount", 0) > amount:
        raise invalid("The transfer cannot be greater than the amount.", "transfer_data[amount]")
    if fee is None:
        return
    if not direct and destination is None:
        message = (
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using"
        )
        message += " a Stripe-Account header) or destination payment (using `transfer_data[destination]`)."
        raise invalid(message, "application_fee_amount")
    if "amount" in transfer:
        raise invalid("Give `application_fee_amount` or `transfer_data[amount]`, not both.", "application_fee_amount")
    if not 0 < fee <= amount:
        message = "The application fee must be positive and cannot be greater than the amount."
        raise invalid(message, "application_fee_amount")
