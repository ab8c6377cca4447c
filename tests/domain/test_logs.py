"""What no log line shows, whatever is logged."""

import pytest

from bridge.domain import logs
from tests.repository.directions import modules

KEY = "ck_" + "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"{KEY} is not known", "*** is not known"),
        ("refused: sk_test_0123456789abcdefghijkl", "refused: ***"),
        ("signed with whsec_abc/def+123=", "signed with ***"),
        ("POST /bridge/v1/webhookswhsec_abcdef123", "POST /bridge/v1/webhooks***"),
        ("GET /v1/chargesk_test_0123456789abcdefghijkl", "GET /v1/***"),
        ("GET /v1/9rk_live_0123456789abcdefghijkl", "GET /v1/9***"),
        ("AuthorizationBasic Zm9vOmJhcg==", "AuthorizationBasic ***"),
        ("GET /bridge/v1/metricsBearer%20abcdef", "GET /bridge/v1/metricsBearer%20***"),
        ("GET /_sk_test_0123456789abcdefghijkl", "GET /_***"),
        ("pi_3MtwBw_secret_YrKJUKribcBjcG8HVhfZluoGH", "pi_3MtwBw_secret_***"),
        ("BRIDGE_SECRET_KEY: the file /k cannot be read.", "BRIDGE_SECRET_KEY: the file /k cannot be read."),
        ("There is no STRIPE_SECRET_KEY, nor secret_key", "There is no STRIPE_SECRET_KEY, nor secret_key"),
        ("BRIDGE_SECRET_KEY=k/k+k BRIDGE_COMPAT=x", "BRIDGE_SECRET_KEY=*** BRIDGE_COMPAT=x"),
        ("GET /?a=secret_key%3Dabc%26page=2", "GET /?a=secret_key%3D***%26page=2"),
        ("pi_3MtwBw_secret_keyYrKJUKribcBjcG8", "pi_3MtwBw_secret_***"),
        ("pi_3MtwBw_secret_key_YrKJUKribcBjcG8", "pi_3MtwBw_secret_***"),
        ("{'Authorization': 'Basic Y2tfMTpjc18x'}", "{'Authorization': 'Basic ***"),
        (f"GET /payments{KEY}", "GET /payments***"),
        ("GET /a/Y2tfMDEyMzQ1Njc4OWFiY2RlZjA= 404", "GET /a/*** 404"),
        ("GET /?consumer_secret=abc&page=2", "GET /?consumer_secret=***&page=2"),
        ("key ck_ImportedKeyOfAnotherShape", "key ***"),
        ("GET /?a=consumer_secret%3Dabc%26page=2", "GET /?a=consumer_secret%3D***%26page=2"),
        ("GET /?a=%3Dcs_0123456789abcdef", "GET /?a=%3D***"),
        ("{'consumer_secret': 'a b', 'page': 2}", "{'consumer_secret': '***', 'page': 2}"),
        ('{"secret_key": "abc"}', '{"secret_key": "***"}'),
        ("postgresql://bridge:pass@host/name", "postgresql://bridge:***@host/name"),
        ("GET /bridge/v1/pay/eyJhIjoxfQ.aXbcdefgh.c2ln", "GET /bridge/v1/pay/***"),
        ("docs_installation and https://host:8080/a@b", "docs_installation and https://host:8080/a@b"),
        ("order 12 of store 3 is paid with pi_3MtwBw", "order 12 of store 3 is paid with pi_3MtwBw"),
    ],
)
def test_a_line_hides_what_looks_like_a_credential(caplog: pytest.LogCaptureFixture, line: str, shown: str) -> None:
    logs.logger("bridge.somewhere").error("%s", line)
    assert caplog.messages == [shown]


def test_a_traceback_hides_it_too(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise RuntimeError(f"no such key: {KEY}")
    except RuntimeError:
        logs.logger("bridge.somewhere").exception("it failed")
    assert "RuntimeError: no such key: ***" in caplog.text
    assert KEY not in caplog.text


def test_a_request_that_is_named_after_a_secret_is_not_told_by_that_name() -> None:
    with logs.about(request_id=KEY, store="shop-1"):
        assert logs.names() == {"request_id": "***", "store": "shop-1"}


def test_every_module_logs_in_this_way() -> None:
    simulated = ("bridge.simulators", "bridge.selftest")
    plain = [name for name, path in modules() if "getLogger(" in path.read_text() and not name.startswith(simulated)]
    assert plain == ["bridge.domain.logs"]
