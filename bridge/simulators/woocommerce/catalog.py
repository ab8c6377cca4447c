"""What a shop has besides orders: products with images, customers, payment gateways, plugins."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from .orders import BILLING_FIELDS, SHIPPING_FIELDS

WOOPAYMENTS = "woocommerce-payments/woocommerce-payments.php"


@dataclass(frozen=True)
class Image:
    """`file` is the path below wp-content/uploads/."""

    id: int
    file: str
    name: str


@dataclass(frozen=True)
class Product:
    id: int
    name: str
    sku: str
    price: Decimal
    created: float
    virtual: bool = False
    downloadable: bool = False
    image: Image | None = None

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(frozen=True)
class Customer:
    id: int
    email: str
    first_name: str
    last_name: str
    created: float
    billing: dict[str, str] = field(default_factory=lambda: dict.fromkeys(BILLING_FIELDS, ""))
    shipping: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SHIPPING_FIELDS, ""))

    @property
    def username(self) -> str:
        return self.email.partition("@")[0]


@dataclass(frozen=True)
class Gateway:
    """A payment gateway. One whose `supports` names "refunds" can refund by API."""

    id: str
    title: str
    description: str
    method_description: str
    order: int
    supports: tuple[str, ...] = ("products",)


GATEWAYS = (
    Gateway(
        "bacs",
        "Direct bank transfer",
        "Make your payment directly into our bank account.",
        "Take payments in person via BACS.",
        0,
    ),
    Gateway(
        "cod",
        "Cash on delivery",
        "Pay with cash upon delivery.",
        "Have your customers pay with cash (or by other means) upon delivery.",
        2,
    ),
)
WOOPAYMENTS_GATEWAY = Gateway(
    "woocommerce_payments",
    "Card",
    "",
    "Accept payments via credit card.",
    3,
    ("products", "refunds", "tokenization", "add_payment_method"),
)


@dataclass(frozen=True)
class Plugin:
    """A plugin as the system status lists it; `file` is its main file, such as woocommerce/woocommerce.php."""

    file: str
    name: str
    version: str
    url: str
    author: str


KNOWN_PLUGINS = {
    plugin.file: plugin
    for plugin in (
        Plugin("woocommerce/woocommerce.php", "WooCommerce", "10.5.0", "https://woocommerce.com/", "Automattic"),
        Plugin(WOOPAYMENTS, "WooPayments", "8.2.0", "https://woocommerce.com/payments/", "WooCommerce"),
    )
}


def plugin(file: str) -> Plugin:
    """The plugin with that main file; one that nobody knows is named after its folder."""
    return KNOWN_PLUGINS.get(file) or Plugin(file, file.partition("/")[0], "1.0.0", "", "")
