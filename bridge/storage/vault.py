"""Encryption at rest, signatures of what we hand out, and references to secrets that are kept elsewhere (`env:NAME`,
`file:PATH`): these are read when they are needed, and never stored.

Keys can be rotated: the first encrypts and signs, all decrypt and verify. Ciphertexts name their key.
"""

import hashlib
import hmac
import os
import secrets as random_source
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from itsdangerous import BadSignature, Signer
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from bridge.domain.errors import ConfigurationError
from bridge.storage.engine import Database
from bridge.storage.tables import secrets

WRONG_KEY = (
    "The secret key does not belong to this database: what is stored in it was encrypted with another one. "
    "Put the old key file back, or add the old key to BRIDGE_SECRET_KEY after the new one."
)


@dataclass(frozen=True)
class _Opened:
    """What the keys open, and what is derived from them. `nothing` is a ciphertext of the first one."""

    ciphers: dict[str, Fernet]
    signing_keys: list[bytes]
    pepper: bytes
    nothing: str


class Vault:
    """Encrypts and decrypts with the owner's keys, and hashes consumer keys with a pepper that survives rotation.

    Raises ConfigurationError if none of the keys opens what the database holds.
    """

    def __init__(self, keys: Sequence[str], database: Database) -> None:
        self._read_keys: Callable[[], Sequence[str]] = lambda: keys
        self._database = database
        self._opened: _Opened | None = None
        self.open()

    @classmethod
    def unopened(cls, read_keys: Callable[[], Sequence[str]], database: Database) -> "Vault":
        """One that reads its keys and the database when it is first used, and raises what is wrong with them then."""
        vault = cls.__new__(cls)
        vault._read_keys, vault._database, vault._opened = read_keys, database, None
        return vault

    def open(self) -> None:
        """Read keys and pepper anew. Raises ConfigurationError."""
        keys = self._read_keys()
        ciphers = {_key_id(key): Fernet(_derive(key, "encryption")) for key in keys}
        signing_keys = [_derive(key, "signing") for key in reversed(keys)]
        pepper = bytes.fromhex(_decrypt(ciphers, self._stored_pepper(ciphers)))
        self._opened = _Opened(ciphers, signing_keys, pepper, _encrypt(ciphers, random_source.token_hex(20)))

    def __repr__(self) -> str:
        return f"Vault(keys={list(self._opened.ciphers) if self._opened else 'unread'})"

    @property
    def _now(self) -> _Opened:
        if self._opened is None:
            self._database.use()  # opens us, too, where the bridge has said so
        if self._opened is None:
            self.open()
        assert self._opened is not None
        return self._opened

    @property
    def nothing(self) -> str:
        """A ciphertext that stands for no secret: to decrypt it takes as long as another one."""
        return self._now.nothing

    def encrypt(self, text: str) -> str:
        return _encrypt(self._now.ciphers, text)

    def decrypt(self, token: str) -> str:
        return _decrypt(self._now.ciphers, token)

    @property
    def current(self) -> str:
        """How every ciphertext of the first key begins."""
        return f"{next(iter(self._now.ciphers))}."

    def sign(self, text: str, purpose: str) -> str:
        """`text` and a signature, fit for a path; `text` must be so. Nobody else can make one for the purpose."""
        return self._signer(purpose).sign(text).decode()

    def unsign(self, token: str, purpose: str) -> str | None:
        """The text that was signed for the purpose; None if we did not sign it."""
        try:
            return self._signer(purpose).unsign(token).decode()
        except (BadSignature, UnicodeError):
            return None

    def _signer(self, purpose: str) -> Signer:
        return Signer(
            self._now.signing_keys, salt=f"wcpay-bridge {purpose}", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def lookup_hash(self, consumer_key: str) -> str:
        """What a consumer key is found by: useless without the pepper."""
        return hmac.new(self._now.pepper, consumer_key.encode(), hashlib.sha256).hexdigest()

    def shop_secret(self, store_id: str) -> str:
        """What a shop signs its webhooks with; the same for ever, and nowhere stored."""
        return hmac.new(self._now.pepper, f"shop webhooks {store_id}".encode(), hashlib.sha256).hexdigest()

    def audit_digest(self, text: str) -> str:
        """What chains the audit trail: nobody without a secret key can make one. It survives rotation."""
        return hmac.new(self._now.pepper, f"audit trail {text}".encode(), hashlib.sha256).hexdigest()

    def _stored_pepper(self, ciphers: dict[str, Fernet]) -> str:
        query = select(secrets.c.value).where(secrets.c.name == "pepper")
        with self._database.read() as connection:
            if stored := connection.execute(query).scalar():
                return str(stored)
        fresh = _encrypt(ciphers, random_source.token_hex(32))
        try:
            with self._database.write() as connection:
                connection.execute(insert(secrets).values(name="pepper", value=fresh))
        except IntegrityError:
            with self._database.read() as connection:
                return str(connection.execute(query).scalar_one())
        return fresh


def _encrypt(ciphers: dict[str, Fernet], text: str) -> str:
    key_id, cipher = next(iter(ciphers.items()))
    return f"{key_id}.{cipher.encrypt(text.encode()).decode()}"


def _decrypt(ciphers: dict[str, Fernet], token: str) -> str:
    key_id, _, ciphertext = token.partition(".")
    try:
        return ciphers[key_id].decrypt(ciphertext).decode()
    except (KeyError, InvalidToken):
        raise ConfigurationError(WRONG_KEY) from None


def _derive(key: str, purpose: str) -> bytes:
    return urlsafe_b64encode(hmac.new(key.encode(), f"wcpay-bridge {purpose}".encode(), hashlib.sha256).digest())


def _key_id(key: str) -> str:
    return hashlib.sha256(f"wcpay-bridge key id {key}".encode()).hexdigest()[:8]


class UnreadableReference(ValueError):
    """One sentence about a reference that leads nowhere."""


def is_reference(value: str) -> bool:
    return value.startswith(("env:", "file:"))


def resolve(value: str) -> str:
    """What `env:NAME` or `file:PATH` stands for; any other value is itself. Raises UnreadableReference."""
    if not is_reference(value):
        return value
    kind, _, name = value.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise UnreadableReference(f"the environment variable {name} is not set")
        return os.environ[name].strip()
    try:
        return Path(name).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableReference(f"the file {name} cannot be read ({error.__class__.__name__})") from None
