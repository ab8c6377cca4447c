"""What tests of adapters share: assertions of the shipped suite that explain, and a Stripe that is scripted."""

from collections.abc import Iterator

import pytest
import responses

pytest.register_assert_rewrite("bridge.adapters.contract")

from tests.adapters.stripe_world import World, new_world  # noqa: E402 after the suite is registered


@pytest.fixture
def stripe_says() -> Iterator[responses.RequestsMock]:
    """Answers in place of api.stripe.com; nothing else can be reached, and everything prepared has to be asked for."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def world() -> Iterator[World]:
    """A simulated Stripe, and adapters that talk to it."""
    with new_world() as world:
        yield world
