"""`wcpay-bridge selftest` as its user calls it."""

from tests.plugins.commandline import CommandLine


def test_it_prints_a_table_and_succeeds(cli: CommandLine) -> None:
    told = cli.run("selftest", "--battery", "b8", "--seed", "3", "--database", "sqlite")
    head, line = told.stdout.splitlines()
    columns = ["runs", "faults", "double", "lost", "stuck", "leaked", "wrong", "flagged", "settled", "time"]
    assert head.split() == ["battery", *columns]
    assert line.startswith("B8 the shop is away for a day  200 ")
    assert line.endswith("ok")


def test_it_fails_with_the_seed_that_replays_what_it_found(cli: CommandLine) -> None:
    told = cli.run("selftest", "--battery", "B8", "--seed", "3", "--naive", "--database", "sqlite", code=1)
    assert "FAILED" in told.stdout
    assert "replay: wcpay-bridge selftest --battery B8 --seed 3 --naive" in told.stdout


def test_a_battery_or_a_database_that_does_not_exist_is_a_wrong_call(cli: CommandLine) -> None:
    assert "There is no battery B99" in cli.run("selftest", "--battery", "B99", code=2).stderr
    assert "--database is" in cli.run("selftest", "--database", "mysql", code=2).stderr
