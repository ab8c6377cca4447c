"""The pictures of README.md: what a buyer sees. `make test PICTURES=write ARGS=tests/web/test_pictures.py` makes them
anew.

They are held against the pages that they show by what has to be there, not by bytes: each Chromium draws in its own
way.
"""

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.plugins.distributions import ROOT
from tests.web.conftest import Buyer, OpenShop, Shop
from tests.web.test_widget import APPROVED, enter

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "docs" / "pictures"
VIEWPORT = {"width": 480, "height": 640}  # CSS pixels, and as many of a picture
MOST_BYTES = 50_000
SHOWN = re.compile(r"!\[([^\]]*)\]\((docs/pictures/[^)]+)\)")


def in_the_widget(shop: Shop, buyer: Buyer) -> None:
    """Forte's form in the buyer's page, which is not ours, with what is to pay above it."""
    buyer.open(shop.create()["pay_url"])
    buyer.tab.get_by_label("One-time code").fill("947293")
    buyer.tab.get_by_label("Card number").fill(APPROVED)
    assert buyer.reads("Pay 9.99 USD")
    assert buyer.tab.get_by_role("button", name="Pay", exact=True).is_visible()
    assert buyer.tab.get_by_text("Test: no real money").is_visible()


def paid(shop: Shop, buyer: Buyer) -> None:
    """The same page, once the provider has said that the money was taken."""
    buyer.open(shop.create()["pay_url"])
    enter(buyer, APPROVED)
    buyer.press("Continue")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")
    assert buyer.tab.get_by_role("link", name="Return to").is_visible()


PICTURES: dict[str, Callable[[Shop, Buyer], None]] = {"pay.png": in_the_widget, "paid.png": paid}


def size(png: bytes) -> dict[str, int]:
    """Source: PNG Specification, 11.2.2, IHDR: its first fields are width and height."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return {"width": width, "height": height}


def drawn(tab: "Page") -> bytes:
    tab.evaluate("document.activeElement.blur()")
    return tab.screenshot(animations="disabled", caret="hide")


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop("forte_payments")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_a_page_that_is_there(shop: Shop, buyer: Buyer, name: str) -> None:
    buyer.tab.set_viewport_size(VIEWPORT)  # type: ignore[arg-type]
    buyer.tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    PICTURES[name](shop, buyer)
    picture = drawn(buyer.tab)
    if os.environ.get("PICTURES") == "write":
        (FOLDER / name).write_bytes(picture)
    assert size(picture) == VIEWPORT


def test_the_readme_shows_every_picture_and_says_what_is_on_it() -> None:
    shown = {Path(path).name: words for words, path in SHOWN.findall((ROOT / "README.md").read_text())}
    assert shown.keys() == PICTURES.keys() == {path.name for path in FOLDER.iterdir()}
    for name, words in shown.items():
        picture = (FOLDER / name).read_bytes()
        assert size(picture) == VIEWPORT
        assert len(picture) < MOST_BYTES
        assert len(words.split()) > 3, f"{name} is nothing to whoever cannot see it"
