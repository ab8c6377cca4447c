"""Which currencies Stripe charges in, and what an amount in minor units may be.

Source: https://docs.stripe.com/currencies (presentment currencies, zero-decimal and three-decimal currencies,
special cases, minimum and maximum charge amounts).
"""

from decimal import Decimal

from .errors import invalid

_TABLE = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop
crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy
kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok
npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top
try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""
SUPPORTED = frozenset(_TABLE.split())
_EXPONENTS = {
    **dict.fromkeys(("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf"), 0),
    **dict.fromkeys(("vnd", "vuv", "xaf", "xof", "xpf"), 0),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}
_STEPS = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100, "ugx": 100}
"""Three-decimal amounts end in 0; krónur and Ugandan shillings have two decimals that are always 00."""

_MINIMA = {
    **dict.fromkeys(("usd", "aud", "brl", "cad", "chf", "eur", "inr", "nzd", "sgd"), 50),
    **{"aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "jpy": 50, "mxn": 1000},
    **{"myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000},
}
_MAXIMUM = 99_999_999


def check_currency(currency: str) -> None:
    """ApiError 400 unless payments can be made in `currency`, a lower-case ISO code."""
    if currency not in SUPPORTED:
        listed = ", ".join(sorted(SUPPORTED))
        raise invalid(f"Invalid currency: {currency}. Stripe currently supports these currencies: {listed}", "currency")


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """ApiError 400 unless `amount` minor units of a supported currency can be charged."""
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(f"Invalid positive integer. {message}", param, "parameter_invalid_integer")
    minimum = _MINIMA.get(currency, 1)
    if amount < minimum:
        raise invalid(f"Amount must be at least {_decimal(minimum, currency)}", param, "amount_too_small")
    if amount > _MAXIMUM:
        raise invalid(f"Amount must be no more than {_decimal(_MAXIMUM, currency)}", param, "amount_too_large")
    step = _STEPS.get(currency, 1)
    if amount % step:
        raise invalid(f"Invalid amount: in {currency}, amounts are multiples of {step}.", param)


def _decimal(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-_EXPONENTS.get(currency, 2))} {currency}"
