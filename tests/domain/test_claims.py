"""Which order of which site a payment says that it is for."""

import pytest

from bridge.domain.claims import read_claim
from bridge.domain.shops import is_same_site

SITE = "https://shop.example/store"


@pytest.mark.parametrize(
    "same",
    [
        SITE,
        f"{SITE}/",
        "http://shop.example/store",
        "https://SHOP.example/store",
        "https://www.shop.example/store",
        "https://shop.example:443/store",
        "http://shop.example:80/store//",
        "https://shop.example./store",
        "shop.example/store",
        " https://shop.example/store\n",
        "https://shop.example/store?utm=1#top",
    ],
)
def test_one_site_has_many_spellings(same: str) -> None:
    assert is_same_site(same, SITE)
    assert is_same_site(SITE, same)


@pytest.mark.parametrize(
    "other",
    [
        "",
        "https://",
        "https://shop.example",
        "https://shop.example/Store",
        "https://shop.example/store2",
        "https://shop.example:8443/store",
        "https://shop.example.evil.example/store",
        "https://staging.shop.example/store",
        "https://shop.example:port/store",
        "https://[shop.example/store",
        "https://..example/store",
        f"https://{'ü' * 64}.example/store",
    ],
)
def test_another_site_is_another(other: str) -> None:
    assert not is_same_site(other, SITE)
    assert not is_same_site("", "")


def test_a_host_has_two_spellings() -> None:
    assert is_same_site("https://münchen.example", "http://www.XN--MNCHEN-3YA.example/")
    assert is_same_site("https://MÜNCHEN.example", "https://münchen.example")
    assert not is_same_site("https://munchen.example", "https://münchen.example")


@pytest.mark.parametrize("order_id", [None, "", "0", "-1", "1e3", "١٢", "12a", "9" * 19, [], {}])
def test_what_names_no_order(order_id: object) -> None:
    assert read_claim({"order_id": order_id, "order_key": "wc_order_1"}) is None


def test_what_is_not_named_is_empty() -> None:
    claim = read_claim({"order_id": 12})
    assert claim
    assert (claim.order_id, claim.order_key, claim.site) == (12, "", "")
    assert "secret" not in repr(read_claim({"order_id": "12", "order_key": "wc_order_secret"}))


def test_an_address_is_fit_to_be_told() -> None:
    claim = read_claim({"order_id": "12", "site_url": "https://shop.example\x1b[2J\0\n" + "x" * 500})
    assert claim
    assert claim.site.startswith("https://shop.example[2Jxxx")
    assert len(claim.site) == 200
