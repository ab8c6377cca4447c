"""The settings that the HTTP room goes by."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol


class HttpSettings(Protocol):
    """Read-only; `bridge.settings.Settings` is one.

    `compat` is documented or woopayments, `error_status` compatible or precise.
    """

    @property
    def public_urls(self) -> Sequence[str]: ...

    @property
    def public_url(self) -> str: ...

    @property
    def trusted_proxies(self) -> Sequence[IPv4Network | IPv6Network]: ...

    @property
    def require_https(self) -> bool: ...

    @property
    def local_http(self) -> bool: ...

    @property
    def method_override(self) -> bool: ...

    @property
    def unsigned_bodies(self) -> bool: ...

    @property
    def api_docs(self) -> bool: ...

    @property
    def rate_limit(self) -> str: ...

    @property
    def key_limit(self) -> str: ...

    @property
    def store_limit(self) -> str: ...

    @property
    def order_decline_limit(self) -> str: ...

    @property
    def address_decline_limit(self) -> str: ...

    @property
    def rate_limit_storage(self) -> str: ...

    @property
    def metrics_token(self) -> str: ...

    @property
    def compat(self) -> str: ...

    @property
    def error_status(self) -> str: ...
