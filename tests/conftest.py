"""What every test may use; the fixtures themselves live in tests/plugins."""

import os

pytest_plugins = [
    "tests.plugins.shared",
    "tests.plugins.tools",
    "tests.plugins.databases",
    "tests.plugins.plans",
    "tests.plugins.distributions",
    "tests.plugins.commandline",
    "tests.plugins.local",
    "tests.plugins.world",
    "tests.plugins.browser",
    "tests.plugins.fortes",
    "tests.plugins.stripe_sdk",
]


def pytest_configure() -> None:
    """The settings of the developer's own bridge do not reach the tests."""
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        del os.environ[name]
