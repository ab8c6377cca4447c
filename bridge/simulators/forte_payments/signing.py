"""How webhooks are signed. Forte's public pages name a signing key and nothing else, so every part can be chosen."""

import hmac
from base64 import b64encode
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WebhookScheme:
    """An HMAC over `template`, in which `{timestamp}` (whole Unix seconds) and `{body}` (the raw bytes) are replaced.

    `header` carries `prefix` and the digest in `encoding`; `timestamp_header` may be None. `algorithm` is a name that
    `hashlib` knows.
    """

    header: str = "X-Forte-Signature"
    algorithm: str = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    template: str = "{timestamp}.{body}"
    timestamp_header: str | None = "X-Forte-Timestamp"

    def headers(self, signing_key: str, body: bytes, time: float) -> dict[str, str]:
        """The headers that prove a body sent at `time` (Unix seconds)."""
        timestamp = str(int(time))
        before, _, after = self.template.replace("{timestamp}", timestamp).partition("{body}")
        digest = hmac.digest(signing_key.encode(), before.encode() + body + after.encode(), self.algorithm)
        text = digest.hex() if self.encoding == "hex" else b64encode(digest).decode()
        stamped = {self.timestamp_header: timestamp} if self.timestamp_header else {}
        return {self.header: self.prefix + text, **stamped}
