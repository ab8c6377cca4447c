"""Fills a database through its tables, as a bridge that has served many stores for a year would have.

The newest payments are a year's share of a day old at the most; nearly all are over, as in life. Half of them are in
one store. Nothing that is there is touched, and no store's secrets open anything.
"""

import re

from sqlalchemy import text

from bridge.storage.compiled import Connection
from bridge.storage.engine import Database

YEAR = 365 * 24 * 3600.0
QUIET = 3 * 24 * 3600.0
"""Seconds after the last payment in which a bridge becomes idle: a worker looks after newer ones, and metrics count
those of the last day."""
UNDER_WAY = 5000
"""One payment of so many is open, unknown, flagged, or waits in a queue."""
SHOPS = (
    "insert into shops (id, created) select 'shop-' || i, :now - :year from n",
    """
insert into shop_addresses (address, shop_id, since)
select replace(:url, '*', cast(i as text)) || '/' || i, 'shop-' || i, :now - :year from n
""",
    """
insert into shop_history (shop_id, store_id, at, who, what, before, after)
select 'shop-' || i, 'shop-' || i, :now - :year, '', 'added', '', '' from n
""",
)
OF_SHOPS = re.compile(r"\[\[(.*?)\]\]")
"""What stands in double brackets is not in the tables of a version that knew no shops."""
STORES = """
insert into stores (id, [[shop_id, ]]url, identity, consumer_key, consumer_secret, adapter, settings, options, capture,
    live, awaits_reconcile, created, updated, webhook_endpoint)
select 'shop-' || i, [['shop-' || i, ]]replace(:url, '*', cast(i as text)), replace(:url, '*', cast(i as text)),
    'ck_' || i, 'cs_' || i, 'sandbox', '{}', '{}', 'automatic', false, false, :now - :year, :now - :year,
    case when i % 10 = 0 then 'endpoint-' || (i / 100) end
from n
"""
OF_STORE = (
    """
insert into api_keys (id, store_id, key_hash, truncated, secret, permissions, description, created)
select 'key-' || i, 'shop-' || i, 'hash-' || i, 'tail-' || i, 'sealed', 'read_write', '', :now - :year from n
""",
    """
insert into jobs (name, due, busy_until, seen, last_error)
select 'catch_up:shop-' || i, :now + 21600.0 * (i - 0.5) / :count, 0, :now - 21600.0 * (1 - (i - 0.5) / :count), ''
from n
""",
    """
insert into jobs (name, due, busy_until, seen, last_error)
select 'reconcile:shop-' || i, :now + 86400.0 * (i - 0.5) / :count, 0, :now - 86400.0 * (1 - (i - 0.5) / :count), ''
from n
""",
)
ORDER = "cast(:first_order as bigint) + i"
STORE = "'shop-' || case when (i / 7) % 2 = 0 then 1 else i % :stores + 1 end"
AT = ":until - :year + :year * (i - 0.5) / :count"
OF_PAYMENT = (
    f"""
insert into intents (id, public_id, store_id, [[shop_id, ]]adapter, live, order_id, order_number, order_key, amount,
    currency, customer, payment_method, requested_payment_method, channel, capture, status, unknown, holding, metadata,
    flag, order_read, look_at, [[order_due, ]]created, updated)
select 'intent-' || i, 'pi_' || i, {STORE}, [[{STORE}, ]]'sandbox', false, {ORDER}, i, 'key-' || i, 1023, 'USD',
    'cus_' || i, 'pm_1', 'pm_1', 'online', 'automatic',
    case when i % :rare = 1 then 'requires_action' when i % :rare = 2 then 'processing' when i % :rare = 3
        then 'requires_capture' when i % 40 = 4 then 'canceled' else 'succeeded' end,
    i % :rare = 2, i % 40 <> 4, '{{}}', case when i % :rare = 5 then 'look at it' else '' end, {AT},
    case when i % :rare in (1, 2, 3) then :now + 86400.0 end,
    [[case when i % :rare > 3 and i % 40 <> 4 and {AT} > :now - 30 * 86400.0 then :now + 86400.0 end, ]]{AT}, {AT}
from n
""",
    f"""
insert into attempts (id, intent_id, store_id, operation, key, request, state, exposed, reference, created, sent_at,
    busy_until, next_check_at, answered, material)
select 'intent-' || i, 'intent-' || i, {STORE}, 'create', 'attempt-' || i, '{{"amount": 1023, "currency": "usd"}}',
    case when i % :rare = 2 then 'unknown' else 'done' end, true, 'pi_' || i, {AT}, {AT}, 0, :now + 3600.0, {AT},
    case when i % :rare = 1 then 'sealed' end
from n
""",
    f"""
insert into charges (store_id, id, intent_id, amount, amount_captured, amount_refunded, status, captured,
    balance_transaction, payment_method_type, created)
select {STORE}, 'ch_' || i, 'intent-' || i, 1023, 1023, 0, 'succeeded', true, 'txn_' || i, 'card',
    cast({AT} as bigint)
from n where i % 40 <> 4
""",
    f"""
insert into refunds (id, reference, store_id, intent_id, charge_id, amount, reason, status, failure, origin, created)
select 'refund-' || i, 're_' || i, {STORE}, 'intent-' || i, 'ch_' || i, 100, '', 'succeeded', '', 'bridge', {AT}
from n where i % 20 = 0
""",
    f"""
insert into disputes (store_id, id, intent_id, charge_id, amount, status, reason, created, closed)
select {STORE}, 'dp_' || i, 'intent-' || i, 'ch_' || i, 1023, case when i % 3 = 0 then 'won' else 'lost' end, 'general',
    cast({AT} as bigint), cast({AT} as bigint)
from n where i % :disputed = 0
""",
    f"""
insert into customers (store_id, shopper, customer) select {STORE}, 'shopper-' || i, 'cus_' || i from n where i % 4 = 0
""",
    f"""
insert into inbox (id, endpoint, event_id, digest, event, body, intent_id, state, tries, due, busy_until, last_error,
    received)
select 'message-' || i, {STORE}, 'evt_' || i, 'digest', '{{}}', 'sealed', 'intent-' || i,
    case when i % :rare = 6 then 'new' when i % :rare = 7 then 'dead' else 'done' end, 1, :now + 3600.0, 0, '', {AT}
from n where i % 2 = 0 or i % :rare in (6, 7)
""",
    f"""
insert into journal (intent_id, attempt_id, at, kind, detail)
select 'intent-' || i, 'intent-' || i, {AT}, kind.name, '{{}}'
from n cross join (select 'create_sent' as name union all select 'answered' union all select 'store_updated') as kind
""",
    f"""
insert into outbox (id, store_id, intent_id, order_id, payload, state, tries, due, busy_until, created, delivered)
select 'update-' || i, {STORE}, 'intent-' || i, {ORDER}, '{{}}',
    case when i % :rare = 8 then 'pending' when i % :rare = 9 then 'dead' else 'delivered' end, 1,
    case when i % :rare = 8 then :now + 3600.0 else {AT} end, 0, {AT},
    case when i % :rare not in (8, 9) then {AT} end
from n where {AT} > :now - 30 * 86400.0 or i % :rare in (8, 9)
""",
    f"""
insert into idempotency (store_id, live, route, key, fingerprint, attempt_id, busy_until, answer, created)
select {STORE}, false, 'create', 'key-' || i, 'print', 'intent-' || i, 0, 'sealed', {AT}
from n where {AT} > :now - 86400.0 or i % 10 = 0
""",
    f"""
insert into oauth_nonces (key_id, nonce, timestamp)
select 'key-1', 'nonce-' || i, cast({AT} as bigint) from n where i % 10 = 0
""",
)


