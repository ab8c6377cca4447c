"""Consumer keys of two stores against a model of one line each: what they may do, and until when."""

from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test

from bridge.domain.errors import Refused
from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.registry.keys import KeyPair
from tests.lifecycle.lives import PAYMENTS
from tests.stateful.conftest import Tenants, sized

KEYS = Bundle("keys")
FORBIDDEN = "rest_forbidden"


@dataclass
class Known:
    """One pair of one store; it works before `end` (Unix seconds). One that was replaced is not rotated again: nobody
    has said when the next one ends."""

    pair: KeyPair
    which: int
    permissions: Permissions
    end: float = float("inf")
    is_replaced: bool = False


class ConsumerKeys(RuleBasedStateMachine):
    """`seen` counts why a pair was answered as it was, and with which status a read and a write."""

    def __init__(self, tenants: Tenants, seen: Counter[tuple[str, int, int]]) -> None:
        super().__init__()
        self.tenants = tenants
        self.seen = seen
        self.known: list[Known] = []
        self.intents = [life.pay(life.order())["id"] for life in tenants]

    @property
    def now(self) -> float:
        return self.tenants[0].local.clock.now

    def made(self, which: int, permissions: Permissions) -> Known:
        local = self.tenants[which].local
        return self.keep(keys.create(local.bridge.services, local.store.id, permissions), which, permissions)

    def keep(self, pair: KeyPair, which: int, permissions: Permissions) -> Known:
        self.known.append(Known(pair, which, permissions))
        return self.known[-1]

    @initialize(target=KEYS)
    def one_each(self) -> Any:
        return multiple(self.made(0, Permissions.READ_WRITE), self.made(1, Permissions.READ))

    @rule(target=KEYS, which=st.integers(0, 1), permissions=st.sampled_from(Permissions))
    def create(self, which: int, permissions: Permissions) -> Known:
        return self.made(which, permissions)

    @rule(target=KEYS, known=KEYS, overlap=st.sampled_from([0.0, 60.0, 3600.0]))
    def rotate(self, known: Known, overlap: float) -> Any:
        services = self.tenants[0].local.bridge.services
        try:
            fresh = keys.rotate(services, known.pair.key.id, overlap)
        except Refused:
            assert known.end <= self.now or known.is_replaced
            return multiple()
        assert known.end > self.now
        assert not known.is_replaced
        known.end, known.is_replaced = self.now + overlap, True
        return self.keep(fresh, known.which, known.permissions)

    @rule(known=KEYS)
    def revoke(self, known: Known) -> None:
        keys.revoke(self.tenants[0].local.bridge.services, known.pair.key.id)
        known.end = min(known.end, self.now)

    @rule(seconds=st.sampled_from([1.0, 59.0, 60.0, 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.tenants[0].local.clock.advance(seconds)

    @rule(known=KEYS, spoil=st.sampled_from(["", "", "", "secret", "key", "swap"]), other=KEYS)
    def use(self, known: Known, spoil: str, other: Known) -> None:
        """Reads its own store's payment, not the other's, and writes, as far as it may."""
        key, secret = known.pair.consumer_key, known.pair.consumer_secret
        if spoil == "secret":
            secret = secret[:-1] + ("0" if secret[-1] != "0" else "1")
        if spoil == "key":
            key = "ck_" + "0" * 40
        if spoil == "swap":
            secret = other.pair.consumer_secret
        is_pair = (key, secret) == (known.pair.consumer_key, known.pair.consumer_secret)
        why = "ended" if known.end <= self.now else "works" if is_pair else "spoilt"
        works = why == "works"
        own, foreign = self.intents[known.which], self.intents[1 - known.which]
        answers = [self.ask(key, secret, "GET", f"payment_intents/{name}") for name in (own, foreign)]
        if works and known.permissions.can_read:
            assert answers[0] == (200, own)
            assert answers[1] == (500, "resource_missing")
        else:
            assert answers == [(401, FORBIDDEN)] * 2
        written = self.ask(key, secret, "POST", "webhook")
        assert written[0] == (200 if works and known.permissions.can_write else 401)
        self.seen[why, answers[0][0], written[0]] += 1

    def teardown(self) -> None:
        """In the end every pair is used, and with another one's secret."""
        for known, other in zip(self.known, reversed(self.known), strict=True):
            self.use(known, "", other)
            self.use(known, "swap", other)

    def ask(self, key: str, secret: str, method: str, path: str) -> tuple[int, str]:
        local = self.tenants[0].local
        answer = local.app.test_client().open(
            f"{PAYMENTS}/{path}",
            method=method,
            base_url="http://127.0.0.1",
            headers={"Authorization": f"Basic {b64encode(f'{key}:{secret}'.encode()).decode()}"},
            environ_overrides=local.environ,
            json={"type": "account.updated"} if method == "POST" else None,
        )
        said = answer.get_json()
        return answer.status_code, str(said.get("id") or said.get("code"))


def test_a_key_does_what_it_may_for_its_own_store_as_long_as_it_lives(tenants: Tenants) -> None:
    seen: Counter[tuple[str, int, int]] = Counter()
    run_state_machine_as_test(lambda: ConsumerKeys(tenants, seen), settings=sized(30, 20))
    working = {("works", 200, 401), ("works", 401, 200), ("works", 200, 200)}
    assert seen.keys() == working | {("spoilt", 401, 401), ("ended", 401, 401)}
