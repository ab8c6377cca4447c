"""`world`: what `wcpay-bridge demo` starts, once per test process; tests take orders of their own from it."""

from collections.abc import Iterator

import pytest

from bridge.cli.demo_world import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with World() as started:
        yield started
