"""The `BRIDGE_*` settings, read and checked once at start: everything that is wrong is said in one go.

Precedence: keyword, the host's `app.config`, environment, default. No `.env` file is read.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from bridge.domain.errors import ConfigurationError
from bridge.domain.networks import Network, parse_network
from bridge.storage.engine import parse_url
from bridge.storage.key_files import exposure
from bridge.storage.vault import UnreadableReference, resolve
from bridge.version import __version__

OFF = "off"
"""What switches a limit off."""

PREFIX = "BRIDGE_"
_OF_OTHERS = re.compile(
    r"""BRIDGE_(?:
        URL                                         # where a relay of Forte Platforms' triggers finds the bridge
        | (?:\w+_)?SERVICE_(?:HOST|PORT(?:_\w+)?)   # Kubernetes, of a Service that is called bridge, or bridge-...
        | (?:\w+_)?PORT(?:_\w+)?                    # the same, as Docker's links were
    )""",
    re.VERBOSE,
)
"""Names that are no settings of ours."""


class _Problem(ValueError):
    """One sentence about one setting."""


class _Missing(_Problem):
    """It is not wrong: it is not there yet."""


def data_directory() -> Path:
    """Where `init` puts the key file and the SQLite database."""
    return Path(platformdirs.user_data_dir("wcpay-bridge"))


@dataclass(frozen=True)
class Settings:
    """Checked settings.

    `provider_timeout` is how long one whole exchange with a provider or shop may take, in seconds; `public_urls` have
    no trailing slash, the first one is used for links; `max_sweeps` is for all processes of one database together.
    The limits are rates as the library `limits` reads them; "" is none.
    Without `secret_key` it is not there yet, and `keys` looks for it where it should be.
    """

    secret_key: tuple[str, ...] = field(repr=False)
    database_url: str = field(repr=False)
    database_pgbouncer: bool = False
    public_urls: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    require_https: bool = True
    compat: str = "documented"
    error_status: str = "compatible"
    allow_private_urls: bool = False
    provider_timeout: float = 30.0
    max_sweeps: int = 8
    local_http: bool = False
    method_override: bool = True
    unsigned_bodies: bool = False
    api_docs: bool = True
    shared_key_files: bool = False
    rate_limit: str = "60/minute"
    key_limit: str = "6000/minute"
    store_limit: str = "12000/minute"
    order_decline_limit: str = "10/hour"
    address_decline_limit: str = "60/minute"
    rate_limit_storage: str = "memory://"
    metrics_token: str = field(default="", repr=False)
    user_agent: str = f"wcpay-bridge/{__version__}"
    key_reference: Any = field(default=None, repr=False)

    def keys(self) -> tuple[str, ...]:
        """The secret keys. One that was missing when the settings were loaded may be there by now.

        Raises ConfigurationError.
        """
        try:
            if not self.secret_key and not self.shared_key_files:
                _require_private(self.key_reference)
            return self.secret_key or _secret_key(self.key_reference)
        except (_Problem, UnreadableReference) as problem:
            raise ConfigurationError(f"{PREFIX}SECRET_KEY: {problem}.") from None

    def secrets(self) -> tuple[str, ...]:
        """What must not be in any line of a log. Raises ConfigurationError as `keys` does."""
        return (*self.keys(), *([self.metrics_token] if self.metrics_token else []))

    @property
    def key_file(self) -> Path | None:
        """The file that the key is looked for in; None if it is looked for elsewhere."""
        if self.key_reference is None:
            return _default_key_file()
        path = str(self.key_reference)
        return Path(path.removeprefix("file:")).expanduser() if path.startswith("file:") else None

    @property
    def public_url(self) -> str:
        return self.public_urls[0] if self.public_urls else ""

    @classmethod
    def load(cls, config: Mapping[str, Any] | None = None, **keywords: Any) -> "Settings":
        """Read the settings from keywords (`secret_key=...`), `config` and the environment (`BRIDGE_SECRET_KEY`).

        Raises ConfigurationError with a sentence for each that is wrong, and each `BRIDGE_*` that is no setting,
        unless it is known to be of others.
        """
        config = config or {}
        problems = [*_unknown(keywords, READERS), *_unknown_variables([*config, *os.environ])]
        values: dict[str, Any] = {}
        for name, read in READERS.items():
            variable = f"{PREFIX}{name.upper()}"
            given = _first(keywords.get(name), config.get(variable), os.environ.get(variable))
            try:
                if (value := read(given)) is not None:
                    values[name] = value
                if name == "secret_key" and not values.get("shared_key_files"):
                    _require_private(given)
            except _Missing:
                values |= {"secret_key": (), "key_reference": given}
            except (_Problem, UnreadableReference) as problem:
                problems.append(f"{variable}: {problem}.")
        if problems:
            raise ConfigurationError(*problems)
        values["public_urls"] = values.pop("public_url", ())
        return cls(**values)


def is_ours(name: object) -> bool:
    """Whether a variable is, or was meant to be, a setting of the bridge."""
    return isinstance(name, str) and name.startswith(PREFIX) and not _OF_OTHERS.fullmatch(name)


def _unknown_variables(variables: Iterable[str]) -> list[str]:
    return _unknown(filter(is_ours, variables), [f"{PREFIX}{name.upper()}" for name in READERS])


def _unknown(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """A sentence for each name that is no setting: a misspelt one would leave the default in place."""
    problems = []
    for name in sorted(set(names) - set(known)):
        like = get_close_matches(name, known, n=1)
        problems.append(f"There is no setting {name}." + (f" Did you mean {like[0]}?" if like else ""))
    return problems


def _first(*candidates: Any) -> Any:
    return next((value for value in candidates if value is not None and value != ""), None)


def _default_key_file() -> Path:
    return data_directory() / "secret.key"


def _secret_key(value: Any) -> tuple[str, ...]:
    default = _default_key_file()
    if value is None:
        if not default.exists():
            raise _Missing(
                "no secret key. Run `wcpay-bridge init`, or set it to a random text of 32 characters or more"
            )
        value = f"file:{default}"
    entries = value if isinstance(value, (list, tuple)) else [value]
    try:
        keys = [key for entry in entries for key in resolve(str(entry)).replace(",", " ").split()]
    except UnreadableReference as problem:
        raise _Missing(str(problem)) from None
    if not keys:
        raise _Problem("the secret key is empty")
    if any(len(key) < 32 for key in keys):
        raise _Problem("every key needs 32 characters or more")
    return tuple(keys)


def _require_private(value: Any) -> None:
    """Raises _Problem for a key file that others can read."""
    entries = value if isinstance(value, (list, tuple)) else [value or f"file:{_default_key_file()}"]
    for entry in map(str, entries):
        if entry.startswith("file:") and (problem := exposure(Path(entry.removeprefix("file:")))):
            raise _Problem(problem)


def _database_url(value: Any) -> str:
    url = f"sqlite:///{data_directory() / 'bridge.sqlite'}" if value is None else resolve(str(value))
    try:
        parse_url(url)
    except ConfigurationError as problem:
        raise _Problem(str(problem).removesuffix(".")) from None
    return url


def _list(value: Any) -> list[str]:
    entries = value if isinstance(value, (list, tuple)) else str(value or "").replace(",", " ").split()
    return [str(entry) for entry in entries]


def _public_urls(value: Any) -> tuple[str, ...]:
    for url in _list(value):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise _Problem(f"{url} is not an address such as https://shop.example/pay")
    return tuple(url.rstrip("/") for url in _list(value))


def _networks(value: Any) -> tuple[Network, ...]:
    try:
        return tuple(parse_network(entry) for entry in _list(value))
    except ValueError as error:
        raise _Problem(f"{error}; give addresses or networks such as 10.0.0.0/8") from None


def _flag(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if str(value).lower() not in words:
        raise _Problem(f"{value} is neither true nor false")
    return words[str(value).lower()]


def _one_of(*choices: str) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        if value is None:
            return None
        if value not in choices:
            raise _Problem(f"{value} is not one of {', '.join(choices)}")
        return str(value)

    return read


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise _Problem(f"{value} is not a number of seconds") from None
    if not 0.1 <= seconds <= 120:
        raise _Problem("the timeout must be between 0.1 and 120 seconds")
    return seconds


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if not str(value).isascii() or not str(value).isdigit() or not 1 <= int(value) <= 1000:
        raise _Problem("give a number from 1 to 1000")
    return int(value)


def _rate(value: Any) -> str | None:
    if value is None:
        return None
    if str(value).strip().lower() == OFF:
        return ""
    import limits

    try:
        limits.parse_many(str(value))
    except ValueError:
        raise _Problem(f"{value} is not a rate such as 100/minute; `{OFF}` switches a limit off") from None
    return str(value)


def _storage(value: Any) -> str | None:
    address = _text(value)
    if address is None:
        return None
    from limits.errors import ConfigurationError as Unknown
    from limits.storage import storage_from_string

    try:
        storage_from_string(address)
    except (Unknown, ValueError):
        raise _Problem(
            "give memory:// or redis://HOST:PORT, which needs a package: pip install 'wcpay-bridge[redis]'"
        ) from None
    return address


def _metrics_token(value: Any) -> str | None:
    token = _text(value)
    if token is not None and find_spec("prometheus_client") is None:
        raise _Problem("the metrics need a package: pip install 'wcpay-bridge[metrics]'")
    if token is not None and not (token.isascii() and token.isprintable() and 16 <= len(token) <= 500):
        raise _Problem("a token needs 16 to 500 ASCII characters")
    return token


def _user_agent(value: Any) -> str | None:
    name = _text(value)
    if name is not None and not (name.isascii() and name.isprintable() and 0 < len(name.strip()) <= 200):
        raise _Problem("a name has up to 200 ASCII characters")
    return name


def _text(value: Any) -> str | None:
    return None if value is None else resolve(str(value))


READERS: dict[str, Callable[[Any], Any]] = {
    "shared_key_files": _flag,  # before the key, which is read by it
    "secret_key": _secret_key,
    "database_url": _database_url,
    "database_pgbouncer": _flag,
    "public_url": _public_urls,
    "trusted_proxies": _networks,
    "require_https": _flag,
    "compat": _one_of("documented", "woopayments"),
    "error_status": _one_of("compatible", "precise"),
    "allow_private_urls": _flag,
    "provider_timeout": _seconds,
    "max_sweeps": _count,
    "local_http": _flag,
    "method_override": _flag,
    "unsigned_bodies": _flag,
    "api_docs": _flag,
    "rate_limit": _rate,
    "key_limit": _rate,
    "store_limit": _rate,
    "order_decline_limit": _rate,
    "address_decline_limit": _rate,
    "rate_limit_storage": _storage,
    "metrics_token": _metrics_token,
    "user_agent": _user_agent,
}
