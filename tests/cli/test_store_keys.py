"""Keys that a shop has given out are proven by asking it: the bridge's own when a store is added or changed (C7), its
clients' when they are imported (C6). Where the Authorization header does not reach the shop they go in the query (D14).
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import requests

from bridge.domain.errors import BridgeError
from bridge.domain.stores import QUERY_CREDENTIALS
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.cli.operator import operate, operate_json
from tests.plugins.local import INTENTS, Local, MakeLocal
from tests.stores.conftest import FAILURES

WRONG_SECRET = "its secret is wrong"
UNKNOWN = "The store does not know the key"
STRIPPED = "does not pass the Authorization header on"
ADAPTERS = pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
ORDERS = "wc/v3/orders"


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url)


@pytest.fixture
def another_shop(certificates: Certificates) -> Iterator[WooCommerceSimulator]:
    with ExitStack() as stack:
        shop = WooCommerceSimulator("another")
        shop.url = stack.enter_context(serve(shop, tls=(certificates.cert_file, certificates.key_file))).url
        yield shop


def adding(local: Local, pair: tuple[str, str], *more: str) -> list[str]:
    """The words of a command that adds Local's shop once more."""
    words = ["stores", "add", "--test", "--adapter", "sandbox", "--url", local.store.url]
    words += ["--ca-file", str(local.store.ca_file), "--consumer-key", pair[0], "--consumer-secret", pair[1]]
    return [*words, "--shop", local.store.id, *more]


def importing(local: Local, pair: tuple[str, str], *more: str) -> list[str]:
    words = ["keys", "import", "--store", local.store.id]
    return [*words, "--consumer-key", pair[0], "--consumer-secret", pair[1], *more]


def as_client(local: Local, pair: tuple[str, str], method: str = "POST", order: str = "payable") -> int:
    """The status of a create, or of a look, with this pair."""
    body = {"order_id": local.orders[order], "customer": local.customer, "payment_method": local.payment_method}
    path = INTENTS if method == "POST" else f"{INTENTS}/pi_none"
    client = local.app.test_client()
    answer = client.open(path, method=method, json=body, auth=pair, environ_overrides=local.environ)
    return int(answer.status_code)


def stores(local: Local) -> list[str]:
    return [store["id"] for store in operate_json(local, "stores", "list")]


def keys(local: Local) -> list[dict[str, Any]]:
    found = operate_json(local, "keys", "list", "--store", local.store.id)
    return [key for key in found if key["id"] != local.pair.key.id]


# C7: the bridge's own key.


@pytest.mark.parametrize(
    ("permissions", "spoil", "sentences"),
    [
        ("read_write", lambda pair: (pair[0], "cs_" + 40 * "0"), ["Orders cannot be read.", WRONG_SECRET]),
        ("read_write", lambda pair: ("ck_" + 40 * "0", pair[1]), ["The store does not know the bridge's key"]),
        ("read", lambda pair: pair, ["Orders cannot be changed.", "lacks the permission to write"]),
        ("write", lambda pair: pair, ["Orders cannot be read.", "lacks the permission to read"]),
    ],
    ids=["wrong secret", "unknown key", "read only", "write only"],
)
def test_c7_a_store_whose_key_does_not_work_is_refused_in_the_words_of_its_check(
    local: Local, permissions: str, spoil: Any, sentences: list[str]
) -> None:
    pair = spoil(local.shop.add_key(permissions))
    before = stores(local)
    told = operate(local, *adding(local, pair, "--unchecked"), code=0)
    [unchecked] = set(stores(local)) - set(before)
    checked = operate(local, "stores", "check", unchecked, code=1).output
    operate(local, "stores", "remove", unchecked, "--yes")
    told = operate(local, *adding(local, pair), code=1)
    for sentence in sentences:
        assert sentence in told.stderr
        assert sentence in checked
    assert pair[1] not in told.output
    assert stores(local) == before


def test_c7_a_user_who_may_not_is_refused(local: Local) -> None:
    told = operate(local, *adding(local, local.shop.add_key(manager=False)), code=1)
    assert "The user to whom the bridge's key belongs may not do this in the store." in told.stderr


