"""The sandbox's ids: made from each other, the same on every machine."""

import hashlib
import string

_ALPHABET = string.ascii_letters + string.digits


def name(prefix: str, seed: str, length: int = 24) -> str:
    """`prefix` and letters and digits that are always the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}{seed}".encode()).digest())
    characters = []
    for _ in range(length):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return prefix + "".join(characters)


def charge_of(reference: str) -> str:
    """The id of a payment's charge."""
    return name("ch_", reference)
