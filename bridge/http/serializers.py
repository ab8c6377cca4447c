"""Intents, charges, orders and lines of lists as WooPayments shows them. Intents have their schemas' shape already.

The plugin's keys first, the bridge's own after them.
"""

import html
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bridge.domain.intents import Charge, Dispute, PaymentIntent, Refund, Status
from bridge.domain.stores import Store
from bridge.http.charge_members import shown_charge
from bridge.payments.intents import IntentView
from bridge.reports.lists import Line, Page, ShownCharge, page_of

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
PAYER = ("email", "name", "phone")
CARD = (
    "amount_authorized",
    "brand",
    "capture_before",
    "country",
    "exp_month",
    "exp_year",
    "last4",
    "three_d_secure",
)
"""What is told of a card in the answer to a create."""
CHARGE = (
    "id",
    "amount",
    "created",
    "payment_method_details",
    "payment_method",
    "amount_captured",
    "amount_refunded",
    "application_fee_amount",
    "balance_transaction",
    "billing_details",
    "currency",
    "dispute",
    "disputed",
    "order",
    "outcome",
    "paid",
    "paydown",
    "payment_intent",
    "captured",
    "refunded",
    "refunds",
    "status",
)
"""What is told of a charge in the answer to a look-up of its intent."""
Json = dict[str, Any]


def created_intent(shown: IntentView, compat: str, link: Json) -> Json:
    """The answer to a create, with the `link` to its page. Source: WooPayments, `create_payment_intent`."""
    intent = shown.intent
    return {
        "id": intent.shown_id,
        "amount": intent.amount,
        "currency": intent.currency.upper(),
        "created": _created(intent.created, compat),
        "customer": intent.customer or None,
        "payment_method": intent.payment_method or None,
        "status": _status(intent),
        **({"charge": _created_charge(intent.charge)} if intent.charge else {}),
        **_known(client_secret=shown.client_secret, next_action=shown.next_action),
        **_known(last_payment_error=intent.last_error, livemode=intent.live, metadata=intent.metadata or None),
        **_known(provider=intent.adapter, provider_data=shown.provider_data),
        **link,
        **_newest_try(shown),
    }


def shown_intent(shown: IntentView, charge: ShownCharge | None, store: Store, link: Json) -> Json:
    """The answer to a look-up; `charge` is the intent's, `link` leads to its page. Source: WooPayments, the intention
    model's `jsonSerialize`."""
    intent = shown.intent
    whole = whole_charge(charge) if charge else None
    return {
        "id": intent.shown_id,
        "amount": intent.amount,
        "currency": intent.currency.upper(),
        "charge": {name: whole.get(name) for name in CHARGE} if whole else None,
        "created": int(intent.created),
        "customer": intent.customer or None,
        "metadata": intent.metadata or [],
        "payment_method": intent.payment_method or None,
        "payment_method_types": [intent.charge.payment_method_type if intent.charge else shown.payment_method_type],
        "processing": [],
        "status": _status(intent),
        "order": shown_order(intent, store),
        **_known(last_payment_error=intent.last_error, livemode=intent.live, provider=intent.adapter),
        **link,
        **_newest_try(shown),
    }


def _status(intent: PaymentIntent) -> str:
    return Status.PROCESSING if intent.unknown else intent.status


def _newest_try(shown: IntentView) -> Json:
    return _known(outcome="unknown" if shown.intent.unknown else None, attempt_id=shown.attempt_id)


