"""The endpoints of webhook subscriptions, and the replay of what was sent.

Source: https://docs.fortepayments.io/payments/webhooks and its reference. The path of the test event, and what a
deletion and a replay answer, are this simulator's own.
"""

from datetime import UTC, datetime

from werkzeug.wrappers import Response

from .answers import answer
from .errors import ApiError
from .state import Call

LONGEST_TIMESTAMP = 100


def create_subscription(call: Call) -> Response:
    return answer(call.state.subscriptions.add(**call.body).to_json(), 201)


def list_subscriptions(call: Call) -> Response:
    return answer([subscription.to_json() for subscription in call.state.subscriptions.all()])


def change_subscription(call: Call) -> Response:
    return answer(call.state.subscriptions.change(call.ids["id"], **call.body).to_json())


def delete_subscription(call: Call) -> Response:
    call.state.subscriptions.remove(call.ids["id"])
    return Response(status=204)


def enable_subscription(call: Call) -> Response:
    return answer(call.state.subscriptions.enable(call.ids["id"]).to_json())


def disable_subscription(call: Call) -> Response:
    return answer(call.state.subscriptions.disable(call.ids["id"]).to_json())


def test_subscription(call: Call) -> Response:
    """Queue a test event for one subscription."""
    state, subscription = call.state, call.state.subscriptions.get(call.ids["id"])
    event = state.deliveries.publish(state.assumptions.test_event_name, {}, only=subscription.id)
    return answer({"id": event.id})


def replay_webhooks(call: Call) -> Response:
    """Queue again what was sent in a range of time. ApiError 422 for a range that is none."""
    start, end = _moment(call, "start_timestamp"), _moment(call, "end_timestamp")
    if start > end:
        raise ApiError(422, "start_timestamp is after end_timestamp")
    return answer({"replayed": call.state.deliveries.replay(start, end)})


def _moment(call: Call, name: str) -> float:
    given = call.request.args.get(name, "")
    if not 0 < len(given) <= LONGEST_TIMESTAMP:
        raise ApiError(422, f"{name} is missing or has more than {LONGEST_TIMESTAMP} characters")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ApiError(422, f"{name} is not a time in ISO 8601") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
