"""What the owner of a store sets for Stripe Connect, and what it means. Does not know HTTP."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from bridge.adapters.loading import MAX_RETRIES, WEBHOOK_ENDPOINT
from bridge.domain.errors import ConfigurationError
from bridge.domain.money import step
from bridge.domain.ports import Setting

LONGEST_DESCRIPTOR, SHORTEST_PREFIX, BETWEEN = 22, 2, "* "
"""Characters of what is on the payer's bank statement: the account's prefix, an asterisk and a space, and the suffix
(source: https://docs.stripe.com/get-started/account/statement-descriptors)."""
LONGEST_SUFFIX = LONGEST_DESCRIPTOR - SHORTEST_PREFIX - len(BETWEEN)
API_BASE = "https://api.stripe.com"
SCRIPT = "https://js.stripe.com/v3/"
_NO_YES = ("no", "yes")
_FEE = re.compile(r"none|(?P<fixed>\d{1,9})|(?P<percent>\d{1,3}(\.\d{1,4})?)%(\+(?P<plus>\d{1,9}))?", re.ASCII)

SETTINGS = (
    Setting("secret_key", "The platform's API key: sk_test_... or rk_test_..., in live mode sk_live_...", secret=True),
    Setting("account", "The connected account that is paid: acct_...", account=True),
    Setting(
        "charge_type",
        "Whose charge it is: the connected account's (direct) or the platform's (destination)",
        "direct",
        choices=("direct", "destination"),
        account=True,
    ),
    Setting(
        "on_behalf_of", "Destination charges in the connected account's own name and country", "no", choices=_NO_YES
    ),
    Setting("fee", "The platform's fee: none, minor units (62), a percentage (2.9%) or both (2.9%+30)", "none"),
    Setting("refund_fee", "Whether the platform refunds its fee in proportion to a refund", "yes", choices=_NO_YES),
    Setting("fee_cap", "The most that the fee may be, in minor units; empty for no limit", ""),
    Setting("country", "The account's country in two letters; US adds line items, for level 3 rates", ""),
    Setting("from_postal_code", "The US ZIP code that goods are shipped from, for the line items", ""),
    Setting("currencies", "The currencies that are accepted, such as USD,EUR; empty for all", ""),
    Setting(
        "off_session", "Whether the payer is absent; with no, a 3-D Secure step can follow", "yes", choices=_NO_YES
    ),
    Setting(
        "statement_descriptor_suffix",
        "What follows the account's own prefix on the payer's bank statement, together up to 22 characters",
        "",
    ),
    Setting(
        "terminal_location",
        "The location of the store's card readers: tml_...; apps get tokens for that location only. With destination "
        "charges the platform's stores share one list of readers",
        "",
    ),
    MAX_RETRIES,
    Setting(
        "webhook_secret",
        "The signing secret of the webhook endpoint at Stripe: whsec_...; two while it is being rotated",
        "",
        secret=True,
    ),
    WEBHOOK_ENDPOINT,
    Setting(
        "publishable_key", "For the buyer's page: pk_test_..., in live mode pk_live_...; empty to do without it", ""
    ),
    Setting("script_url", "Where the buyer's page loads Stripe.js from; another one is for tests only", SCRIPT),
    Setting("api_base", "The address of Stripe's API; another one is for tests only", API_BASE, account=True),
)


@dataclass(frozen=True, slots=True)
class Fee:
    """The platform's share: a percentage and a fixed amount (minor units), up to `cap` (minor units)."""

    percent: Decimal = Decimal(0)
    fixed: int = 0
    cap: int | None = None

    @property
    def is_none(self) -> bool:
        return not (self.percent or self.fixed)

    def of(self, amount: int, currency: str) -> int:
        """The fee on `amount` (minor units), half a unit rounded up, never above the amount, and in steps that the
        currency has (down)."""
        share = int((amount * self.percent / 100).quantize(Decimal(1), ROUND_HALF_UP)) + self.fixed
        fee = min(share, amount, amount if self.cap is None else self.cap)
        return fee - fee % step(currency)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money it is, which key moves it, and how. `currencies` upper case, empty for all."""

    secret_key: str = field(repr=False)
    id: str
    live: bool
    destination: bool
    on_behalf_of: bool
    fee: Fee
    refund_fee: bool
    country: str
    from_postal_code: str
    currencies: frozenset[str]
    off_session: bool
    statement_descriptor_suffix: str
    terminal_location: str
    max_retries: int
    webhook_secrets: tuple[str, ...] = field(repr=False)
    publishable_key: str
    script_url: str
    api_base: str

    @property
    def header(self) -> str | None:
        """The Stripe-Account header: only direct charges are the connected account's own."""
        return None if self.destination else self.id


def read(settings: Mapping[str, str], *, live: bool) -> Account:
    """The settings (complete, choices checked) as an Account. Raises ConfigurationError with all that is wrong."""
    problems = [f"stripe_connect: {sentence}" for right, sentence in _judge(settings, live) if not right]
    fee = _fee(settings["fee"], settings["fee_cap"])
    if problems or fee is None:
        raise ConfigurationError(*problems)
    return Account(
        secret_key=settings["secret_key"],
        id=settings["account"],
        live=live,
        destination=settings["charge_type"] == "destination",
        on_behalf_of=settings["on_behalf_of"] == "yes",
        fee=fee,
        refund_fee=settings["refund_fee"] == "yes",
        country=settings["country"].upper(),
        from_postal_code=settings["from_postal_code"],
        currencies=frozenset(_words(settings["currencies"].upper())),
        off_session=settings["off_session"] == "yes",
        statement_descriptor_suffix=settings["statement_descriptor_suffix"],
        terminal_location=settings["terminal_location"],
        max_retries=int(settings["max_retries"]),
        webhook_secrets=tuple(_words(settings["webhook_secret"])),
        publishable_key=settings["publishable_key"],
        script_url=settings["script_url"],
        api_base=settings["api_base"].rstrip("/"),
    )


def _judge(settings: Mapping[str, str], live: bool) -> Iterator[tuple[object, str]]:
    """Whether each setting is right, and the sentence if it is not. None of them shows a secret."""
    mode = "live" if live else "test"
    yield (
        re.fullmatch(rf"[sr]k_{mode}_\w+", settings["secret_key"], re.ASCII),
        f"secret_key is not a key for {mode} mode (sk_{mode}_... or rk_{mode}_...), and the store is in {mode} mode.",
    )
    yield re.fullmatch(r"acct_\w+", settings["account"], re.ASCII), "account is not an id such as acct_1AbC."
    yield (
        settings["charge_type"] == "destination" or settings["on_behalf_of"] == "no",
        "on_behalf_of is for charge_type=destination only.",
    )
    yield (
        _fee(settings["fee"], settings["fee_cap"]),
        "fee must be none, 62, 2.9% or 2.9%+30, and fee_cap a number of minor units.",
    )
    yield re.fullmatch("([A-Za-z]{2})?", settings["country"]), "country is not two letters."
    yield (
        re.fullmatch(r"(\d{5}(-\d{4})?)?", settings["from_postal_code"], re.ASCII),
        "from_postal_code is not a US ZIP code.",
    )
    codes = _words(settings["currencies"].upper())
    yield all(re.fullmatch("[A-Z]{3}", code) for code in codes), "currencies are not like USD,EUR."
    yield (
        _is_suffix(settings["statement_descriptor_suffix"]),
        f"statement_descriptor_suffix has more than {LONGEST_SUFFIX} characters, one of < > \\ ' \" *, "
        "no Latin letter or something that is not Latin.",
    )
    yield (
        re.fullmatch(r"(tml_\w+)?", settings["terminal_location"], re.ASCII),
        "terminal_location is not an id such as tml_...",
    )
    yield (
        all(re.fullmatch(r"whsec_[!-~]+", secret) for secret in _words(settings["webhook_secret"])),
        "webhook_secret is not a signing secret such as whsec_1AbC, or several.",
    )
    yield (
        re.fullmatch(rf"(pk_{mode}_\w+)?", settings["publishable_key"], re.ASCII),
        f"publishable_key is not a key for {mode} mode (pk_{mode}_...).",
    )
    yield not live or settings["script_url"] == SCRIPT, "script_url cannot be changed in live mode."
    api_base = settings["api_base"].rstrip("/")
    yield re.fullmatch(r"https?://[^/?#@\s]+", api_base), "api_base is not an address such as http://127.0.0.1:8420."
    yield not live or api_base == API_BASE, "api_base cannot be changed in live mode."


def _is_suffix(text: str) -> bool:
    """Whether cards take it behind some prefix; whether behind the account's own, Stripe has to be asked."""
    if not text:
        return True
    pattern = rf"""(?=.*[A-Za-z])[^<>\\'"*]{{1,{LONGEST_SUFFIX}}}"""
    return text.isascii() and text.isprintable() and re.fullmatch(pattern, text) is not None


def _words(text: str) -> list[str]:
    """What stands between commas and spaces."""
    return text.replace(",", " ").split()


def _fee(fee: str, cap: str) -> Fee | None:
    match = _FEE.fullmatch(fee)
    if match is None or not re.fullmatch(r"\d{0,9}", cap, re.ASCII) or Decimal(match["percent"] or 0) > 100:
        return None
    fixed = int(match["fixed"] or match["plus"] or 0)
    return Fee(Decimal(match["percent"] or 0), fixed, int(cap) if cap else None)
