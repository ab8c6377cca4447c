"""Once a day the shop is asked about the keys that it has given out (C6), and the provider about the account (D10).

What the shop has revoked or narrowed is refused here, too; a shop that cannot be asked changes nothing.
"""

from typing import Any

import pytest

from bridge.domain.stores import Permissions
from bridge.registry import keys as key_cases
from bridge.simulators.faults import Fault
from bridge.worker.periodic_jobs import run_jobs
from tests.cli.operator import operate, operate_json
from tests.cli.test_store_keys import as_client, importing
from tests.plugins.local import ACCOUNT, Local, MakeLocal

DAY = 24 * 3600.0
TOKEN = "owners-token-123456"


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url)


def pass_days(local: Local, days: float = 1.2) -> None:
    local.clock.advance(days * DAY)
    local.work()
    while run_jobs(local.bridge.services):
        pass


def imported(local: Local, permissions: str = "read_write") -> tuple[tuple[str, str], str]:
    pair = local.shop.add_key(permissions)
    return pair, str(operate_json(local, *importing(local, pair))["id"])


def told(local: Local, key: str, *, code: int) -> list[dict[str, Any]]:
    """What `doctor`, which exits with `code`, says of a key."""
    return [check for check in operate_json(local, "doctor", code=code) if key in check["text"]]


def test_c6_a_key_that_the_shop_has_revoked_is_refused_within_a_day_and_named_until_it_is_ended(
    local: Local, caplog: pytest.LogCaptureFixture
) -> None:
    pair, key = imported(local)
    assert as_client(local, pair, "GET") == 500
    local.shop.revoke_key(pair[0])
    pass_days(local)
    assert as_client(local, pair, "GET") == as_client(local, pair) == 401
    assert local.order()["status"] == "pending"
    [check] = told(local, key, code=1)
    assert not check["ok"]
    assert f"wcpay-bridge keys revoke {key}" in check["text"]
    assert caplog.text.count(f"({key}) is refused, here as by the store.") == 1
    [listed] = [each for each in operate_json(local, "keys", "list") if each["id"] == key]
    assert (listed["permissions"], listed["revoked"]) == ("none", None)
    assert "refused by the store" in operate(local, "keys", "list").stdout
    assert "is revoked or expired" in operate(local, "keys", "rotate", key, code=1).stderr
    pass_days(local)
    assert caplog.text.count(f"({key}) is refused, here as by the store.") == 1
    operate(local, "keys", "revoke", key)
    assert told(local, key, code=0) == []


@pytest.mark.parametrize(("narrowed", "looks", "creates"), [("read", 500, 401), ("write", 401, 200)])
def test_c6_a_key_that_the_shop_has_narrowed_is_narrowed_and_told_and_given_back(
    local: Local, narrowed: str, looks: int, creates: int
) -> None:
    pair, key = imported(local)
    local.shop.permit_key(pair[0], narrowed)
    pass_days(local)
    assert as_client(local, pair, "GET") == looks
    assert as_client(local, pair) == creates
    [check] = told(local, key, code=0)
    assert check["ok"]
    assert f"may only {narrowed} in the store now" in check["text"]
    local.shop.permit_key(pair[0], "read_write")
    pass_days(local)
    assert as_client(local, pair, "GET") == 500
    assert as_client(local, pair, order="payable_2") == 200
    assert told(local, key, code=0) == []


def test_c6_a_key_that_the_shop_has_widened_may_not_do_more_here(local: Local) -> None:
    pair, _ = imported(local, "read")
    local.shop.permit_key(pair[0], "read_write")
    pass_days(local)
    assert (as_client(local, pair, "GET"), as_client(local, pair)) == (500, 401)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ERROR_503, Fault.DROPPED, Fault.HTML, Fault.REDIRECT])
def test_c6_a_shop_that_is_down_changes_nothing_and_is_asked_again_soon(local: Local, fault: Fault) -> None:
    pair, key = imported(local)
    local.shop.revoke_key(pair[0])
    local.shop_faults.next(fault, times=9999)
    pass_days(local)
    local.shop_faults.clear()
    assert as_client(local, pair, "GET") == 500
    assert f"The job access:{local.store.id} failed" in operate(local, "doctor", code=1).output
    pass_days(local, 0.1)
    assert as_client(local, pair, "GET") == 401
    assert told(local, key, code=1) != []


