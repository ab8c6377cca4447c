"""The hosted payment page of redirect mode: opened once, then plain forms without a line of JavaScript.

Source: https://docs.fortepayments.io, create payment intent: an address is good for 30 seconds and one visit, then 401.
Where the buyer goes in the end is not documented.
"""

from html import escape

from werkzeug.wrappers import Response

from . import buyers
from .answers import page
from .refusals import KYC_CODE, MESSAGES
from .state import Call, Visit

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1rem; margin: 0 .5rem .5rem 0 }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
<p><small>This is the Forte Payments simulator. No money moves.</small></p>
</main>
</body>
</html>
"""
_TITLE = "Forte payment (test)"
_ENDINGS = {
    "Approved": "The payment was approved.",
    "Declined": "The payment was declined.",
    "Expired": "The time for this payment is over.",
}
_LEFT = "You left without paying."
_PAYING = (("approve", "Approve"), ("decline", "Decline"), ("expire", "Expire"), ("abandon", "Abandon"))
_VERIFYING = (("verify", "Verify identity"), ("abandon", "Abandon"))
_LEAVING = (("abandon", "Abandon"),)


def open_page(call: Call) -> Response:
    """The first visit shows the payment, any other and a late one is 401."""
    state = call.state
    visit = state.redirects.take(call.request.args.get("redirect_token", ""))
    return _show(call, visit) if visit and call.ids["site"] == state.site else _unauthorized()


def submit_page(call: Call) -> Response:
    """A button of the page. 401 for a form that this simulator did not make or that is too old."""
    state, form = call.state, call.request.form
    visit = state.pages.find(form.get("session", ""))
    if visit is None:
        return _unauthorized()
    action = form.get("action", "")
    if action == "verify":
        buyers.verify(state, visit)
        return _show(call, visit)
    if action in buyers.ENDS and visit.intent_id and buyers.obstacle(state, visit) is None:
        return _finish(call, _ENDINGS[buyers.end(state, visit.intent_id, buyers.ENDS[action])])
    return _finish(call, _LEFT)


def _show(call: Call, visit: Visit) -> Response:
    state, item = call.state, visit.request["items"][0]
    intent = state.intents.find(visit.intent_id) if visit.intent_id else None
    if intent and intent.status != "Created":
        return _finish(call, _ENDINGS[intent.status])
    price = f"<p>{escape(item['title'])}: <strong>{item['amount']} {visit.request['currency']}</strong></p>"
    code = buyers.obstacle(state, visit)
    if code is not None:
        said = f'<p role="alert">{escape(MESSAGES[code])}</p>'
        return _ask(call, visit, price + said, _VERIFYING if code == KYC_CODE else _LEAVING)
    if intent is None:
        return _ask(call, visit, f'{price}<p role="status">{buyers.START_AGAIN}</p>', _LEAVING)
    return _ask(call, visit, price, _PAYING)


def _ask(call: Call, visit: Visit, content: str, buttons: tuple[tuple[str, str], ...]) -> Response:
    state = call.state
    session = state.pages.issue(visit, state.assumptions.session_seconds)
    lines = [
        f'<form method="post" action="{state.site}">',
        f'<input type="hidden" name="session" value="{session}">',
        *(f'<button name="action" value="{value}">{label}</button>' for value, label in buttons),
        "</form>",
    ]
    return page(_PAGE.format(title=_TITLE, content="\n".join([content, *lines])))


def _finish(call: Call, sentence: str) -> Response:
    target = call.state.assumptions.return_url
    if target is not None:
        return Response(status=303, headers={"Location": target, "Cache-Control": "no-store"})
    return page(_PAGE.format(title=_TITLE, content=f'<p role="status">{sentence}</p>'))


def _unauthorized() -> Response:
    content = '<p role="alert">This address was used before, or it is too old.</p>'
    return page(_PAGE.format(title="401 Unauthorized", content=content), 401)
