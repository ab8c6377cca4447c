"""The controls over HTTP, for a person or another process at a demo: only for callers on the same machine.

POST /simulator/ACTION/ID, with what the control takes as form or query; the answer is the object as it is then.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from .errors import Json

if TYPE_CHECKING:
    from .controls import Controls

SIDE_DOOR = "/simulator/"
_Values = Mapping[str, str]
_ACTIONS: Mapping[str, Callable[["Controls", str, _Values], Json]] = {
    "present_card": lambda controls, intent, given: controls.present_card(
        intent, given.get("name", "pm_card_visa"), int(given.get("tip", 0))
    ),
    "expire": lambda controls, intent, _: controls.expire(intent),
    "settle": lambda controls, intent, given: controls.settle(intent, _true(given, "accepted")),
    "complete_refund": lambda controls, refund, _: controls.complete_refund(refund),
    "fail_refund": lambda controls, refund, given: controls.fail_refund(refund, given.get("reason", "unknown")),
    "dispute": lambda controls, charge, given: controls.dispute(
        charge,
        given.get("reason", "fraudulent"),
        int(given["amount"]) if "amount" in given else None,
        currency=given.get("currency", ""),
    ),
    "restrict_account": lambda controls, account, given: controls.restrict_account(
        account, given.get("reason", "requirements.past_due")
    ),
    "enable_account": lambda controls, account, _: controls.enable_account(account),
    "disconnect_account": lambda controls, account, _: controls.disconnect_account(account),
    "close_dispute": lambda controls, dispute, given: controls.close_dispute(dispute, _true(given, "won")),
}


def operate(controls: "Controls", request: Request) -> Response:
    """The answer to a request at the side door: 403 from elsewhere, 404 for an unknown action or id, 405 for anything
    but POST, 409 for what cannot happen now."""
    action, _, identifier = request.path.removeprefix(SIDE_DOOR).partition("/")
    if request.remote_addr not in ("127.0.0.1", "::1"):
        return _refusal(403, "Only for callers on this machine.")
    if action not in _ACTIONS:
        return _refusal(404, f"There is no action {action!r}, only {', '.join(_ACTIONS)}.")
    if request.method != "POST":
        return _refusal(405, "Use POST.")
    try:
        changed = _ACTIONS[action](controls, identifier, request.values)
    except LookupError as error:
        return _refusal(404, str(error))
    except ValueError as error:
        return _refusal(409, str(error))
    return Response(json.dumps(changed, indent=2), content_type="application/json")


def _true(given: _Values, name: str) -> bool:
    return given.get(name, "true") != "false"


def _refusal(status: int, message: str) -> Response:
    return Response(f"{message}\n", status=status)
