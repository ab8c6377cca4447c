"""What a WooCommerce store lets a key do, found out by asking: no route of its tells.

A key without a permission is refused before the route is looked for, a user without the capability before the resource
is. So a read of a setting, and a write to one that is not there, show both, and change nothing. WooPayments' own routes
ask for that same capability, `manage_woocommerce`. Sources: `WC_REST_Authentication::check_permissions`,
`WC_REST_Setting_Options_V2_Controller` (WooCommerce 10.5), `WC_Payments_REST_Controller::check_permission`.
"""

from bridge.domain.errors import StoreRefused
from bridge.domain.ports import KeyStanding
from bridge.domain.stores import Permissions
from bridge.stores.woocommerce.rest import KEY_REFUSED, NOBODY, RestApi

SETTINGS = "wc/v3/settings/general"
THERE, NOT_THERE = f"{SETTINGS}/woocommerce_currency", f"{SETTINGS}/wcpay_bridge_not_there"


def standing(api: RestApi) -> KeyStanding:
    """What the store lets the key of `api` do. Raises StoreUnreachable, and StoreRefused where something else than the
    key stands in the way, such as a firewall: then nothing is known of the key."""
    reads = _refusal(api, "GET", THERE)
    writes = _refusal(api, "PUT", NOT_THERE)
    whole = next((each for each in (reads, writes) if each is not None and each.code != KEY_REFUSED), None)
    if whole is not None:  # nobody's, or of a user without the capability: that holds for whatever it asks
        return KeyStanding(None, str(whole), is_unknown=whole.status == 401)
    permissions = Permissions.of(reads=reads is None, writes=writes is None)
    return KeyStanding(permissions, "" if permissions else str(reads))


def _refusal(api: RestApi, method: str, path: str) -> StoreRefused | None:
    """Why the key may not do that; None if it may. Raises what is not about the key."""
    try:
        api.ask(method, path, query={"_fields": "id"}, body=None if method == "GET" else {})
    except StoreRefused as error:
        if error.code == KEY_REFUSED or (error.code.startswith(NOBODY) and error.status in (401, 403)):
            return error
        if error.status != 404 or error.code != "rest_setting_setting_invalid":
            raise
    return None
