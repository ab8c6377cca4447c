"""What a process remembers of a key: for a second, and nothing that a wrong secret could gain by."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge import Bridge, create_app
from bridge.domain.stores import NOTHING, Permissions
from bridge.key_memory import MOST_KEYS
from bridge.reconcile.run import hold_all
from bridge.registry import keys, stores
from bridge.registry.keys import KeyPair
from tests.http.test_key_restrictions import FOUND_NOTHING
from tests.plugins.local import INTENTS, UNLIMITED, Local, MakeLocal
from tests.plugins.statements import watched

LOOK = f"{INTENTS}/pi_x"
ALMOST = 0.999


@dataclass
class Two:
    """Two bridges on one database, with one clock: `here` changes something, `there` has served the key just now."""

    here: Local
    there: Local

    def ask(self, pair: KeyPair | None = None) -> str:
        """What the other one says: that it has found nothing, or a refusal."""
        return str(told(self.there, pair or self.here.pair)["code"])


def told(local: Local, pair: KeyPair, **kwargs: Any) -> dict[str, Any]:
    said: dict[str, Any] = looked(local, pair, **kwargs).get_json()
    return said


def looked(local: Local, pair: KeyPair, **kwargs: Any) -> TestResponse:
    return local.app.test_client().get(
        LOOK,
        base_url="http://127.0.0.1",
        auth=(pair.consumer_key, pair.consumer_secret),
        environ_overrides={**local.environ, **kwargs},
    )


@pytest.fixture
def two(make_local: MakeLocal, database_url: str) -> Iterator[Two]:
    key = secrets.token_hex(20)
    here = make_local(database_url, secret_key=key)
    other = Bridge(
        clock=here.clock,
        secret_key=key,
        database_url=database_url,
        allow_private_urls=True,
        public_url="http://127.0.0.1",
        local_http=True,
        **UNLIMITED,
    )
    yield Two(here, replace(here, bridge=other, app=create_app(other)))
    other.close()


@pytest.fixture
def questions() -> Iterator[Callable[[Local], list[str]]]:
    """`questions(local)`: statements about keys that its bridge runs from now on."""
    with ExitStack() as stack:

        def listen(local: Local) -> list[str]:
            found: list[str] = []

            def note(_connection: Any, statement: str, _values: Any) -> None:
                if "api_keys" in statement:
                    found.append(statement.split()[0].lower())

            stack.enter_context(watched(local.bridge.services.database, note))
            return found

        yield listen


CHANGES: dict[str, Callable[[Local], object]] = {
    "revoked": lambda local: keys.revoke(local.bridge.services, local.pair.key.id),
    "rotated": lambda local: keys.rotate(local.bridge.services, local.pair.key.id, overlap=0),
    "for another network": lambda local: keys.update(
        local.bridge.services, local.pair.key.id, networks=("192.0.2.0/24",)
    ),
    "refused by its store": lambda local: keys.learn(
        local.bridge.services, local.pair.key, store_permissions=NOTHING, origin="store"
    ),
    "of a store that was removed": lambda local: stores.remove(local.bridge.services, local.store.id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_is_in_effect_at_once_here_and_within_a_second_there(two: Two, change: str) -> None:
    assert two.ask() == told(two.here, two.here.pair)["code"] == FOUND_NOTHING
    CHANGES[change](two.here)
    assert told(two.here, two.here.pair)["code"] == "rest_forbidden"
    two.here.clock.advance(ALMOST)
    two.ask()
    two.here.clock.advance(1 - ALMOST)
    assert two.ask() == "rest_forbidden"


def test_a_second_is_counted_from_what_was_read_and_not_from_the_last_request(two: Two) -> None:
    two.ask()
    keys.revoke(two.here.bridge.services, two.here.pair.key.id)
    answers = []
    for _ in range(4):
        answers.append(two.ask())
        two.here.clock.advance(0.3)
    assert (answers, two.ask()) == ([FOUND_NOTHING] * 4, "rest_forbidden")


def test_a_key_ends_at_its_own_time_whatever_is_remembered(two: Two) -> None:
    end = two.here.clock() + 0.5
    keys.update(two.here.bridge.services, two.here.pair.key.id, expires=end)
    assert two.ask() == FOUND_NOTHING
    two.here.clock.advance(0.5)
    assert two.ask() == "rest_forbidden"


def test_permissions_that_change_count_within_a_second(two: Two) -> None:
    two.ask()
    keys.learn(two.here.bridge.services, two.here.pair.key, store_permissions=Permissions.WRITE.value, origin="store")
    two.here.clock.advance(1)
    assert two.ask() == "rest_forbidden"
    assert two.there.create().status_code == 200


def test_another_address_is_another_question(local: Local) -> None:
    keys.update(local.bridge.services, local.pair.key.id, networks=("127.0.0.0/8",))
    assert told(local, local.pair)["code"] == FOUND_NOTHING
    assert told(local, local.pair, REMOTE_ADDR="192.0.2.7")["code"] == "rest_forbidden"


def test_no_money_moves_through_a_store_that_was_held_just_now_elsewhere(two: Two) -> None:
    assert two.ask() == FOUND_NOTHING
    hold_all(two.here.bridge.services)
    answer = two.there.create()
    assert (answer.status_code, answer.get_json()["data"]["reason"]) == (500, "reconcile_first")


def test_within_a_second_a_key_is_asked_for_and_written_once(
    make_local: MakeLocal, database_url: str, questions: Callable[[Local], list[str]]
) -> None:
    local = make_local(database_url)
    found = questions(local)
    for _ in range(3):
        assert told(local, local.pair)["code"] == FOUND_NOTHING
    assert found == ["select", "update"]
    local.clock.advance(1)
    assert told(local, local.pair)["code"] == FOUND_NOTHING
    assert found == ["select", "update", "select"]


def test_a_wrong_secret_costs_the_same_whether_or_not_the_right_one_was_shown_just_now(
    local: Local, questions: Callable[[Local], list[str]]
) -> None:
    found = questions(local)
    wrong = replace(local.pair, consumer_secret=local.pair.consumer_secret[:-1] + "x")
    swapped = replace(local.pair, consumer_key=local.pair.consumer_secret, consumer_secret=local.pair.consumer_key)
    split = replace(local.pair, consumer_key=local.pair.consumer_key[:-1], consumer_secret=local.pair.consumer_secret)
    for _ in range(2):
        for pair in (wrong, swapped, split):
            assert told(local, pair)["code"] == "rest_forbidden"
        assert found.count("select") == 3
        assert told(local, local.pair)["code"] == FOUND_NOTHING
        found.clear()


def test_no_secret_is_kept(local: Local) -> None:
    told(local, local.pair)
    memory = local.bridge.services.key_memory
    kept = repr({name: getattr(memory, name) for name in vars(memory)})
    assert local.pair.key.id in kept
    assert local.pair.consumer_secret not in kept
    assert local.pair.consumer_key not in kept


def test_as_many_keys_as_there_are_take_no_more_room(local: Local) -> None:
    told(local, local.pair)
    memory = local.bridge.services.key_memory
    proven = memory.recall(local.pair.consumer_key, local.pair.consumer_secret)
    assert proven
    for number in range(3 * MOST_KEYS):
        memory.keep(f"ck_{number}", "cs_x", proven)
        assert len(memory._proven) <= MOST_KEYS
    assert told(local, local.pair)["code"] == FOUND_NOTHING


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_to_ask(local: Local) -> None:
    told(local, local.pair)
    memory = local.bridge.services.key_memory
    assert memory.recall(local.pair.consumer_key, local.pair.consumer_secret)
    child = os.fork()
    if child == 0:
        os._exit(0 if memory.recall(local.pair.consumer_key, local.pair.consumer_secret) is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_every_request_counts_towards_its_limits(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, key_limit="2/hour", rate_limit="2/hour")
    assert [looked(local, local.pair).status_code for _ in range(3)] == [500, 500, 429]
    wrong = replace(local.pair, consumer_secret="cs_" + 40 * "0")
    assert [looked(local, wrong).status_code for _ in range(3)] == [401, 401, 429]
