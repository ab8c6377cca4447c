"""What the owner of a store sets for Forte Platforms, and what it means. Does not know HTTP."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import quote, urlsplit

from bridge.domain.errors import ConfigurationError, CurrencyNotSupported
from bridge.domain.money import exponent
from bridge.domain.ports import Setting

Network = IPv4Network | IPv6Network

HOST = "https://api.forteplatforms.com"
SCRIPT = "https://js.stripe.com/v3/"
ONE_PAYMENT = "/api/v1/projects/{project}/payments/{payment}"
ALL_PAYMENTS = "/api/v1/projects/{project}/payments"
NO_PATH = "none"
MAY, AUGUST = "2026-05", "2026-08"
SHORTEST_SECRET = 32
_NO_YES = ("no", "yes")
_USER = r"usr_[\w-]{1,128}"

SETTINGS = (
    Setting("api_key", "The project's API key. It stays on this server", secret=True),
    Setting("project", "The id of the Forte project", account=True),
    Setting("mode", "Which kind of project it is; a live store needs live", "sandbox", choices=("sandbox", "live")),
    Setting("users", "Which Forte user a customer is: cus_A=usr_1,cus_B=usr_2, or file:PATH with one on each line", ""),
    Setting(
        "user_lookup",
        "email: for a customer who is not among users, charge the one user who has verified the order's e-mail address",
        "none",
        choices=("none", "email"),
    ),
    Setting("default_user", "The user who is charged for every customer who is not among users; empty for nobody", ""),
    Setting("preview_user", "The user for whom a cart without a customer is quoted; empty for nobody", ""),
    Setting(
        "tax_mode",
        "Who computes the tax: the store, which sends it as a line (woocommerce), or Forte, from the address (forte)",
        "woocommerce",
        choices=("woocommerce", "forte"),
    ),
    Setting("tax_code", "Stripe's tax code of what is sold, such as txcd_10000000; empty for none", ""),
    Setting(
        "allow_tax_difference",
        "With tax_mode=forte: whether the payer may be charged Forte's tax on top of the order's total",
        "no",
        choices=_NO_YES,
    ),
    Setting("currencies", "The currencies that are accepted, such as USD,EUR; empty for all with two decimals", ""),
    Setting(
        "api",
        "Which version of Forte's API to use: August 2026, with saved payment methods, or May",
        AUGUST,
        choices=(MAY, AUGUST),
    ),
    Setting(
        "refunds",
        "What Forte's API can refund: any part (partial), only whole payments (full), or nothing (none)",
        "partial",
        choices=("partial", "full", "none"),
    ),
    Setting("stripe_script_url", "Where the buyer's page loads Stripe.js from", SCRIPT),
    Setting("trusted_networks", "Networks that Forte's triggers come from, such as 10.2.0.0/16; empty for none", ""),
    Setting(
        "relay_secret",
        f"What the relay inside the project signs triggers with, {SHORTEST_SECRET} characters or more; "
        "two while it is being changed",
        "",
        secret=True,
    ),
    Setting(
        "webhook_endpoint",
        "The name at the end of the trigger's address here, for stores that share one; empty for the store's id",
        "",
    ),
    Setting("trigger_path", "The targetPath of the trigger that leads here, which `stores check` looks for", ""),
    Setting("host", "The address of Forte's API", HOST, account=True),
    Setting("payment_path", f"The path of one payment; {NO_PATH} if the API does not have one", ONE_PAYMENT),
    Setting(
        "payments_path", f"The path of a project's payments; {NO_PATH} if the API does not list them", ALL_PAYMENTS
    ),
)


@dataclass(frozen=True, slots=True)
class Options:
    """Whose project it is and how it is charged. `users` maps customers to users, `currencies` is empty for all with
    two decimals."""

    host: str
    api_key: str = field(repr=False)
    project: str
    live: bool
    users: Mapping[str, str] = field(repr=False)
    user_by_email: bool
    default_user: str
    preview_user: str
    forte_taxes: bool
    tax_code: str
    allow_tax_difference: bool
    currencies: frozenset[str]
    saved_methods: bool
    refunds: str
    script_url: str
    trusted_networks: tuple[Network, ...]
    relay_secrets: tuple[str, ...] = field(repr=False)
    trigger_path: str
    payment_path: str
    payments_path: str

    def path(self, below: str = "", **names: str) -> str:
        """A path of this project. `names` fill what `below` has in braces."""
        return self.fill(f"/api/v1/projects/{{project}}{below}", **names)

    def fill(self, path: str, **names: str) -> str:
        """A path with the project's id and other names in place of what is in braces."""
        return path.format(project=self.project, **{name: quote(value, safe="") for name, value in names.items()})


def read(settings: Mapping[str, str], *, live: bool) -> Options:
    """The settings (complete, choices checked) as Options. Raises ConfigurationError with all that is wrong."""
    problems = [f"forte_platform: {sentence}" for right, sentence in _judge(settings, live) if not right]
    if problems:
        raise ConfigurationError(*problems)
    return Options(
        host=settings["host"].rstrip("/"),
        api_key=settings["api_key"],
        project=settings["project"],
        live=live,
        users=dict(_pairs(settings["users"])),
        user_by_email=settings["user_lookup"] == "email",
        default_user=settings["default_user"],
        preview_user=settings["preview_user"],
        forte_taxes=settings["tax_mode"] == "forte",
        tax_code=settings["tax_code"],
        allow_tax_difference=settings["allow_tax_difference"] == "yes",
        currencies=frozenset(_words(settings["currencies"].upper())),
        saved_methods=settings["api"] == AUGUST,
        refunds=settings["refunds"] if settings["api"] == AUGUST else "none",
        script_url=settings["stripe_script_url"],
        trusted_networks=tuple(filter(None, map(_network, _words(settings["trusted_networks"])))),
        relay_secrets=tuple(_words(settings["relay_secret"])),
        trigger_path=settings["trigger_path"],
        payment_path=_path(settings["payment_path"]) if settings["api"] == AUGUST else "",
        payments_path=_path(settings["payments_path"]) if settings["api"] == AUGUST else "",
    )


