"""Forte's payment triggers: which of the project's services is notified of payments. The bridge itself creates none.

Source: Forte's guide "Creating Payments", section "Payment triggers"; the SDK's types for limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.adapters.forte_platform.client import Client
from bridge.adapters.forte_platform.errors import NONSENSE, refuse
from bridge.adapters.forte_platform.settings import Options, is_id
from bridge.domain.errors import ProviderConfused, ProviderError, Refused
from bridge.schemas.forte_platform import TriggerRequestSchema, TriggerSchema, TriggersSchema

WANTED = ("PAYMENT_COMPLETED", "PAYMENT_REFUNDED")
"""The events that the bridge needs."""
_BODY = TriggerRequestSchema()
_ONE = TriggerSchema()
_ALL = TriggersSchema()


@dataclass(frozen=True, slots=True)
class Trigger:
    """`service` is the id of a service of the same project, `path` where on it the trigger is delivered."""

    id: str
    name: str
    service: str
    path: str
    events: tuple[str, ...]
    enabled: bool


class Triggers:
    """The triggers of one project. Raises Refused for what Forte would not accept, else ProviderError."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._path = options.path("/payment-triggers")

    def list(self) -> tuple[Trigger, ...]:
        """All of them; Forte does not page them."""
        answer = self._client.read(self._path)
        return tuple(_trigger(one) for one in _read(_ALL, {"triggers": answer})["triggers"])

    def create(
        self, name: str, service: str, path: str, events: Sequence[str] = WANTED, *, enabled: bool = True
    ) -> Trigger:
        """A new trigger."""
        body = _body(name, service, path, events, enabled)
        return _trigger(_read(_ONE, self._client.write("POST", self._path, body)))

    def update(
        self,
        trigger_id: str,
        *,
        name: str | None = None,
        service: str | None = None,
        path: str | None = None,
        events: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> Trigger:
        """Change what is given. Forte replaces the whole trigger, so that the rest is sent as it was."""
        before = next((one for one in self.list() if one.id == trigger_id), None)
        if before is None:
            raise _missing(trigger_id)
        body = _body(
            before.name if name is None else name,
            before.service if service is None else service,
            before.path if path is None else path,
            before.events if events is None else events,
            before.enabled if enabled is None else enabled,
        )
        return _trigger(_read(_ONE, self._client.write("PUT", self._of(trigger_id), body)))

    def delete(self, trigger_id: str) -> None:
        """Remove it for good. Forte silently drops its pending deliveries."""
        self._client.write("DELETE", self._of(trigger_id))

    def _of(self, trigger_id: str) -> str:
        if not is_id(trigger_id):
            raise _missing(trigger_id)
        return self._options.path("/payment-triggers/{trigger}", trigger=trigger_id)


def _body(name: str, service: str, path: str, events: Sequence[str], enabled: bool) -> dict[str, Any]:
    body = {
        "displayName": name,
        "targetServiceId": service,
        "targetPath": path,
        "events": list(dict.fromkeys(events)),
        "enabled": enabled,
    }
    if problems := _BODY.problems(body):
        raise Refused(f"Forte does not accept this trigger: {problems}", reason="invalid_trigger")
    return body


def _missing(trigger_id: str) -> ProviderError:
    return refuse("trigger_missing", f"The Forte project does not have the trigger {trigger_id[:80]}.", status=404)


def _read(schema: TriggerSchema | TriggersSchema, answer: Any) -> dict[str, Any]:
    try:
        return schema.read(answer)
    except ValueError:
        raise ProviderConfused(NONSENSE) from None


def _trigger(one: dict[str, Any]) -> Trigger:
    return Trigger(
        id=one["triggerId"],
        name=one["displayName"],
        service=one["targetServiceId"],
        path=one["targetPath"],
        events=tuple(one["events"]),
        enabled=one["enabled"],
    )
