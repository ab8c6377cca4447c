"""The operator's commands on a `local` bridge, with its clock: as `flask bridge` runs them on the mounted one."""

import json
from typing import Any

from click.testing import CliRunner, Result
from flask.cli import ScriptInfo

from bridge.cli import group
from bridge.simulators.faults import Fault
from tests.plugins.local import Local

CREATE = "POST /v1/payment_intents"


def operate(local: Local, *arguments: str, code: int = 0) -> Result:
    told = CliRunner().invoke(group, arguments, obj=ScriptInfo(create_app=lambda: local.app))
    if told.exception and not isinstance(told.exception, SystemExit):
        raise told.exception
    assert told.exit_code == code, told.output
    return told


def operate_json(local: Local, *arguments: str, code: int = 0) -> Any:
    return json.loads(operate(local, *arguments, "--json", code=code).stdout)


def unknown(local: Local, fault: Fault = Fault.DROPPED, order: str = "payable") -> str:
    """A create whose outcome nobody knows; the attempt's id. The provider answers again from now on."""
    assert local.provider_faults
    local.provider_faults.next(fault, times=9, match=CREATE)
    attempt = local.create(order).get_json()["data"]["attempt_id"]
    local.provider_faults.clear()
    local.clock.advance(60)
    return str(attempt)


def at_provider(local: Local) -> list[dict[str, Any]]:
    """Stripe's own payments, newest first."""
    found: list[dict[str, Any]] = local.at_stripe("payment_intents?limit=100", "GET")["data"]
    return found
