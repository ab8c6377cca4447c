"""`why` and `worker`."""

from datetime import UTC, datetime
from typing import Any

import click

from bridge.app import Bridge
from bridge.cli.console import json_option, note, print_json, with_bridge
from bridge.payments import why as use_case
from bridge.payments.worker import Worker, run_once


@click.command()
@click.argument("order_or_intent")
@json_option
@with_bridge
def why(bridge: Bridge, order_or_intent: str, as_json: bool) -> None:
    """The story of a payment: give an order's id, an intent, an attempt or a provider's reference."""
    stories = use_case.why(bridge.services, order_or_intent)
    if as_json:
        print_json(stories)
        return
    click.echo("\n\n".join(_tell(story) for story in stories))


@click.command()
@click.option("--once", is_flag=True, help="One round, then end.")
@with_bridge
def worker(bridge: Bridge, once: bool) -> None:
    """Deliver what the stores have to hear of, and settle what is unknown."""
    if once:
        note(f"{run_once(bridge.services)} rows worked on.")
        return
    running = Worker(bridge.services)
    note("Working. Ctrl-C ends it after the round.")
    try:
        running.run()
    except KeyboardInterrupt:
        running.stop()


def _tell(story: dict[str, Any]) -> str:
    mode = "live" if story["live"] else "test"
    lines = [
        f"{story['payment_intent']}: {story['money']} for order {story['order']['number']} "
        f"of {story['store']}, by {story['provider']} ({mode})",
        f"  status {story['status']}" + (", outcome unknown" if story["outcome"] == "unknown" else ""),
    ]
    if story["charge"]:
        lines.append(f"  charge {story['charge']}")
    if story["flag"]:
        lines.append(f"  NEEDS A PERSON: {story['flag']}")
    lines += [_event(event) for event in story["events"]]
    for update in story["store_updates"]:
        if update["state"] != "delivered":
            error = f": {update['last_error']}" if update["last_error"] else ""
            lines.append(f"  {update['state']}: tell the store '{update['kind']}' ({update['tries']} tries{error})")
    return "\n".join(lines)


_WORDS = {
    "create_sent": "asked {provider} for {amount} {currency} (customer {customer}, payment method {payment_method})",
    "create_answered": "the provider answered {status} ({reference})",
    "outcome_unknown": "no usable answer: {why} The outcome is unknown and will be settled",
    "cancel_sent": "asked the provider to void it",
    "cancel_answered": "the provider answered {status}",
    "abandoned": "proven that nothing came of it: {why}",
    "news": "the provider says {status} ({reference})",
    "capture_sent": "asked the provider to capture {amount}",
    "capture_answered": "the provider answered {status}",
    "refund_sent": "asked the provider to refund {amount}",
    "refund": "refund of {amount}: {status} ({id})",
    "dispute": "dispute over {amount}: {status}, {reason} ({id})",
    "released": "the order is free again: {why}",
    "store_updated": "the store knows ({update}): {detail}",
    "store_not_updated": "the store could not be told ({update}): {why}",
    "flagged": "flagged for a person: {why}",
}


def _event(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["at"], UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    detail = event["detail"]
    words = _WORDS.get(event["kind"], event["kind"]).format_map(detail)
    if "message" in detail:
        words += f": {detail['message']} [{detail.get('decline_code') or detail.get('code')}]"
    return f"  {at}Z  {words}"
