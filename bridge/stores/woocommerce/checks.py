"""Whether a WooCommerce store can be reached and is set up right: what `stores check` prints, one sentence each;
and what the store lets a key do, found out by asking, because none of its routes tells.

A key without a permission is refused before the route is looked for, a user without the capability before the resource
is. So a read of a setting, and a write to one that is not there, show both, and change nothing. WooPayments' own routes
ask for that same capability, `manage_woocommerce`. Sources: `WC_REST_Authentication::check_permissions`,
`WC_REST_Setting_Options_V2_Controller` (WooCommerce 10.5), `WC_Payments_REST_Controller::check_permission`.
"""

from collections.abc import Callable, Iterator, Mapping

from bridge.domain.errors import OrderNotFound, StoreError, StoreRefused
from bridge.domain.money import exponent
from bridge.domain.ports import Finding, KeyStanding
from bridge.domain.shops import address_of
from bridge.domain.stores import Permissions, Store
from bridge.schemas.woocommerce import SystemStatusSchema
from bridge.stores.woocommerce.orders import Orders
from bridge.stores.woocommerce.rest import KEY_REFUSED, NOBODY, RestApi, load, rows

STATUS = SystemStatusSchema()
MISSING_ID = 10**15 + 7
"""An order that no store has. Writing nothing to it shows whether a key may: permission is checked before existence."""
CANNOT_READ, CANNOT_WRITE = "Orders cannot be read.", "Orders cannot be changed."
LEAVE_OUT = "Exclude /wp-json/wc/ from it."
WOOPAYMENTS, WOOPAYMENTS_ROUTE = "woocommerce_payments", "/wc/v3/payments/accounts"
DEACTIVATE = (
    "The WooPayments plugin is active. It acts on orders that carry a payment's id (meta _intent_id), whatever their "
    "payment method: it looks for our payments in its own account, and leaves notes that they failed. Deactivate it."
)
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
    if store.identity and address_of(store.identity) != address_of(identity):
        found.append(
            Finding(
                False,
                f"It was added as {store.identity}. If this is a copy of that store, its payments are not its own.",
            )
        )
    try:
        age = _read_orders(api, cached=False)
    except StoreError as error:
        return [*found, Finding(False, f"{CANNOT_READ} {error}"), _may_write(orders)]
    found += [Finding(True, "The key may read orders."), _may_write(orders)]
    return [*found, *_cache(api, age), *_settings(options, api)]


def own_standing(api: RestApi, orders: Orders) -> KeyStanding:
    """Whether the bridge's key may read and change orders. Raises StoreUnreachable, and StoreRefused for what is not
    about the key."""
    reads, writes = _refusal(lambda: _read_orders(api, cached=False)), _refusal(lambda: orders.write(MISSING_ID, {}))
    problems = [f"{what} {why}" for what, why in ((CANNOT_READ, reads), (CANNOT_WRITE, writes)) if why]
    permissions = Permissions.of(reads=reads is None, writes=writes is None)
    is_unknown = reads is not None and reads.status == 401 and reads.code != KEY_REFUSED
    return KeyStanding(permissions, "\n".join(problems), is_unknown)


def _refusal(ask: Callable[[], object]) -> StoreRefused | None:
    """What the store has against the key; None if nothing. Raises what is not about the key."""
    try:
        ask()
    except OrderNotFound:
        return None
    except StoreRefused as error:
        if error.status not in (401, 403) or not error.code:
            raise
        return error
    return None


def _read_orders(api: RestApi, *, cached: bool) -> str | None:
    """What a cache says of the answer's age, if there is one."""
    answer = api.ask("GET", "wc/v3/orders", query={"per_page": "1", "_fields": "id"}, cached=cached)
    rows(answer)
    return answer.age


def _cache(api: RestApi, age: str | None) -> Iterator[Finding]:
    """Ask as a client that knows of no caches, twice: what the first request leaves in one answers the second.

    `age` is that of a read past caches.
    """
    try:
        kept = [_read_orders(api, cached=True) for _ in range(2)][-1]
    except StoreError:
        kept = None  # an outage of this moment
    if age and age.strip("0"):
        yield Finding(
            False,
            f"A cache in front of the store answers in its place, whatever is asked (Age: {age[:20]}): orders would be "
            f"charged as they were. {LEAVE_OUT}",
        )
    elif kept is not None:
        yield Finding(
            False,
            f"A cache in front of the store keeps answers about orders (Age: {kept[:20]}). The bridge reads past it; "
            f"other clients may see orders as they were. {LEAVE_OUT}",
        )


