"""The page on which a cardholder answers a 3-D Secure challenge, and the way back to the shop."""

from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from .errors import Json

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>3-D Secure test</title></head>
<body>
<h1>3-D Secure test</h1>
<p>{intent}: {amount} minor units of {currency}, {status}.</p>
<form method="post">
<button name="success" value="true">Complete</button>
<button name="success" value="false">Fail</button>
</form>
</body>
</html>
"""


def challenge_page(intent: Json) -> str:
    """The challenge as HTML: two buttons that post `success` to the same address."""
    shown = {"intent": intent["id"], **{name: intent[name] for name in ("amount", "currency", "status")}}
    return _PAGE.format(**{name: escape(str(value)) for name, value in shown.items()})


def return_address(before: Json, after: Json) -> str | None:
    """Where the browser goes after the challenge of the intent `before`: the shop's `return_url` with the parameters
    that Stripe adds to it, or None if the shop handles the challenge in the page."""
    target = (before["next_action"] or {}).get("redirect_to_url")
    if target is None:
        return None
    added = {
        "payment_intent": after["id"],
        "payment_intent_client_secret": after["client_secret"],
        "redirect_status": "failed" if after["last_payment_error"] else "succeeded",
    }
    parts = urlsplit(str(target["return_url"]))
    query = "&".join(part for part in (parts.query, urlencode(added)) if part)
    return urlunsplit(parts._replace(query=query))