def test_c6_a_firewall_and_a_header_that_is_stripped_now_say_nothing_about_keys(local: Local) -> None:
    pair, key = imported(local)
    local.shop.strip_authorization()
    pass_days(local)
    assert as_client(local, pair, "GET") == 500
    assert "does not pass the Authorization header on" in operate(local, "doctor", code=1).output
    local.shop.strip_authorization(strips=False)
    page = {"error": "blocked"}
    local.shop_faults.next(Fault.STATUS, times=9999, match="/settings/", status=403, body=page)
    pass_days(local)
    assert as_client(local, pair, "GET") == 500
    assert told(local, key, code=1) == []


@pytest.mark.parametrize("permissions", ["read", "write"])
def test_c6_the_bridges_own_key_narrowed_is_named(local: Local, permissions: str) -> None:
    local.shop.permit_key(local.store.consumer_key, permissions)
    pass_days(local)
    assert f"The job access:{local.store.id} failed: Orders cannot be" in operate(local, "doctor", code=1).output


def test_c6_keys_of_the_bridges_own_are_never_shown_to_the_shop(local: Local) -> None:
    asked = len(local.shop.requests)
    pass_days(local)
    assert not [each for each in local.shop.requests[asked:] if "wcpay_bridge_not_there" in each.path]
    assert as_client(local, (local.pair.consumer_key, local.pair.consumer_secret), "GET") == 500


def test_c6_keys_that_were_imported_before_are_asked_about_once_they_were_used(local: Local) -> None:
    """As rows of a version before this one are: nobody has written down who made them, nor the keys themselves."""
    theirs = local.shop.add_key("read")
    ours = ("ck_" + 40 * "d", "cs_" + 40 * "e")
    for pair in (theirs, ours):
        key_cases.import_pair(local.bridge.services, local.store.id, *pair, Permissions.READ_WRITE)
    forget_keys(local)
    pass_days(local)
    assert (as_client(local, theirs), as_client(local, ours, order="payable_2")) == (200, 200)
    pass_days(local)
    assert as_client(local, theirs, order="payable_3") == 401
    assert as_client(local, ours, order="payable_3") == 200


def forget_keys(local: Local) -> None:
    from sqlalchemy import text

    with local.bridge.services.database.write() as connection:
        connection.execute(text("update api_keys set consumer_key = null"))


def test_c6_metrics_count_what_shops_refuse(make_local: MakeLocal, sqlite_url: str) -> None:
    pytest.importorskip("prometheus_client")
    local = make_local(sqlite_url, metrics_token=TOKEN)
    pair, _ = imported(local)
    local.shop.revoke_key(pair[0])
    pass_days(local)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    page = local.app.test_client().get("/bridge/v1/metrics", headers=headers, environ_overrides=local.environ)
    assert "wcpay_bridge_keys_refused_by_stores 1.0" in page.text


@pytest.mark.parametrize("charge_type", ["direct", "destination"])
def test_d10_an_account_that_no_message_tells_of_is_found_and_forgiven_within_a_day(
    make_local: MakeLocal, sqlite_url: str, charge_type: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"charge_type": charge_type})
    assert local.stripe
    local.stripe.restrict_account(ACCOUNT)
    pass_days(local)
    problem = operate_json(local, "stores", "show", local.store.id)["account_problem"]
    assert ACCOUNT in problem
    assert problem in operate(local, "doctor", code=1).output
    local.stripe.enable_account(ACCOUNT)
    pass_days(local)
    assert operate_json(local, "stores", "show", local.store.id)["account_problem"] is None


def test_d10_a_shop_that_is_down_keeps_nobody_from_asking_the_provider(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    local.stripe.restrict_account(ACCOUNT)
    local.shop_faults.next(Fault.ERROR_503, times=9999)
    pass_days(local)
    assert operate_json(local, "stores", "show", local.store.id)["account_problem"]
