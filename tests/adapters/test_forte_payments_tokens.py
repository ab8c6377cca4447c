"""The access token of Forte Payments: how often it is asked for, by whom, and what happens when it is refused.

The numbers are those of the checklist for Forte.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bridge.adapters import ProviderError, ProviderRefused, ProviderUnreachable
from bridge.simulators.faults import Fault
from tests.adapters.forte_payments_provider import CLIENT_ID, CLIENT_SECRET, World, forte, payment
from tests.adapters.forte_payments_wire import INTENT, MANIFEST, REDIRECT, REPLAY, STATUSES, SUBSCRIPTIONS, TOKEN_PATHS
from tests.plugins.concurrently import at_once

PLURAL, SINGULAR = TOKEN_PATHS
UUID = "440b0e4e-ae70-4886-ad6b-1521cc22cbca"


@pytest.fixture
def world() -> Iterator[World]:
    with forte() as world:
        yield world


def tokens(world):
    """The calls for a token, by path."""
    return [sent.path for sent in world.door.sent if sent.path in TOKEN_PATHS]


def keys(count):
    return [f"{number:032x}:create" for number in range(count)]


def test_01_a_token_is_asked_for_with_json_and_the_secret_stays_out_of_everything_else(world, caplog):
    caplog.set_level(logging.DEBUG)
    outcome = world.create()
    [asked] = world.door.to(PLURAL)
    assert asked.body == {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    others = [sent for sent in world.door.sent if sent is not asked]
    assert others
    assert not any(CLIENT_SECRET.encode() in sent.content for sent in others)
    assert not any(CLIENT_SECRET in str(sent.headers) for sent in others)
    assert CLIENT_SECRET not in repr(outcome) + repr(outcome.raw) + caplog.text


@pytest.mark.parametrize("settings", [{"client_secret": "CanaryWrong"}, {"client_id": "somebody"}])
def test_01_wrong_credentials_are_told_without_them(world, settings, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ProviderRefused, match="client_id and client_secret") as caught:
        world.create(world.adapter(**settings))
    assert caught.value.code == "unauthorized"
    assert caught.value.details["provider_status"] == 401
    assert "Canary" not in str(caught.value) + repr(caught.value.details) + caplog.text
    assert world.simulator.intents == ()


FAULTS = [Fault.DROPPED, Fault.REFUSED, Fault.HTML, Fault.TRUNCATED, Fault.WRONG_JSON, Fault.ERROR_500]


@pytest.mark.parametrize("match", ["oauth2", INTENT])
@pytest.mark.parametrize("fault", FAULTS)
def test_01_nor_is_it_told_when_anything_goes_wrong(world, caplog, match, fault):
    caplog.set_level(logging.DEBUG)
    world.faults.next(fault, times=9, match=match)
    with pytest.raises(ProviderError) as caught:
        world.create()
    error = caught.value
    seen = f"{error} {error!r} {error.details} {error.__cause__!r} {caplog.text}"
    assert CLIENT_SECRET not in seen
    given = {sent.headers["Authorization"].removeprefix("Bearer ") for sent in world.door.to(INTENT)}
    assert not any(token in seen for token in given)


def test_02_a_token_is_used_until_a_minute_before_its_end(world):
    made = world.adapter()
    for seconds, asked in ((0, 1), (3539, 1), (1, 2), (3539, 2), (2, 3)):
        world.clock.advance(seconds)
        made.check()
        assert len(tokens(world)) == asked


@pytest.mark.parametrize(("life", "used_for"), [(10, 9), (600, 540), (601, 541)])
def test_02_the_margin_of_a_short_life_is_a_tenth(life, used_for):
    with forte(token_seconds=life) as world:
        made = world.adapter()
        made.check()
        world.clock.advance(used_for - 1)
        made.check()
        assert len(tokens(world)) == 1
        world.clock.advance(1)
        made.check()
        assert len(tokens(world)) == 2


def test_02_many_threads_ask_for_one_token(world):
    made, names = world.adapter(), keys(12)
    outcomes = at_once(12, lambda number: world.create(made, key=names[number]))
    assert len({outcome.reference for outcome in outcomes}) == 12
    assert len(tokens(world)) == 1


@pytest.mark.parametrize("told", [{"expires_in": "3600"}, {"expires_in": 3600.0}])
def test_02_the_life_may_be_a_text(world, told):
    world.answer_next(PLURAL, **told)
    made = world.adapter()
    made.check()
    made.check()
    assert len(tokens(world)) == 1


@pytest.mark.parametrize("life", [0, -1, "soon", None, ...])
def test_02_a_token_whose_life_is_none_is_used_once(world, life):
    world.answer_next(PLURAL, times=2, expires_in=life)
    made = world.adapter()
    for key in keys(2):
        assert world.create(made, key=key).reference
    assert len(tokens(world)) >= 2


def test_03_a_refused_token_is_renewed_once_and_the_same_request_sent_again(world):
    made = world.adapter()
    made.check()
    world.simulator.revoke_tokens()
    assert world.create(made).reference
    first, second = world.door.to(INTENT)
    assert first.content == second.content
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert len(tokens(world)) == 2


HOOK = "https://bridge.example/hook"
CALLS = {
    "intent": lambda made: made.create(made.prepare(payment()), keys(1)[0]),
    "redirect": lambda made: made.open(made.prepare(payment()), keys(1)[0]),
    "statuses": lambda made: made.fetch(UUID),
    "subscriptions": lambda made: made.register_webhook(HOOK),
    "replay": lambda made: made.replay(0.0),
}


@pytest.mark.parametrize("call", CALLS)
def test_03_every_call_renews_a_refused_token_once_and_is_sent_again_as_it_was(world, call):
    made = world.adapter(mode="redirect" if call == "redirect" else "widget", script_integrity="no")
    made.check()
    asked = len(world.door.sent)
    world.simulator.revoke_tokens()
    with suppress(ProviderRefused):  # nobody knows that intent
        CALLS[call](made)
    first, renewed, second, *_ = world.door.sent[asked:]
    assert renewed.path == PLURAL
    assert (first.path, first.content, first.query) == (second.path, second.content, second.query)
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert call in second.path
    assert len(tokens(world)) == 2


def test_03_a_second_refusal_is_told(world):
    world.replace_next(INTENT, {"error": {"status": 401, "reason": "Unauthorized"}}, 401)
    world.replace_next(INTENT, {"error": {"status": 401, "reason": "Unauthorized"}}, 401)
    with pytest.raises(ProviderRefused) as caught:
        world.create()
    assert (caught.value.code, caught.value.details["provider_status"]) == ("unauthorized", 401)
    assert len(world.door.to(INTENT)) == 2
    assert len(tokens(world)) == 2


def test_03_many_threads_with_a_refused_token_ask_for_one(world):
    made, names = world.adapter(), keys(8)
    made.check()
    world.simulator.revoke_tokens()
    outcomes = at_once(8, lambda number: world.create(made, key=names[number]))
    assert len({outcome.reference for outcome in outcomes}) == 8
    assert len(tokens(world)) == 2


def test_03_a_token_that_ends_in_a_batch_interrupts_nothing():
    with forte(token_seconds=100) as world:
        made = world.adapter()
        outcomes = []
        for key in keys(10):
            outcomes.append(world.create(made, key=key))
            world.clock.advance(45)
        assert len({outcome.reference for outcome in outcomes}) == 10
        assert len({sent.headers["Authorization"] for sent in world.door.to(INTENT)}) == 5
        assert len(world.door.to(INTENT)) == 10


@pytest.mark.parametrize("first", ["tokens", "token"])
@pytest.mark.parametrize("only", TOKEN_PATHS)
def test_04_both_spellings_work_and_the_one_that_did_is_remembered(first, only):
    with forte(token_paths=(only,)) as world:
        made = world.adapter(token_path=first)
        made.check()
        world.clock.advance(3600)
        made.check()
        tried = [PLURAL, SINGULAR] if first == "tokens" else [SINGULAR, PLURAL]
        expected = [*tried[: tried.index(only) + 1], only]
        assert tokens(world) == expected


@pytest.mark.parametrize("status", [404, 405])
def test_04_a_path_that_is_none_is_not_a_refusal(world, status):
    world.replace_next(PLURAL, {"error": {"status": status, "reason": "No"}}, status)
    assert world.create().reference
    assert tokens(world) == [PLURAL, SINGULAR]


def test_04_older_answers_are_understood(world):
    for change in (
        lambda body, status: ({"data": {"access": body["data"]["access_token"], "expires_in": 3600}}, status),
        lambda body, status: (body["data"], status),
        lambda body, status: (body, 200),
    ):
        world.simulator.spoil_next(PLURAL, change)
        assert world.create(world.adapter()).reference


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": {}},
        {"data": None},
        [],
        "token",
        None,
        {"data": {"access_token": ""}},
        {"data": {"access_token": 7}},
        {"data": {"access_token": "a\r\nHost: b"}},
    ],
)
def test_04_an_answer_without_a_token_is_an_error_after_which_nothing_was_done(world, answer):
    world.replace_next(PLURAL, answer, 201)
    with pytest.raises(ProviderUnreachable) as caught:
        world.create()
    assert caught.value.sent is False
    assert world.door.to(INTENT) == []


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.TRUNCATED, Fault.ERROR_500, Fault.ERROR_503, Fault.RATE_LIMITED])
def test_04_whatever_becomes_of_the_token_nothing_was_done(world, fault):
    world.faults.next(fault, match="oauth2")
    with pytest.raises(ProviderUnreachable) as caught:
        world.create()
    assert caught.value.sent is False
    assert world.simulator.intents == ()


def test_05_a_token_never_leaves_its_host_and_client(world):
    with forte(seed=8) as other:
        for each in (world, other):
            each.create(each.adapter())
        seen = [{sent.headers["Authorization"] for sent in each.door.to(INTENT)} for each in (world, other)]
        assert [len(headers) for headers in seen] == [1, 1]
        assert seen[0].isdisjoint(seen[1])


def test_05_another_client_of_the_same_host_asks_for_a_token_of_its_own(world):
    world.create()
    with pytest.raises(ProviderRefused) as caught:
        world.create(world.adapter(client_id="another"), key=keys(1)[0])
    assert caught.value.code == "unauthorized"
    assert [sent.body["client_id"] for sent in world.door.to(PLURAL)] == [CLIENT_ID, "another"]
    assert len(world.door.to(INTENT)) == 1


def test_05_a_request_that_was_prepared_for_another_account_is_not_sent(world):
    request = world.adapter().prepare(payment())
    for other in (world.adapter(client_id="another"), world.adapter(api_base="http://127.0.0.1:9")):
        with pytest.raises(ProviderUnreachable) as caught:
            other.create(request, keys(1)[0])
        assert caught.value.sent is False
    with pytest.raises(ProviderUnreachable):
        world.adapter().create(request | {"livemode": True}, keys(1)[0])
    assert world.door.sent == []
    assert CLIENT_SECRET not in json.dumps(request)


def test_06_every_call_has_the_token_but_the_one_for_it(world):
    made = world.adapter()
    outcome = world.create(made)
    made.fetch(outcome.reference)
    made.register_webhook("https://bridge.example/hook")
    made.replay(0.0)
    made.check()
    redirect = world.adapter(mode="redirect")
    redirect.open(redirect.prepare(payment()), keys(1)[0])
    paths = {sent.path for sent in world.door.sent}
    assert paths == {PLURAL, INTENT, REDIRECT, STATUSES, MANIFEST, SUBSCRIPTIONS, REPLAY}
    without = {sent.path for sent in world.door.sent if "Authorization" not in sent.headers}
    assert without == {PLURAL}
    assert len({sent.headers.get("Authorization") for sent in world.door.sent}) == 3