def fill(
    database: Database,
    stores: int,
    payments: int,
    now: float,
    url: str = "https://shop-*.example",
    quiet: float = 0.0,
    *,
    shops: bool = True,
    first_order: int = 0,
) -> None:
    """Add so many stores, at the address with their number for a `*`, and payments until `quiet`
    seconds before `now` (Unix seconds), of the orders after `first_order`. Without `shops` into tables of a version
    that knew none."""
    shares: dict[str, float | str] = {
        "first_order": first_order,
        "rare": min(UNDER_WAY, max(payments // 100, 10)),
        "disputed": min(500, max(payments // 2000, 1)),
    }
    with database.write() as connection:
        for statement in (*(SHOPS if shops else ()), STORES, *OF_STORE):
            _insert(connection, _fitting(statement, shops), stores, now=now, url=url)
        for statement in OF_PAYMENT if payments else ():
            _insert(
                connection, _fitting(statement, shops), payments, now=now, until=now - quiet, stores=stores, **shares
            )
    with database.read() as connection:
        connection.execute(text("analyze"))


def _fitting(statement: str, shops: bool) -> str:
    return OF_SHOPS.sub(r"\1" if shops else "", statement)


def _insert(connection: Connection, statement: str, count: int, **values: float | str) -> None:
    """Insert `count` rows, numbered from 1."""
    head, _, select = statement.partition("\nselect" if "\nselect" in statement else " select")
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < :count)"
    if connection.dialect.name == "postgresql":
        numbers = "with n(i) as (select generate_series(1, cast(:count as int)))"
    wanted = {
        name: value for name, value in {"year": YEAR, "count": count, **values}.items() if f":{name}" in statement
    }
    connection.execute(text(f"{head}\n{numbers}\nselect{select}"), wanted | {"count": count})
