"""What an adapter sends to a Forte and no document knows fails the test that sent it."""

from typing import Any

import pytest

from bridge.adapters import ProviderError
from tests.adapters import forte_payments_provider, forte_platform_provider

CUT: dict[str, Any] = {"transaction_type": "BUY_VDA", "currency": "USD"}
PAYMENTS, USERS = "/api/v1/projects/prj_1/payments", "/api/v1/projects/prj_1/users"


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/payments/v2/intent", "POST /payments/v2/intent: body.items is missing"),
        ("/payments/v2/refund", "POST /payments/v2/refund: there is no such call"),
    ],
)
def test_20_what_forte_payments_does_not_know_is_noticed(in_no_document: list[str], path: str, wrong: str) -> None:
    with forte_payments_provider.forte() as world, pytest.raises(ProviderError):
        world.adapter()._client.call("POST", path, CUT)
    assert wrong in in_no_document
    in_no_document.clear()


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("POST", f"{USERS}/usr_1/payments", {"currency": "USD", "lineItems": []}, "the body"),
        ("POST", f"{PAYMENTS}/pay_1/cancel", None, "there is no such call"),
        ("GET", f"{PAYMENTS}?colour=red", None, "the parameter colour=red"),
    ],
)
def test_73_what_forte_platforms_does_not_know_is_noticed(
    in_no_document: list[str], method: str, path: str, body: Any, wrong: str
) -> None:
    with forte_platform_provider.forte() as world, pytest.raises(ProviderError):
        world.adapter()._client.write(method, path, body)
    [told] = in_no_document
    assert told.startswith(f"{method} {path.partition('?')[0]}: {wrong}")
    in_no_document.clear()
