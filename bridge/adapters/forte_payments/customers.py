"""Who pays, as Forte is told: one stable id for every person, an e-mail address, a wallet. Pure.

Source: docs.fortepayments.io, create payment intent ("Use the same identifier format consistently for a given user
across all payment sessions").
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bridge.adapters.forte_payments.settings import Account
from bridge.domain.errors import Refused
from bridge.domain.orders import Order
from bridge.domain.outcomes import Payment
from bridge.schemas.forte_payments import BLOCKCHAINS, LONGEST_BUYER_ID, is_email

Json = dict[str, Any]


def build_buyer(account: Account, payment: Payment) -> Json:
    """The member `buyer`. Raises Refused as `known_by` does."""
    told = known_by(account, payment.order)
    contact = told["email"].lower() if "email" in told else told["wallet"]["address"]
    return {"id": _identifier(account, payment, contact), **told}


def known_by(account: Account, order: Order) -> Json:
    """E-mail address, wallet, or both. Raises Refused for a buyer whom Forte could not identify, or must not be told
    about."""
    if not order.customer_id and not account.guests:
        raise Refused(
            f"Order {order.number} was placed by a guest, and this store sends only customers to Forte "
            "(setting guests=send).",
            reason="guest_refused",
        )
    email = order.billing.email.strip()
    wallet = _wallet(account, order.meta)
    told: Json = {}
    if is_email(email):
        told["email"] = email
    if wallet:
        told["wallet"] = wallet
    if not told:
        raise Refused(
            f"Forte needs the buyer's e-mail address or wallet, and order {order.number} has neither.",
            reason="buyer_unidentified",
        )
    return told


def _identifier(account: Account, payment: Payment, contact: str) -> str:
    """The same for the same person in every session, whatever the order, the mode or a customer's e-mail address.

    A guest is named by a hash of their `contact`. What would be too long is hashed as a whole.
    """
    shop = shop_of(payment)
    guest = _digest(f"{shop}\n{contact}")[:32]
    customer = str(payment.order.customer_id or f"guest-{guest}")
    values = {"{shop}": shop, "{customer}": customer, "{caller}": payment.customer}
    identifier = account.buyer_id
    for placeholder, value in values.items():
        identifier = identifier.replace(placeholder, value)
    return identifier if len(identifier) <= LONGEST_BUYER_ID else _digest(identifier)


def shop_of(payment: Payment) -> str:
    """The shop's own address, without scheme and slash at the end: two shops never share one."""
    parts = urlsplit(str(payment.metadata.get("site_url", "")))
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _wallet(account: Account, meta: Mapping[str, Any]) -> Json | None:
    names = (account.wallet_address, account.wallet_blockchain)
    address, blockchain = (str(meta.get(name) or "").strip() for name in names)
    if not address and not blockchain:
        return None
    if not address or blockchain not in BLOCKCHAINS:
        raise Refused(
            f"The order's wallet needs an address ({account.wallet_address}) and a blockchain that Forte knows "
            f"({account.wallet_blockchain}).",
            reason="invalid_wallet",
        )
    return {"address": address, "blockchain": blockchain}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
