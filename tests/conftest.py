"""What every test may use; the fixtures themselves live in tests/plugins."""

import os
import signal

pytest_plugins = [
    "tests.plugins.shared",
    "tests.plugins.tools",
    "tests.plugins.databases",
    "tests.plugins.plans",
    "tests.plugins.distributions",
    "tests.plugins.commandline",
    "tests.plugins.local",
    "tests.plugins.answers",
    "tests.plugins.world",
    "tests.plugins.browser",
    "tests.plugins.fortes",
    "tests.plugins.stripe_sdk",
]

collect_ignore = [
    "third_party",
    "mounting/hosts",
]  # of others: tests/install/test_third_party_adapter.py and tests/mounting/test_hosts.py run them


def pytest_configure() -> None:
    """The settings of the developer's own bridge do not reach the tests."""
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        del os.environ[name]
    _let_commands_begin_with_all_signals()


def _let_commands_begin_with_all_signals() -> None:
    """Under `nohup` or in a script's background some are ignored, and so they would be in every command of a test.

    A handler is not inherited: the command begins as from a terminal, and this process goes on ignoring them.
    """
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
