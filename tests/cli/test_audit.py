"""The audit trail: every administrative act leaves a row, and nobody can change, remove or move one unseen."""

import json
import os
import pwd
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from bridge.cli import main
from bridge.domain.stores import Permissions
from bridge.registry import keys
from tests.cli.operator import operate, operate_json, unknown
from tests.plugins.commandline import CommandLine
from tests.plugins.local import PLATFORM_KEY, Local, MakeLocal

REFUND = "/wp-json/wc/v3/payments/refund"
AUDITED = {
    "events replay",
    "flags clear",
    "forte triggers create",
    "forte triggers delete",
    "forte triggers update",
    "keys create",
    "keys import",
    "keys revoke",
    "keys rotate",
    "keys update",
    "outbox retry",
    "reconcile",
    "rekey",
    "serve",
    "settle",
    "stores add",
    "stores remove",
    "stores update",
    "webhooks register",
}
NOT_AUDITED = {
    "audit list": "looks",
    "audit verify": "looks",
    "demo env": "a world of its own",
    "demo trigger": "a world of its own",
    "doctor": "looks",
    "events list": "looks",
    "events show": "looks",
    "flags list": "looks",
    "forte triggers list": "looks",
    "init": "there is nobody's trail yet",
    "keys list": "looks",
    "migrate": "the schema's version says it",
    "openapi": "looks",
    "outbox list": "looks",
    "prune": "what the worker does by itself",
    "selftest": "a world of its own",
    "stores check": "looks",
    "stores history": "looks",
    "stores list": "looks",
    "stores show": "looks",
    "why": "looks",
    "worker": "what it does is in the journal",
}


