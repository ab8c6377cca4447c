"""The one item that Forte sells: an order of one line is that line, any other is collapsed, never cut short. Its texts
are plain, on one line, and cut between characters as people see them.

Source: docs.fortepayments.io, `createRedirectV2`: `items` has exactly one member, `image_url` is required.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from bridge.adapters.forte_payments.settings import Account
from bridge.domain.errors import Refused
from bridge.domain.money import Money
from bridge.domain.orders import Line, LineKind, Order
from bridge.domain.outcomes import Payment
from bridge.schemas.forte_payments import LONGEST_TEXT

PLACEHOLDER = "/wp-content/uploads/woocommerce-placeholder.png"
"""Where WooCommerce keeps the image for products that have none. Source: WooCommerce, `WC_Install`."""
TIMES = "\N{MULTIPLICATION SIGN}"
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


def build_item(account: Account, payment: Payment) -> dict[str, Any]:
    """What is paid. Its amount is the order's total, whatever the lines say. Raises Refused without a usable image."""
    order = payment.order
    lines = order.lines
    single = lines[0] if len(lines) == 1 and lines[0].kind is LineKind.PRODUCT else None
    item = {
        "id": (single and _product_id(single)) or f"order-{order.id}",
        "title": (single and _product_title(single)) or _order_title(order),
        "description": cut(contents(order), LONGEST_TEXT),
        "amount": f"{Money(payment.amount, payment.currency).decimal:.2f}",
        "image_url": _image(account, payment),
    }
    return {name: value for name, value in item.items() if value}


def contents(order: Order) -> str:
    """What is in the order, in words."""
    parts = [_counted(line) for line in order.lines]
    if order.shipping_total > 0:
        parts.append("shipping")
    if order.shipping_tax or any(line.tax for line in order.lines):
        parts.append("tax")
    return ", ".join(filter(None, parts))


def _counted(line: Line) -> str:
    name = plain(line.name)
    return f"{line.quantity.normalize():f}{TIMES} {name}" if line.kind is LineKind.PRODUCT and name else name


def _product_id(line: Line) -> str:
    """The SKU; the product's number where the SKU is missing or too long: an identifier is never cut."""
    sku = plain(line.sku)
    if 0 < len(sku) <= LONGEST_TEXT:
        return sku
    number = line.variation_id or line.product_id
    return f"product-{number}" if number else ""


def _product_title(line: Line) -> str:
    name = plain(line.name)
    times = "" if line.quantity == 1 else f" {TIMES} {line.quantity.normalize():f}"
    return cut(name, LONGEST_TEXT - len(times)) + times if name else ""


def _order_title(order: Order) -> str:
    count = len(order.lines)
    items = f" ({count} items)" if count > 1 else ""
    return cut(f"Order #{plain(order.number)}", LONGEST_TEXT - len(items)) + items


def _image(account: Account, payment: Payment) -> str:
    """The first that Forte would show: the product's, the setting's, the store's."""
    for address in _images(account, payment):
        usable = _usable(address)
        if usable:
            return usable
    raise Refused(
        "Forte needs an image of what is sold: an https address of at most 255 characters "
        "(setting fallback_image for products without one).",
        reason="image_missing",
    )


def _images(account: Account, payment: Payment) -> Iterator[str]:
    yield from (line.image_url for line in payment.order.lines)
    yield account.fallback_image
    site = urlsplit(str(payment.metadata.get("site_url", "")))
    if site.netloc:
        yield f"https://{site.netloc}{site.path.rstrip('/')}{PLACEHOLDER}"


def _usable(address: str) -> str:
    """The address as it goes over the wire, if Forte takes it; else nothing."""
    encoded = quote(address.strip(), safe=_URL_CHARACTERS)
    try:
        parts = urlsplit(encoded)
    except ValueError:
        return ""
    return encoded if parts.scheme == "https" and parts.netloc and len(encoded) <= LONGEST_TEXT else ""


_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<!--.*?-->|</?[a-z][^<>]*>", re.IGNORECASE | re.DOTALL)
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def plain(text: str) -> str:
    """Without HTML, control characters and what is not a character at all, with single spaces."""
    text = html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", text)))
    kept = (" " if unicodedata.category(character) == "Cc" else character for character in text)
    return " ".join("".join(character for character in kept if unicodedata.category(character) != "Cs").split())


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, the last of which is an ellipsis if something was left out."""
    if len(text) <= longest:
        return text
    end = longest - 1
    while end > 0 and _continues(text, end):
        end -= 1
    return text[: end or longest - 1].rstrip() + "…"


def _continues(text: str, position: int) -> bool:
    """Whether what is at `position` belongs to the character before it: an accent, a skin tone, a joined emoji."""
    character = text[position]
    joined = character == _JOINER or text[position - 1] == _JOINER
    return joined or unicodedata.category(character).startswith("M") or ord(character) in _SKIN_TONES
