"""Line items of a payment: what `amount_details` may say, and whether it adds up to the amount.

Sources: https://docs.stripe.com/payments/payment-line-items and the `amount_details` of
https://docs.stripe.com/api/payment_intents/create.
"""

from .errors import Json, invalid

_MISMATCH = "amount_details_amount_mismatch"
_TOO_MUCH = "amount_details_tax_shipping_discount_greater_than_amount"


def read(given: Json | str | None, amount: int) -> Json:
    """The `amount_details` that the intent shows: totals, without the lines. ApiError 400 if a line is not allowed, or
    if the sums are wrong and the caller did not set `enforce_arithmetic_validation` to false."""
    if not isinstance(given, dict):
        return {"tip": {}}
    _check_lines(given)
    problem = _arithmetic(given, amount)
    if problem is not None and given.get("enforce_arithmetic_validation", True):
        raise invalid(problem[1], "amount_details", problem[0])
    shown: Json = {"tip": {}}
    shown |= {name: given[name] for name in ("discount_amount", "shipping", "tax") if given.get(name)}
    if problem is not None:
        shown["error"] = {"code": problem[0], "message": problem[1]}
    return shown


def _check_lines(given: Json) -> None:
    lines = given.get("line_items") or []
    if len(lines) > 200:
        raise invalid("There is a maximum of 200 line items.", "amount_details[line_items]")
    for index, line in enumerate(lines):
        where = f"amount_details[line_items][{index}]"
        _check_line(line, where)
        if "discount_amount" in line and given.get("discount_amount"):
            raise invalid(
                "A discount is given for the payment or for its lines, not both.", f"{where}[discount_amount]"
            )
        if "tax" in line and given.get("tax"):
            raise invalid("Tax is given for the payment or for its lines, not both.", f"{where}[tax]")


def _check_line(line: Json, where: str) -> None:
    for name, least in (("quantity", 1), ("unit_cost", 0), ("discount_amount", 1)):
        if line.get(name, least) < least:
            message = f"This value must be greater than or equal to {least}."
            raise invalid(message, f"{where}[{name}]", "parameter_invalid_integer")
    for name, most in (("product_code", 12), ("product_name", 1024), ("unit_of_measure", 12)):
        if len(line.get(name, "")) > most:
            raise invalid(f"Invalid string: at most {most} characters.", f"{where}[{name}]", "parameter_invalid_string")


def _arithmetic(given: Json, amount: int) -> tuple[str, str] | None:
    lines = given.get("line_items") or []
    tax = (given.get("tax") or {}).get("total_tax_amount", 0) + sum(
        line.get("tax", {}).get("total_tax_amount", 0) for line in lines
    )
    discount = (given.get("discount_amount") or 0) + sum(line.get("discount_amount", 0) for line in lines)
    shipping = (given.get("shipping") or {}).get("amount") or 0
    if not lines:
        return (_TOO_MUCH, "Tax, shipping and discount exceed the amount.") if tax + shipping > amount else None
    total = sum(line["unit_cost"] * line["quantity"] for line in lines) + tax + shipping - discount
    return (_MISMATCH, f"The amount is {amount}, but its details add up to {total}.") if total != amount else None
