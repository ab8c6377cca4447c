"""Texts of a shop as Forte's fields take them: plain, on one line, cut between characters as people see them. Pure."""

import html
import re
import unicodedata

_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<!--.*?-->|</?[a-z][^<>]*>", re.IGNORECASE | re.DOTALL)
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def plain(text: str) -> str:
    """Without HTML, control characters and what is no character at all, with single spaces."""
    text = html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", text)))
    kept = (" " if unicodedata.category(character) == "Cc" else character for character in text)
    return " ".join("".join(character for character in kept if unicodedata.category(character) != "Cs").split())


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, the last of which is an ellipsis if something was left out."""
    if len(text) <= longest:
        return text
    end = longest - 1
    while end > 0 and _continues(text, end):
        end -= 1
    return text[: end or longest - 1].rstrip() + "…"


def _continues(text: str, position: int) -> bool:
    """Whether what is at `position` belongs to the character before it: an accent, a skin tone, a joined emoji."""
    character = text[position]
    joined = character == _JOINER or text[position - 1] == _JOINER
    return joined or unicodedata.category(character).startswith("M") or ord(character) in _SKIN_TONES
