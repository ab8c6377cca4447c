"""The operator's calls, for a person or another process at a demo: only for callers on the same machine."""

from werkzeug.wrappers import Response

from .answers import answer
from .buyers import ENDS
from .errors import ApiError
from .state import Call, facts


def list_intents(call: Call) -> Response:
    """All intents, oldest first, or those with one `reference`."""
    reference = call.request.args.get("reference")
    found = [intent for intent in call.state.intents.all() if reference in (None, intent.reference)]
    return answer([facts(intent) for intent in found])


def end_intent(call: Call) -> Response:
    """Approve, decline or expire an intent. ApiError 404 if there is none, 409 if it has ended otherwise."""
    try:
        return answer(facts(call.state.intents.end(call.ids["id"], ENDS[call.ids["action"]])))
    except LookupError as error:
        raise ApiError(404, str(error)) from error
    except ValueError as error:
        raise ApiError(409, str(error)) from error
