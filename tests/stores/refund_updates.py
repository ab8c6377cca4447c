"""Updates about refunds, for the tests of this folder."""

from typing import Any

from bridge.domain.orders import Delivery, OrderUpdate, UpdateKind
from bridge.simulators.faults import DRIPS, Fault

from .conftest import Shop

DONE = Delivery(True, "the order has the refund")
LONG = (Fault.STALLED_AFTER, Fault.HUGE, *DRIPS)
PROCESSED = [fault for fault in Fault if fault.processed and fault not in LONG]


def refund(shop: Shop, order_id: int, amount: int = 500, refund_id: str = "re_1", **changes: Any) -> OrderUpdate:
    values: dict[str, Any] = {
        "operation_id": f"refund-{refund_id}",
        "refund_id": refund_id,
        "refund_amount": amount,
        "refund_reason": "requested_by_customer",
        "note": f"A refund was successfully processed ({refund_id}).",
        "meta": {"_wcpay_refund_status": "successful"},
    }
    return shop.update(UpdateKind.REFUNDED, order_id, **values | changes)


def failure(shop: Shop, order_id: int, amount: int = 500, refund_id: str = "re_1") -> OrderUpdate:
    note = f"A refund was unsuccessful ({refund_id})."
    values = {"operation_id": f"failure-{refund_id}", "refund_id": refund_id, "refund_amount": amount, "note": note}
    values |= {"meta": {"_wcpay_refund_status": "failed"}}
    return shop.update(UpdateKind.REFUND_FAILED, order_id, **values)
