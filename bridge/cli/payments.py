"""`why` and `worker`."""

from datetime import UTC, datetime
from typing import Any

import click

from bridge.app import Bridge
from bridge.cli.console import catch_endings, json_option, note, print_json, with_bridge
from bridge.cli.logging_setup import log_options, logging_to_stderr
from bridge.domain.money import Money
from bridge.domain.orders import called
from bridge.domain.shops import named_beside
from bridge.operations import why as use_case
from bridge.worker.periodic_jobs import run_jobs
from bridge.worker.runner import Worker, run_once


@click.command()
@click.argument("order_or_intent")
@json_option
@with_bridge
def why(bridge: Bridge, order_or_intent: str, as_json: bool) -> None:
    """Show the history of a payment: give an order's id or number, an intent, an attempt or a provider's reference."""
    stories = use_case.why(bridge.services, order_or_intent)
    if as_json:
        print_json(stories)
        return
    click.echo("\n\n".join(_tell(story) for story in stories))


@click.command()
@click.option("--once", is_flag=True, help="Run one round, then exit.")
@log_options
@with_bridge
def worker(bridge: Bridge, once: bool, log_level: str, log_format: str) -> None:
    """Deliver updates to the stores, resolve unknown outcomes, reconcile and prune.

    SIGTERM and Ctrl-C stop it after the work in progress.
    """
    with logging_to_stderr(log_level, log_format, bridge.settings.secrets()):
        _work(bridge, once)


def _work(bridge: Bridge, once: bool) -> None:
    if once:
        count = run_once(bridge.services)
        while run_jobs(bridge.services):
            count += 1
        note(f"{count} items processed.")
        return
    wait_for_end = catch_endings()
    running = Worker(bridge.services)
    running.start()
    note("Working. Ctrl-C stops it after the work in progress.")
    wait_for_end()
    running.stop(timeout=None)
    note("All work in progress is done.")


def _tell(story: dict[str, Any]) -> str:
    mode, order = "live" if story["live"] else "test", called(story["order"]["id"], story["order"]["number"])
    lines = [
        f"{story['payment_intent']}: {story['money']} for order {order} "
        f"of {named_beside(story['store'], story['other_entries'])}, by {story['provider']} ({mode})",
        f"  status {story['status']}" + (", outcome unknown" if story["outcome"] == "unknown" else ""),
    ]
    if story["unsettled"]:
        lines.append(_waiting(story["unsettled"]))
    if story["charge"]:
        sums = ", ".join(
            f"{word} {Money(story[word], story['currency'])}" for word in ("captured", "refunded") if story[word]
        )
        lines.append(f"  charge {story['charge']}" + (f", {sums}" if sums else ""))
    lines += [
        f"  dispute {each['id']} over {Money(each['amount'], each['currency'] or story['currency'])}: {each['status']}"
        for each in story["disputes"]
    ]
    if story["flag"]:
        lines.append(f"  NEEDS AN OPERATOR: {story['flag']}")
    lines += [_event(event, story["currency"]) for event in story["events"]]
    for update in story["store_updates"]:
        if update["state"] != "delivered":
            error = f": {update['last_error']}" if update["last_error"] else ""
            lines.append(
                f"  {update['state']}: update the store with '{update['kind']}' ({update['tries']} tries{error})"
            )
    return "\n".join(lines)


_WORDS = {
    "create_sent": "asked {provider} for {amount} (customer {customer}, payment method {payment_method})",
    "taken_over": "taken over, because {why} ({reference}, {amount})",
    "known": "known, but not taken over: {why} ({reference}, {amount})",
    "create_answered": "the provider answered {status} ({reference})",
    "left_behind": "left behind while it was open: {why}",
    "outcome_unknown": "no usable answer: {why} The outcome is unknown and will be resolved",
    "open_sent": "asked the provider for a payment page",
    "opened": "sent the buyer to the payment page",
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
    "store_updated": "the store has been updated ({update}): {detail}",
    "store_not_updated": "the store could not be updated ({update}): {why}",
    "flagged": "flagged for an operator: {why}",
    "flag_cleared": "{who} cleared the flag: {why}",
    "flag_settled": "the flag is no longer needed: {why}",
    "closed": "it can no longer be paid: {why}",
    "reopened": "its order can be paid with it again",
    "settled_by_hand": "{who} settled the {operation} as {verdict} {reference}: {why}",
    "owed_again": "the store did not show it ({what}), and will be updated again",
    "duplicate_payment": "the order was paid once more ({reference}, {amount})",
    "late_payment": "it was paid after all ({reference}, {amount}), although it was recorded as canceled",
}


def _waiting(unsettled: dict[str, Any]) -> str:
    """Of an outcome that is not known."""
    following = unsettled["next_check_at"]
    when = f"next at {_at(following)}Z" if following else "the bridge has stopped asking: settle it"
    return f"  the outcome of the {unsettled['operation']} is unknown: asked {unsettled['checks']} times, {when}"


def _at(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _event(event: dict[str, Any], currency: str) -> str:
    at = _at(event["at"])
    detail = event["detail"]
    if isinstance(detail.get("amount"), int):
        detail = detail | {"amount": Money(detail["amount"], detail.get("currency") or currency)}
    words = _WORDS.get(event["kind"], event["kind"]).format_map(detail)
    if detail.get("tip"):
        words += f", {Money(detail['tip'], detail.get('currency') or currency)} of it is a tip"
    if "message" in detail:
        words += f": {detail['message']} [{detail.get('decline_code') or detail.get('code')}]"
    return f"  {at}Z  {words}"
