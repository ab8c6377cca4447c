"""Asks the host what the tests want to know and prints it as JSON."""

import json
import sys

import bridge
import shop

app = shop.create_host(sys.argv[1])
client = app.test_client()
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}
ROUTE = "wp-json/wc/v3/payments/payment_intents"
BODY = {"order_id": 5, "customer": "cus_1", "payment_method": "pm_card_visa"}


def ask(method: str, path: str, pair: tuple[str, str] | None = None, **kwargs: object) -> dict[str, object]:
    answer = client.open(path, method=method, auth=pair, environ_overrides=LOCAL, **kwargs)
    return {
        "status": answer.status_code,
        "type": answer.content_type,
        "body": answer.get_data(as_text=True),
        "allow": answer.headers.get("Allow"),
    }


asked = {
    "home": ask("GET", "/"),
    "host_404": ask("GET", "/nowhere"),
    "host_405": ask("POST", "/"),
    "host_500": ask("GET", "/boom"),
    "bare_prefix": ask("GET", "/pay"),
    "beside_the_bridge": ask("GET", "/pay/nowhere"),
    "anonymous": ask("POST", f"/pay/{ROUTE}", json=BODY),
    "created": ask("POST", f"/pay/{ROUTE}", app.first_pair, json=BODY),
    "created_again": ask("POST", f"/pay/{ROUTE}", app.first_pair, json=BODY),
    "slash": ask("POST", f"/pay/{ROUTE}/", app.first_pair, json=BODY),
    "second": ask("POST", f"/other/pay/{ROUTE}", app.second_pair, json=BODY),
    "foreign_key": ask("POST", f"/other/pay/{ROUTE}", app.first_pair, json=BODY),
    "wrong_method": ask("DELETE", f"/pay/{ROUTE}", app.first_pair),
    "odd_method": ask("FOO", f"/pay/{ROUTE}", app.first_pair),
    "odd_method_anonymous": ask("FOO", f"/pay/{ROUTE}"),
    "options": ask("OPTIONS", f"/pay/{ROUTE}", app.first_pair),
    "overridden": ask("GET", f"/pay/{ROUTE}?_method=POST", app.first_pair, json=BODY),
    "no_route": ask("GET", "/pay/wp-json/wc/v3/nowhere"),
    "no_bridge_route": ask("GET", "/pay/bridge/v1/nowhere"),
    "bad_json": ask("POST", f"/pay/{ROUTE}", data="{", content_type="application/json"),
    "too_large": ask("POST", f"/pay/{ROUTE}", data="x" * 300_000, content_type="application/json"),
    "missing_order": ask("POST", f"/pay/{ROUTE}", app.first_pair, json={**BODY, "order_id": 999}),
    "openapi": ask("GET", "/other/pay/bridge/v1/openapi.json"),
    "docs": ask("GET", "/pay/bridge/v1/docs"),
    "ready": ask("GET", "/pay/bridge/v1/health/ready"),
}
for mounted in app.bridges:
    mounted.close()
asked["bridge_file"] = bridge.__file__
asked["modules"] = sorted(name for name in sys.modules if name in ("stripe", "schemas") or "simulators" in name)
asked["first_paid"] = {str(key): value for key, value in app.first_book.paid.items()}
asked["api_objects"] = [name for name in app.extensions if "smorest" in name]
print(json.dumps(asked))