@pytest.fixture
def stripe(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect")


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name


def trail(local: Local, *arguments: str) -> list[dict[str, Any]]:
    """The acts, oldest first."""
    found: list[dict[str, Any]] = operate_json(local, "audit", "list", "--limit", "500", *arguments)
    return found[::-1]


def acts(local: Local) -> list[tuple[str, str]]:
    return [(each["act"], each["subject"]) for each in trail(local)]


def problems(local: Local, *arguments: str) -> list[str]:
    told = operate_json(local, "audit", "verify", *arguments, code=1)
    assert told["ok"] is False
    return list(told["problems"])


def by_hand(local: Local, *statements: str) -> None:
    """What somebody does who can write the database."""
    database = local.bridge.services.database
    guards = (
        ["drop trigger if exists audit_no_update", "drop trigger if exists audit_no_delete"]
        if database.is_sqlite
        else ["drop trigger if exists audit_append_only on audit"]
    )
    with database.write() as connection:
        for statement in (*guards, *statements):
            connection.execute(text(statement))


def test_a_new_command_is_audited_or_says_why_not() -> None:
    assert set(commands(main)) == AUDITED | set(NOT_AUDITED)


def test_keys_and_stores_leave_who_when_what_and_from_where(stripe: Local) -> None:
    store = stripe.store.id
    first = operate_json(stripe, "keys", "create", "--store", store, "--description", "for sk_live_0123456789abcdef")
    fresh = operate_json(stripe, "keys", "rotate", first["id"])
    operate(stripe, "keys", "revoke", first["id"])
    pair = ("--consumer-key", "ck_" + 40 * "1", "--consumer-secret", "cs_" + 40 * "2", "--unchecked")
    taken = operate_json(stripe, "keys", "import", "--store", store, *pair, "--permissions", "read")
    operate(stripe, "stores", "update", store, "--capture", "manual", "--set", f"secret_key={PLATFORM_KEY}x")
    operate(stripe, "stores", "remove", store, "--yes", "--force")
    assert acts(stripe) == [
        ("stores.add", store),
        ("keys.create", stripe.pair.key.id),
        ("keys.create", first["id"]),
        ("keys.rotate", first["id"]),
        ("keys.revoke", first["id"]),
        ("keys.import", taken["id"]),
        ("stores.update", store),
        ("stores.remove", store),
    ]
    found = trail(stripe)
    assert [each["number"] for each in found] == list(range(1, 9))
    assert {each["kind"] for each in found} == {"user"}
    assert {each["who"] for each in found} == {pwd.getpwuid(os.getuid()).pw_name}
    assert {each["origin"] for each in found} == {f"{socket.gethostname()}, pid {os.getpid()}"}
    assert {each["at"] for each in found} == {stripe.clock.now}
    assert found[3]["detail"]["replaced_by"] == fresh["id"]
    assert found[6]["detail"] | {"left_behind": ""} == {
        "capture": "manual",
        "settings": ["secret_key"],
        "left_behind": "",
    }
    assert trail(stripe, "--act", "keys.revoke") == [found[4]]
    assert trail(stripe, "--about", store) == [found[0], *found[6:]]
    line = operate(stripe, "audit", "list", "--act", "keys.revoke").output
    assert f"keys.revoke\t{first['id']}\tuser " in line
    told = json.dumps(found)
    for secret in (
        PLATFORM_KEY,
        first["consumer_secret"],
        fresh["consumer_key"],
        "ck_1111",
        "cs_2222",
        stripe.store.consumer_secret,
    ):
        assert secret not in told
    assert operate_json(stripe, "audit", "verify")["ok"] is True


def test_sudo_is_told_beside_the_user_that_it_became(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    operate(local, "keys", "revoke", local.pair.key.id)
    assert trail(local)[-1]["who"] == f"ann as {pwd.getpwuid(os.getuid()).pw_name}"


def test_what_is_done_to_payments_is_there_and_a_refund_names_its_key(stripe: Local) -> None:
    attempt = unknown(stripe)
    reason = ("--reason", "seen there")
    reference = stripe.at_stripe("payment_intents?limit=1", "GET")["data"][0]["id"]
    operate(stripe, "settle", attempt, "--as", "paid", "--reference", reference, *reason)
    stripe.environ["REMOTE_ADDR"] = "127.0.0.9"
    sent = stripe.post(REFUND, {"order_id": stripe.orders["payable"], "amount": 100, "reason": "a gift"})
    assert sent.status_code == 200, sent.text
    again = stripe.post(REFUND, {"order_id": stripe.orders["payable"], "amount": 100, "reason": "a gift"})
    assert again.get_json()["repeated"] is True
    with stripe.bridge.services.database.write() as connection:
        connection.execute(text("update intents set flag = 'order: look'"))
        connection.execute(text("update outbox set state = 'dead'"))
    operate(stripe, "flags", "clear", reference, *reason)
    operate(stripe, "outbox", "retry", "--all-dead")
    operate(stripe, "webhooks", "register", stripe.store.id)
    operate(stripe, "reconcile", "--store", stripe.store.id, "--release")
    operate(stripe, "reconcile", "--after-restore")
    operate(stripe, "rekey")
    found = trail(stripe)[2:]
    assert [(each["act"], each["subject"]) for each in found] == [
        ("settle", found[0]["subject"]),
        ("refund", reference),
        ("flags.clear", reference),
        ("outbox.retry", "all dead letters"),
        ("webhooks.register", stripe.store.id),
        ("reconcile.release", stripe.store.id),
        ("reconcile.hold", "all stores"),
        ("rekey", found[-1]["subject"]),
    ]
    assert found[0]["detail"]["why"] == "seen there"
    assert [found[1][name] for name in ("kind", "who", "origin")] == ["key", stripe.pair.key.id, "127.0.0.9"]
    assert (found[1]["detail"]["amount"], found[1]["detail"]["currency"]) == (100, "USD")
    assert operate_json(stripe, "audit", "verify")["ok"] is True


def test_what_is_refused_leaves_nothing(local: Local) -> None:
    before = acts(local)
    operate(local, "outbox", "retry", "--all-dead", code=1)
    operate(local, "flags", "clear", "pi_nothing", "--reason", "x", code=1)
    operate(local, "events", "replay", "nothing", code=1)
    operate(local, "keys", "revoke", "nothing", code=1)
    pair = ("--consumer-key", local.pair.consumer_key, "--consumer-secret", local.pair.consumer_secret)
    arguments = ("--store", local.store.id, *pair, "--permissions", "read", "--unchecked")
    operate(local, "keys", "import", *arguments, code=1)
    assert acts(local) == before


def test_an_act_and_its_row_are_one_transaction(stripe: Local) -> None:
    """Whoever cannot be written down is not done."""
    paid = stripe.create().get_json()["id"]
    by_hand(stripe, "delete from audit_head")
    assert "audit verify" in operate(stripe, "keys", "revoke", stripe.pair.key.id, code=1).output
    assert stripe.show(paid).status_code == 200, "the key is as good as before"
    assert stripe.post(REFUND, {"order_id": stripe.orders["payable"], "amount": 100}).status_code == 500
    assert stripe.stripe
    assert not stripe.stripe.ledger.entries("refunded")


def test_the_database_refuses_to_change_or_remove_a_row(stripe: Local) -> None:
    for statement in ("update audit set who = 'nobody'", "delete from audit", "delete from audit where number = 1"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            stripe.bridge.services.database.write() as connection,
        ):
            connection.execute(text(statement))


TAMPERED: dict[str, tuple[tuple[str, ...], str]] = {
    "who": (("update audit set who = 'mallory' where number = 3",), "Act 3 was changed"),
    "what": (("""update audit set detail = '{"n": 1}' where number = 3""",), "Act 3 was changed"),
    "when": (("update audit set at = at + 1 where number = 3",), "Act 3 was changed"),
    "its digest": (
        ("update audit set digest = (select digest from audit where number = 2) where number = 3",),
        "Act 3",
    ),
    "one removed": (("delete from audit where number = 3",), "Act 3 is missing"),
    "two removed": (("delete from audit where number in (3, 4)",), "Acts 3 to 4 are missing"),
    "the first removed": (("delete from audit where number = 1",), "Act 1 is missing"),
    "the last removed": (("delete from audit where number = 6",), "Act 6 is missing at the end"),
    "all removed": (("delete from audit",), "Acts 1 to 6 are missing at the end"),
    "one removed, and the gap closed": (
        (
            "delete from audit where number = 3",
            *(f"update audit set number = {n - 1} where number = {n}" for n in (4, 5, 6)),
        ),
        "Act 3 was changed",
    ),
    "two reordered": (
        (
            "update audit set number = 99 where number = 3",
            "update audit set number = 3 where number = 4",
            "update audit set number = 4 where number = 99",
        ),
        "Act 3 was changed",
    ),
    "one added": (
        (
            "insert into audit select 7, at, kind, who, origin, act, subject, detail, digest from audit"
            " where number = 6",
            "update audit_head set number = 7",
        ),
        "Act 7 was changed",
    ),
    "the head removed": (("delete from audit_head",), "The head of the audit trail is missing"),
    "the head moved": (("update audit_head set digest = 'x'",), "does not end where its head says"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_removed_or_reordered_is_found(stripe: Local, what: str) -> None:
    for _ in range(4):
        keys.create(stripe.bridge.services, stripe.store.id, Permissions.READ)
    assert operate_json(stripe, "audit", "verify")["ok"] is True
    statements, expected = TAMPERED[what]
    by_hand(stripe, *statements)
    assert any(expected in each for each in problems(stripe)), problems(stripe)
    told = operate_json(stripe, "doctor", code=1)
    assert [each for each in told if each["about"] == "audit" and not each["ok"] and expected in each["text"]]


def test_a_trail_that_was_cut_together_with_its_head_is_found_by_an_anchor(stripe: Local) -> None:
    keys.create(stripe.bridge.services, stripe.store.id, Permissions.READ)
    noted = operate_json(stripe, "audit", "verify")["end"]
    assert operate(stripe, "audit", "verify").stdout.strip() == noted
    assert operate_json(stripe, "audit", "verify", "--anchor", noted)["ok"] is True
    by_hand(
        stripe,
        "delete from audit where number = 3",
        "update audit_head set number = 2, digest = (select digest from audit where number = 2)",
    )
    assert operate_json(stripe, "audit", "verify")["ok"] is True, "nobody can tell by the database alone"
    assert problems(stripe, "--anchor", noted) == ["Act 3 is missing: the trail was longer when the anchor was noted."]
    keys.create(stripe.bridge.services, stripe.store.id, Permissions.READ)
    assert problems(stripe, "--anchor", noted) == ["Act 3 is not the one that was noted."]
    assert "NUMBER:DIGEST" in operate(stripe, "audit", "verify", "--anchor", "3", code=1).output


def test_what_a_new_trail_prints_is_an_anchor_too(cli: CommandLine) -> None:
    """docs/operations.md keeps it in a variable and compares at once, before anybody has done anything."""
    cli.run("init")
    noted = cli.run("audit", "verify").stdout.strip()
    assert cli.run("audit", "verify", "--anchor", noted).stdout.strip() == noted
    cli.run("rekey")
    assert cli.json("audit", "verify", "--anchor", noted)["ok"] is True
    for wrong in ("0", "1:", ":", f"0:{'a' * 63}"):
        assert "NUMBER:DIGEST" in cli.run("audit", "verify", "--anchor", wrong, code=1).stderr


def test_acts_at_the_same_moment_are_one_chain(stripe: Local) -> None:
    services = stripe.bridge.services

    def make(_: int) -> None:
        keys.create(services, stripe.store.id, Permissions.READ)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(40)))
    found = trail(stripe)
    assert [each["number"] for each in found] == list(range(1, 43))
    assert operate_json(stripe, "audit", "verify")["ok"] is True


def test_an_act_waits_for_the_one_that_is_being_written(make_local: MakeLocal, postgres_url: str) -> None:
    """On PostgreSQL, whose transactions do not queue by themselves."""
    local = make_local(postgres_url)
    services = local.bridge.services
    with ThreadPoolExecutor(1) as pool:
        with services.database.write() as connection:
            services.audit_act(connection, "test.first", "one")
            later = pool.submit(keys.create, services, local.store.id, Permissions.READ)
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            until(lambda: _scalar(local, waiting) == 1)
            assert not later.done()
        later.result(timeout=30)
    assert [each["act"] for each in trail(local)][-2:] == ["test.first", "keys.create"]
    assert operate_json(local, "audit", "verify")["ok"] is True


def test_doctor_verifies_the_newest_acts_and_all_of_them_if_wanted(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.operations.audit.NEWEST", 2)
    for _ in range(3):
        keys.create(local.bridge.services, local.store.id, Permissions.READ)
    by_hand(local, "update audit set who = 'mallory' where number = 2")

    def told(*arguments: str) -> list[dict[str, Any]]:
        checks = operate_json(local, "doctor", *arguments, code=1)
        return [check for check in checks if check["about"] == "audit"]

    [newest] = told()
    assert (newest["ok"], newest["text"]) == (True, "The audit trail of 5 acts is intact in its newest 2 acts.")
    [found] = told("--all")
    assert not found["ok"]


def _scalar(local: Local, query: str) -> Any:
    with local.bridge.services.database.read() as connection:
        return connection.execute(text(query)).scalar()


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if is_so():
            return
    raise AssertionError("it never became so")
