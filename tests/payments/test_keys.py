"""Consumer keys over time: last use, rotation with an overlap, revocation, and what is stored of them."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from bridge.domain.errors import Refused
from bridge.domain.stores import ApiKey, Permissions, Restrictions
from bridge.registry import keys
from bridge.storage import keys as stored_keys
from tests.plugins.local import Local, MakeLocal


def kept(local: Local) -> ApiKey:
    """The first key as the database has it."""
    [key] = [key for key in keys.every(local.bridge.services) if key.id == local.pair.key.id]
    return key


def last_used(local: Local) -> float | None:
    return kept(local).last_used


def test_the_last_use_is_recorded_at_most_once_in_five_minutes(local: Local) -> None:
    started = local.clock()
    local.show("pi_1")
    assert last_used(local) == started
    local.clock.advance(200)
    local.show("pi_1")
    assert last_used(local) == started
    local.clock.advance(200)
    local.show("pi_1")
    assert last_used(local) == started + 400


def test_of_many_requests_at_once_one_records_the_last_use(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    database, key, now = local.bridge.services.database, local.pair.key.id, local.clock()
    assert stored_keys.use(database, key, now, now - 300)
    assert not stored_keys.use(database, key, now, now - 300)
    assert stored_keys.use(database, key, now + 300, now)


def test_nobody_waits_for_a_request_that_is_recording_the_last_use(make_local: MakeLocal, postgres_url: str) -> None:
    local = make_local(postgres_url)
    database, key, now = local.bridge.services.database, local.pair.key.id, local.clock()
    with database.write() as connection:
        connection.execute(text("select id from api_keys for update"))
        assert not stored_keys.use(database, key, now, now - 300)


def test_a_rotated_key_works_until_its_overlap_ends(local: Local) -> None:
    old = local.pair
    fresh = keys.rotate(local.bridge.services, old.key.id, overlap=3600)
    assert local.show("pi_1").status_code == 500
    local.clock.advance(3599)
    assert local.show("pi_1").status_code == 500
    local.clock.advance(2)
    assert local.show("pi_1").status_code == 401
    local.pair = fresh
    assert local.show("pi_1").status_code == 500


def test_a_rotation_neither_widens_a_key_nor_lengthens_its_life(local: Local) -> None:
    services, end = local.bridge.services, local.clock() + 7200
    keys.update(services, local.pair.key.id, expires=end, networks=("127.0.0.0/8",), may_refund=False)
    fresh = keys.rotate(services, local.pair.key.id, overlap=3600 * 24).key
    assert fresh.restrictions == Restrictions(end, ("127.0.0.0/8",), may_refund=False)
    assert local.show("pi_1").status_code == 500
    local.clock.advance(7200)
    assert local.show("pi_1").status_code == 401


def test_a_key_that_was_replaced_makes_another_one_only_with_an_end_that_somebody_says(local: Local) -> None:
    services = local.bridge.services
    keys.rotate(services, local.pair.key.id, overlap=3600)
    with pytest.raises(Refused, match="give --expires"):
        keys.rotate(services, local.pair.key.id, overlap=3600)
    local.pair = keys.rotate(services, local.pair.key.id, overlap=3600, expires=None)
    local.clock.advance(10 * 24 * 3600)
    assert local.show("pi_1").status_code == 500


def while_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], meanwhile: Callable[[], object]
) -> None:
    """`act`, with `meanwhile` begun right after it has found the key, and over before `act` goes on unless it waits for
    that."""
    find, thread = stored_keys.by_name, threading.Thread(target=meanwhile)

    def by_name(*arguments: Any, **keywords: Any) -> Any:
        found = find(*arguments, **keywords)
        if threading.current_thread() is not thread and thread.ident is None:
            thread.start()
            thread.join(1)
        return found

    monkeypatch.setattr(stored_keys, "by_name", by_name)
    try:
        act()
    finally:
        thread.join(30)


@pytest.mark.parametrize("changes", [{"networks": ("127.0.0.0/8",)}, {"may_refund": False}])
def test_a_change_at_the_same_moment_does_not_undo_a_rotation(
    make_local: MakeLocal, database_url: str, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    local = make_local(database_url)
    services, key = local.bridge.services, local.pair.key.id
    while_it_is_looked_at(
        monkeypatch, lambda: keys.update(services, key, **changes), lambda: keys.rotate(services, key, overlap=3600)
    )
    assert (kept(local).expires, kept(local).replaced) == (local.clock() + 3600, True)
    assert [{name: getattr(each, name) for name in changes} for each in keys.every(services)] == [changes] * 2


def test_a_rotation_at_the_same_moment_takes_the_change_over(
    make_local: MakeLocal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = make_local(database_url)
    services, key, end = local.bridge.services, local.pair.key.id, local.clock() + 60
    while_it_is_looked_at(
        monkeypatch, lambda: keys.rotate(services, key, overlap=3600), lambda: keys.update(services, key, expires=end)
    )
    assert kept(local).expires == end


@pytest.mark.parametrize("act", [keys.update, partial(keys.rotate, overlap=3600)])
def test_a_key_that_is_revoked_meanwhile_is_neither_changed_nor_rotated(
    local: Local, monkeypatch: pytest.MonkeyPatch, act: Callable[..., object]
) -> None:
    services, key, write = local.bridge.services, local.pair.key.id, local.bridge.services.database.write

    def revoke_and_write() -> Any:
        monkeypatch.undo()
        keys.revoke(services, key)
        return write()

    monkeypatch.setattr(services.database, "write", revoke_and_write)
    with pytest.raises(Refused, match="is revoked"):
        act(services, key, expires=local.clock() + 60)
    assert (kept(local).expires, kept(local).replaced) == (None, False)


def test_a_key_without_refunds_voids_and_captures_and_sends_nothing_back(
    make_local: MakeLocal, database_url: str
) -> None:
    local = make_local(database_url, "stripe_connect", capture="manual")
    keys.update(local.bridge.services, local.pair.key.id, may_refund=False)
    for order, act in (("payable", "cancel"), ("payable_2", "capture")):
        made = local.create(order).get_json()
        path = f"/wp-json/wc/v3/payments/orders/{local.orders[order]}/{act}_authorization"
        assert local.post(path, {"payment_intent_id": made["id"]}).status_code == 200
    wanted = {"order_id": local.orders["payable_2"], "amount": 100}
    assert local.post("/wp-json/wc/v3/payments/refund", wanted).status_code == 401
    assert local.at_stripe("refunds?limit=9", "GET")["data"] == []
    keys.update(local.bridge.services, local.pair.key.id, may_refund=True)
    assert local.post("/wp-json/wc/v3/payments/refund", wanted).status_code == 200


def test_a_revoked_key_stops_at_once(local: Local) -> None:
    keys.revoke(local.bridge.services, local.pair.key.id)
    assert local.show("pi_1").status_code == 401


def test_the_keys_of_a_removed_store_stop_at_once(local: Local) -> None:
    from bridge.registry import stores

    stores.remove(local.bridge.services, local.store.id)
    assert local.show("pi_1").status_code == 401


def test_neither_key_nor_secret_can_be_read_from_the_database(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    with local.bridge.services.database.read() as connection:
        stored = str(connection.execute(text("select * from api_keys")).all())
    assert local.pair.key.id in stored
    assert local.pair.consumer_key not in stored
    assert local.pair.consumer_secret not in stored
    assert local.pair.consumer_secret not in repr(local.pair)


def test_keys_look_as_woocommerces_do(local: Local) -> None:
    import re

    pair = keys.create(local.bridge.services, local.store.id, Permissions.READ)
    assert re.fullmatch("ck_[0-9a-f]{40}", pair.consumer_key)
    assert re.fullmatch("cs_[0-9a-f]{40}", pair.consumer_secret)
    assert pair.key.truncated == pair.consumer_key[-7:]
