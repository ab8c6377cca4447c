"""The routes that tell what the shop is and sells: indexes, settings, system status, gateways, products, customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .answers import with_links
from .catalog import Customer, Gateway, Plugin, Product
from .currencies import CODES, SYMBOLS
from .paging import page_of
from .rest_values import Answer, RestError, RestRequest
from .serializers import customer_shape, product_shape
from .state import VERSION, Shop

WORDPRESS = "6.9.1"
NAMESPACES = ("wc/v3", "wp/v2")
SETTINGS = "/wc/v3/settings/general"
NUMBER_LABEL = "This sets the number of decimal points shown in displayed prices."


def site_index(shop: Shop, request: RestRequest, routes: Mapping[str, Any]) -> Answer:
    body = {
        "name": shop.name,
        "description": "",
        "url": shop.site_url or request.home,  # WP_REST_Server::get_index: the option `siteurl`, where WordPress lies
        "home": request.home,
        "gmt_offset": 0,
        "timezone_string": "",
        "namespaces": NAMESPACES,
        "authentication": {},
        "routes": routes,
    }
    return Answer(body, links={"help": [{"href": "https://developer.wordpress.org/rest-api/"}]})


def namespace_index(_shop: Shop, request: RestRequest, routes: Mapping[str, Any]) -> Answer:
    return Answer({"namespace": "wc/v3", "routes": routes}, links={"up": [{"href": request.url("/")}]})


def _settings(shop: Shop) -> Iterable[dict[str, Any]]:
    """The general settings that concern money, in WooCommerce's setting shape without links."""
    currencies = {code: f"{code} ({SYMBOLS[code]})" for code in CODES}
    texts = "This controls what currency prices are listed at in the catalog and which currency gateways will take"
    for name, label, tip, kind, default, value, options in (
        ("currency", "Currency", f"{texts} payments in.", "select", "USD", shop.currency, currencies),
        ("price_thousand_sep", "Thousand separator", "", "text", ",", ",", None),
        ("price_decimal_sep", "Decimal separator", "", "text", ".", ".", None),
        ("price_num_decimals", "Number of decimals", NUMBER_LABEL, "number", "2", str(shop.price_decimals), None),
    ):
        setting = {
            "id": f"woocommerce_{name}",
            "label": label,
            "description": tip,
            "type": kind,
            "default": default,
            **({"options": options} if options else {}),
            "tip": tip,
            "value": value,
            "group_id": "general",
        }
        yield setting


def _group(shop: Shop, request: RestRequest) -> list[Answer]:
    if request.get("group_id") != "general":
        raise RestError("rest_setting_setting_group_invalid", "Invalid setting group.", 404)
    return [
        Answer(setting, links=request.links(f"{SETTINGS}/{setting['id']}", SETTINGS)) for setting in _settings(shop)
    ]


def list_settings(shop: Shop, request: RestRequest) -> Answer:
    return Answer([with_links(one) for one in _group(shop, request)])


def read_setting(shop: Shop, request: RestRequest) -> Answer:
    found = next((one for one in _group(shop, request) if one.body["id"] == request.get("id")), None)
    if found is None:
        raise RestError("rest_setting_setting_invalid", "Invalid setting.", 404)
    return found


def update_setting(shop: Shop, request: RestRequest) -> Answer:
    """Source: `WC_REST_Setting_Options_V2_Controller::update_item`. A setting that is not there is a 404, whatever is
    sent. Only those can be changed here that the simulated shop heeds."""
    found = read_setting(shop, request)
    name, value = found.body["id"], request.get("value")
    if name == "woocommerce_currency" and value in CODES:
        shop.currency = value
    elif name == "woocommerce_price_num_decimals" and str(value).isdecimal():
        shop.price_decimals = int(value)
    else:
        raise RestError("rest_setting_value_invalid", "An invalid setting value was passed.", 400)
    return read_setting(shop, request)


