"""What a person would and would not take for card data, made at random from a seed: the tests' own view of it."""

import string
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def ids(random: Random) -> dict[str, Callable[[], str | int]]:
    """Makers of ids, times, sums, phone and order numbers, by their names: as the bridge, shops and providers make
    them."""

    def word(signs: str, length: int) -> str:
        return "".join(random.choices(signs, k=length))

    def number(least: int, most: int) -> int:
        return random.randrange(least, most)

    def unique() -> str:
        return str(uuid.UUID(int=random.getrandbits(128), version=4))

    def moment() -> datetime:
        return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=random.uniform(0, 6e8))

    return {
        "attempt": lambda: word(HEX, 32),
        "consumer key": lambda: f"ck_{word(HEX, 40)}",
        "digest": lambda: word(HEX, 64),
        "UUID": unique,
        "Forte's": lambda: f"trn_{unique()}",
        "provider key": lambda: f"{word(HEX, 32)}:user:{number(1, 10**6)}:{word(HEX, 32)}",
        "payment": lambda: f"pi_3{word(LETTERS, 23)}",
        "client secret": lambda: f"pi_{word(LETTERS, 24)}_secret_{word(LETTERS, 25)}",
        "customer": lambda: f"cus_{word(LETTERS, 14)}",
        "account": lambda: f"acct_1{word(LETTERS, 15)}",
        "order key": lambda: f"wc_order_{word(LETTERS, 13)}",
        "ULID": lambda: word("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26),
        "nano": lambda: word(LETTERS + "_-", 21),
        "order": lambda: number(1, 10 ** number(1, 13)),
        "long order": lambda: 2 * 10**12 + number(0, 10**9),
        "invoice": lambda: f"{number(2020, 2031)}-{number(1, 13):02}-{number(0, 10**5):05}",
        "list of orders": lambda: ", ".join(str(number(1000, 10000)) for _ in range(6)),
        "milliseconds": lambda: int(moment().timestamp() * 1e3),
        "microseconds": lambda: int(moment().timestamp() * 1e6),
        "nanoseconds": lambda: int(moment().timestamp() * 1e9),
        "ISO 8601": lambda: moment().isoformat(),
        "period": lambda: f"{moment()} - {moment()}",
        "date": lambda: moment().strftime(random.choice(("%Y%m%d%H%M%S", "%m/%d/%Y, %I:%M:%S %p", "%d.%m.%Y %H:%M"))),
        "sum": lambda: f"{random.uniform(0, 10 ** number(1, 9)):,.2f}",
        "sums": lambda: " ".join(f"{random.uniform(10, 100):.2f}" for _ in range(6)),
        "minor units": lambda: number(0, 10**12),
        "place": lambda: f"{random.uniform(-90, 90)}, {random.uniform(-180, 180)}",
        "E.164": lambda: f"+{number(10**10, 10**15)}",
        "two phones": lambda: " / ".join(f"{number(200, 999)}-{number(200, 999)}-{number(0, 10**4):04}" for _ in "ab"),
        "German phone": lambda: random.choice(("+49 ", "0049 ", "49")) + f"{number(150, 180)}{number(10**7, 10**8)}",
        "product": lambda: _with_check_digit(f"40{number(0, 10**10):010}"),
        "address": lambda: ".".join(str(number(0, 256)) for _ in range(4)),
    }


def _with_check_digit(digits: str) -> str:
    """EAN-13."""
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"
