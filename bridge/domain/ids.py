"""Random names."""

import random
import secrets
import string


class RandomIds:
    """Ids from the operating system's randomness, or from a seeded source in tests."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._source = source or secrets.SystemRandom()

    def attempt(self) -> str:
        """128 random bits as 32 hexadecimal digits."""
        return f"{self._source.getrandbits(128):032x}"

    def public(self, prefix: str) -> str:
        """`prefix` and 24 random letters and digits."""
        return prefix + "".join(self._source.choices(string.ascii_letters + string.digits, k=24))

    def hex(self, digits: int) -> str:
        return f"{self._source.getrandbits(4 * digits):0{digits}x}"
