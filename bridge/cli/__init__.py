"""The command line: `wcpay-bridge ...`, and `flask bridge ...` on the Bridge that a host app has mounted."""

import click

from bridge.cli.lazy_group import Lazy, LazyGroup, choose_bridge
from bridge.version import __version__

SHARED = {
    "audit": Lazy("audit", "The audit trail: every administrative act, each chained to the one before."),
    "doctor": Lazy("operations", "Check whether everything is as it should be."),
    "events": Lazy("queues", "Messages from providers, in the durable inbox."),
    "flags": Lazy("operations", "Payments that need an operator."),
    "forte": Lazy("forte", "Resources that exist only at Forte."),
    "init": Lazy("system", "Create a secret key and the database, where the settings say or in the data directory."),
    "keys": Lazy("keys", "Consumer keys: who may call the bridge for which store."),
    "migrate": Lazy("system", "Migrate the database to the newest schema."),
    "openapi": Lazy("system", "Print the OpenAPI document."),
    "outbox": Lazy("queues", "Updates that the stores have not received yet, and those that could not be delivered."),
    "prune": Lazy("operations", "Delete what is no longer needed."),
    "reconcile": Lazy(
        "operations", "Compare provider, bridge and store, and repair what can be repaired without moving money."
    ),
    "rekey": Lazy(
        "operations", "Re-encrypt everything with the first of the secret keys, so that the others can be discarded."
    ),
    "settle": Lazy("operations", "Settle a payment whose outcome is unknown, by what you have seen at the provider."),
    "stores": Lazy("stores", "The WooCommerce stores that the bridge serves."),
    "webhooks": Lazy(
        "queues",
        "Webhooks that notify the bridge: the stores' own, about what staff do to orders, "
        "and those of providers that allow it.",
    ),
    "why": Lazy(
        "payments",
        "Show the history of a payment: give an order's id or number, an intent, an attempt or a provider's reference.",
    ),
    "worker": Lazy("payments", "Deliver updates to the stores, resolve unknown outcomes, reconcile and prune."),
}
OF_THE_PROGRAM = {
    "demo": Lazy("demo", "Start a complete local environment: a store, providers and a bridge."),
    "selftest": Lazy(
        "selftest", "Try to make the bridge charge twice, lose something or guess, in environments of its own."
    ),
    "serve": Lazy("system", "Serve with gunicorn."),
}
"""Those that make a bridge of their own."""


@click.group(cls=LazyGroup, lazy=SHARED)
@click.option(
    "--bridge",
    metavar="NAME",
    expose_value=False,
    callback=choose_bridge,
    help="The name of the Bridge, if the app has several.",
)
def group() -> None:
    """The bridge that is mounted in this app."""


@click.group(cls=LazyGroup, lazy=SHARED | OF_THE_PROGRAM, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wcpay-bridge")
def main() -> None:
    """WooPayments' REST API in front of any payment provider.

    Start with `wcpay-bridge demo`, or with `wcpay-bridge init` for a bridge of your own.
    """
