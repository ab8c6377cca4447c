"""`browser`: headless Chromium, one per test process; `tab` is a fresh page of it whose complaints fail the test.

Playwright drives the system's Chromium, it brings none of its own.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.plugins.tools import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TIMEOUT = 10_000.0  # milliseconds for an action or a wait
AN_ERROR_STATUS = "Failed to load resource: the server responded with a status of"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium with a user's directory of its own, which goes with it."""
    chromium = require("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def tab(browser: "Browser") -> "Iterator[Page]":
    """A page without cookies or storage. Errors of scripts and breaches of a security policy fail the test; answers
    with an error status do not. The certificates of our own servers are taken as they are."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(TIMEOUT)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [each for each in complaints if not each.startswith(AN_ERROR_STATUS)] == []
