"""Payment triggers: which service hears of which event, and the deliveries that a change of state causes.

Source: the section "Payment triggers" of Forte's guide, and the SDK's types.
"""

from .bodies import EVENTS
from .errors import ForteError, Json
from .state import Call, Delivery, Payment, State, Trigger, iso


def fire(state: State, payment: Payment, word: str, moment: float) -> None:
    """Owe the payment's project a delivery per trigger that is enabled and listens. A word that no event stands for
    goes to every enabled trigger, as only a liar would send it."""
    body = {"userId": payment.user_id, "paymentId": payment.id, "paymentTime": iso(moment), "state": word}
    wanted = {event for event, entered in EVENTS.items() if entered == word} or set(EVENTS)
    for trigger in state.triggers.values():
        if trigger.project == payment.project.id and trigger.enabled and wanted & set(trigger.events):
            state.deliveries.append(Delivery(trigger.id, dict(body), due=state.clock()))


def create(call: Call) -> Json:
    trigger = _read(call, call.state.mint("pmt_trigger"), call.state.clock())
    call.state.triggers[trigger.id] = trigger
    return trigger.shape


def list_all(call: Call) -> list[Json]:
    return [one.shape for one in call.state.triggers.values() if one.project == call.project.id]


def find(call: Call) -> Json:
    return _find(call).shape


def replace(call: Call) -> Json:
    """The whole trigger anew; what the body does not say has its default again."""
    before = _find(call)
    trigger = call.state.triggers[before.id] = _read(call, before.id, before.created)
    return trigger.shape


def delete(call: Call) -> None:
    del call.state.triggers[_find(call).id]


def _find(call: Call) -> Trigger:
    found = call.state.triggers.get(call.ids["trigger"])
    if found is None or found.project != call.project.id:
        raise ForteError("PAYMENT_TRIGGER_NOT_FOUND", f"There is no payment trigger {call.ids['trigger']} here.")
    return found


def _read(call: Call, identifier: str, created: float) -> Trigger:
    body = call.body
    service = call.state.services.get(body["targetServiceId"])
    if service is None or service.project != call.project.id:
        message = f"There is no service {body['targetServiceId']} in this project."
        raise ForteError("PAYMENT_TRIGGER_TARGET_SERVICE_NOT_FOUND", message)
    return Trigger(
        id=identifier,
        project=call.project.id,
        display_name=body["displayName"],
        service=service.id,
        path=body["targetPath"],
        events=tuple(dict.fromkeys(body["events"])),
        enabled=body.get("enabled", True),
        created=created,
    )
