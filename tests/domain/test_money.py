"""Money: exact conversion, refusals, rounding, and a table that an independent one agrees with."""

from decimal import Decimal

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import AmountNotRepresentable
from bridge.domain.money import THREE_DECIMAL, ZERO_DECIMAL, Money, exponent, minor, step

# Where the providers' table differs from ISO 4217 on purpose.
DIFFERS = {
    "MGA": (0, 2),
    "ISK": (2, 0),
    "UYI": (2, 0),
    "UGX": (2, 0),
    "CLF": (2, 4),
    "UYW": (2, 4),
}


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("10.23", "USD", 1023),
        ("500.00", "JPY", 500),
        ("500", "JPY", 500),
        ("1.230", "KWD", 1230),
        ("245", "USD", 24500),
        ("-5.00", "USD", -500),
        ("0.00", "USD", 0),
        ("100", "BIF", 100),
        ("12.00", "UGX", 1200),
        ("1e2", "usd", 10000),
    ],
)
def test_decimal_strings_become_minor_units(text: str, currency: str, amount: int) -> None:
    assert Money.parse(text, currency) == Money(amount, currency.upper())


@pytest.mark.parametrize(
    ("text", "currency"), [("10.235", "USD"), ("500.50", "JPY"), ("1.2345", "KWD"), ("1.231", "KWD"), ("0.5", "UGX")]
)
def test_what_cannot_be_charged_exactly_is_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountNotRepresentable):
        Money.parse(text, currency, smallest=step(currency))


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("10.075", "USD", 1008),
        ("1.005", "USD", 101),
        ("0.285", "USD", 29),
        ("1.5", "JPY", 2),
        ("2.5", "JPY", 3),
        ("1.235", "KWD", 1240),
        ("0.5", "UGX", 100),
    ],
)
def test_rounding_is_half_away_from_zero_to_the_providers_step(text: str, currency: str, amount: int) -> None:
    assert Money.parse(text, currency, rounding=True, smallest=step(currency)).amount == amount


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "10,23", "0x10"])
def test_what_is_no_number_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        Money.parse(text, "USD")


@given(amount=st.integers(-(10**12), 10**12), currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_every_amount_survives_the_way_through_its_decimal_string(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert Money.parse(str(money.decimal), currency) == money


def test_money_reads_as_people_write_it() -> None:
    assert [str(Money(1023, "USD")), str(Money(500, "JPY")), str(Money(1230, "KWD"))] == [
        "10.23 USD",
        "500 JPY",
        "1.230 KWD",
    ]


def test_minor_rounds_line_items_half_away_from_zero() -> None:
    assert [minor(Decimal("2.675"), "USD"), minor(Decimal("-2.675"), "USD")] == [268, -268]


def test_the_table_agrees_with_iso_4217_but_for_the_known_exceptions() -> None:
    theirs = {known.code: known.exponent for known in iso4217.Currency if known.exponent is not None}
    pairs = {code: (exponent(code), digits) for code, digits in theirs.items()}
    assert {code: pair for code, pair in pairs.items() if len(set(pair)) == 2} == DIFFERS


def test_steps_follow_the_exponent() -> None:
    assert {step(code) for code in THREE_DECIMAL} == {10}
    assert {step(code) for code in ZERO_DECIMAL} == {1}
    assert (step("ISK"), step("UGX"), step("USD")) == (100, 100, 1)
