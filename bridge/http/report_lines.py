"""Lines of lists as WooPayments shows them, and which part of a list is wanted."""

import time
from collections.abc import Mapping
from typing import Any

from bridge.reports.lists import Line, Page, page_of

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
