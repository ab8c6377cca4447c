"""What every adapter does with a payment: declare itself, prepare, create, look, void."""

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from bridge.adapters.contract.steps import (
    again,
    arranged,
    create,
    key_of,
    pay,
    refund_of,
    refusal_of,
    require_replay,
    secrets,
)
from bridge.adapters.contract.summary import about, requires
from bridge.adapters.provider import Provider
from bridge.domain.errors import (
    ConfigurationError,
    InvalidParameter,
    ProviderConfused,
    ProviderRefused,
    ProviderUnreachable,
    Unsupported,
)
from bridge.domain.intents import Status
from bridge.domain.outcomes import Outcome
from bridge.domain.ports import OPERATIONS, Adapter, Finding

_SAME = tuple(field.name for field in fields(Outcome) if field.name not in ("raw", "client_secret", "next_action"))

_WHOSE = ("order_id", "order_key", "site_url")
"""What a listed payment's metadata say: by them a restored database knows it again."""


class PaymentContract:
    """Part of AdapterContract."""

    # What it is

    def test_it_says_what_it_is(self, adapter: Adapter) -> None:
        assert re.fullmatch("[a-z][a-z0-9_]*", adapter.name)
        assert adapter.operations <= OPERATIONS
        assert "fetch" in adapter.operations, "the bridge learns by it what has become of a payment"
        assert adapter.operations & {"create", "open"}
        assert adapter.replay_window >= 0

    def test_settings_are_declared(self, provider: Provider) -> None:
        declared = provider.adapter.settings
        assert len({setting.name for setting in declared}) == len(declared)
        for setting in declared:
            assert re.fullmatch("[a-z][a-z0-9_]*", setting.name)
            assert setting.help
            assert not setting.choices or setting.default is None or setting.default in setting.choices
            assert not (setting.secret and setting.default), "a secret has no default"

    def test_settings_are_documented(self, provider: Provider) -> None:
        if provider.documentation is None:
            pytest.skip("the Provider has no documentation")
        text = provider.documentation.read_text(encoding="utf-8")
        assert [setting.name for setting in provider.adapter.settings if f"`{setting.name}`" not in text] == []

    def test_a_setting_that_it_does_not_have_is_named_with_the_one_that_was_meant(self, provider: Provider) -> None:
        if not provider.adapter.settings:
            pytest.skip("it has no settings")
        name = provider.adapter.settings[0].name
        with pytest.raises(ConfigurationError, match=f"no setting {name}x; did you mean {name}?"):
            provider.make({**provider.settings, f"{name}x": "1"})

    def test_test_settings_do_not_work_in_live_mode(self, provider: Provider) -> None:
        if not provider.adapter.tells_mode:
            pytest.skip("its settings carry no mode, and `stores check` says so")
        with pytest.raises(ConfigurationError):
            provider.make(live=True)

    def test_it_can_be_checked(self, adapter: Adapter) -> None:
        findings = adapter.check()
        assert findings
        assert all(isinstance(finding, Finding) and finding.text for finding in findings)
        assert [finding for finding in findings if not finding.ok] == []

    def test_the_smallest_step_is_a_positive_number_of_minor_units(self, adapter: Adapter, provider: Provider) -> None:
        assert adapter.smallest(provider.currency) >= 1

    # prepare

    @about("create")
    def test_prepare_is_pure(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment()
        first = json.dumps(adapter.prepare(payment))
        assert json.dumps(adapter.prepare(payment)) == first
        assert json.dumps(provider.make().prepare(payment)) == first
        assert provider.charges(provider.settings, payment) in (0, None)

    @about("create")
    def test_a_request_survives_being_stored(self, adapter: Adapter, provider: Provider) -> None:
        request = adapter.prepare(provider.payment())
        assert json.loads(json.dumps(request)) == request

    @about("create")
    def test_a_request_holds_no_secret(self, adapter: Adapter, provider: Provider) -> None:
        text = json.dumps(adapter.prepare(provider.payment()))
        assert [secret for secret in secrets(provider) if secret in text] == []

    @pytest.mark.parametrize("value", [None, "", "x y", "\0", 7, 1.5, True, ["pm_card_visa"], {"id": "pm_card_visa"}])
    @pytest.mark.parametrize("param", ["customer", "payment_method"])
    @about("create")
    def test_whatever_callers_send_is_prepared_or_refused_by_name(
        self, adapter: Adapter, provider: Provider, param: str, value: Any
    ) -> None:
        refusal = refusal_of(lambda: adapter.prepare(provider.payment(**{param: value})))
        if isinstance(refusal, InvalidParameter):
            assert refusal.details["param"] == param
            assert param in str(refusal)
        assert refusal is None or str(refusal)

    # create

    @about("create")
    def test_a_payment_is_charged_once(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment()
        _, outcome = create(adapter, payment)
        assert (outcome.status, outcome.amount, outcome.currency) == (Status.SUCCEEDED, 1023, provider.currency)
        assert outcome.reference
        assert outcome.decline is None
        assert outcome.charge is not None
        assert (outcome.charge.amount, outcome.charge.captured, outcome.charge.amount_captured) == (1023, True, 1023)
        assert provider.charges(provider.settings, payment) in (1, None)

    @about("create")
    def test_manual_capture_only_holds_the_money(self, adapter: Adapter, provider: Provider) -> None:
        if "capture" not in adapter.operations:
            with pytest.raises(Unsupported):
                adapter.prepare(provider.payment(capture="manual"))
            return
        _, outcome = create(adapter, provider.payment(capture="manual"))
        assert outcome.status is Status.REQUIRES_CAPTURE
        assert outcome.charge is not None
        assert (outcome.charge.amount, outcome.charge.captured, outcome.charge.amount_captured) == (1023, False, 0)

    @about("create")
    def test_the_same_request_and_key_charge_nothing_more(self, adapter: Adapter, provider: Provider) -> None:
        require_replay(adapter)
        payment = provider.payment()
        request, first = create(adapter, payment)
        assert adapter.create(request, key_of(payment)) == first
        assert provider.make().create(request, key_of(payment)) == first, "after a restart"
        assert provider.charges(provider.settings, payment) in (1, None)

    @about("create")
    def test_another_attempt_is_another_payment(self, adapter: Adapter, provider: Provider) -> None:
        _, first = create(adapter, provider.payment())
        _, second = create(adapter, provider.payment())
        assert first.reference != second.reference

    @about("create")
    def test_a_decline_is_a_value(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(provider.declined)
        _, outcome = create(adapter, payment)
        assert outcome.status in (Status.REQUIRES_PAYMENT_METHOD, Status.CANCELED)
        assert outcome.status is Status.CANCELED or "cancel" in adapter.operations, "nobody can void it"
        assert outcome.decline is not None
        assert outcome.decline.code
        assert outcome.decline.message
        assert provider.charges(provider.settings, payment) in (0, None)

    @about("create")
    def test_a_refusal_is_an_error_with_a_sentence(self, adapter: Adapter, provider: Provider) -> None:
        payment = arranged("refused", provider.refused(provider.payment()))
        with pytest.raises(ProviderRefused) as caught:
            create(adapter, payment)
        assert str(caught.value)
        assert provider.charges(provider.settings, payment) in (0, None)

    @about("create")
    def test_an_unreachable_provider_is_an_error(self, adapter: Adapter, provider: Provider) -> None:
        payment = arranged("unreachable", provider.unreachable(provider.payment()))
        with pytest.raises(ProviderUnreachable):
            create(adapter, payment)
        assert provider.charges(provider.settings, payment) in (0, None)

    @about("create")
    def test_a_lost_answer_is_not_a_no_and_the_payment_is_found(self, adapter: Adapter, provider: Provider) -> None:
        payment = arranged("lost_answer", provider.lost_answer(provider.payment()))
        request = adapter.prepare(payment)
        with pytest.raises(ProviderUnreachable) as caught:
            adapter.create(request, key_of(payment))
        assert caught.value.sent
        assert again(adapter, request, payment).status is Status.SUCCEEDED
        assert provider.charges(provider.settings, payment) in (1, None)

    @about("create")
    def test_nonsense_is_not_a_no_and_the_payment_is_found(self, adapter: Adapter, provider: Provider) -> None:
        payment = arranged("nonsense", provider.nonsense(provider.payment()))
        request = adapter.prepare(payment)
        with pytest.raises(ProviderConfused):
            adapter.create(request, key_of(payment))
        assert again(adapter, request, payment).status is Status.SUCCEEDED
        assert provider.charges(provider.settings, payment) in (1, None)

    @about("create")
    def test_a_status_that_nobody_knows_means_processing(self, adapter: Adapter, provider: Provider) -> None:
        _, outcome = create(adapter, arranged("strange_status", provider.strange_status(provider.payment())))
        assert outcome.status is Status.PROCESSING

    # fetch, find, listed, cancel

    @requires("fetch")
    def test_fetch_tells_what_create_told(self, adapter: Adapter, provider: Provider) -> None:
        for capture in ("automatic", "manual") if "capture" in adapter.operations else ("automatic",):
            _, created = create(adapter, provider.payment(capture=capture))
            fetched = adapter.fetch(str(created.reference))
            assert [name for name in _SAME if _told(fetched, name) != _told(created, name)] == []

    @requires("fetch")
    def test_fetch_of_a_declined_payment_tells_the_decline(self, adapter: Adapter, provider: Provider) -> None:
        _, created = create(adapter, provider.payment(provider.declined))
        fetched = adapter.fetch(str(created.reference))
        assert (fetched.status, fetched.decline) == (created.status, created.decline)

    @requires("fetch")
    def test_fetch_of_what_is_not_there_is_refused(self, adapter: Adapter) -> None:
        with pytest.raises(ProviderRefused):
            adapter.fetch("pi_Nobody00000000000000000000")

    @requires("find")
    def test_find_finds_the_attempt_and_no_other(self, adapter: Adapter, provider: Provider) -> None:
        payment, other = provider.payment(), provider.payment()
        request, created = create(adapter, payment)
        create(adapter, provider.payment())
        found = adapter.find(request, key_of(payment), 0.0)
        assert found is not None
        assert (found.reference, found.status) == (created.reference, created.status)
        assert adapter.find(adapter.prepare(other), key_of(other), 0.0) is None

    @requires("find")
    def test_find_does_not_look_before_it_is_told(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment()
        request, _ = create(adapter, payment)
        _require_times(adapter.find(request, key_of(payment), 0.0))
        assert adapter.find(request, key_of(payment), provider.context().clock() + 3600) is None

    @requires("listed")
    def test_what_is_listed_is_what_fetch_tells_and_says_whose_it_is(
        self, adapter: Adapter, provider: Provider
    ) -> None:
        made = {}
        for payment in (provider.payment(), provider.payment()):
            reference, charge_id = pay(adapter, payment)
            made[reference] = payment
        if "refund" in adapter.operations:
            refund = refund_of(reference, charge_id, 23)
            adapter.refund(refund, f"{refund.operation_id}:refund")
        outcomes = [outcome for outcome in adapter.listed(0.0) if outcome.reference in made]
        assert sorted(str(outcome.reference) for outcome in outcomes) == sorted(made)
        for outcome in outcomes:
            payment, fetched = made[str(outcome.reference)], adapter.fetch(str(outcome.reference))
            told = set(_SAME) - {"attempt_id", "metadata"}
            assert [name for name in told if _told(outcome, name) != _told(fetched, name)] == []
            assert outcome.attempt_id == payment.attempt_id
            assert {name: str(outcome.metadata.get(name)) for name in _WHOSE} == {
                name: str(payment.metadata[name]) for name in _WHOSE
            }

    @requires("listed")
    def test_what_nobody_has_touched_since_is_not_listed(self, adapter: Adapter, provider: Provider) -> None:
        create(adapter, provider.payment())
        _require_times(next(iter(adapter.listed(0.0)), None))
        assert list(adapter.listed(provider.context().clock() + 3600)) == []

    @requires("cancel")
    def test_cancel_voids_what_is_open(self, adapter: Adapter, provider: Provider) -> None:
        held = [provider.payment(capture="manual")] if "capture" in adapter.operations else []
        for payment in (provider.payment(provider.declined), *held):
            _, outcome = create(adapter, payment)
            for _ in range(2):
                key = f"{payment.attempt_id}:cancel"
                assert adapter.cancel(str(outcome.reference), key).status is Status.CANCELED
            again = provider.make().cancel(str(outcome.reference), f"{payment.attempt_id}:cancel2")
            assert again.status is Status.CANCELED, "canceled already, under another key"

    @requires("cancel")
    def test_cancel_of_what_is_paid_tells_so(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment()
        _, outcome = create(adapter, payment)
        assert adapter.cancel(str(outcome.reference), f"{payment.attempt_id}:cancel").status is Status.SUCCEEDED


def _require_times(outcome: Outcome | None) -> None:
    """Skip a test of `since` where the provider does not say when a payment was made."""
    assert outcome is not None
    if outcome.created is None:
        pytest.skip("the provider gives no times of creation (Outcome.created)")


def _told(outcome: Outcome, name: str) -> Any:
    """A member of it; of its charge all but the balance transaction, which only a look has to show as an object."""
    told = getattr(outcome, name)
    if name != "charge" or told is None:
        return told
    kept = {member: value for member, value in (told.details or {}).items() if member != "balance_transaction"}
    return replace(told, details=kept or None)
