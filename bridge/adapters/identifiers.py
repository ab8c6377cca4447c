"""Customers and payment methods as callers name them: WooPayments' own sentence about a bad one first, then help."""

import re

from bridge.domain.errors import InvalidParameter

PREFIXES = {"customer": ("cus",), "payment_method": ("pm", "src", "card")}
_ECHO = 60
_KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


def stripe_identifier(param: str, value: object) -> str:
    """`value`, if it can be a `customer` or `payment_method` (that is `param`) of Stripe's. Raises InvalidParameter.

    Source of pattern and sentences: WooPayments 8.4, `WCPay\\Core\\Server\\Request::validate_stripe_id`.
    """
    prefixes = PREFIXES[param]
    wanted = " or ".join(f"{prefix}_" for prefix in prefixes)
    if value is None:
        raise InvalidParameter(param, f"Missing parameter: {param}.")
    if not isinstance(value, str):
        kind = _KINDS.get(type(value), "something else")
        raise InvalidParameter(param, f"Invalid parameter: {param} is {kind}, not a text that starts with {wanted}.")
    if value == "":
        raise InvalidParameter(param, f"Empty parameter is not allowed ({param}).")
    if not re.fullmatch(rf"({'|'.join(prefixes)})_\w{{1,250}}", value, re.ASCII):
        help_ = f"({param} must start with {wanted})"
        raise InvalidParameter(param, f"{_echo(value)} is not a valid Stripe identifier {help_}.")
    return value


def _echo(value: str) -> str:
    shown = "".join(character if character.isprintable() else "?" for character in value[:_ECHO])
    return shown + ("..." if len(value) > _ECHO else "")
