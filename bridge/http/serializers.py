"""Intents, charges, orders and lines of lists as WooPayments shows them, ready for their schemas.

The plugin's keys first, the bridge's own after them.
"""

import html
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bridge.domain.intents import Charge, Dispute, PaymentIntent, Refund, Status
from bridge.domain.stores import Store
from bridge.http.charge_members import shown_charge
from bridge.payments.intents import IntentView
from bridge.reports.lists import Line, Page, ShownCharge, page_of


def created_intent(shown: IntentView, compat: str) -> dict[str, Any]:
    """The answer to a create. Source: WooPayments, `create_payment_intent`."""
    intent = shown.intent
    answer = {**_common(intent), "created": _created(intent.created, compat)}
    if intent.charge:
        answer["charge"] = _created_charge(intent.charge)
    one_time = {
        "client_secret": shown.client_secret,
        "next_action": shown.next_action,
        "provider_data": shown.provider_data,
        "metadata": intent.metadata or None,
    }
    return answer | {name: value for name, value in one_time.items() if value is not None} | _extensions(shown)


def shown_intent(shown: IntentView, charge: ShownCharge | None, store: Store) -> dict[str, Any]:
    """The answer to a look-up; `charge` is the intent's. Source: WooPayments, the intention model's `jsonSerialize`."""
    intent = shown.intent
    return {
        **_common(intent),
        "charge": whole_charge(charge) if charge else None,
        "created": int(intent.created),
        "metadata": intent.metadata or [],
        "payment_method_types": [intent.charge.payment_method_type if intent.charge else shown.payment_method_type],
        "processing": [],
        "order": shown_order(intent, store),
        **_extensions(shown),
    }


def _common(intent: PaymentIntent) -> dict[str, Any]:
    return {
        "id": intent.shown_id,
        "amount": intent.amount,
        "currency": intent.currency.upper(),
        "customer": intent.customer or None,
        "payment_method": intent.payment_method or None,
        "status": Status.PROCESSING if intent.unknown else intent.status,
    }


def _extensions(shown: IntentView) -> dict[str, Any]:
    """What create and look-up both add."""
    intent = shown.intent
    told = {
        "last_payment_error": intent.last_error,
        "livemode": intent.live,
        "provider": intent.adapter,
        "outcome": "unknown" if intent.unknown else None,
        "attempt_id": shown.attempt_id,
    }
    return {name: value for name, value in told.items() if value is not None}


def _created(seconds: float, compat: str) -> int | str:
    if compat != "woopayments":
        return int(seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def _created_charge(charge: Charge) -> dict[str, Any]:
    billing = {name: value for name, value in (charge.billing_details or {}).items() if value is not None}
    shown = {
        "id": charge.id,
        "amount": charge.amount,
        "application_fee_amount": charge.application_fee_amount,
        "status": charge.status,
        "billing_details": billing,
    }
    return shown | ({"payment_method_details": {"card": charge.card}} if charge.card is not None else {})


def _dispute(dispute: Dispute, currency: str) -> dict[str, Any]:
    """`currency` is the charge's; the dispute may be in another one."""
    return asdict(dispute) | {"object": "dispute", "currency": dispute.money(currency).currency.lower()}


def whole_charge(found: ShownCharge) -> dict[str, Any]:
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


def _refund(refund: Refund, currency: str) -> dict[str, Any]:
    members = asdict(refund)
    shown = {name: members[name] for name in ("id", "amount", "status", "created")}
    return {**shown, "object": "refund", "currency": currency.lower(), "charge": refund.charge_id} | {
        "reason": refund.reason or None
    }


def formatted(details: dict[str, Any] | None) -> dict[str, Any] | None:
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


def shown_order(intent: PaymentIntent, store: Store) -> dict[str, Any]:
    metadata = intent.metadata
    name, email = metadata.get("customer_name", ""), metadata.get("customer_email", "")
    return order_members(store, intent.order_id, intent.order_number, name, email)


def order_members(store: Store, order_id: int, number: str, name: str, email: str) -> dict[str, Any]:
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


def common(line: Line) -> dict[str, Any]:
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
