"""`selftest`: the batteries that anybody can run."""

import re

import click

from bridge.cli.console import interrupt_on_endings, note, warn_of_secret

SIZES = ("small", "full")


@click.command()
@click.option("--chaos", is_flag=True, help="Only the batteries that kill processes and break connections.")
@click.option("--seed", default=1, show_default=True, help="Where chance begins; the same seed does the same.")
@click.option("--size", type=click.Choice(SIZES), default="small", show_default=True, help="Minutes, or hours.")
@click.option(
    "--database",
    default="",
    help="sqlite, postgresql (a server of its own, if PostgreSQL is installed) or the URL of a PostgreSQL server where "
    "databases may be made; both by default.",
)
@click.option("--battery", "names", multiple=True, help="Run this one only, such as B1; may be given more than once.")
@click.option("--naive", is_flag=True, help="Test a handler without any guards instead: the batteries must fail.")
def selftest(chaos: bool, seed: int, size: str, database: str, names: tuple[str, ...], naive: bool) -> None:
    """Try to make the bridge charge twice, lose something or guess, in environments of its own. No money moves.

    The simulated provider's ledger and the simulated store are the judges. Exit code 1 if anything is found.
    """
    from bridge.selftest.batteries import BATTERIES, CHAOS, run
    from bridge.selftest.report import table
    from bridge.selftest.run_context import RunContext

    chosen = [name.upper() for name in names] or list(CHAOS if chaos else BATTERIES)
    if unknown := [name for name in chosen if name not in BATTERIES]:
        raise click.BadParameter(f"There is no battery {unknown[0]}: {', '.join(BATTERIES)}.")
    interrupt_on_endings()
    with RunContext(seed=seed, size=size, **_databases(database), **_subject(naive)) as bench:  # type: ignore[arg-type]
        reports = []
        for report in run(bench, chosen, note):
            note(f"{report.battery} {report.title}: {'ok' if report.is_good else 'FAILED'} ({report.seconds:.0f} s)")
            reports.append(report)
    click.echo(table(reports))
    if not all(report.is_good for report in reports):
        raise SystemExit(1)


def _databases(wanted: str) -> dict[str, object]:
    if wanted in ("", "sqlite", "postgresql"):
        return {"kinds": (wanted,) if wanted else ("sqlite", "postgresql")}
    if re.match(r"[^/]*://[^/@]*:[^/@]+@", wanted):
        warn_of_secret("--database", "a URL without the password, and PGPASSWORD or PostgreSQL's password file")
    if not wanted.startswith(("postgres://", "postgresql")):
        raise click.BadParameter("--database is sqlite, postgresql or the URL of a PostgreSQL server.")
    return {"kinds": ("postgresql",), "postgres_url": wanted.replace("postgres://", "postgresql://", 1)}


def _subject(naive: bool) -> dict[str, object]:
    return {"subject": "bridge.selftest.naive:open_naive"} if naive else {}
