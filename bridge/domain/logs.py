"""The package's loggers. They hide what has found its way into a line or a traceback and is for nobody's eyes.

A logger's filter is not asked for its children's lines, so that each has it.
"""

import logging
import re

HIDDEN = "***"
_SECRETS = re.compile(
    r"""
    \b(?:ck|cs)_[0-9a-f]{16,}                      # consumer keys and secrets
    | \b[a-z]+_(?:live|test)_\w{8,} | \bwhsec_\S+  # keys of providers, and of their messages
    | (?<=_secret_)\w+                             # what lets a buyer confirm a payment
    | (?<=\bBasic\ )\S+ | (?<=\bBearer\ )\S+
    | (?<=secret=)[^\s&]+ | (?<=signature=)[^\s&]+ | (?<=password=)[^\s&]+ | (?<=token=)[^\s&]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Redaction(logging.Filter):
    """Lets every line pass, without its secrets."""

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
    return _SECRETS.sub(HIDDEN, text)