def test_c7_a_change_is_proven_too_and_a_refused_one_changes_nothing(local: Local) -> None:
    before = operate_json(local, "stores", "show", local.store.id)
    wrong = ("--consumer-secret", "cs_" + 40 * "0")
    told = operate(local, "stores", "update", local.store.id, "--capture", "manual", *wrong, code=1)
    assert WRONG_SECRET in told.stderr
    assert operate_json(local, "stores", "show", local.store.id) == before
    fresh = local.shop.add_key()
    local.shop.revoke_key(local.store.consumer_key)
    told = operate(local, "stores", "update", local.store.id, "--capture", "manual", code=1)
    assert "does not know the bridge's key" in told.stderr
    pair = ("--consumer-key", fresh[0], "--consumer-secret", fresh[1])
    assert operate_json(local, "stores", "update", local.store.id, *pair)["capture"] == "automatic"
    assert local.create().status_code == 200


def test_c7_a_shop_that_is_down_is_refused_and_taken_unchecked_and_held_until_it_was_asked(local: Local) -> None:
    pair = local.shop.add_key()
    local.shop_faults.next(Fault.ERROR_503, times=99)
    told = operate(local, *adding(local, pair), code=1)
    assert "--unchecked" in told.stderr
    assert "busy, broken or under maintenance" in told.stderr
    told = operate(local, *adding(local, pair, "--unchecked"))
    assert "No money moves until" in told.stderr
    [added] = set(stores(local)) - {local.store.id}
    key = operate_json(local, "keys", "create", "--store", added)
    client = (key["consumer_key"], key["consumer_secret"])
    local.shop_faults.clear()
    assert as_client(local, client) == 500
    assert local.order()["status"] == "pending"
    operate(local, "reconcile", "--store", added)
    local.clock.advance(10)
    assert as_client(local, client) == 200


def test_c7_what_was_taken_unchecked_is_another_shop_and_stays_held(
    local: Local, another_shop: WooCommerceSimulator
) -> None:
    url, another_shop.url = another_shop.url, "https://elsewhere.example"
    words = adding(replace(local, store=replace(local.store, url=str(url))), another_shop.add_key(), "--unchecked")
    operate(local, *words)
    [added] = set(stores(local)) - {local.store.id}
    assert "says that it is https://elsewhere.example" in operate(local, "reconcile", "--store", added, code=1).output
    assert "No money moves" in operate(local, "doctor", code=1).output


def test_c7_an_unchecked_change_keeps_the_identity(local: Local) -> None:
    local.shop_faults.next(Fault.ERROR_503, times=99)
    same = operate_json(local, "stores", "update", local.store.id, "--capture", "manual", "--unchecked")
    assert (same["identity"], same["capture"]) == (local.store.identity, "manual")
    moved = operate_json(local, "stores", "update", local.store.id, "--url", "https://127.0.0.1:9", "--unchecked")
    assert (moved["identity"], moved["url"]) == (local.store.identity, "https://127.0.0.1:9")
    assert f"No money moves: wcpay-bridge reconcile --store {local.store.id}" in operate(local, "doctor", code=1).output


# C6: the keys of its clients.


@ADAPTERS
@pytest.mark.parametrize(
    ("permissions", "looks", "creates"), [("read", 500, 401), ("write", 401, 200), ("read_write", 500, 200)]
)
def test_c6_an_imported_key_may_do_what_it_may_in_the_shop(
    make_local: MakeLocal, sqlite_url: str, adapter: str, permissions: str, looks: int, creates: int
) -> None:
    local = make_local(sqlite_url, adapter)
    pair = local.shop.add_key(permissions)
    operate(local, *importing(local, pair))
    assert [key["permissions"] for key in keys(local)] == [permissions]
    assert as_client(local, pair, "GET") == looks
    assert as_client(local, pair) == creates
    local.work()
    assert (local.order()["status"] == "pending") is (creates != 200)


@pytest.mark.parametrize("granted", ["read", "write"])
def test_c6_more_than_the_shop_gives_is_refused_and_less_is_taken(local: Local, granted: str) -> None:
    told = operate(local, *importing(local, local.shop.add_key(granted), "--permissions", "read_write"), code=1)
    assert f"The store grants this key only {granted}, which is less than read_write." in told.stderr
    pair = local.shop.add_key("read_write")
    operate(local, *importing(local, pair, "--permissions", granted))
    assert [key["permissions"] for key in keys(local)] == [granted]
    assert as_client(local, pair, "GET") == (500 if granted == "read" else 401)


@pytest.mark.parametrize("permissions", ["read", "write", "read_write"])
def test_c6_a_wrong_secret_is_refused(local: Local, permissions: str) -> None:
    key, _ = local.shop.add_key(permissions)
    told = operate(local, *importing(local, (key, "cs_" + 40 * "0")), code=1)
    assert WRONG_SECRET in told.stderr
    assert keys(local) == []


