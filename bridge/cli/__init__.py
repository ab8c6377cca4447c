"""The command line: `wcpay-bridge ...`, and `flask bridge ...` on the Bridge that a host app has mounted."""

import click

from bridge.cli.audit import audit
from bridge.cli.console import choose_bridge
from bridge.cli.demo import demo
from bridge.cli.forte import forte
from bridge.cli.keys import keys
from bridge.cli.operations import doctor, flags, prune, reconcile, rekey, settle
from bridge.cli.payments import why, worker
from bridge.cli.queues import events, outbox, webhooks
from bridge.cli.selftest import selftest
from bridge.cli.stores import stores
from bridge.cli.system import init, migrate, openapi, serve
from bridge.version import __version__

SHARED = (
    *(audit, doctor, events, flags, forte, init, keys, migrate, openapi, outbox, prune, reconcile, rekey, settle),
    *(stores, webhooks, why, worker),
)


@click.group()
@click.option(
    "--bridge",
    metavar="NAME",
    expose_value=False,
    callback=choose_bridge,
    help="The name of the Bridge, if the app has several.",
)
def group() -> None:
    """The bridge that is mounted in this app."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wcpay-bridge")
def main() -> None:
    """WooPayments' REST API in front of any payment provider.

    Start with `wcpay-bridge demo`, or with `wcpay-bridge init` for a bridge of your own.
    """


for command in SHARED:
    group.add_command(command)
    main.add_command(command)
for command in (demo, selftest, serve):
    main.add_command(command)