def system_status(shop: Shop, request: RestRequest) -> Answer:
    body = {
        "environment": {
            "home_url": request.home,
            "site_url": shop.site_url or request.home,
            "version": VERSION,
            "wp_version": WORDPRESS,
            "wp_multisite": False,
            "wp_debug_mode": False,
            "wp_cron": True,
            "language": "en_US",
            "php_version": "8.2.29",
            "default_timezone": "UTC",
        },
        "database": {"wc_database_version": VERSION, "database_prefix": "wp_"},
        "active_plugins": [_plugin(plugin) for plugin in shop.plugins],
        "inactive_plugins": [],
        "dropins_mu_plugins": {"dropins": [], "mu_plugins": []},
        "theme": {"name": "Storefront", "version": "4.6.1"},
        "settings": {
            "api_enabled": False,
            "force_ssl": False,
            "currency": shop.currency,
            "currency_symbol": SYMBOLS.get(shop.currency, ""),
            "currency_position": "left",
            "thousand_separator": ",",
            "decimal_separator": ".",
            "number_of_decimals": shop.price_decimals,
            "geolocation_enabled": False,
            "taxonomies": {"external": "external", "grouped": "grouped", "simple": "simple", "variable": "variable"},
            "product_visibility_terms": {},
            "woocommerce_com_connected": "no",
            "HPOS_enabled": True,
        },
        "security": {"secure_connection": request.home.startswith("https:"), "hide_errors": True},
        "pages": [],
        "post_type_counts": [{"type": "product", "count": str(len(shop.products))}],
    }
    return Answer(body)


def _plugin(plugin: Plugin) -> dict[str, Any]:
    return {
        "plugin": plugin.file,
        "name": plugin.name,
        "version": plugin.version,
        "version_latest": plugin.version,
        "url": plugin.url,
        "author_name": plugin.author,
        "author_url": plugin.url,
        "network_activated": False,
    }


def _gateway(request: RestRequest, gateway: Gateway) -> Answer:
    title = {
        "id": "title",
        "label": "Title",
        "description": "This controls the title which the user sees during checkout.",
        "type": "safe_text",
        "value": gateway.title,
        "default": gateway.title,
        "tip": "This controls the title which the user sees during checkout.",
        "placeholder": "",
    }
    body = {
        "id": gateway.id,
        "title": gateway.title,
        "description": gateway.description,
        "order": gateway.order,
        "enabled": True,
        "method_title": gateway.title,
        "method_description": gateway.method_description,
        "method_supports": gateway.supports,
        "settings": {"title": title},
    }
    collection = "/wc/v3/payment_gateways"
    return Answer(body, links=request.links(f"{collection}/{gateway.id}", collection))


def list_gateways(shop: Shop, request: RestRequest) -> Answer:
    answers = [_gateway(request, gateway) for gateway in shop.gateways]
    return Answer([with_links(one) for one in answers])


def read_gateway(shop: Shop, request: RestRequest) -> Answer:
    gateway = shop.gateway(request.get("id"))
    if gateway is None:
        raise RestError("woocommerce_rest_payment_gateway_invalid", "Resource does not exist.", 404)
    return _gateway(request, gateway)


def _product(shop: Shop, request: RestRequest, product: Product) -> Answer:
    shape = product_shape(shop, product, request.home)
    return Answer(shape, links=request.links(f"/wc/v3/products/{product.id}", "/wc/v3/products"))


def list_products(shop: Shop, request: RestRequest) -> Answer:
    sku, virtual, search = (request.get(name) for name in ("sku", "virtual", "search"))
    found = [
        product
        for product in sorted(shop.products.values(), key=lambda one: one.id, reverse=request.get("order") == "desc")
        if (sku is None or product.sku in sku.split(","))
        and (virtual is None or product.virtual == virtual)
        and (search is None or search.lower() in f"{product.name} {product.sku}".lower())
    ]
    return page_of(found, request, "/wc/v3/products", lambda product: _product(shop, request, product), {})


def read_product(shop: Shop, request: RestRequest) -> Answer:
    product = shop.products.get(request.number("id"))
    if product is None:
        raise RestError("woocommerce_rest_product_invalid_id", "Invalid ID.", 404)
    return _product(shop, request, product)


def _customer(shop: Shop, request: RestRequest, customer: Customer) -> Answer:
    links = request.links(f"/wc/v3/customers/{customer.id}", "/wc/v3/customers")
    return Answer(customer_shape(shop, customer), links=links)


def list_customers(shop: Shop, request: RestRequest) -> Answer:
    email, search = request.get("email"), request.get("search")
    found = [
        customer
        for customer in sorted(shop.customers.values(), key=lambda one: one.id, reverse=request.get("order") == "desc")
        if (email is None or customer.email.lower() == email.lower())
        and (search is None or search.lower() in f"{customer.email} {customer.first_name} {customer.last_name}".lower())
    ]
    return page_of(found, request, "/wc/v3/customers", lambda customer: _customer(shop, request, customer), {})


def read_customer(shop: Shop, request: RestRequest) -> Answer:
    customer = shop.customers.get(request.number("id"))
    if customer is None:
        raise RestError("woocommerce_rest_invalid_id", "Invalid resource ID.", 404)
    return _customer(shop, request, customer)