def test_c6_a_pair_of_another_shop_a_revoked_one_and_a_customers_are_refused(
    local: Local, another_shop: WooCommerceSimulator
) -> None:
    assert UNKNOWN in operate(local, *importing(local, another_shop.add_key()), code=1).stderr
    revoked = local.shop.add_key()
    local.shop.revoke_key(revoked[0])
    assert UNKNOWN in operate(local, *importing(local, revoked), code=1).stderr
    told = operate(local, *importing(local, local.shop.add_key(manager=False)), code=1)
    assert "The user to whom the key belongs may not do this in the store." in told.stderr
    assert keys(local) == []


def test_c6_a_pair_is_taken_once_and_again_after_its_store_was_removed(local: Local) -> None:
    pair = local.shop.add_key("read")
    operate(local, *importing(local, pair))
    assert "already exists here" in operate(local, *importing(local, pair), code=1).stderr
    operate(local, "stores", "remove", local.store.id, "--yes")
    [added] = [operate_json(local, *adding(local, local.shop.add_key()))["id"]]
    operate(local, *importing(replace(local, store=replace(local.store, id=added)), pair))
    assert as_client(local, pair, "GET") == 500


def test_c6_nothing_of_the_shop_changes_when_it_is_asked(local: Local) -> None:
    before = {order: local.shop.order(order) for order in local.orders.values()}
    operate(local, *importing(local, local.shop.add_key()))
    asked = [(each.method, each.path, each.status) for each in local.shop.requests[-2:]]
    assert asked == [
        ("GET", "/wp-json/wc/v3/settings/general/woocommerce_currency", 200),
        ("PUT", "/wp-json/wc/v3/settings/general/wcpay_bridge_not_there", 404),
    ]
    assert {order: local.shop.order(order) for order in local.orders.values()} == before


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ERROR_503, Fault.DROPPED, Fault.HTML, Fault.TRUNCATED])
@pytest.mark.parametrize("nth", ["GET", "PUT"])
def test_c6_a_shop_that_cannot_be_asked_is_told_and_its_key_taken_unchecked(
    local: Local, fault: Fault, nth: str
) -> None:
    pair = local.shop.add_key("read")
    local.shop_faults.next(fault, match=f"{nth} /wp-json/wc/v3/settings")
    told = operate(local, *importing(local, pair), code=1)
    assert "--unchecked" in told.stderr
    assert keys(local) == []
    assert "--permissions" in operate(local, *importing(local, pair, "--unchecked"), code=2).stderr
    local.shop_faults.next(fault, times=99)
    operate(local, *importing(local, pair, "--unchecked", "--permissions", "read"))
    local.shop_faults.clear()
    assert [key["permissions"] for key in keys(local)] == ["read"]


def test_c6_a_firewall_says_nothing_about_a_key(local: Local) -> None:
    page = {"error": "blocked"}
    local.shop_faults.next(Fault.STATUS, match="GET /wp-json/wc/v3/settings", status=403, body=page)
    told = operate(local, *importing(local, local.shop.add_key()), code=1)
    assert "Something in front of the store blocks the bridge (HTTP 403)." in told.stderr
    assert "--unchecked" in told.stderr


# D14: the key in the query.


def test_d14_a_store_whose_header_is_stripped_is_added_with_its_key_in_the_query_and_says_so(local: Local) -> None:
    local.shop.strip_authorization()
    told = operate(local, *adding(local, local.shop.add_key()))
    assert STRIPPED in told.stderr
    [added] = set(stores(local)) - {local.store.id}
    assert operate_json(local, "stores", "show", added)["options"]["auth"] == "query"
    key = operate_json(local, "keys", "create", "--store", added)
    assert as_client(local, (key["consumer_key"], key["consumer_secret"])) == 200
    local.work()
    assert local.order()["status"] == "processing"
    assert operate(local, "stores", "check", added).exit_code == 0


def test_d14_who_wants_the_header_is_refused_where_it_is_stripped(local: Local) -> None:
    local.shop.strip_authorization()
    asked = len(local.shop.requests)
    told = operate(local, *adding(local, local.shop.add_key(), "--set", "auth=header"), code=1)
    assert STRIPPED in told.stderr
    assert not any("consumer_key" in each.query for each in local.shop.requests[asked:])