def _known(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def _texts(said: Mapping[str, Any], names: Sequence[str]) -> Json:
    """What the provider does not say is an empty text."""
    return {name: "" if said.get(name) is None else said[name] for name in names}


def _created(seconds: float, compat: str) -> int | str:
    if compat != "woopayments":
        return int(seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def _created_charge(charge: Charge) -> Json:
    billing = charge.billing_details or {}
    address = {} if billing.get("address") is None else {"address": _texts(billing["address"], ADDRESS)}
    shown = {
        "id": charge.id,
        "amount": charge.amount,
        "application_fee_amount": charge.application_fee_amount,
        "status": charge.status,
        "billing_details": address | _texts(billing, PAYER),
    }
    return shown | ({} if charge.card is None else {"payment_method_details": {"card": _texts(charge.card, CARD)}})


def _dispute(dispute: Dispute, currency: str) -> Json:
    """`currency` is the charge's; the dispute may be in another one."""
    return asdict(dispute) | {"object": "dispute", "currency": dispute.money(currency).currency.lower()}


def whole_charge(found: ShownCharge) -> Json:
    """A charge with its refunds and its newest dispute, as Stripe lists them; but for its order."""
    intent, charge = found.intent, found.intent.charge
    assert charge is not None  # there is no ShownCharge without
    refunds = [_refund(refund, intent.currency) for refund in found.refunds if refund.id]
    dispute = found.disputes[-1] if found.disputes else None
    listed = {"object": "list", "data": refunds, "has_more": False, "total_count": len(refunds)}
    return {
        **shown_charge(intent, charge),
        "billing_details": formatted(charge.billing_details),
        "refunds": {**listed, "url": f"/v1/charges/{charge.id}/refunds"},
        "dispute": _dispute(dispute, intent.currency) if dispute else None,
        "disputed": bool(found.disputes),
    }


def _refund(refund: Refund, currency: str) -> Json:
    members = asdict(refund)
    shown = {name: members[name] for name in ("id", "amount", "status", "created")}
    return {**shown, "object": "refund", "currency": currency.lower(), "charge": refund.charge_id} | {
        "reason": refund.reason or None
    }


def formatted(details: Json | None) -> Json | None:
    """The provider's own, with the address in one piece: lines of HTML, as WooCommerce formats them."""
    if details is None:
        return None
    address = details.get("address") or {}
    place = " ".join(filter(None, (address.get("state"), address.get("postal_code"))))
    lines = [
        address.get("line1"),
        address.get("line2"),
        ", ".join(filter(None, (address.get("city"), place))),
        address.get("country"),
    ]
    return {**details, "formatted_address": "<br/>".join(html.escape(str(line)) for line in lines if line)}


def shown_order(intent: PaymentIntent, store: Store) -> Json:
    metadata = intent.metadata
    name, email = metadata.get("customer_name", ""), metadata.get("customer_email", "")
    return order_members(store, intent.order_id, intent.order_number, name, email)


def order_members(store: Store, order_id: int, number: str, name: str, email: str) -> Json:
    """Source: WooPayments, `build_order_info`."""
    return {
        "number": number,
        "url": f"{store.url.rstrip('/')}/wp-admin/admin.php?page=wc-orders&action=edit&id={order_id}",
        "customer_url": None,
        "customer_name": name,
        "customer_email": email,
        "subscriptions": [],
        "fraud_meta_box_type": "",
    }


PAGE_SIZE = 25
CHANNELS = {"terminal": "in_person"}
"""Ours, as WooPayments calls them; the others have the same name."""


def wanted_page(parameters: Mapping[str, Any], sorts: dict[str, str], sort: str) -> Page:
    """Raises InvalidParameter."""
    return page_of(
        parameters.get("page", 1),
        parameters.get("pagesize", PAGE_SIZE),
        parameters.get("sort") or sort,
        parameters.get("direction", "desc"),
        sorts,
    )


def date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def common(line: Line) -> Json:
    """What authorisations and transactions both show."""
    card = line.card or {}
    return {
        "charge_id": line.charge,
        "amount": line.amount,
        "net": line.net,
        "fees": line.fees,
        "channel": CHANNELS.get(line.channel, line.channel),
        "source": card.get("brand") or line.payment_method_type,
        "source_identifier": card.get("last4") or "",
        "customer_name": line.customer_name,
        "customer_email": line.customer_email,
        "customer_country": line.customer_country,
        "currency": line.currency.lower(),
        "risk_level": line.risk,
        "payment_intent_id": line.intent,
        "order_id": line.order_id,
    }
