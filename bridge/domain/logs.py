"""The package's loggers. They redact secrets that have found their way into a line or a traceback.

A logger's filter does not see its children's lines, so each has one.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

HIDDEN = "***"
_SECRETS = re.compile(
    r"""
    (?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))(?:ck|cs)_[0-9A-Za-z]{8,}  # consumer keys and secrets, also imported ones
    | (?:ck|cs)_[0-9a-f]{40}                                 # ours, whatever stands before them
    | (?:Y2tf|Y3Nf)[0-9A-Za-z+/=_-]{16,}                     # the same in Base64, without the word Basic before it
    | \b[a-z]+_(?:live|test)_\w{8,}                          # keys of providers
    | [spr]k_(?:live|test)_\w{8,} | whsec_\S+                # Stripe's and its messages', whatever is before them
    | (?<=_secret_)(?!key\b)\w+                              # what lets a buyer confirm; no name of a setting
    | (?<=/pay/)[\w.~%-]{16,}                                # a link to the buyer's page
    | (?<=Basic\ )\S+ | (?<=Bearer\ )\S+ | (?<=Basic%20)\S+ | (?<=Bearer%20)\S+
    | (?<=secret_key=)[^\s&]+ | (?<=secret_key%3D)[^\s&%]+
    | (?<=secret=)[^\s&]+ | (?<=signature=)[^\s&]+ | (?<=password=)[^\s&]+ | (?<=token=)[^\s&]+
    | (?<=secret%3D)[^\s&%]+ | (?<=signature%3D)[^\s&%]+ | (?<=password%3D)[^\s&%]+ | (?<=token%3D)[^\s&%]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MEMBERS = re.compile(
    r"""(["'][\w-]*(?:secret|signature|password|token|secret_key|api_key)["']\s*:\s*)(["'])(?:(?!\2).)+""",
    re.IGNORECASE,
)
_PASSWORDS = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)")
_ABOUT: ContextVar[dict[str, str] | None] = ContextVar("wcpay_bridge_about", default=None)


class Redaction(logging.Filter):
    """Passes every line, without its secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if (hidden := redact(line)) != line:
            record.msg, record.args = hidden, None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(_FORMATTER.formatException(record.exc_info))
        return True


_FORMATTER = logging.Formatter()
_REDACTION = Redaction()


def logger(name: str) -> logging.Logger:
    """The logger of that name, with redaction."""
    named = logging.getLogger(name)
    named.addFilter(_REDACTION)
    return named


def redact(text: str) -> str:
    """The text without what looks like a credential: keys of known shapes, and values of parameters that name one."""
    hidden = _SECRETS.sub(HIDDEN, text)
    hidden = _MEMBERS.sub(rf"\1\2{HIDDEN}", hidden)
    return _PASSWORDS.sub(rf"\1{HIDDEN}", hidden)


@contextmanager
def about(**names: str) -> Iterator[Mapping[str, str]]:
    """Lines of this thread belong to a request or a piece of work with these names (`request_id`, ...), and to those
    that `name` adds meanwhile. Whoever formats lines finds them by `names`."""
    frame = dict(names)
    token = _ABOUT.set(frame)
    try:
        yield frame
    finally:
        _ABOUT.reset(token)


def name(**names: str) -> None:
    """What the lines from here on are about, too. Nothing happens outside of `about`."""
    frame = _ABOUT.get()
    if frame is not None:
        frame.update(names)


def names() -> Mapping[str, str]:
    """What the lines of this thread are about now, without secrets: a client may name its request as it likes."""
    return {name: redact(value) for name, value in (_ABOUT.get() or {}).items()}
