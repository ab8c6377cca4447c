"""Whether a WooCommerce store can be reached and is set up right: what `stores check` prints, one sentence each."""

from collections.abc import Callable, Iterator, Mapping

from bridge.domain.errors import OrderNotFound, StoreError
from bridge.domain.money import exponent
from bridge.domain.ports import Finding
from bridge.domain.stores import Store
from bridge.schemas.woocommerce import SystemStatusSchema
from bridge.stores.orders import Orders
from bridge.stores.rest import RestApi, load

STATUS = SystemStatusSchema()
MISSING_ID = 10**15 + 7
"""An order that no store has. Writing nothing to it shows whether a key may: permission is checked before existence."""
WOOPAYMENTS = "woocommerce_payments"
PLUGIN = "woocommerce-payments/woocommerce-payments.php"


def findings(
    store: Store, options: Mapping[str, str], api: RestApi, orders: Orders, identify: Callable[[], str]
) -> list[Finding]:
    """Changes nothing in the store. Stops early where the rest would say the same again."""
    try:
        identity = identify()
    except StoreError as error:
        return [Finding(False, str(error))]
    found = [Finding(True, f"The store answers over verified TLS, and says that it is {identity}.")]
    if store.identity and store.identity != identity:
        found.append(
            Finding(
                False,
                f"It was added as {store.identity}. If this is a copy of that store, its payments are not its own.",
            )
        )
    may_read = _may_read(api)
    found += [may_read, _may_write(orders)]
    return [*found, *_settings(options, api)] if may_read.ok else found


def _may_read(api: RestApi) -> Finding:
    try:
        some = api.ask("GET", "wc/v3/orders", query={"per_page": "1", "_fields": "id"}).value
    except StoreError as error:
        return Finding(False, f"Orders cannot be read. {error}")
    if not isinstance(some, list):
        return Finding(False, "Orders cannot be read. The store's answer makes no sense.")
    return Finding(True, "The key may read orders.")


def _may_write(orders: Orders) -> Finding:
    try:
        orders.write(MISSING_ID, {})
    except OrderNotFound:
        return Finding(True, "The key may change orders.")
    except StoreError as error:
        return Finding(False, f"Orders cannot be changed. {error}")
    return Finding(False, f"The store claims to have an order {MISSING_ID}.")


def _settings(options: Mapping[str, str], api: RestApi) -> Iterator[Finding]:
    try:
        status = load(STATUS, api.ask("GET", "wc/v3/system_status", query={"_fields": STATUS.names}).value)
    except StoreError as error:
        yield Finding(False, f"The store's settings cannot be read, so decimals and plugins were not checked. {error}")
        return
    yield _decimals(
        status["settings"]["currency"].upper(), status["settings"]["number_of_decimals"], options["rounding"]
    )
    is_active = any(plugin["plugin"] == PLUGIN for plugin in status["active_plugins"])
    if options["payment_method"] != WOOPAYMENTS:
        yield Finding(True, f"Orders will show the payment method {options['payment_method']}.")
    elif is_active:
        yield Finding(
            False,
            f"The payment method {WOOPAYMENTS} belongs to the WooPayments plugin, which is active and would act on our "
            "payments. Choose another one (option payment_method).",
        )
    else:
        yield Finding(True, f"Orders will show the payment method {WOOPAYMENTS}; the WooPayments plugin is not active.")


def _decimals(currency: str, decimals: int, rounding: str) -> Finding:
    wanted = exponent(currency)
    shown = f"Prices have {decimals} decimals, and {currency} has {wanted}"
    if decimals < wanted:
        return Finding(False, f"{shown}: totals would be rounded before they are charged. Change the store's setting.")
    if decimals > wanted and rounding != "half_up":
        return Finding(
            False,
            f"{shown}: totals may not be payable exactly. Change the store's setting, or let it round "
            "(option rounding=half_up).",
        )
    return Finding(True, f"{shown}.")