def _may_write(orders: Orders) -> Finding:
    try:
        orders.write(MISSING_ID, {})
    except OrderNotFound:
        return Finding(True, "The key may change orders.")
    except StoreError as error:
        return Finding(False, f"{CANNOT_WRITE} {error}")
    return Finding(False, f"The store claims to have an order {MISSING_ID}.")


def _settings(options: Mapping[str, str], api: RestApi) -> Iterator[Finding]:
    try:
        status = load(STATUS, api.ask("GET", "wc/v3/system_status", query={"_fields": STATUS.names}).value)
    except StoreError as error:
        yield Finding(False, f"The store's settings cannot be read, so decimals and plugins were not checked. {error}")
        if _serves_woopayments(api):
            yield Finding(False, DEACTIVATE)
        return
    yield _decimals(
        status["settings"]["currency"].upper(), status["settings"]["number_of_decimals"], options["rounding"]
    )
    is_active = any(plugin["plugin"] == PLUGIN for plugin in status["active_plugins"])
    if options["payment_method"] != WOOPAYMENTS:
        yield Finding(True, f"Orders will show the payment method {options['payment_method']}.")
        if is_active:
            yield Finding(False, DEACTIVATE)
    elif is_active:
        yield Finding(
            False,
            f"The payment method {WOOPAYMENTS} belongs to the WooPayments plugin, which is active and would act on our "
            "payments. Choose another one (option payment_method).",
        )
    else:
        yield Finding(True, f"Orders will show the payment method {WOOPAYMENTS}; the WooPayments plugin is not active.")


def _serves_woopayments(api: RestApi) -> bool:
    """Whether the plugin's own routes are in the store's index, which everybody may read: it registers them wherever it
    is active. Source: `WC_REST_Payments_Accounts_Controller` of WooPayments."""
    try:
        index = api.ask("GET", "wc/v3", query={"_fields": f"routes.{WOOPAYMENTS_ROUTE}"}, anonymous=True).value
    except StoreError:
        return False
    routes = index.get("routes") if isinstance(index, Mapping) else None
    return isinstance(routes, Mapping) and WOOPAYMENTS_ROUTE in routes


def _others(decimals: int, rounding: str) -> str:
    what = "are charged as rounded" if rounding == "half_up" else "are refused (option rounding=half_up charges them)"
    return f"Orders in other currencies with more than {decimals} decimals {what}."


def _decimals(currency: str, decimals: int, rounding: str) -> Finding:
    wanted = exponent(currency)
    shown = f"Prices have {decimals} decimals, and {currency} has {wanted}"
    if decimals < wanted:
        return Finding(
            True, f"{shown}: an order owes the total that the store has rounded. {_others(decimals, rounding)}"
        )
    if decimals > wanted and rounding != "half_up":
        return Finding(
            False,
            f"{shown}: totals may not be payable exactly. Change the store's setting, or let it round "
            "(option rounding=half_up).",
        )
    return Finding(True, f"{shown}.")


SETTINGS = "wc/v3/settings/general"
THERE, NOT_THERE = f"{SETTINGS}/woocommerce_currency", f"{SETTINGS}/wcpay_bridge_not_there"


def standing(api: RestApi) -> KeyStanding:
    """What the store lets the key of `api` do. Raises StoreUnreachable, and StoreRefused where something else than the
    key stands in the way, such as a firewall: then nothing is known of the key."""
    reads = _refusal_of_key(api, "GET", THERE)
    writes = _refusal_of_key(api, "PUT", NOT_THERE)
    whole = next((each for each in (reads, writes) if each is not None and each.code != KEY_REFUSED), None)
    if whole is not None:  # nobody's, or of a user without the capability: that holds for whatever it asks
        return KeyStanding(None, str(whole), is_unknown=whole.status == 401)
    permissions = Permissions.of(reads=reads is None, writes=writes is None)
    return KeyStanding(permissions, "" if permissions else str(reads))


def _refusal_of_key(api: RestApi, method: str, path: str) -> StoreRefused | None:
    """Why the key may not do that; None if it may. Raises what is not about the key."""
    try:
        api.ask(method, path, query={"_fields": "id"}, body=None if method == "GET" else {})
    except StoreRefused as error:
        if error.code == KEY_REFUSED or (error.code.startswith(NOBODY) and error.status in (401, 403)):
            return error
        if error.status != 404 or error.code != "rest_setting_setting_invalid":
            raise
    return None
