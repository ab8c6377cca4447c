"""The sandbox keeps the contract of every adapter, and does what its table of magic payment methods says."""

import re
from pathlib import Path

import pytest

from bridge.adapters import AdapterContext, ConfigurationError, ProviderUnreachable, Status
from bridge.adapters.contract import AdapterContract
from bridge.adapters.sandbox import TEST_CARDS, SandboxAdapter
from tests.adapters.sandbox_provider import DOCUMENTATION, SandboxProvider


class TestSandbox(AdapterContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> SandboxProvider:
        return SandboxProvider({"books": str(tmp_path / "one.sqlite")}, {"books": str(tmp_path / "two.sqlite")})


class TestSandboxInParts(AdapterContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> SandboxProvider:
        in_parts = {"multicapture": "yes"}
        one, two = ({"books": str(tmp_path / f"{name}.sqlite")} | in_parts for name in ("one", "two"))
        return SandboxProvider(one, two)


@pytest.fixture
def provider(tmp_path: Path) -> SandboxProvider:
    return SandboxProvider({"books": str(tmp_path / "books.sqlite")})


@pytest.mark.parametrize("name", [name for name in TEST_CARDS if TEST_CARDS[name].fault != "unreachable"])
def test_every_magic_payment_method_does_what_its_row_says(provider: SandboxProvider, name: str) -> None:
    adapter, payment, magic = provider.make(), provider.payment(name), TEST_CARDS[name]
    request = adapter.prepare(payment)
    try:
        outcome = adapter.create(request, "key")
    except ProviderUnreachable:
        outcome = adapter.create(request, "key")
    assert (outcome.status, outcome.decline) == (magic.status, magic.decline)
    assert outcome.charge is None or outcome.charge.card is None or outcome.charge.card["last4"] == magic.last4
    assert (outcome.client_secret is not None) == (magic.status is Status.REQUIRES_ACTION)
    assert (outcome.dispute is not None) == (magic.quarrel is not None)


def test_every_magic_payment_method_is_documented_and_nothing_else() -> None:
    documented = set(re.findall(r"`(pm_(?:card|sandbox)_\w+)`", DOCUMENTATION.read_text()))
    assert documented - {"pm_card_visa_chargeDeclined", "pm_card_"} == set(TEST_CARDS)


def test_the_names_with_visa_in_the_middle_mean_the_same(provider: SandboxProvider) -> None:
    adapter = provider.make()
    outcome = adapter.create(adapter.prepare(provider.payment("pm_card_visa_chargeDeclined")), "key")
    assert outcome.decline == TEST_CARDS["pm_card_chargeDeclined"].decline


def test_the_same_key_gives_the_same_ids_on_every_machine(tmp_path: Path) -> None:
    provider = SandboxProvider({"books": str(tmp_path / "one")}, {"books": str(tmp_path / "two")})
    payment = provider.payment()
    outcomes = []
    for settings in (provider.settings, provider.other_settings):
        adapter = provider.make(settings)
        outcomes.append(adapter.create(adapter.prepare(payment), "key"))
    assert outcomes[0].reference == outcomes[1].reference
    assert re.fullmatch(r"pi_[A-Za-z0-9]{24}", outcomes[0].reference or "")


def test_books_that_cannot_be_kept_are_found_by_the_check(tmp_path: Path) -> None:
    adapter = SandboxAdapter({"books": str(tmp_path)}, live=False, context=AdapterContext())
    [finding] = adapter.check()
    assert not finding.ok


def test_a_live_store_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="refuses a live store"):
        SandboxAdapter({"books": ""}, live=True, context=AdapterContext())
