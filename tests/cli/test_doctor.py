"""`doctor`, `prune`, the metrics: what they tell of a bridge that is well, and of one that is not."""

import json
import re
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from bridge.operations import inbox_admin
from bridge.selftest.fill_database import fill
from bridge.simulators.faults import Fault
from bridge.storage import retention
from bridge.storage.payment_tables import journal
from bridge.storage.tables import inbox, oauth_nonces, outbox
from bridge.worker.periodic_jobs import run_jobs
from tests.cli.operator import operate, operate_json, unknown
from tests.plugins.commandline import CommandLine
from tests.plugins.local import PLATFORM_KEY, Local, MakeLocal
from tests.plugins.statements import sent

TOKEN = "metrics-token-of-the-test"
DAY = 24 * 3600


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect", settings={"webhook_secret": "whsec_x"}, metrics_token=TOKEN)


def examined(local: Local, code: int = 0) -> dict[str, list[str]]:
    """What is not as it should be, by what it is about."""
    wrong: dict[str, list[str]] = {}
    for check in operate_json(local, "doctor", code=code):
        if not check["ok"]:
            wrong.setdefault(check["about"], []).append(check["text"])
    return wrong


def measured(local: Local) -> dict[str, float]:
    answer = local.app.test_client().get(
        "/bridge/v1/metrics", base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = [line for line in answer.get_data(as_text=True).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def all_jobs(local: Local) -> None:
    while run_jobs(local.bridge.services):
        pass


def test_a_bridge_that_is_well_passes(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url, "stripe_connect", settings={"webhook_secret": "whsec_x"}, metrics_token=TOKEN)
    local.clock.now = time.time()
    all_jobs(local)
    local.create()
    local.work()
    assert examined(local) == {}
    assert "ok  database: It can be written to." in operate(local, "doctor").output
    assert measured(local)["wcpay_bridge_worker_heartbeat_age_seconds"] == 0


def test_a_clock_that_is_not_the_databases_is_told(make_local: MakeLocal, postgres_url: str) -> None:
    local = make_local(postgres_url)
    local.clock.now = time.time() - 300
    assert re.search(r"clock is -(299|30\d) seconds off", examined(local, code=1)["clock"][0])


def test_unknowns_flags_dead_letters_late_queues_and_a_missing_worker_are_told(stripe: Local) -> None:
    assert set(examined(stripe, code=1)) == {"worker"}
    unknown(stripe, Fault.ERROR_500)
    stripe.create("payable_2")
    stripe.clock.advance(3600)
    wrong = examined(stripe, code=1)
    assert set(wrong) == {"worker", "unknown", "outbox"}
    assert "unknown for 61 minutes" in wrong["unknown"][0]
    assert stripe.app.test_client().get("/bridge/v1/health/ready", base_url="http://127.0.0.1").status_code == 200
    stripe.shop_faults.next(Fault.ERROR_503, times=999)
    for _ in range(90):
        stripe.clock.advance(4000)
        stripe.work()
    stripe.shop_faults.clear()
    wrong = examined(stripe, code=1)
    assert any("are dead letters" in told for told in wrong["outbox"])
    assert any("The store could not be updated" in told for told in wrong["flags"])


def test_a_shop_that_became_another_and_a_provider_that_refuses_are_told(stripe: Local) -> None:
    all_jobs(stripe)
    assert stripe.provider_faults
    stripe.shop_faults.next(Fault.ERROR_503, times=9)
    stripe.provider_faults.next(Fault.ERROR_503, times=9)
    wrong = examined(stripe, code=1)
    assert set(wrong) == {f"store:{stripe.store.id}"}
    assert PLATFORM_KEY not in json.dumps(wrong)


def test_of_many_stores_those_with_something_under_way_are_asked_first_and_all_if_wanted(local: Local) -> None:
    fill(local.bridge.services.database, 24, 0, local.clock.now, local.store.url)
    local.create(payment_method="pm_card_authenticationRequired")

    def asked(*arguments: str) -> set[str]:
        checks = operate_json(local, "doctor", *arguments, code=1)
        return {check["about"] for check in checks if check["about"].startswith("store:")}

    some = asked()
    assert len(some) == 20
    assert f"store:{local.store.id}" in some
    assert len(asked("--all")) == 25
    assert "20 stores were asked: `doctor --all` asks every one" in operate(local, "doctor", code=1).output


def test_many_failing_jobs_and_held_stores_are_counted(local: Local) -> None:
    fill(local.bridge.services.database, 24, 0, local.clock.now, local.store.url)
    with local.bridge.services.database.write() as connection:
        connection.execute(text("update jobs set last_error = 'x' where name like 'catch_up:shop-%'"))
        connection.execute(text("update stores set awaits_reconcile = true where id like 'shop-%'"))
    output = operate(local, "doctor", code=1).output
    assert output.count("failed: x") == output.count("The database has been restored") == 20
    assert "4 more jobs failed." in output
    assert "More stores are held" in output


def test_a_clock_that_went_back_is_told(local: Local) -> None:
    local.create()
    local.clock.advance(-7200)
    assert any("The clock went back" in told for told in examined(local, code=1)["clock"])


def test_a_damaged_or_old_database_is_told(local: Local) -> None:
    with local.bridge.services.database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    assert any("Run `flask bridge migrate`" in told for told in examined(local, code=1)["database"])


def test_settings_that_are_wrong_are_told_and_nothing_else_is_tried(cli: CommandLine) -> None:
    [told] = cli.json("doctor", code=1)
    assert (told["about"], told["ok"]) == ("configuration", False)
    assert "no secret key" in told["text"]


def test_another_key_is_told(cli: CommandLine) -> None:
    cli.run("init")
    key_file = Path(str(cli.environ["XDG_DATA_HOME"])) / "wcpay-bridge" / "secret.key"
    key_file.write_text("another-key-of-thirty-two-letters-or-more\n")
    [told] = cli.json("doctor", code=1)
    assert "does not belong to this database" in told["text"]


def test_the_metrics_tell_numbers_and_nothing_else(stripe: Local) -> None:
    all_jobs(stripe)
    attempt = unknown(stripe, Fault.ERROR_500)
    stripe.create("payable_2")
    stripe.clock.advance(240)
    found = measured(stripe)
    assert found['wcpay_bridge_intents_open{status="processing"}'] == 1
    assert found['wcpay_bridge_intents_recent{status="succeeded"}'] == 1
    assert (found["wcpay_bridge_unknown_outcomes"], found["wcpay_bridge_unknown_oldest_seconds"]) == (1, 300)
    assert (found["wcpay_bridge_outbox_waiting"], found["wcpay_bridge_outbox_oldest_seconds"]) == (1, 240)
    assert (found["wcpay_bridge_outbox_dead"], found["wcpay_bridge_inbox_dead"]) == (0, 0)
    assert found["wcpay_bridge_worker_heartbeat_age_seconds"] == 300
    assert found["wcpay_bridge_flagged_intents"] == 0
    assert not any(attempt in name or stripe.store.id in name for name in found)


@pytest.mark.parametrize("header", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} "])
def test_the_metrics_need_the_owners_token(stripe: Local, header: str) -> None:
    client = stripe.app.test_client()
    answer = client.get("/bridge/v1/metrics", base_url="http://127.0.0.1", headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "rest_forbidden")


def test_without_a_token_there_are_no_metrics(local: Local) -> None:
    assert asked_for_metrics(local) == (404, "rest_no_route")


def test_a_token_without_the_extra_stops_the_start_and_is_told(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.run("init")
    cli.environ["BRIDGE_METRICS_TOKEN"] = TOKEN
    assert cli.json("doctor", code=1)[0]["ok"]
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    why = "BRIDGE_METRICS_TOKEN: the metrics need a package: pip install 'wcpay-bridge[metrics]'."
    assert cli.json("doctor", code=1) == [{"about": "configuration", "ok": False, "text": why}]
    assert why in cli.run("serve", code=1).output


def asked_for_metrics(local: Local) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = local.app.test_client().get("/bridge/v1/metrics", base_url="http://127.0.0.1", headers=headers)
    return answer.status_code, answer.get_json()["code"]


def count(local: Local, table: object) -> int:
    with local.bridge.services.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_prune_forgets_what_is_old_and_nothing_of_a_payment(stripe: Local) -> None:
    assert stripe.stripe
    intent = stripe.create().get_json()["id"]
    stripe.work()
    endpoint = stripe.stripe.add_webhook_endpoint("http://127.0.0.1:9/never", connect=True, secrets=["whsec_x"]).id
    for event in stripe.stripe.events:
        message = stripe.stripe.signed(event["id"], endpoint)
        sent = stripe.app.test_client().post(
            f"/bridge/v1/webhooks/{stripe.store.id}", data=message.body, headers=dict(message.headers)
        )
        assert sent.status_code == 200
    stripe.work()
    about_it = [m for m in inbox_admin.messages(stripe.bridge.services) if m["payment_intent"]]
    assert about_it
    with stripe.bridge.services.database.write() as connection:
        stale = {"key_id": "k", "timestamp": int(stripe.clock.now)}
        connection.execute(insert(oauth_nonces), [stale | {"nonce": str(number)} for number in range(1200)])
    lines = count(stripe, journal)
    stripe.clock.advance(40 * DAY)
    dropped = operate_json(stripe, "prune")
    assert dropped["nonces"] == 1200
    assert dropped["updates that shops have heard of"] == 1
    assert count(stripe, oauth_nonces) == count(stripe, outbox) == 0
    assert count(stripe, journal) == lines
    assert count(stripe, inbox) == len(about_it)
    assert stripe.show(intent).get_json()["status"] == "succeeded"
    assert "the store has been updated" in operate(stripe, "why", intent).output
    assert re.findall(r"^0\t", operate(stripe, "prune").output, re.MULTILINE)


def test_what_was_taken_up_again_since_it_was_found_is_not_forgotten(stripe: Local) -> None:
    """Between the look and the deletion somebody replays a message."""
    database, before = stripe.bridge.services.database, stripe.clock.now
    with database.write() as connection:
        row = {"endpoint": "x", "event": {}, "body": "", "tries": 0, "due": 0.0, "busy_until": 0.0, "last_error": ""}
        for number, state in enumerate(("done", "foreign", "new", "dead")):
            own = {"id": str(number), "event_id": str(number), "digest": "", "state": state, "received": before - 1}
            connection.execute(insert(inbox), row | own)
    found = retention.find(database, retention.MESSAGES, before, 9)
    assert len(found) == 2
    with database.write() as connection:
        connection.execute(text("update inbox set state = 'new' where id = '0'"))
    assert retention.drop(database, retention.MESSAGES, found, before) == 1
    assert count(stripe, inbox) == 3


def test_nothing_is_locked_while_nothing_is_to_be_forgotten(stripe: Local) -> None:
    with sent(stripe.bridge.services.database) as begun:
        operate(stripe, "prune")
    assert begun
    assert not [statement for statement in begun if not statement.startswith("SELECT")]


def test_the_worker_prunes_by_itself(local: Local) -> None:
    local.create()
    local.work()
    local.clock.advance(40 * DAY)
    all_jobs(local)
    assert count(local, outbox) == 0