def test_d14_a_change_finds_out_too_and_back(local: Local) -> None:
    local.shop.strip_authorization()
    told = operate(local, "stores", "update", local.store.id, "--capture", "manual")
    assert STRIPPED in told.stderr
    assert local.create().get_json()["status"] == "requires_capture"
    local.shop.strip_authorization(strips=False)
    changed = operate_json(local, "stores", "update", local.store.id, "--set", "auth=header")
    assert changed["options"]["auth"] == "header"
    assert (
        "auth must be one of header, query."
        in operate(local, "stores", "update", local.store.id, "--set", "auth=cookie", code=1).stderr
    )


@pytest.mark.parametrize("spoil", [lambda pair: (pair[0], "cs_" + 40 * "0"), lambda pair: ("ck_" + 40 * "0", pair[1])])
@pytest.mark.parametrize("strips", [True, False])
def test_d14_a_key_that_is_wrong_either_way_is_refused(local: Local, spoil: Any, strips: bool) -> None:
    local.shop.strip_authorization(strips=strips)
    before = stores(local)
    operate(local, *adding(local, spoil(local.shop.add_key())), code=1)
    assert stores(local) == before


def test_d14_clients_keys_are_proven_the_same_way(local: Local) -> None:
    local.shop.strip_authorization()
    operate(local, "stores", "update", local.store.id, "--capture", "manual")
    operate(local, *importing(local, local.shop.add_key("read")))
    assert [key["permissions"] for key in keys(local)] == ["read"]


@pytest.mark.parametrize("fault", [None, *FAILURES], ids=lambda fault: fault.name if fault else "fair")
def test_d14_the_key_is_in_no_log_line_exception_or_repr(
    make_local: MakeLocal, sqlite_url: str, caplog: pytest.LogCaptureFixture, fault: Fault | None
) -> None:
    caplog.set_level(logging.DEBUG)
    local = make_local(sqlite_url, options={"auth": "query"})
    told = [repr(local.store)]
    book = local.bridge.services.stores.order_book(local.store)
    if fault:
        local.shop_faults.next(fault, times=2, match="/orders/")
    for call in (lambda: book.read(local.orders["payable"]), lambda: book.notes(local.orders["payable"])):
        try:
            told.append(repr(call()))
        except BridgeError as error:
            told += traceback.format_exception(error)
            told += [repr(each) + repr(getattr(each, "request", "")) for each in causes(error)]
            told += [str(vars(each.request)["url"]) for each in causes(error) if getattr(each, "request", None)]
    assert [each for each in local.shop.requests if "/orders" in each.path and "consumer_secret" in each.query]
    text = "\n".join([*told, caplog.text, *(str(record.__dict__) for record in caplog.records)])
    for secret in (local.store.consumer_key, local.store.consumer_secret):
        assert secret not in text
        assert quote(secret) not in text


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_d14_a_warning_of_urllib3_about_an_answer_does_not_quote_it(
    local: Local, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    from werkzeug.wrappers import Request, Response

    from bridge.outbound.transport import make_session

    arrived = []

    @Request.application
    def app(request: Request) -> Response:
        arrived.append(request.query_string.decode())
        return Response("{}", headers=[("Content-Length", "2"), ("A Header", "broken")])

    caplog.set_level(logging.DEBUG)
    session = make_session(timeout=10, ca_file=certificates.ca_file, allow_private=True)
    with serve(app, tls=(certificates.cert_file, certificates.key_file)) as server, session:
        for path in ("/a", "/a?b=1"):
            answer = session.get(f"{server.url}{path}", headers={QUERY_CREDENTIALS: "key=cs_5ec2e75ec2e7"})
            assert "cs_5ec2e7" not in f"{answer.url}{answer.raw.geturl()}{vars(answer.raw)}"
    assert arrived == ["key=cs_5ec2e75ec2e7", "b=1&key=cs_5ec2e75ec2e7"]
    assert "cs_5ec2e7" not in caplog.text


def test_d14_nothing_goes_into_the_query_over_plain_http() -> None:
    from werkzeug.wrappers import Request, Response

    from bridge.outbound.transport import make_session

    arrived = []

    @Request.application
    def app(request: Request) -> Response:
        arrived.append(request.full_path)
        return Response("{}")

    faults = Faults(app)
    wanted = pytest.raises(requests.ConnectionError, match="over https only")
    with serve(faults) as server, make_session(timeout=10, allow_private=True) as session, wanted:
        session.get(server.url, headers={QUERY_CREDENTIALS: "key=secret"})
    assert arrived == []