def is_id(text: str) -> bool:
    """Whether this can be an id of Forte's, and so a part of a path."""
    return re.fullmatch(r"[\w-]{1,128}", text, re.ASCII) is not None


def require_currency(options: Options, currency: str) -> None:
    """Raises CurrencyNotSupported for one that the owner leaves out, or whose "cents" nobody has explained.

    Forte speaks of cents and does not say what they are where a currency has none: such a currency has to be named.
    """
    code = currency.upper()
    if not re.fullmatch("[A-Z]{3}", code) or exponent(code) == 3:
        raise CurrencyNotSupported(currency)
    if code not in options.currencies if options.currencies else exponent(code) != 2:
        raise CurrencyNotSupported(currency)


def _judge(settings: Mapping[str, str], live: bool) -> Iterator[tuple[object, str]]:
    """Whether each setting is right, and the sentence if it is not. None of them shows a secret."""
    yield re.fullmatch(r"[!-~]+", settings["api_key"]), "api_key has characters that an API key cannot have."
    yield is_id(settings["project"]), "project is not an id such as prj_1AbC."
    wanted = "live" if live else "sandbox"
    yield (
        settings["mode"] == wanted,
        f"mode is {settings['mode']}, and the store is in {'live' if live else 'test'} mode: set mode={wanted} "
        f"for a project that is {'live' if live else 'a sandbox'}.",
    )
    yield from _judge_users(settings)
    yield from _judge_money(settings)
    yield from _judge_addresses(settings, live)
    yield from _judge_triggers(settings)


def _judge_users(settings: Mapping[str, str]) -> Iterator[tuple[object, str]]:
    pairs = _pairs(settings["users"])
    yield (
        all(
            re.fullmatch(r"cus_\w{1,250}", name, re.ASCII) and re.fullmatch(_USER, user, re.ASCII)
            for name, user in pairs
        ),
        "users is not like cus_A=usr_1,cus_B=usr_2.",
    )
    yield len(dict(pairs)) == len(set(pairs)), "users has two users for the same customer."
    for name in ("default_user", "preview_user"):
        yield re.fullmatch(f"({_USER})?", settings[name], re.ASCII), f"{name} is not an id such as usr_1AbC."
    yield (
        settings["user_lookup"] == "none" or not settings["default_user"],
        "user_lookup=email and default_user exclude each other.",
    )
    yield (
        pairs or settings["default_user"] or settings["user_lookup"] != "none",
        "nobody can be charged: set users, user_lookup=email or default_user.",
    )


def _judge_money(settings: Mapping[str, str]) -> Iterator[tuple[object, str]]:
    yield re.fullmatch(r"(txcd_\d{8})?", settings["tax_code"], re.ASCII), "tax_code is not like txcd_10000000."
    yield (
        settings["tax_mode"] == "forte" or settings["allow_tax_difference"] == "no",
        "allow_tax_difference is for tax_mode=forte only.",
    )
    codes = _words(settings["currencies"].upper())
    yield all(re.fullmatch("[A-Z]{3}", code) for code in codes), "currencies are not like USD,EUR."


def _judge_addresses(settings: Mapping[str, str], live: bool) -> Iterator[tuple[object, str]]:
    scheme = "https" if live else "https?"
    yield (
        re.fullmatch(rf"{scheme}://[^/?#@\s]+", settings["host"].rstrip("/")),
        f"host is not an address such as {HOST}.",
    )
    script = urlsplit(settings["stripe_script_url"])
    stripes = (script.scheme, script.netloc) == ("https", "js.stripe.com")
    yield (
        stripes or (not live and script.scheme in ("http", "https") and script.netloc),
        f"stripe_script_url is not an address such as {SCRIPT}, and in live mode only js.stripe.com serves Stripe.js.",
    )
    for name, words in (("payment_path", {"project", "payment"}), ("payments_path", {"project"})):
        path = settings[name]
        named = set(re.findall(r"{(\w+)}", path))
        yield (
            path == NO_PATH or (re.fullmatch(r"/[\w/{}.-]*", path, re.ASCII) and named == words),
            f"{name} is not a path with {' and '.join(f'{{{word}}}' for word in sorted(words))}, or {NO_PATH}.",
        )


def _judge_triggers(settings: Mapping[str, str]) -> Iterator[tuple[object, str]]:
    networks = [_network(word) for word in _words(settings["trusted_networks"])]
    yield (
        all(network and network.prefixlen >= (8 if network.version == 4 else 16) for network in networks),
        "trusted_networks are not like 10.2.0.0/16,fd00::/32 (at most a /8, or a /16 of IPv6).",
    )
    yield (
        all(len(secret) >= SHORTEST_SECRET for secret in _words(settings["relay_secret"])),
        f"relay_secret has fewer than {SHORTEST_SECRET} characters.",
    )
    yield re.fullmatch(r"(/.{0,499})?", settings["trigger_path"]), "trigger_path does not start with /."


def _words(text: str) -> list[str]:
    """What stands between commas and spaces."""
    return text.replace(",", " ").split()


def _pairs(text: str) -> list[tuple[str, str]]:
    """`cus_A=usr_1` between commas, spaces or on lines; what follows a # is a remark."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    parts = [word.partition("=") for word in _words(" ".join(lines))]
    return [(customer, user) for customer, _, user in parts]


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _path(text: str) -> str:
    return "" if text == NO_PATH else text
